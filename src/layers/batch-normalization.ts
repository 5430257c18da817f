/** Batch normalization (Ioffe and Szegedy 2015). */

import { noGrad } from '../autograd/tape.js';
import * as initializers from '../initializers/index.js';
import { batchNorm, batchNormInference } from '../ops/normalize.js';
import { add, mul } from '../ops/elementwise.js';
import { ValueError } from '../errors.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { CallContext, LayerOptions, Weight } from './layer.js';

export interface BatchNormalizationOptions extends LayerOptions {
  /** Weight of the old moving statistics at each step. Default 0.99. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-3. */
  readonly epsilon?: number;
  /** Add the learned offset beta. Default true. */
  readonly center?: boolean;
  /** Multiply by the learned factor gamma. Default true. */
  readonly scale?: boolean;
  readonly betaInitializer?: initializers.InitializerLike;
  readonly gammaInitializer?: initializers.InitializerLike;
}

/**
 * Normalizes each channel (last axis) to mean 0 and variance 1, then scales and shifts it. In
 * training it uses the batch's biased statistics and moves the moving ones towards them; in
 * inference, and when frozen (`trainable = false`), it uses the moving statistics, as Keras does.
 */
export class BatchNormalization extends Layer {
  readonly #options: BatchNormalizationOptions;
  readonly #momentum: number;
  readonly #epsilon: number;
  #gamma: Weight | null = null;
  #beta: Weight | null = null;
  #movingMean!: Weight;
  #movingVariance!: Weight;

  constructor(options: BatchNormalizationOptions = {}) {
    super(options);
    this.#options = options;
    this.#momentum = options.momentum ?? 0.99;
    this.#epsilon = options.epsilon ?? 1e-3;
    if (!(this.#momentum >= 0 && this.#momentum <= 1) || !(this.#epsilon > 0)) {
      throw new ValueError(
        `BatchNormalization: momentum ${this.#momentum} must be from 0 to 1 and epsilon ` +
          `${this.#epsilon} greater than 0`,
      );
    }
  }

  override build(inputShape: Shape): void {
    const options = this.#options;
    const channels = inputShape.slice(-1);
    if (options.scale !== false) {
      this.#gamma = this.addWeight('gamma', channels, {
        initializer: options.gammaInitializer ?? 'ones',
      });
    }
    if (options.center !== false) {
      this.#beta = this.addWeight('beta', channels, {
        initializer: options.betaInitializer ?? 'zeros',
      });
    }
    const statistic = { trainable: false } as const;
    this.#movingMean = this.addWeight('movingMean', channels, {
      ...statistic,
      initializer: 'zeros',
    });
    this.#movingVariance = this.addWeight('movingVariance', channels, {
      ...statistic,
      initializer: 'ones',
    });
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    const gamma = this.#gamma?.value ?? null;
    const beta = this.#beta?.value ?? null;
    if (!training || !this.trainable) {
      const mean = this.#movingMean.value;
      const variance = this.#movingVariance.value;
      return batchNormInference(x, mean, variance, gamma, beta, { epsilon: this.#epsilon });
    }
    const { output, mean, variance } = batchNorm(x, gamma, beta, { epsilon: this.#epsilon });
    noGrad(() => {
      this.#move(this.#movingMean, mean);
      this.#move(this.#movingVariance, variance);
    });
    return output;
  }

  #move(moving: Weight, batch: Tensor): void {
    const kept = mul(moving.value, this.#momentum);
    moving.value.assign(add(kept, mul(batch, 1 - this.#momentum)));
  }

  override config(): Record<string, unknown> {
    return {
      ...super.config(),
      momentum: this.#momentum,
      epsilon: this.#epsilon,
      center: this.#options.center ?? true,
      scale: this.#options.scale ?? true,
    };
  }
}
