/** Dropout and its kin: layers that remove part of their input in training. */

import { ShapeError } from '../errors.js';
import { alphaDropout, dropout, gaussianDropout } from '../ops/dropout.js';
import { mul } from '../ops/elementwise.js';
import { full } from '../tensor/create.js';
import { showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber, partialShare } from '../values.js';
import { isNoisy, Layer } from './layer.js';
import type { CallContext, LayerOptions } from './layer.js';

/** What all of them share: a rate, and acting only in training or Monte-Carlo prediction. */
abstract class DropoutLayer extends Layer {
  static override readonly positional = ['rate'];
  /** Share of the input that is dropped, at least 0 and below 1. */
  readonly rate: number;

  constructor(rate: number, options: LayerOptions = {}) {
    super(options);
    this.rate = checkNumber(rate, `${this.constructor.name}: rate`, partialShare);
  }

  protected abstract drop(x: Tensor): Tensor;

  /** Whether it acts; the Monte-Carlo variants always do. */
  protected acts(context: CallContext): boolean {
    return isNoisy(context);
  }

  override call(x: Tensor, context: CallContext): Tensor {
    return this.rate > 0 && this.acts(context) ? this.drop(x) : x;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), rate: this.rate };
  }
}

/**
 * Sets a random share `rate` of the inputs to 0 in training and scales the others by 1 / (1 − rate)
 * (Srivastava et al. 2014). Identity in inference.
 */
export class Dropout extends DropoutLayer {
  protected override drop(x: Tensor): Tensor {
    return dropout(x, this.rate);
  }
}

/**
 * Dropout that keeps mean and variance of self-normalizing activations: dropped inputs take SELU's
 * negative limit, and the result is scaled and shifted back (Klambauer et al. 2017).
 */
export class AlphaDropout extends DropoutLayer {
  protected override drop(x: Tensor): Tensor {
    return alphaDropout(x, this.rate);
  }
}

/**
 * Multiplies by normal noise of mean 1 and deviation √(rate / (1 − rate)) in training (Srivastava
 * et al. 2014, section 10). Identity in inference.
 */
export class GaussianDropout extends DropoutLayer {
  protected override drop(x: Tensor): Tensor {
    return gaussianDropout(x, this.rate);
  }
}

/** Dropout that acts in inference too: every prediction is a sample (Gal and Ghahramani 2016). */
export class MCDropout extends Dropout {
  protected override acts(): boolean {
    return true;
  }
}

/** Alpha dropout that acts in inference too. */
export class MCAlphaDropout extends AlphaDropout {
  protected override acts(): boolean {
    return true;
  }
}

/** Drops whole channels: one decision for all positions of a channel (Tompson et al. 2015). */
abstract class SpatialDropout extends DropoutLayer {
  /** Axes of one sample: positions, then channels. */
  protected abstract readonly axes: number;

  override outputShape(inputShape: Shape): Shape {
    if (inputShape.length === this.axes) return inputShape;
    throw new ShapeError(
      `layer ${this.name}: ${this.constructor.name} needs samples of ${this.axes} axes, positions ` +
        `and channels, got ${showShape(inputShape)}`,
    );
  }

  override build(inputShape: Shape): void {
    this.outputShape(inputShape);
  }

  protected override drop(x: Tensor): Tensor {
    const shape = x.shape.map((n, axis) => (axis === 0 || axis === x.rank - 1 ? n : 1));
    const { dtype, device } = x;
    return mul(x, dropout(full(shape, 1, { dtype, device }), this.rate));
  }
}

/** Drops whole channels of samples [positions, channels]. */
export class SpatialDropout1D extends SpatialDropout {
  protected override readonly axes = 2;
}

/** Drops whole channels of samples [height, width, channels]. */
export class SpatialDropout2D extends SpatialDropout {
  protected override readonly axes = 3;
}

/** Drops whole channels of samples [depth, height, width, channels]. */
export class SpatialDropout3D extends SpatialDropout {
  protected override readonly axes = 4;
}
