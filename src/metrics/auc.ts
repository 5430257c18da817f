/** Area under a curve of two rates against each other as the threshold moves. */

import { ShapeError, ValueError } from '../errors.js';
import { rememberGiven } from '../names.js';
import { showShape } from '../tensor/shape.js';
import {
  checkChoice,
  checkEachNumber,
  checkFlag,
  checkNumber,
  notNegative,
  share,
} from '../values.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { columnsOf, truthReader, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** How far rounding may put a probability outside 0 … 1. */
const tolerance = 1e-5;

const curves = ['ROC', 'PR', 'PRGAIN'] as const;
const methods = ['interpolation', 'minoring', 'majoring'] as const;

export interface AUCOptions extends MetricOptions {
  /** Thresholds, evenly spread over [0, 1]; the error falls with their number. Default 200. */
  readonly numThresholds?: number;
  /** Thresholds of your own between 0 and 1, to which 0 and 1 are added; then no numThresholds. */
  readonly thresholds?: readonly number[] | null;
  /**
   * True against false positive rate (ROC), precision against recall (PR), or the same as gains
   * over always saying yes (PRGAIN, Flach and Kull 2015). Default ROC.
   */
  readonly curve?: (typeof curves)[number];
  /**
   * What lies between two thresholds: the curve in between, or the lower or the higher of its ends,
   * which bound the area. Default interpolation.
   */
  readonly summationMethod?: (typeof methods)[number];
  /** An area for each column [batch, labels], of which the mean is taken. Default false: one. */
  readonly multiLabel?: boolean;
  /** How many labels there are, with `multiLabel`. Default: as many as there are columns. */
  readonly numLabels?: number | null;
  /** Weight of each label: of its area with `multiLabel`, else of its predictions. Default 1. */
  readonly labelWeights?: readonly number[] | null;
  /** Predictions are logits: take their sigmoid. Default false. */
  readonly fromLogits?: boolean;
}

/** Weights of what is predicted above each threshold, by what is true. */
interface Series {
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** Area under the curve that two rates make as the threshold moves, as in Keras 3; targets 0, 1. */
export class AUC extends Metric {
  readonly direction = 'max';
  readonly numThresholds: number;
  readonly curve: (typeof curves)[number];
  readonly summationMethod: (typeof methods)[number];
  readonly multiLabel: boolean;
  readonly numLabels: number | null;
  readonly labelWeights: readonly number[] | null;
  readonly fromLogits: boolean;
  /** Those that were given, in order. */
  readonly #thresholds: readonly number[] | null;
  /** One, or one per label: weights of predictions between threshold i and i + 1. */
  #buckets: Series[] = [];

  constructor(options: AUCOptions = {}) {
    super({ ...options, name: options.name ?? 'auc' });
    rememberGiven(this, options);
    const { name } = this;
    const given = options.thresholds ?? null;
    checkEachNumber(given ?? [], `${name}: thresholds`, share);
    const thresholds = given === null ? null : [given].flat().sort((a, b) => a - b);
    this.#thresholds = thresholds;
    const number = thresholds ? thresholds.length + 2 : (options.numThresholds ?? 200);
    const range = { min: 2, whole: true };
    this.numThresholds = checkNumber(number, `${name}: numThresholds`, range);
    this.curve = checkChoice(options.curve ?? 'ROC', `${name}: curve`, curves);
    const { summationMethod = 'interpolation' } = options;
    this.summationMethod = checkChoice(summationMethod, `${name}: summationMethod`, methods);
    this.multiLabel = checkFlag(options.multiLabel ?? false, `${name}: multiLabel`);
    this.fromLogits = checkFlag(options.fromLogits ?? false, `${name}: fromLogits`);
    this.numLabels = options.numLabels ?? null;
    if (this.numLabels !== null) {
      checkNumber(this.numLabels, `${name}: numLabels`, { min: 1, whole: true });
      if (!this.multiLabel) throw new ValueError(`${name}: numLabels goes with multiLabel: true`);
    }
    this.labelWeights = options.labelWeights ?? null;
    checkEachNumber(this.labelWeights ?? [], `${name}: labelWeights`, notNegative);
  }

  protected observe(batch: Observed): void {
    const columns = columnsOf(batch);
    const rows = columns === 0 ? 0 : batch.prediction.length / columns;
    const truth = truthReader(batch, this.name);
    const weight = weightReader(batch.weights, rows, this.name);
    this.#checkLabels(batch, columns);
    const series = this.multiLabel ? columns : 1;
    while (this.#buckets.length < series) this.#buckets.push(noWeights(this.numThresholds));
    for (let i = 0; i < batch.prediction.length; i++) {
      const row = Math.floor(i / columns);
      const column = i % columns;
      const given = batch.prediction[i]!;
      const score = this.fromLogits ? 1 / (1 + Math.exp(-given)) : given;
      if (!(score >= -tolerance && score <= 1 + tolerance)) {
        throw new ValueError(
          `${this.name}: prediction ${score} is not a probability; for logits give fromLogits`,
        );
      }
      const { positives, negatives } = this.#buckets[this.multiLabel ? column : 0]!;
      const ofLabel = this.multiLabel ? 1 : (this.labelWeights?.[column] ?? 1);
      const buckets = truth(row, column) ? positives : negatives;
      buckets[this.#bucketOf(score)]! += weight(row) * ofLabel;
    }
  }

  /** Throws ShapeError unless there are as many columns as labels were said to be. */
  #checkLabels({ predictionShape }: Observed, columns: number): void {
    const wanted = this.numLabels ?? this.labelWeights?.length ?? columns;
    const fits = wanted === columns && (this.labelWeights?.length ?? columns) === columns;
    if (fits && (!this.multiLabel || predictionShape.length === 2)) return;
    throw new ShapeError(
      `${this.name}: predictions have shape ${showShape(predictionShape)}; expected ` +
        `[batch, ${this.numLabels ?? this.labelWeights?.length ?? 'labels'}]`,
    );
  }

  /** The last threshold that is below a probability. */
  #bucketOf(score: number): number {
    const last = this.numThresholds - 1;
    const own = this.#thresholds;
    if (!own) return Math.min(Math.max(0, Math.ceil(score * last) - 1), last);
    const above = own.findIndex((threshold) => threshold >= score);
    return above < 0 ? own.length : above;
  }

