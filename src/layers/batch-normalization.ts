/** Batch normalization (Ioffe and Szegedy 2015). */

import type { Buffer } from '../backends/backend.js';
import { updateNames } from '../backends/kernels.js';
import { ShapeError } from '../errors.js';
import * as initializers from '../initializers/index.js';
import { batchNorm, batchNormInference } from '../ops/normalize.js';
import { swapAxes } from '../ops/move.js';
import { checkAxis } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFlags, checkNumber, positive, share, whole } from '../values.js';
import { Layer } from './layer.js';
import type { CallContext, LayerOptions } from './layer.js';
import { weightConfig, weightParts } from './weight.js';
import type { Weight, WeightArguments, WeightParts } from './weight.js';

/** Defaults: betaInitializer and movingMeanInitializer zeros, the other initializers ones. */
export interface BatchNormalizationOptions
  extends
    LayerOptions,
    WeightArguments<'gamma'>,
    WeightArguments<'beta'>,
    Pick<WeightArguments<'movingMean'>, 'movingMeanInitializer'>,
    Pick<WeightArguments<'movingVariance'>, 'movingVarianceInitializer'> {
  /** Axis of the channels, the batch being axis 0. Default the last. */
  readonly axis?: number;
  /** Weight of the old moving statistics at each step. Default 0.99. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-3. */
  readonly epsilon?: number;
  /** Add the learned offset beta. Default true. */
  readonly center?: boolean;
  /** Multiply by the learned factor gamma. Default true. */
  readonly scale?: boolean;
}

/**
 * Normalizes each channel to mean 0 and variance 1, then scales and shifts it. In training it uses
 * the batch's biased statistics and moves the moving ones towards them; in inference, and when
 * frozen (`trainable = false`), it uses the moving statistics and leaves them, as Keras does.
 */
export class BatchNormalization extends Layer {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly #parts: Readonly<
    Record<'gamma' | 'beta' | 'movingMean' | 'movingVariance', WeightParts>
  >;
  readonly #hyper: Float64Array;
  #gamma: Weight | null = null;
  #beta: Weight | null = null;
  #movingMean!: Weight;
  #movingVariance!: Weight;

  constructor(options: BatchNormalizationOptions = {}) {
    super(options);
    const { axis = -1, momentum = 0.99, epsilon = 1e-3, center = true, scale = true } = options;
    this.axis = checkNumber(axis, 'BatchNormalization: axis', whole);
    this.momentum = checkNumber(momentum, 'BatchNormalization: momentum', share);
    this.epsilon = checkNumber(epsilon, 'BatchNormalization: epsilon', positive);
    checkFlags('BatchNormalization', { center, scale });
    this.center = center;
    this.scale = scale;
    this.#parts = {
      gamma: weightParts('gamma', options, 'ones'),
      beta: weightParts('beta', options, 'zeros'),
      movingMean: weightParts('movingMean', options, 'zeros'),
      movingVariance: weightParts('movingVariance', options, 'ones'),
    };
    // The SGD row with the batch's statistic for a gradient: w −= (1 − μ)·w, then w += (1 − μ)·g.
    this.#hyper = Float64Array.of(1, Infinity, 1 - momentum, momentum - 1);
  }

  /** Axis of the channels of a batch of samples of this shape. */
  #channelAxis(inputShape: Shape): number {
    const axis = checkAxis(this.axis, inputShape.length + 1, `layer ${this.name}: axis`);
    if (axis > 0) return axis;
    throw new ShapeError(`layer ${this.name}: axis 0 is the batch; channels need another`);
  }

  override build(inputShape: Shape): void {
    const channels = [inputShape[this.#channelAxis(inputShape) - 1]!];
    if (this.scale) this.#gamma = this.addWeight('gamma', channels, this.#parts.gamma);
    if (this.center) this.#beta = this.addWeight('beta', channels, this.#parts.beta);
    const statistic = (name: 'movingMean' | 'movingVariance'): Weight =>
      this.addWeight(name, channels, { ...this.#parts[name], trainable: false });
    this.#movingMean = statistic('movingMean');
    this.#movingVariance = statistic('movingVariance');
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const axis = this.axis < 0 ? this.axis + x.rank : this.axis;
    if (axis === x.rank - 1) return this.#normalize(x, context);
    return swapAxes(this.#normalize(swapAxes(x, axis, -1), context), axis, -1);
  }

  /** Normalization over the last axis. */
  #normalize(x: Tensor, { training }: CallContext): Tensor {
    const gamma = this.#gamma?.value ?? null;
    const beta = this.#beta?.value ?? null;
    const [movingMean, movingVariance] = [this.#movingMean.value, this.#movingVariance.value];
    if (!training || !this.trainable) {
      return batchNormInference(x, movingMean, movingVariance, gamma, beta, this);
    }
    const { output, mean, variance } = batchNorm(x, gamma, beta, this);
    this.#move([movingMean, movingVariance], [mean.buffer, variance.buffer]);
    return output;
  }

  /** moving = moving · momentum + batch · (1 − momentum), both statistics in one call. */
  #move(moving: readonly Tensor[], batch: readonly Buffer[]): void {
    const buffers = moving.map((each) => each.buffer);
    moving[0]!.backend.update(updateNames.indexOf('sgd'), buffers, batch, [], this.#hyper);
    for (const each of moving) each.storage.version++;
  }

  override config(): Record<string, unknown> {
    const { axis, momentum, epsilon, center, scale } = this;
    return {
      ...super.config(),
      ...{ axis, momentum, epsilon, center, scale },
      ...weightConfig('gamma', this.#parts.gamma),
      ...weightConfig('beta', this.#parts.beta),
      movingMeanInitializer: initializers.serialize(this.#parts.movingMean.initializer),
      movingVarianceInitializer: initializers.serialize(this.#parts.movingVariance.initializer),
    };
  }
}
