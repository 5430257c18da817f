/** Losses as metrics: their mean over samples. */

import * as losses from '../losses/index.js';
import type { Loss } from '../losses/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFlags, checkNumber, share } from '../values.js';
import { MeanOfValues } from './mean.js';
import type { MetricOptions } from './metric.js';
import { formOf } from './observed.js';

/** The mean of a loss over samples, as a metric. */
class MeanLoss extends MeanOfValues {
  readonly direction = 'min' as 'min' | 'max';
  readonly #loss: Loss;

  constructor(loss: Loss, options: MetricOptions) {
    super(options);
    this.#loss = loss;
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.#loss.call(yTrue, yPred);
  }

  protected override ownConfig(): Record<string, unknown> {
    const own = Object.entries(this.#loss.config());
    return Object.fromEntries(own.filter(([key]) => key !== 'name' && key !== 'reduction'));
  }
}

/** A loss's options without what only losses have. */
type OptionsOf<O> = Omit<O, 'reduction' | 'name'> & MetricOptions;

/** The metric that averages a class of losses, with that class's options. */
function meanOf<O extends losses.LossOptions>(
  make: (options: OptionsOf<O>) => Loss,
): new (options?: OptionsOf<O>) => MeanLoss {
  return class extends MeanLoss {
    constructor(options: OptionsOf<O> = {} as OptionsOf<O>) {
      super(make(options), options);
    }
  };
}

type Plain = losses.LossOptions;

/** Mean of (y − p)². */
export class MeanSquaredError extends meanOf<Plain>((o) => new losses.MeanSquaredError(o)) {}
/** Mean of |y − p|. */
export class MeanAbsoluteError extends meanOf<Plain>((o) => new losses.MeanAbsoluteError(o)) {}
/** Mean of 100 · |y − p| / |y|. */
export class MeanAbsolutePercentageError extends meanOf<Plain>(
  (o) => new losses.MeanAbsolutePercentageError(o),
) {}
/** Mean of (log(1 + y) − log(1 + p))². */
export class MeanSquaredLogarithmicError extends meanOf<Plain>(
  (o) => new losses.MeanSquaredLogarithmicError(o),
) {}
/** Mean Huber loss. */
export class Huber extends meanOf<losses.HuberOptions>((o) => new losses.Huber(o)) {}
/** Mean of log(cosh(p − y)). */
export class LogCosh extends meanOf<Plain>((o) => new losses.LogCosh(o)) {}
/** Mean Poisson loss. */
export class Poisson extends meanOf<Plain>((o) => new losses.Poisson(o)) {}
/** Mean Kullback-Leibler divergence. */
export class KLDivergence extends meanOf<Plain>((o) => new losses.KLDivergence(o)) {}
/** Mean hinge loss. */
export class Hinge extends meanOf<Plain>((o) => new losses.Hinge(o)) {}
/** Mean squared hinge loss. */
export class SquaredHinge extends meanOf<Plain>((o) => new losses.SquaredHinge(o)) {}
/** Mean categorical hinge loss. */
export class CategoricalHinge extends meanOf<Plain>((o) => new losses.CategoricalHinge(o)) {}
/** Mean binary cross-entropy. */
export class BinaryCrossentropy extends meanOf<losses.CrossentropyOptions>(
  (o) => new losses.BinaryCrossentropy(o),
) {}
/** Mean categorical cross-entropy, of one-hot targets. */
export class CategoricalCrossentropy extends meanOf<losses.CrossentropyOptions>(
  (o) => new losses.CategoricalCrossentropy(o),
) {}
/** Mean categorical cross-entropy, of class numbers. */
export class SparseCategoricalCrossentropy extends meanOf<losses.CrossentropyOptions>(
  (o) => new losses.SparseCategoricalCrossentropy(o),
) {}

/** Square root of the mean of (y − p)². */
export class RootMeanSquaredError extends MeanSquaredError {
  override result(): number {
    return Math.sqrt(super.result());
  }
}

/** Mean cosine of the angle between target and prediction: 1 where they agree. */
export class CosineSimilarity extends meanOf<Plain>((o) => new losses.CosineSimilarity(o)) {
  override readonly direction = 'max';

  override result(): number {
    return -super.result();
  }
}

export interface CrossentropyOptions extends OptionsOf<losses.CrossentropyOptions> {
  /** Every prediction is a yes or no of its own. Default: where there is one per sample. */
  readonly binary?: boolean;
}

/** What `crossentropy` means in `compile`: the form that fits the shapes, as for `accuracy`. */
export class Crossentropy extends MeanOfValues {
  readonly direction = 'min';
  readonly #options: CrossentropyOptions;

  constructor(options: CrossentropyOptions = {}) {
    super(options);
    const { binary = false, fromLogits = false, labelSmoothing = 0 } = options;
    checkFlags(this.name, { binary, fromLogits });
    checkNumber(labelSmoothing, `${this.name}: labelSmoothing`, share);
    this.#options = options;
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    const form = this.#options.binary ? 'binary' : formOf(yTrue.shape, yPred.shape);
    return new crossentropies[form]({ ...this.#options, name: this.name }).call(yTrue, yPred);
  }

  protected override ownConfig(): Record<string, unknown> {
    const { binary = false, fromLogits = false, labelSmoothing = 0 } = this.#options;
    return { binary, fromLogits, labelSmoothing };
  }
}

const crossentropies = {
  binary: losses.BinaryCrossentropy,
  sparse: losses.SparseCategoricalCrossentropy,
  categorical: losses.CategoricalCrossentropy,
} as const;
