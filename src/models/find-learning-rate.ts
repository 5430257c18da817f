/** The learning-rate search: one short training with a rate that grows from step to step. */

import { Callback } from '../callbacks/callback.js';
import type { Logs } from '../callbacks/callback.js';
import { GradloomError, ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import type { Optimizer } from '../optimizers/index.js';
import { checkInteger } from '../tensor/shape.js';
import { defaultGenerator } from '../tensor/random.js';
import type { GeneratorState } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchIterable } from './batches.js';
import type { Compiled, CompileOptions } from './compile.js';
import type { Data } from './data.js';
import type { FitOptions, Model } from './model.js';
import { RateCurve } from './rate-curve.js';
import { isIterableOfBatches } from './sources.js';

export interface FindLearningRateOptions extends Pick<
  FitOptions,
  'batchSize' | 'sampleWeight' | 'classWeight' | 'signal'
> {
  /** Rate of the first step. Default 1e-6. */
  readonly minRate?: number;
  /** Rate of the last step, if it comes to that. Default 10. */
  readonly maxRate?: number;
  /** Steps, the rate growing by the same factor in each. Default 200. */
  readonly steps?: number;
  /** The search ends when the loss is this many times its lowest. Default 4. */
  readonly divergence?: number;
}

const findOptions: readonly (keyof FindLearningRateOptions)[] = [
  'batchSize',
  'sampleWeight',
  'classWeight',
  'signal',
  'minRate',
  'maxRate',
  'steps',
  'divergence',
];

/** Share of the old average in the one that divergence is judged by. */
const inertia = 0.9;

/**
 * Trains for a few steps with growing learning rates and returns the curve of the losses, with a
 * suggestion (`curve.suggestion`); print it to see it. The model, its optimizer and the random
 * numbers are afterwards as they were before.
 */
export async function findLearningRate(
  model: Model,
  x: Data,
  y: Data,
  options?: FindLearningRateOptions,
): Promise<RateCurve>;
export async function findLearningRate(
  model: Model,
  batches: BatchIterable,
  options?: FindLearningRateOptions,
): Promise<RateCurve>;
export async function findLearningRate(
  model: Model,
  data: Data | BatchIterable,
  second?: Data | FindLearningRateOptions,
  third?: FindLearningRateOptions,
): Promise<RateCurve> {
  const isPair = !isIterableOfBatches(data);
  const options: FindLearningRateOptions = (isPair ? third : (second as typeof third)) ?? {};
  const { minRate = 1e-6, maxRate = 10, steps = 200, divergence = 4, signal, ...rest } = options;
  checkOptionNames('findLearningRate', options, findOptions);
  checkInteger(steps, 2, Infinity, 'findLearningRate: steps');
  if (!(minRate > 0 && maxRate > minRate && maxRate < Infinity && divergence > 1)) {
    throw new ValueError(
      `findLearningRate: needs 0 < minRate < maxRate and divergence > 1, got minRate ${minRate}, ` +
        `maxRate ${maxRate} and divergence ${divergence}`,
    );
  }
  const end = new AbortController();
  const search = new RateSearch(minRate, maxRate, steps, divergence, () => end.abort());
  const signals = signal ? AbortSignal.any([signal, end.signal]) : end.signal;
  const fit = {
    ...rest,
    epochs: steps,
    verbose: 'silent',
    callbacks: [search],
    signal: signals,
  } as const;
  await withProbe(model, minRate, async () => {
    if (isPair) await model.fit(data, second as Data, fit);
    else await model.fit(data, fit);
  });
  signal?.throwIfAborted();
  if (search.losses.length < 2) {
    throw new GradloomError(
      `findLearningRate: the loss is not finite even with a rate of ${minRate}; look at the data`,
    );
  }
  return new RateCurve(search.rates, search.losses);
}

/** Sets the rate of every step and writes down what came of it. */
class RateSearch extends Callback {
  readonly rates: number[] = [];
  readonly losses: number[] = [];
  #average = 0;
  #lowest = Infinity;
  #sum = 0;
  #weights: Tensor[] = [];
  #generator!: GeneratorState;

  constructor(
    readonly minRate: number,
    readonly maxRate: number,
    readonly steps: number,
    readonly divergence: number,
    readonly end: () => void,
  ) {
    super();
  }

  /** By now the model is built, unless its data is yet to come. */
  override onTrainBegin(): void {
    if (!this.model.built) {
      throw new ValueError(
        `findLearningRate: model ${this.model.name} is not built; give its first layer an inputShape`,
      );
    }
    this.#weights = this.model.getWeights();
    this.#generator = defaultGenerator.state();
  }

  override onTrainEnd(): void {
    this.model.setWeights(this.#weights);
    defaultGenerator.restore(this.#generator);
  }

  override onEpochBegin(): void {
    this.#sum = 0;
  }

  override onTrainBatchBegin(): void {
    const share = this.rates.length / (this.steps - 1);
    this.model.optimizer.learningRate = this.minRate * (this.maxRate / this.minRate) ** share;
  }

  override onTrainBatchEnd(step: number, logs: Logs): void {
    // Logged is the mean over the epoch so far; the loss of this step is what it changed by.
    const sum = logs['loss']! * (step + 1);
    const loss = sum - this.#sum;
    this.#sum = sum;
    if (!Number.isFinite(loss)) {
      this.end();
      return;
    }
    this.rates.push(this.model.optimizer.learningRate);
    this.losses.push(loss);
    const count = this.losses.length;
    this.#average = inertia * this.#average + (1 - inertia) * loss;
    const average = this.#average / (1 - inertia ** count);
    this.#lowest = Math.min(this.#lowest, average);
    if (count >= this.steps || average > this.divergence * this.#lowest) this.end();
  }
}

/** Runs something with a new optimizer of the same kind in place; then all is as it was. */
async function withProbe(model: Model, rate: number, run: () => Promise<void>): Promise<void> {
  const { compiled, epochsSeen } = model;
  const { constructor } = compiled.optimizer;
  const Kind = constructor as new (config: object) => Optimizer;
  const probe = new Kind({ ...compiled.optimizer.config(), learningRate: rate });
  model.compile({ ...optionsOf(compiled), optimizer: probe, metrics: [], weightedMetrics: [] });
  try {
    await run();
  } finally {
    model.compile(optionsOf(compiled));
    model.epochsSeen = epochsSeen;
  }
}

/** What `compile` was given, with the very parts it made of it. */
function optionsOf({ optimizer, goals }: Compiled): CompileOptions {
  const metricsOf = (weighted: boolean) =>
    goals.map((goal) =>
      goal.metrics.filter((each) => each.weighted === weighted).map((each) => each.metric),
    );
  return {
    optimizer,
    loss: goals.map((goal) => goal.loss),
    lossWeights: goals.map((goal) => goal.weight),
    metrics: metricsOf(false),
    weightedMetrics: metricsOf(true),
  };
}
