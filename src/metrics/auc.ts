/** Area under a curve of two rates against each other as the threshold moves. */

import { ValueError } from '../errors.js';
import { Metric } from './metric.js';
import type { MetricOptions } from './metric.js';
import { columnsOf, truthReader, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** How far rounding may put a probability outside 0 … 1. */
const tolerance = 1e-5;

const curves = ['ROC', 'PR'] as const;

export interface AUCOptions extends MetricOptions {
  /** Thresholds, evenly spread over [0, 1]; the error falls with their number. Default 200. */
  readonly numThresholds?: number;
  /** True against false positive rate (ROC), or precision against recall (PR). Default ROC. */
  readonly curve?: (typeof curves)[number];
  /** Predictions are logits: take their sigmoid. Default false. */
  readonly fromLogits?: boolean;
}

/** Area under the ROC or precision-recall curve, at thresholds as in Keras 3; targets 0 and 1. */
export class AUC extends Metric {
  readonly direction = 'max';
  readonly numThresholds: number;
  readonly curve: (typeof curves)[number];
  readonly fromLogits: boolean;
  /** Weights of positives (and negatives) between threshold i and i + 1. */
  readonly #positives: Float64Array;
  readonly #negatives: Float64Array;

  constructor(options: AUCOptions = {}) {
    super({ name: options.name ?? 'auc' });
    this.numThresholds = options.numThresholds ?? 200;
    this.curve = options.curve ?? 'ROC';
    this.fromLogits = options.fromLogits ?? false;
    if (!(Number.isInteger(this.numThresholds) && this.numThresholds >= 2)) {
      throw new ValueError(
        `${this.name}: numThresholds must be 2 or more, not ${this.numThresholds}`,
      );
    }
    if (!curves.includes(this.curve)) {
      throw new ValueError(
        `${this.name}: curve "${this.curve}" is not one of ${curves.join(', ')}`,
      );
    }
    this.#positives = new Float64Array(this.numThresholds);
    this.#negatives = new Float64Array(this.numThresholds);
  }

  protected observe(batch: Observed): void {
    const columns = columnsOf(batch);
    const rows = columns === 0 ? 0 : batch.prediction.length / columns;
    const truth = truthReader(batch, this.name);
    const weight = weightReader(batch.weights, rows, this.name);
    for (let i = 0; i < batch.prediction.length; i++) {
      const row = Math.floor(i / columns);
      const given = batch.prediction[i]!;
      const score = this.fromLogits ? 1 / (1 + Math.exp(-given)) : given;
      if (!(score >= -tolerance && score <= 1 + tolerance)) {
        throw new ValueError(
          `${this.name}: prediction ${score} is not a probability; for logits give fromLogits`,
        );
      }
      const last = this.numThresholds - 1;
      const place = Math.min(Math.max(0, Math.ceil(score * last) - 1), last);
      (truth(row, i % columns) ? this.#positives : this.#negatives)[place]! += weight(row);
    }
  }

  result(): number {
    const found = sumsFromEnd(this.#positives);
    const wrong = sumsFromEnd(this.#negatives);
    return this.curve === 'ROC' ? areaUnderROC(found, wrong) : areaUnderPR(found, wrong);
  }

  protected clear(): void {
    this.#positives.fill(0);
    this.#negatives.fill(0);
  }

  override state(): unknown {
    return [[...this.#positives], [...this.#negatives]];
  }

  override restore(state: unknown): void {
    const [positives, negatives] = state as [number[], number[]];
    this.#positives.set(positives);
    this.#negatives.set(negatives);
  }

  protected override ownConfig(): Record<string, unknown> {
    const { numThresholds, curve, fromLogits } = this;
    return { numThresholds, curve, fromLogits };
  }
}

/** Weight above each threshold. */
function sumsFromEnd(buckets: Float64Array): Float64Array {
  const sums = buckets.slice();
  for (let i = sums.length - 2; i >= 0; i--) sums[i]! += sums[i + 1]!;
  return sums;
}

/** Trapezoids under the true positive rate against the false positive rate. */
function areaUnderROC(found: Float64Array, wrong: Float64Array): number {
  const positives = found[0]!;
  const negatives = wrong[0]!;
  if (positives === 0 || negatives === 0) return 0;
  let area = 0;
  for (let i = 0; i + 1 < found.length; i++) {
    const width = (wrong[i]! - wrong[i + 1]!) / negatives;
    area += (width * (found[i]! + found[i + 1]!)) / (2 * positives);
  }
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
