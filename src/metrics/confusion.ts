/** Counts of right and wrong decisions, and the figures made of them. */

import { ValueError } from '../errors.js';
import { checkEachNumber, checkNumber } from '../values.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { columnsOf, truthReader, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** Weighted counts of yes-or-no decisions. */
export interface Counts {
  truePositives: number;
  falsePositives: number;
  trueNegatives: number;
  falseNegatives: number;
}

export const noCounts = (): Counts => ({
  truePositives: 0,
  falsePositives: 0,
  trueNegatives: 0,
  falseNegatives: 0,
});

/** Counts one decision in. */
export function countDecision(
  counts: Counts,
  truth: boolean,
  decision: boolean,
  weight: number,
): void {
  if (decision) counts[truth ? 'truePositives' : 'falsePositives'] += weight;
  else counts[truth ? 'falseNegatives' : 'trueNegatives'] += weight;
}

/** Numerator over denominator; 0 over nothing, as in Keras. */
export const ratio = (above: number, below: number): number => (below === 0 ? 0 : above / below);

/** One threshold, or several. */
export type Thresholds = number | readonly number[];

export interface CountOptions<T extends Thresholds = Thresholds> extends MetricOptions {
  /**
   * Predictions above it count as yes; for logits give 0. For a list the result is one too, with a
   * figure for each. Default 0.5; with `topK` −∞.
   */
  readonly thresholds?: T | null;
  /** Only the k largest predictions of a sample can be yes. Default: all. */
  readonly topK?: number | null;
  /** Look at this class alone. Default: all predictions together. */
  readonly classId?: number | null;
}

/** One figure for one threshold, a list for a list. */
type Figures<T extends Thresholds> = T extends readonly number[] ? number[] : number;

/** A figure of the four counts. Targets: 0 and 1 like the predictions, or class numbers. */
abstract class CountMetric<T extends Thresholds = number> extends Metric<Figures<T>> {
  abstract override readonly direction: 'min' | 'max';
  override readonly givesList: boolean;
  readonly thresholds: readonly number[];
  readonly topK: number | null;
  readonly classId: number | null;
  /** One for each threshold. */
  #counts: Counts[];

  constructor(options: CountOptions<T> = {}) {
    super(options);
    this.topK = options.topK ?? null;
    this.classId = options.classId ?? null;
    if (this.topK !== null) checkNumber(this.topK, `${this.name}: topK`, { min: 1, whole: true });
    if (this.classId !== null) {
      checkNumber(this.classId, `${this.name}: classId`, { min: 0, whole: true });
    }
    const given: Thresholds | null = options.thresholds ?? null;
    this.givesList = Array.isArray(given);
    this.thresholds = [given ?? (this.topK === null ? 0.5 : -Infinity)].flat();
    checkEachNumber(given ?? [], `${this.name}: thresholds`);
    if (this.thresholds.length === 0) {
      throw new ValueError(`${this.name}: thresholds must hold a number or more`);
    }
    this.#counts = this.thresholds.map(noCounts);
  }

  protected abstract figure(counts: Counts): number;

  protected observe(batch: Observed): void {
    const columns = columnsOf(batch);
    const rows = columns === 0 ? 0 : batch.prediction.length / columns;
    const truth = truthReader(batch, this.name);
    const weight = weightReader(batch.weights, rows, this.name);
    if (this.classId !== null && this.classId >= columns) {
      throw new ValueError(`${this.name}: classId ${this.classId} is outside 0 … ${columns - 1}`);
    }
    const first = this.classId ?? 0;
    const last = this.classId ?? columns - 1;
    for (let row = 0; row < rows; row++) {
      for (let column = first; column <= last; column++) {
        const value = batch.prediction[row * columns + column]!;
        const isTop = this.#isTop(batch, row * columns, columns, column);
        for (let t = 0; t < this.thresholds.length; t++) {
          const yes = isTop && value > this.thresholds[t]!;
          countDecision(this.#counts[t]!, truth(row, column), yes, weight(row));
        }
      }
    }
  }

  /** Whether a prediction is among the k largest of its row; of equal ones the first are. */
  #isTop({ prediction }: Observed, from: number, columns: number, column: number): boolean {
    if (this.topK === null) return true;
    const value = prediction[from + column]!;
    let before = 0;
    for (let i = 0; i < columns; i++) {
      const other = prediction[from + i]!;
      if (other > value || (other === value && i < column)) before++;
    }
    return before < this.topK;
  }

  result(): Figures<T> {
    const figures = this.#counts.map((counts) => this.figure(counts));
    return (this.givesList ? figures : figures[0]!) as Figures<T>;
  }

  protected clear(): void {
    this.#counts = this.thresholds.map(noCounts);
  }

  override state(): unknown {
    return structuredClone(this.#counts);
  }

  override restore(state: unknown): void {
    this.#counts = structuredClone(state) as Counts[];
  }

  protected override ownConfig(): Record<string, unknown> {
    const { topK, classId } = this;
    const thresholds = this.givesList ? [...this.thresholds] : this.thresholds[0]!;
    // JSON has no −∞; it is the default where it occurs.
    return { thresholds: thresholds === -Infinity ? null : thresholds, topK, classId };
  }
}

/** Number of positives found. */
export class TruePositives<T extends Thresholds = number> extends CountMetric<T> {
  readonly direction = 'max';
  protected figure(counts: Counts): number {
    return counts.truePositives;
  }
}

/** Number of negatives taken for positive. */
export class FalsePositives<T extends Thresholds = number> extends CountMetric<T> {
  readonly direction = 'min';
  protected figure(counts: Counts): number {
    return counts.falsePositives;
  }
}

/** Number of negatives left alone. */
export class TrueNegatives<T extends Thresholds = number> extends CountMetric<T> {
  readonly direction = 'max';
  protected figure(counts: Counts): number {
    return counts.trueNegatives;
  }
}

/** Number of positives missed. */
export class FalseNegatives<T extends Thresholds = number> extends CountMetric<T> {
  readonly direction = 'min';
  protected figure(counts: Counts): number {
    return counts.falseNegatives;
  }
}

/** Share of those found that are positive: TP / (TP + FP). */
export class Precision<T extends Thresholds = number> extends CountMetric<T> {
  readonly direction = 'max';
  protected figure({ truePositives: tp, falsePositives: fp }: Counts): number {
    return ratio(tp, tp + fp);
  }
}

/** Share of the positives that are found: TP / (TP + FN). */
export class Recall<T extends Thresholds = number> extends CountMetric<T> {
  readonly direction = 'max';
  protected figure({ truePositives: tp, falseNegatives: fn }: Counts): number {
    return ratio(tp, tp + fn);
  }
}