  result(): number {
    const areas = this.#buckets.map((each) => this.#area(each));
    const weights = areas.map((_, i) => (this.multiLabel ? (this.labelWeights?.[i] ?? 1) : 1));
    const total = weights.reduce((sum, each) => sum + each, 0);
    return total === 0 ? 0 : areas.reduce((sum, each, i) => sum + each * weights[i]!, 0) / total;
  }

  #area(buckets: Series): number {
    const found = sumsFromEnd(buckets.positives);
    const wrong = sumsFromEnd(buckets.negatives);
    const { curve, summationMethod } = this;
    if (curve === 'PR' && summationMethod === 'interpolation') return areaUnderPR(found, wrong);
    const [x, y] = pointsOf[curve](found, wrong);
    return areaUnder(x, y, heights[summationMethod]);
  }

  protected clear(): void {
    this.#buckets = [];
  }

  override state(): unknown {
    return this.#buckets.map((each) => [[...each.positives], [...each.negatives]]);
  }

  override restore(state: unknown): void {
    this.#buckets = (state as (readonly [number[], number[]])[]).map(([positives, negatives]) => ({
      positives: Float64Array.from(positives),
      negatives: Float64Array.from(negatives),
    }));
  }

  protected override ownConfig(): Record<string, unknown> {
    const { curve, summationMethod, multiLabel, numLabels, labelWeights, fromLogits } = this;
    return {
      ...{ numThresholds: this.numThresholds, thresholds: this.#thresholds },
      ...{ curve, summationMethod, multiLabel, numLabels, labelWeights, fromLogits },
    };
  }
}

const noWeights = (count: number): Series => ({
  positives: new Float64Array(count),
  negatives: new Float64Array(count),
});

/** Weight above each threshold. */
function sumsFromEnd(buckets: Float64Array): Float64Array {
  const sums = buckets.slice();
  for (let i = sums.length - 2; i >= 0; i--) sums[i]! += sums[i + 1]!;
  return sums;
}

/** 0 over nothing, as in Keras. */
const quotient = (above: number, below: number): number => (below === 0 ? 0 : above / below);

type Points = readonly [x: Float64Array, y: Float64Array];

/**
 * Places of the curves, by the weights of positives and negatives above each threshold. Those above
 * the first are all there are.
 */
const pointsOf: Readonly<
  Record<(typeof curves)[number], (found: Float64Array, wrong: Float64Array) => Points>
> = {
  ROC: (found, wrong) => [
    wrong.map((each) => quotient(each, wrong[0]!)),
    found.map((each) => quotient(each, found[0]!)),
  ],
  PR: (found, wrong) => [
    found.map((each) => quotient(each, found[0]!)),
    found.map((each, i) => quotient(each, each + wrong[i]!)),
  ],
  PRGAIN: (found, wrong) => {
    const odds = quotient(found[0]!, wrong[0]!);
    const missed = (each: number): number => 1 - odds * quotient(found[0]! - each, each);
    return [
      found.map((each) => (each === 0 ? 0 : Math.max(0, missed(each)))),
      found.map((each, i) => (each === 0 ? 1 : 1 - odds * quotient(wrong[i]!, each))),
    ];
  },
};

/** The height between two points. */
const heights: Readonly<Record<(typeof methods)[number], (a: number, b: number) => number>> = {
  interpolation: (a, b) => (a + b) / 2,
  minoring: Math.min,
  majoring: Math.max,
};

/** Σ width · height, x falling from point to point. */
function areaUnder(
  x: Float64Array,
  y: Float64Array,
  height: (a: number, b: number) => number,
): number {
  let area = 0;
  for (let i = 0; i + 1 < x.length; i++) area += (x[i]! - x[i + 1]!) * height(y[i]!, y[i + 1]!);
  return area;
}

/**
 * Between two thresholds true positives grow in proportion to all positives, which makes the curve
 * a hyperbola, not a line (Davis and Goadrich 2006).
 */
function areaUnderPR(found: Float64Array, wrong: Float64Array): number {
  const positives = found[0]!;
  if (positives === 0) return 0;
  let area = 0;
  for (let i = 0; i + 1 < found.length; i++) {
    const above = found[i + 1]! + wrong[i + 1]!;
    const below = found[i]! + wrong[i]!;
    const gain = found[i]! - found[i + 1]!;
    if (below <= above) continue;
    const slope = gain / (below - above);
    const intercept = found[i + 1]! - slope * above;
    const logarithm = above > 0 ? Math.log(below / above) : 0;
    area += slope * (gain + intercept * logarithm);
  }
  return area / positives;
}
