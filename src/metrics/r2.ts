/** The coefficient of determination. */

import { checkChoice, checkNumber } from '../values.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { columnsOf, unfit, weightReader } from './observed.js';
import type { Observed } from './observed.js';

const aggregations = ['uniformAverage', 'varianceWeightedAverage'] as const;

/** How one figure is made of those of the outputs. */
export type ClassAggregation = (typeof aggregations)[number];

export interface R2ScoreOptions<
  A extends ClassAggregation | null = ClassAggregation | null,
> extends MetricOptions {
  /**
   * Over outputs: their mean, or weighted by the variance of their targets; null: none, the result
   * is a list with one figure per output. Default uniformAverage.
   */
  readonly classAggregation?: A;
  /**
   * Number of regressors p to adjust for: 1 − (1 − R²) · (n − 1) / (n − p − 1), where n counts the
   * values of all outputs, as Keras does; without more values than that, R² itself. Default 0.
   */
  readonly numRegressors?: number;
}

/** Sums of one output: Σw, Σwy, Σwy², Σw(y − p)², and the number of values. */
type Sums = [weight: number, sum: number, squares: number, residual: number, count: number];

/** 1 − Σ(y − p)² / Σ(y − ȳ)² per output, averaged over the outputs; 0 where all y are the same. */
export class R2Score<A extends ClassAggregation | null = ClassAggregation> extends Metric<
  A extends null ? number[] : number
> {
  readonly direction = 'max';
  override readonly givesList: boolean;
  readonly classAggregation: ClassAggregation | null;
  readonly numRegressors: number;
  #sums: Sums[] = [];

  constructor(options: R2ScoreOptions<A> = {}) {
    super(options);
    const given: ClassAggregation | null | undefined = options.classAggregation;
    const aggregation = given === undefined ? 'uniformAverage' : given;
    if (aggregation !== null) {
      checkChoice(aggregation, `${this.name}: classAggregation`, aggregations);
    }
    this.classAggregation = aggregation;
    this.givesList = aggregation === null;
    const range = { min: 0, whole: true };
    this.numRegressors = checkNumber(
      options.numRegressors ?? 0,
      `${this.name}: numRegressors`,
      range,
    );
  }

  protected observe(batch: Observed): void {
    const { truth, prediction } = batch;
    const outputs = columnsOf(batch);
    if (truth.length !== prediction.length) throw unfit(batch, this.name, 'one shape');
    const weight = weightReader(batch.weights, prediction.length / outputs, this.name);
    while (this.#sums.length < outputs) this.#sums.push([0, 0, 0, 0, 0]);
    for (let i = 0; i < prediction.length; i++) {
      const sums = this.#sums[i % outputs]!;
      const [y, p] = [truth[i]!, prediction[i]!];
      const w = weight(Math.floor(i / outputs));
      sums[0] += w;
      sums[1] += w * y;
      sums[2] += w * y * y;
      sums[3] += w * (y - p) * (y - p);
      sums[4]++;
    }
  }

  result(): A extends null ? number[] : number {
    const scores = this.#sums.map((sums) => {
      const total = variation(sums);
      return total > 0 ? 1 - sums[3] / total : 0;
    });
    const figures =
      this.classAggregation === null
        ? scores.map((score) => this.#adjusted(score))
        : this.#adjusted(this.#averaged(scores));
    return figures as A extends null ? number[] : number;
  }

  #averaged(scores: readonly number[]): number {
    const uniform = this.classAggregation === 'uniformAverage';
    const weights = this.#sums.map((sums) => (uniform ? 1 : variation(sums)));
    const total = weights.reduce((a, b) => a + b, 0);
    return total > 0 ? scores.reduce((sum, score, i) => sum + score * weights[i]!, 0) / total : 0;
  }

  #adjusted(score: number): number {
    const values = this.#sums.reduce((sum, sums) => sum + sums[4], 0);
    const left = values - this.numRegressors - 1;
    return this.numRegressors > 0 && left > 0 ? 1 - ((1 - score) * (values - 1)) / left : score;
  }

  protected clear(): void {
    this.#sums = [];
  }

  override state(): unknown {
    return structuredClone(this.#sums);
  }

  override restore(state: unknown): void {
    this.#sums = structuredClone(state) as Sums[];
  }

  protected override ownConfig(): Record<string, unknown> {
    return { classAggregation: this.classAggregation, numRegressors: this.numRegressors };
  }
}

/** Σw(y − ȳ)². */
const variation = ([weight, sum, squares]: Sums): number => squares - (sum * sum) / weight;
