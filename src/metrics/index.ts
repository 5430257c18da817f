/** Metrics, by class and by name. */

import { BinaryCrossentropy } from '../losses/index.js';
import type { Loss } from '../losses/index.js';
import { Catalog } from '../names.js';
import type { Serialized } from '../names.js';
import * as accuracy from './accuracy.js';
import { AUC } from './auc.js';
import * as confusion from './confusion.js';
import { F1Score, FBetaScore } from './f-score.js';
import type { Metric } from './metric.js';
import * as ofLosses from './of-losses.js';
import { R2Score } from './r2.js';

export * from './accuracy.js';
export * from './auc.js';
export { ConfusionMatrix } from './confusion-matrix.js';
export {
  FalseNegatives,
  FalsePositives,
  Precision,
  Recall,
  TrueNegatives,
  TruePositives,
} from './confusion.js';
export type { CountOptions, Counts, Thresholds } from './confusion.js';
export * from './f-score.js';
export { Mean, MeanMetric } from './mean.js';
export type { MeanMetricOptions, SampleFunction } from './mean.js';
export { Metric } from './metric.js';
export type { MetricOptions } from './metric.js';
export type { Observed } from './observed.js';
export * from './of-losses.js';
export * from './r2.js';

const classes = {
  accuracy: accuracy.Accuracy,
  equalAccuracy: accuracy.EqualAccuracy,
  binaryAccuracy: accuracy.BinaryAccuracy,
  categoricalAccuracy: accuracy.CategoricalAccuracy,
  sparseCategoricalAccuracy: accuracy.SparseCategoricalAccuracy,
  topKCategoricalAccuracy: accuracy.TopKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy: accuracy.SparseTopKCategoricalAccuracy,
  auc: AUC,
  precision: confusion.Precision,
  recall: confusion.Recall,
  f1Score: F1Score,
  fBetaScore: FBetaScore,
  truePositives: confusion.TruePositives,
  falsePositives: confusion.FalsePositives,
  trueNegatives: confusion.TrueNegatives,
  falseNegatives: confusion.FalseNegatives,
  r2Score: R2Score,
  crossentropy: ofLosses.Crossentropy,
  binaryCrossentropy: ofLosses.BinaryCrossentropy,
  categoricalCrossentropy: ofLosses.CategoricalCrossentropy,
  sparseCategoricalCrossentropy: ofLosses.SparseCategoricalCrossentropy,
  meanSquaredError: ofLosses.MeanSquaredError,
  rootMeanSquaredError: ofLosses.RootMeanSquaredError,
  meanAbsoluteError: ofLosses.MeanAbsoluteError,
  meanAbsolutePercentageError: ofLosses.MeanAbsolutePercentageError,
  meanSquaredLogarithmicError: ofLosses.MeanSquaredLogarithmicError,
  huber: ofLosses.Huber,
  logCosh: ofLosses.LogCosh,
  poisson: ofLosses.Poisson,
  klDivergence: ofLosses.KLDivergence,
  cosineSimilarity: ofLosses.CosineSimilarity,
  hinge: ofLosses.Hinge,
  squaredHinge: ofLosses.SquaredHinge,
  categoricalHinge: ofLosses.CategoricalHinge,
} as const;

const aliases = {
  acc: 'accuracy',
  ce: 'crossentropy',
  f1: 'f1Score',
  mse: 'meanSquaredError',
  rmse: 'rootMeanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  kld: 'klDivergence',
} as const;

export type MetricName = keyof typeof classes | keyof typeof aliases;

/** Names of metrics that give, with their defaults, one figure. */
type SingleName = Exclude<MetricName, 'f1' | 'f1Score' | 'fBetaScore'>;

/** What a metric that fits itself is told. */
interface Context {
  readonly loss?: Loss;
}

/** A metric of one figure, or of a list of them. */
export type AnyMetric = Metric | Metric<number[]> | Metric<number | number[]>;

/** What stands for a metric where one is asked for. */
export type MetricLike = MetricName | AnyMetric | Serialized;

const catalog = new Catalog<AnyMetric>('metric', classes, aliases);

/**
 * A metric from its name with its defaults, from `{ className, config }`, or itself. A metric made
 * from a name is logged under that name. `accuracy` and `crossentropy` fit themselves to the loss,
 * if given (binary, from logits), and to the shapes they see.
 */
export function get(identifier: SingleName | Metric, context?: Context): Metric;
export function get(identifier: MetricLike, context?: Context): AnyMetric;
export function get(identifier: MetricLike, context: Context = {}): AnyMetric {
  if (typeof identifier !== 'string') return catalog.get(identifier);
  const each = catalog.find(identifier) as new (options: object) => AnyMetric;
  return new each({ name: identifier, ...hints(each, context.loss) });
}

/** What the loss tells a metric that fits itself. */
function hints(each: unknown, loss: Loss | undefined): object {
  const fromLogits = (loss as { fromLogits?: boolean } | undefined)?.fromLogits === true;
  const binary = loss instanceof BinaryCrossentropy;
  if (each === accuracy.Accuracy) return { binary, threshold: fromLogits ? 0 : 0.5 };
  return each === ofLosses.Crossentropy ? { binary, fromLogits } : {};
}

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (metric: AnyMetric): Serialized => catalog.serialize(metric);

/** Makes a class of your own known by name, for loading models saved with it. */
export const register = (own: new (...args: never[]) => AnyMetric): void => catalog.register(own);
