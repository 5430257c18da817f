/** The coefficient of determination. */

import { Metric } from './metric.js';
import { columnsOf, unfit, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** 1 − Σ(y − p)² / Σ(y − ȳ)² per output, averaged over the outputs. */
export class R2Score extends Metric {
  readonly direction = 'max';
  /** Per output: Σw, Σwy, Σwy², Σw(y − p)². */
  #sums: Float64Array[] = [];

  protected observe(batch: Observed): void {
    const { truth, prediction } = batch;
    const outputs = columnsOf(batch);
    if (truth.length !== prediction.length) throw unfit(batch, this.name, 'one shape');
    const weight = weightReader(batch.weights, prediction.length / outputs, this.name);
    while (this.#sums.length < outputs) this.#sums.push(new Float64Array(4));
    for (let i = 0; i < prediction.length; i++) {
      const sums = this.#sums[i % outputs]!;
      const [y, p] = [truth[i]!, prediction[i]!];
      const w = weight(Math.floor(i / outputs));
      sums[0]! += w;
      sums[1]! += w * y;
      sums[2]! += w * y * y;
      sums[3]! += w * (y - p) * (y - p);
    }
  }

  result(): number {
    const scores = this.#sums.map(([weight, sum, squares, residual]) => {
      const total = squares! - (sum! * sum!) / weight!;
      return total > 0 ? 1 - residual! / total : 0;
    });
    return scores.length === 0 ? 0 : scores.reduce((a, b) => a + b, 0) / scores.length;
  }

  protected clear(): void {
    this.#sums = [];
  }

  override state(): unknown {
    return this.#sums.map((each) => [...each]);
  }

  override restore(state: unknown): void {
    this.#sums = (state as number[][]).map((each) => Float64Array.from(each));
  }
}
