/** Shares of predictions that are right. */

import { checkFlag, checkNumber } from '../values.js';
import { Metric, WeightedMean } from './metric.js';
import type { MetricOptions } from './metric.js';
import { argMaxAt, columnsOf, formOf, hasLabels, unfit, weightReader } from './observed.js';
import type { Observed } from './observed.js';

/** What is decided about a batch, and which decisions are right. */
interface Rule {
  /** How many decisions a batch holds. Throws ShapeError when targets do not fit. */
  readonly count: (batch: Observed, name: string) => number;
  /** Whether decision `i` is right. */
  readonly right: (batch: Observed, i: number) => boolean;
}

/** The share of right decisions. */
abstract class Share extends Metric {
  readonly direction = 'max';
  readonly #mean = new WeightedMean();

  /** The rule for a batch. */
  protected abstract rule(batch: Observed): Rule;

  protected observe(batch: Observed): void {
    const rule = this.rule(batch);
    const count = rule.count(batch, this.name);
    const { weights } = batch;
    if (weights) {
      const weight = weightReader(weights, count, this.name);
      for (let i = 0; i < count; i++) this.#mean.add(rule.right(batch, i) ? 1 : 0, weight(i));
    } else if (count > 0) {
      let right = 0;
      for (let i = 0; i < count; i++) if (rule.right(batch, i)) right++;
      this.#mean.add(right / count, count);
    }
  }

  result(): number {
    return this.#mean.value;
  }

  protected clear(): void {
    this.#mean.clear();
  }

  override state(): unknown {
    return this.#mean.state();
  }

  override restore(state: unknown): void {
    this.#mean.restore(state as [number, number]);
  }
}

// ---- rules --------------------------------------------------------------------------------------

/** One target per prediction. */
function elements(batch: Observed, name: string): number {
  if (batch.truth.length === batch.prediction.length) return batch.truth.length;
  throw unfit(batch, name, 'one shape');
}

/** One row of targets per row of predictions. */
const rows = (batch: Observed, name: string): number => elements(batch, name) / columnsOf(batch);

/** One class number per row of predictions. */
function labels(batch: Observed, name: string): number {
  if (hasLabels(batch)) return batch.truth.length;
  throw unfit(batch, name, 'one class number per sample');
}

const equalRule: Rule = {
  count: elements,
  right: ({ truth, prediction }, i) => truth[i] === prediction[i],
};

const binaryRule = (threshold: number): Rule => ({
  count: elements,
  right: ({ truth, prediction }, i) => (prediction[i]! > threshold ? 1 : 0) === truth[i],
});

const categoricalRule: Rule = {
  count: rows,
  right: (batch, i) => {
    const n = columnsOf(batch);
    return argMaxAt(batch.truth, i * n, n) === argMaxAt(batch.prediction, i * n, n);
  },
};

const sparseRule: Rule = {
  count: labels,
  right: (batch, i) => {
    const n = columnsOf(batch);
    return argMaxAt(batch.prediction, i * n, n) === batch.truth[i];
  },
};

/** Whether fewer than k predictions of row i are larger than that of the class. */
function among(batch: Observed, i: number, label: number, k: number): boolean {
  const n = columnsOf(batch);
  const own = label < n ? batch.prediction[i * n + label] : undefined;
  if (own === undefined || Number.isNaN(own)) return false;
  let larger = 0;
  for (let c = 0; c < n; c++) if (batch.prediction[i * n + c]! > own) larger++;
  return larger < k;
}

// ---- metrics ------------------------------------------------------------------------------------

/** Share of predictions equal to their targets. */
export class EqualAccuracy extends Share {
  protected rule(): Rule {
    return equalRule;
  }
}

export interface ThresholdOptions extends MetricOptions {
  /** Predictions above it count as 1. Default 0.5; for logits give 0. */
  readonly threshold?: number;
}

/** Share of predictions on the right side of a threshold; targets 0 and 1. */
export class BinaryAccuracy extends Share {
  readonly threshold: number;
  readonly #rule: Rule;

  constructor(options: ThresholdOptions = {}) {
    super(options);
    this.threshold = checkNumber(options.threshold ?? 0.5, `${this.name}: threshold`);
    this.#rule = binaryRule(this.threshold);
  }

  protected rule(): Rule {
    return this.#rule;
  }

  protected override ownConfig(): Record<string, unknown> {
    return { threshold: this.threshold };
  }
}

/** Share of samples whose largest prediction is at the largest target (one-hot). */
export class CategoricalAccuracy extends Share {
  protected rule(): Rule {
    return categoricalRule;
  }
}

/** Share of samples whose largest prediction is at the target, a class number. */
export class SparseCategoricalAccuracy extends Share {
  protected rule(): Rule {
    return sparseRule;
  }
}

export interface AccuracyOptions extends ThresholdOptions {
  /** Every prediction is a yes or no of its own. Default: where there is one per sample. */
  readonly binary?: boolean;
}

/**
 * What `accuracy` means in `compile`, decided by the shapes: binary for one prediction per sample,
 * else sparse for class numbers and categorical for one-hot targets.
 */
export class Accuracy extends Share {
  readonly binary: boolean;
  readonly threshold: number;
  readonly #binaryRule: Rule;

  constructor(options: AccuracyOptions = {}) {
    super(options);
    this.binary = checkFlag(options.binary ?? false, `${this.name}: binary`);
    this.threshold = checkNumber(options.threshold ?? 0.5, `${this.name}: threshold`);
    this.#binaryRule = binaryRule(this.threshold);
  }

  protected rule(batch: Observed): Rule {
    const form = formOf(batch.truthShape, batch.predictionShape);
    if (this.binary || form === 'binary') return this.#binaryRule;
    return form === 'sparse' ? sparseRule : categoricalRule;
  }

  protected override ownConfig(): Record<string, unknown> {
    return { binary: this.binary, threshold: this.threshold };
  }
}

export interface TopKOptions extends MetricOptions {
  /** Default 5. */
  readonly k?: number;
}

/** Share of samples whose target (one-hot) is among the k largest predictions. */
export class TopKCategoricalAccuracy extends Share {
  readonly k: number;

  constructor(options: TopKOptions = {}) {
    super(options);
    this.k = checkNumber(options.k ?? 5, `${this.name}: k`, { min: 1, whole: true });
  }

  protected rule(): Rule {
    return {
      count: rows,
      right: (batch, i) => {
        const n = columnsOf(batch);
        return among(batch, i, argMaxAt(batch.truth, i * n, n), this.k);
      },
    };
  }

  protected override ownConfig(): Record<string, unknown> {
    return { k: this.k };
  }
}

/** Share of samples whose target (a class number) is among the k largest predictions. */
export class SparseTopKCategoricalAccuracy extends TopKCategoricalAccuracy {
  protected override rule(): Rule {
    return { count: labels, right: (batch, i) => among(batch, i, batch.truth[i]!, this.k) };
  }
}
