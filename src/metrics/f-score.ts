/** F scores: precision and recall in one figure, per class or averaged over classes. */

import { ShapeError } from '../errors.js';
import { rememberGiven } from '../names.js';
import { showShape } from '../tensor/shape.js';
import { checkChoice, checkNumber, positive } from '../values.js';
import { countDecision, noCounts, ratio } from './confusion.js';
import type { Counts } from './confusion.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { columnsOf, truthReader, weightReader } from './observed.js';
import type { Observed } from './observed.js';

const averages = ['macro', 'micro', 'weighted'] as const;

/** How one figure is made of those of the classes. */
export type Average = (typeof averages)[number];

export interface FBetaOptions<A extends Average | null = Average | null> extends MetricOptions {
  /**
   * Over classes: their mean (macro), all decisions together (micro), or weighted by frequency.
   * Default null: no average, the result is a list with one figure per class.
   */
  readonly average?: A;
  /** How much more recall counts than precision. Default 1. */
  readonly beta?: number;
  /**
   * Predictions above it count as yes, greater than 0 and at most 1. Default null: the largest of a
   * sample do, unless they are 0.
   */
  readonly threshold?: number | null;
}

/** The least prediction that can be yes as the largest of its sample. */
const smallest = 1e-9;

/** (1 + β²) · precision · recall / (β² · precision + recall), over classes [batch, classes]. */
export class FBetaScore<A extends Average | null = null> extends Metric<
  A extends null ? number[] : number
> {
  readonly direction = 'max';
  override readonly givesList: boolean;
  readonly average: Average | null;
  readonly beta: number;
  readonly threshold: number | null;
  #counts: Counts[] = [];

  constructor(options: FBetaOptions<A> = {}) {
    super(options);
    const { beta = 1, threshold = null } = options;
    const average: Average | null = options.average ?? null;
    this.average = average;
    if (average !== null) checkChoice(average, `${this.name}: average`, averages);
    this.givesList = average === null;
    this.beta = checkNumber(beta, `${this.name}: beta`, positive);
    this.threshold = threshold;
    const range = { above: 0, max: 1 };
    if (threshold !== null) checkNumber(threshold, `${this.name}: threshold`, range);
  }

  protected observe(batch: Observed): void {
    const columns = columnsOf(batch);
    if (columns < 2 && this.threshold === null) {
      throw new ShapeError(
        `${this.name}: predictions ${showShape(batch.predictionShape)} have one class; give a ` +
          'threshold',
      );
    }
    const rows = batch.prediction.length / columns;
    const truth = truthReader(batch, this.name);
    const weight = weightReader(batch.weights, rows, this.name);
    while (this.#counts.length < columns) this.#counts.push(noCounts());
    for (let row = 0; row < rows; row++) {
      const own = batch.prediction.subarray(row * columns, (row + 1) * columns);
      const largest = Math.max(...own);
      for (let column = 0; column < columns; column++) {
        const value = own[column]!;
        const yes =
          this.threshold === null
            ? value >= largest && Math.abs(value) > smallest
            : value > this.threshold;
        countDecision(this.#counts[column]!, truth(row, column), yes, weight(row));
      }
    }
  }

  #score({ truePositives: tp, falsePositives: fp, falseNegatives: fn }: Counts): number {
    const square = this.beta * this.beta;
    return ratio((1 + square) * tp, (1 + square) * tp + square * fn + fp);
  }

  result(): A extends null ? number[] : number {
    const figures =
      this.average === null ? this.#counts.map((each) => this.#score(each)) : this.#averaged();
    return figures as A extends null ? number[] : number;
  }

  #averaged(): number {
    const counts = this.#counts;
    if (counts.length === 0) return 0;
    if (this.average === 'micro') return this.#score(counts.reduce(sumCounts, noCounts()));
    const frequency = (each: Counts): number =>
      this.average === 'macro' ? 1 : each.truePositives + each.falseNegatives;
    const total = counts.reduce((sum, each) => sum + frequency(each), 0);
    return ratio(
      counts.reduce((sum, each) => sum + frequency(each) * this.#score(each), 0),
      total,
    );
  }

  protected clear(): void {
    this.#counts = [];
  }

  override state(): unknown {
    return structuredClone(this.#counts);
  }

  override restore(state: unknown): void {
    this.#counts = structuredClone(state) as Counts[];
  }

  protected override ownConfig(): Record<string, unknown> {
    return { average: this.average, beta: this.beta, threshold: this.threshold };
  }
}

const sumCounts = (a: Counts, b: Counts): Counts => ({
  truePositives: a.truePositives + b.truePositives,
  falsePositives: a.falsePositives + b.falsePositives,
  trueNegatives: a.trueNegatives + b.trueNegatives,
  falseNegatives: a.falseNegatives + b.falseNegatives,
});

/** Harmonic mean of precision and recall, over classes [batch, classes]. */
export class F1Score<A extends Average | null = null> extends FBetaScore<A> {
  constructor(options: Omit<FBetaOptions<A>, 'beta'> = {}) {
    super({ ...options, beta: 1 });
    rememberGiven(this, options);
  }

  protected override ownConfig(): Record<string, unknown> {
    return { average: this.average, threshold: this.threshold };
  }
}
