/** Initializers that draw independent values, and the variance scaling family among them. */

import { rememberGiven } from '../names.js';
import type { Shape } from '../tensor/shape.js';
import { Generator, normal, truncatedNormal, uniform } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkChoice, checkNumber, notNegative, positive } from '../values.js';
import { computeFans, Initializer } from './initializer.js';
import type { InitializerTarget } from './initializer.js';

export interface SeedOptions {
  /**
   * Start of a stream of its own: equal seeds give equal values, and each call of one initializer
   * the next ones. Default: the default generator, which `seed()` sets.
   */
  readonly seed?: number | null;
}

/** Where a random initializer's numbers come from. */
export abstract class RandomInitializer extends Initializer {
  readonly seed: number | null;
  readonly #generator: Generator | undefined;

  constructor(options: SeedOptions) {
    super(options);
    this.seed = options.seed ?? null;
    this.#generator = this.seed === null ? undefined : new Generator(this.seed);
  }

  /** The target with the generator to draw from. */
  protected drawing(target: InitializerTarget | undefined): InitializerTarget & {
    readonly generator?: Generator;
  } {
    return this.#generator ? { ...target, generator: this.#generator } : { ...target };
  }

  config(): Record<string, unknown> {
    return { seed: this.seed };
  }
}

export interface NormalOptions extends SeedOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation. Default 0.05. */
  readonly stddev?: number;
}

/** Normal values. */
export class RandomNormal extends RandomInitializer {
  readonly mean: number;
  readonly stddev: number;

  constructor(options: NormalOptions = {}) {
    super(options);
    const { name } = this.constructor;
    this.mean = checkNumber(options.mean ?? 0, `${name}: mean`);
    this.stddev = checkNumber(options.stddev ?? 0.05, `${name}: stddev`, notNegative);
  }

  call(shape: Shape, target?: InitializerTarget): Tensor {
    return normal(shape, { ...this.drawing(target), mean: this.mean, std: this.stddev });
  }

  override config(): Record<string, unknown> {
    return { mean: this.mean, stddev: this.stddev, ...super.config() };
  }
}

/** Normal values no further than 2 · stddev from the mean; stddev is that before the cut. */
export class TruncatedNormal extends RandomNormal {
  override call(shape: Shape, target?: InitializerTarget): Tensor {
    return truncatedNormal(shape, { ...this.drawing(target), mean: this.mean, std: this.stddev });
  }
}

export interface UniformOptions extends SeedOptions {
  /** Default −0.05. */
  readonly minval?: number;
  /** Default 0.05. */
  readonly maxval?: number;
}

/** Values spread evenly over [minval, maxval). */
export class RandomUniform extends RandomInitializer {
  readonly minval: number;
  readonly maxval: number;

  constructor(options: UniformOptions = {}) {
    super(options);
    const { minval = -0.05, maxval = 0.05 } = options;
    this.minval = checkNumber(minval, 'RandomUniform: minval');
    this.maxval = checkNumber(maxval, 'RandomUniform: maxval', { min: minval });
  }

  call(shape: Shape, target?: InitializerTarget): Tensor {
    return uniform(shape, { ...this.drawing(target), low: this.minval, high: this.maxval });
  }

  override config(): Record<string, unknown> {
    return { minval: this.minval, maxval: this.maxval, ...super.config() };
  }
}

const modes = ['fanIn', 'fanOut', 'fanAvg'] as const;
const spreads = ['truncatedNormal', 'untruncatedNormal', 'uniform'] as const;

export type FanMode = (typeof modes)[number];
export type ScaledDistribution = (typeof spreads)[number];

export interface VarianceScalingOptions extends SeedOptions {
  /** Variance times n. Default 1. */
  readonly scale?: number;
  /** What n is. Default `fanIn`. */
  readonly mode?: FanMode;
  /** Default `truncatedNormal`. */
  readonly distribution?: ScaledDistribution;
}

/** Standard deviation of a standard normal cut at ±2. */
const cutDeviation = 0.87962566103423978;

/**
 * Values of mean 0 and variance scale / n, n the number of connections into a unit (`fanIn`), out
 * of it (`fanOut`) or their mean. See {@link computeFans} for how a shape is read.
 */
export class VarianceScaling extends RandomInitializer {
  readonly scale: number;
  readonly mode: FanMode;
  readonly distribution: ScaledDistribution;

  constructor(options: VarianceScalingOptions = {}) {
    super(options);
    const { name } = this.constructor;
    const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' } = options;
    this.scale = checkNumber(scale, `${name}: scale`, positive);
    this.mode = checkChoice(mode, `${name}: mode`, modes);
    this.distribution = checkChoice(distribution, `${name}: distribution`, spreads);
  }

  call(shape: Shape, target?: InitializerTarget): Tensor {
    const { fanIn, fanOut } = computeFans(shape);
    const n = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[this.mode];
    const variance = this.scale / Math.max(1, n);
    const draw = this.drawing(target);
    switch (this.distribution) {
      case 'uniform': {
        const limit = Math.sqrt(3 * variance);
        return uniform(shape, { ...draw, low: -limit, high: limit });
      }
      case 'truncatedNormal':
        return truncatedNormal(shape, { ...draw, std: Math.sqrt(variance) / cutDeviation });
      case 'untruncatedNormal':
        return normal(shape, { ...draw, std: Math.sqrt(variance) });
      default:
        return this.distribution satisfies never;
    }
  }

  override config(): Record<string, unknown> {
    const { scale, mode, distribution } = this;
    return { scale, mode, distribution, ...super.config() };
  }
}

/** A variance scaling with everything but the seed fixed. */
function fixed(
  scale: number,
  mode: FanMode,
  distribution: ScaledDistribution,
): new (options?: SeedOptions) => VarianceScaling {
  return class extends VarianceScaling {
    constructor(options: SeedOptions = {}) {
      super({ ...options, scale, mode, distribution });
      rememberGiven(this, options);
    }

    override config(): Record<string, unknown> {
      return { seed: this.seed };
    }
  };
}

/** Variance 2 / (fanIn + fanOut), uniform: Keras's default for kernels (Glorot and Bengio 2010). */
export class GlorotUniform extends fixed(1, 'fanAvg', 'uniform') {}
/** Variance 2 / (fanIn + fanOut), truncated normal (Glorot and Bengio 2010). */
export class GlorotNormal extends fixed(1, 'fanAvg', 'truncatedNormal') {}
/** Variance 2 / fanIn, uniform; for ReLU and its relatives (He et al. 2015). */
export class HeUniform extends fixed(2, 'fanIn', 'uniform') {}
/** Variance 2 / fanIn, truncated normal; for ReLU and its relatives (He et al. 2015). */
export class HeNormal extends fixed(2, 'fanIn', 'truncatedNormal') {}
/** Variance 1 / fanIn, uniform; for SELU (LeCun et al. 1998; Klambauer et al. 2017). */
export class LecunUniform extends fixed(1, 'fanIn', 'uniform') {}
/** Variance 1 / fanIn, truncated normal; for SELU (LeCun et al. 1998; Klambauer et al. 2017). */
export class LecunNormal extends fixed(1, 'fanIn', 'truncatedNormal') {}
