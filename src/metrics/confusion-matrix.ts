/** Which classes are taken for which. */

import { ShapeError, ValueError } from '../errors.js';
import { showShape } from '../tensor/shape.js';
import { checkNumber } from '../values.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { argMaxAt, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** How often each class (row) was taken for each class (column): [classes][classes]. */
export class ConfusionMatrix extends Metric<number[][]> {
  readonly direction = 'max';
  readonly #classes: number;
  #counts: number[][];

  constructor(options: number | (MetricOptions & { readonly classes: number })) {
    const { classes, ...rest } =
      typeof options === 'number' ? { classes: options } : { ...options };
    super(rest);
    this.#classes = checkNumber(classes, `${this.name}: classes`, { min: 2, whole: true });
    this.#counts = this.#zeros();
  }

  #zeros(): number[][] {
    return Array.from({ length: this.#classes }, () => new Array<number>(this.#classes).fill(0));
  }

  protected observe(batch: Observed): void {
    const { prediction, truth, truthShape, predictionShape } = batch;
    const n = this.#classes;
    const rows = prediction.length / n;
    const oneHot = truth.length === prediction.length;
    if (predictionShape.at(-1) !== n || (!oneHot && truth.length !== rows)) {
      throw new ShapeError(
        `${this.name}: targets ${showShape(truthShape)} and predictions ` +
          `${showShape(predictionShape)} do not fit ${n} classes`,
      );
    }
    const weight = weightReader(batch.weights, rows, this.name);
    for (let row = 0; row < rows; row++) {
      const label = oneHot ? argMaxAt(truth, row * n, n) : truth[row]!;
      const counts = this.#counts[label];
      if (!counts) {
        throw new ValueError(`${this.name}: label ${label} is outside 0 … ${n - 1}`);
      }
      counts[argMaxAt(prediction, row * n, n)]! += weight(row);
    }
  }

  /** Rows are the true classes, columns the predicted ones. */
  result(): number[][] {
    return this.#counts.map((row) => [...row]);
  }

  protected clear(): void {
    this.#counts = this.#zeros();
  }

  override state(): unknown {
    return structuredClone(this.#counts);
  }

  override restore(state: unknown): void {
    this.#counts = structuredClone(state) as number[][];
  }

  protected override ownConfig(): Record<string, unknown> {
    return { classes: this.#classes };
  }
}
