/** Counts of right and wrong decisions per class, and the figures made of them. */

import { ShapeError, ValueError } from '../errors.js';
import { rememberGiven } from '../names.js';
import { showShape } from '../tensor/shape.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { argMaxAt, columnsOf, truthReader, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** Weighted counts of yes-or-no decisions. */
export interface Counts {
  truePositives: number;
  falsePositives: number;
  trueNegatives: number;
  falseNegatives: number;
}

const noCounts = (): Counts => ({
  truePositives: 0,
  falsePositives: 0,
  trueNegatives: 0,
  falseNegatives: 0,
});

function countDecision(counts: Counts, truth: boolean, decision: boolean, weight: number): void {
  if (decision) counts[truth ? 'truePositives' : 'falsePositives'] += weight;
  else counts[truth ? 'falseNegatives' : 'trueNegatives'] += weight;
}

/** Numerator over denominator; 0 over nothing, as in Keras. */
const ratio = (above: number, below: number): number => (below === 0 ? 0 : above / below);

export interface CountOptions extends MetricOptions {
  /** Predictions above it count as yes. Default 0.5; with `topK` −∞. */
  readonly threshold?: number;
  /** Only the k largest predictions of a sample can be yes. Default: all. */
  readonly topK?: number | null;
  /** Look at this class alone. Default: all predictions together. */
  readonly classId?: number | null;
}

/** A figure of the four counts. Targets: 0 and 1 like the predictions, or class numbers. */
abstract class CountMetric extends Metric {
  abstract override readonly direction: 'min' | 'max';
  readonly threshold: number;
  readonly topK: number | null;
  readonly classId: number | null;
  #counts = noCounts();

  constructor(options: CountOptions = {}) {
    super(options);
    this.topK = options.topK ?? null;
    this.threshold = options.threshold ?? (this.topK === null ? 0.5 : -Infinity);
    this.classId = options.classId ?? null;
  }

  protected abstract figure(counts: Counts): number;

  protected observe(batch: Observed): void {
    const columns = columnsOf(batch);
    const rows = columns === 0 ? 0 : batch.prediction.length / columns;
    const truth = truthReader(batch, this.name);
    const weight = weightReader(batch.weights, rows, this.name);
    if (this.classId !== null && !(this.classId >= 0 && this.classId < columns)) {
      throw new ValueError(`${this.name}: classId ${this.classId} is outside 0 … ${columns - 1}`);
    }
    const first = this.classId ?? 0;
    const last = this.classId ?? columns - 1;
    for (let row = 0; row < rows; row++) {
      for (let column = first; column <= last; column++) {
        const value = batch.prediction[row * columns + column]!;
        const yes = value > this.threshold && this.#isTop(batch, row * columns, columns, value);
        countDecision(this.#counts, truth(row, column), yes, weight(row));
      }
    }
  }

  #isTop({ prediction }: Observed, from: number, columns: number, value: number): boolean {
    if (this.topK === null) return true;
    let larger = 0;
    for (let i = from; i < from + columns; i++) if (prediction[i]! > value) larger++;
    return larger < this.topK;
  }

  result(): number {
    return this.figure(this.#counts);
  }

  protected clear(): void {
    this.#counts = noCounts();
  }

  override state(): unknown {
    return structuredClone(this.#counts);
  }

  override restore(state: unknown): void {
    this.#counts = structuredClone(state) as Counts;
  }

  protected override ownConfig(): Record<string, unknown> {
    const { topK, classId } = this;
    // JSON has no −∞; it is the default where it occurs.
    return this.threshold === -Infinity
      ? { topK, classId }
      : { threshold: this.threshold, topK, classId };
  }
}

/** Number of positives found. */
export class TruePositives extends CountMetric {
  readonly direction = 'max';
  protected figure(counts: Counts): number {
    return counts.truePositives;
  }
}

/** Number of negatives taken for positive. */
export class FalsePositives extends CountMetric {
  readonly direction = 'min';
  protected figure(counts: Counts): number {
    return counts.falsePositives;
  }
}

/** Number of negatives left alone. */
export class TrueNegatives extends CountMetric {
  readonly direction = 'max';
  protected figure(counts: Counts): number {
    return counts.trueNegatives;
  }
}

/** Number of positives missed. */
export class FalseNegatives extends CountMetric {
  readonly direction = 'min';
  protected figure(counts: Counts): number {
    return counts.falseNegatives;
  }
}

/** Share of those found that are positive: TP / (TP + FP). */
export class Precision extends CountMetric {
  readonly direction = 'max';
  protected figure({ truePositives: tp, falsePositives: fp }: Counts): number {
    return ratio(tp, tp + fp);
  }
}

/** Share of the positives that are found: TP / (TP + FN). */
export class Recall extends CountMetric {
  readonly direction = 'max';
  protected figure({ truePositives: tp, falseNegatives: fn }: Counts): number {
    return ratio(tp, tp + fn);
  }
}

const averages = ['macro', 'micro', 'weighted'] as const;

export interface FBetaOptions extends MetricOptions {
  /** Over classes: their mean, all decisions together, or weighted by frequency. Default macro. */
  readonly average?: (typeof averages)[number];
  /** How much more recall counts than precision. Default 1. */
  readonly beta?: number;
  /** Predictions above it count as yes. Default null: the largest of a sample does. */
  readonly threshold?: number | null;
}

/** (1 + β²) · precision · recall / (β² · precision + recall), over classes [batch, classes]. */
export class FBetaScore extends Metric {
  readonly direction = 'max';
  readonly average: (typeof averages)[number];
  readonly beta: number;
  readonly threshold: number | null;
  #counts: Counts[] = [];

  constructor(options: FBetaOptions = {}) {
    super(options);
    this.average = options.average ?? 'macro';
    this.beta = options.beta ?? 1;
    this.threshold = options.threshold ?? null;
    if (!averages.includes(this.average)) {
      throw new ValueError(
        `${this.name}: average "${this.average}" is not one of ${averages.join(', ')}`,
      );
    }
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
      const chosen = argMaxAt(batch.prediction, row * columns, columns);
      for (let column = 0; column < columns; column++) {
        const value = batch.prediction[row * columns + column]!;
        const yes = this.threshold === null ? column === chosen : value > this.threshold;
        countDecision(this.#counts[column]!, truth(row, column), yes, weight(row));
      }
    }
  }

  #score({ truePositives: tp, falsePositives: fp, falseNegatives: fn }: Counts): number {
    const square = this.beta * this.beta;
    return ratio((1 + square) * tp, (1 + square) * tp + square * fn + fp);
  }

  result(): number {
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
export class F1Score extends FBetaScore {
  constructor(options: Omit<FBetaOptions, 'beta'> = {}) {
    super({ ...options, beta: 1 });
    rememberGiven(this, options);
  }
}

/** How often each class (row) was taken for each class (column): [classes][classes]. */
export class ConfusionMatrix extends Metric<number[][]> {
  readonly direction = 'max';
  readonly #classes: number;
  #counts: number[][];

  constructor(options: number | (MetricOptions & { readonly classes: number })) {
    const { classes, ...rest } =
      typeof options === 'number' ? { classes: options } : { ...options };
    super(rest);
    this.#classes = classes;
    if (!(Number.isInteger(this.#classes) && this.#classes >= 2)) {
      throw new ValueError(`${this.name}: needs 2 classes or more, not ${this.#classes}`);
    }
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
