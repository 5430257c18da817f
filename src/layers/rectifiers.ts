/** Rectifiers whose negative slope is learned, or drawn at random. */

import type { FloatDType } from '../backends/dtype.js';
import { leakyRelu, prelu } from '../ops/elementwise.js';
import { uniform } from '../tensor/random.js';
import { checkInteger } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkEachNumber, checkNumber } from '../values.js';
import { isNoisy, Layer } from './layer.js';
import type { CallContext, LayerOptions } from './layer.js';
import { weightConfig, weightParts } from './weight.js';
import type { Weight, WeightArguments, WeightParts } from './weight.js';

/** Default alphaInitializer: zeros. */
export interface PReLUOptions extends LayerOptions, WeightArguments<'alpha'> {
  /** Axes along which one slope serves all, counted with the batch as 0. Default none. */
  readonly sharedAxes?: number | readonly number[];
}

/** x where positive, alpha · x elsewhere, alpha being learned (He et al. 2015). */
export class PReLU extends Layer {
  readonly sharedAxes: readonly number[];
  readonly #parts: WeightParts;
  #alpha!: Weight;

  constructor(options: PReLUOptions = {}) {
    super(options);
    const { sharedAxes = [] } = options;
    checkEachNumber(sharedAxes, 'PReLU: sharedAxes', { min: 1, whole: true });
    this.sharedAxes = [sharedAxes].flat();
    this.#parts = weightParts('alpha', options, 'zeros');
  }

  override build(inputShape: Shape): void {
    const shape = [...inputShape];
    for (const axis of this.sharedAxes) {
      checkInteger(axis, 1, inputShape.length, `layer ${this.name}: a shared axis`);
      shape[axis - 1] = 1;
    }
    this.#alpha = this.addWeight('alpha', shape, this.#parts);
  }

  override call(x: Tensor): Tensor {
    return prelu(x, this.#alpha.value);
  }

  override config(): Record<string, unknown> {
    const { sharedAxes } = this;
    return { ...super.config(), sharedAxes, ...weightConfig('alpha', this.#parts) };
  }
}

export interface RReLUOptions extends LayerOptions {
  /** Default 1/8. */
  readonly lower?: number;
  /** Default 1/3. */
  readonly upper?: number;
}

/**
 * x where positive, slope · x elsewhere. In training each element's slope is drawn from
 * [lower, upper); in inference it is their mean (Xu et al. 2015).
 */
export class RReLU extends Layer {
  readonly lower: number;
  readonly upper: number;

  constructor(options: RReLUOptions = {}) {
    super(options);
    this.lower = checkNumber(options.lower ?? 1 / 8, 'RReLU: lower');
    this.upper = checkNumber(options.upper ?? 1 / 3, 'RReLU: upper', { min: this.lower });
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const { lower: low, upper: high } = this;
    if (!isNoisy(context)) return leakyRelu(x, (low + high) / 2);
    const { dtype, device } = x;
    return prelu(x, uniform(x.shape, { low, high, dtype: dtype as FloatDType, device }));
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), lower: this.lower, upper: this.upper };
  }
}
