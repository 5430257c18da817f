/** Layers that act in training only: dropout and its kin. */

import { alphaDropout, dropout } from '../ops/dropout.js';
import { ValueError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { CallContext, LayerOptions } from './layer.js';

function checkRate(name: string, rate: number): number {
  if (!(rate >= 0 && rate < 1)) {
    throw new ValueError(`${name}: rate must be at least 0 and below 1, not ${rate}`);
  }
  return rate;
}

/**
 * Sets a random share `rate` of the inputs to 0 in training and scales the others by 1 / (1 − rate)
 * (Srivastava et al. 2014). Identity in inference.
 */
export class Dropout extends Layer {
  readonly rate: number;

  constructor(rate: number, options: LayerOptions = {}) {
    super(options);
    this.rate = checkRate('Dropout', rate);
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    return training && this.rate > 0 ? dropout(x, this.rate) : x;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), rate: this.rate };
  }
}

/**
 * Dropout that keeps mean and variance of self-normalizing activations: dropped inputs take SELU's
 * negative limit, and the result is scaled and shifted back (Klambauer et al. 2017).
 */
export class AlphaDropout extends Layer {
  readonly rate: number;

  constructor(rate: number, options: LayerOptions = {}) {
    super(options);
    this.rate = checkRate('AlphaDropout', rate);
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    return training && this.rate > 0 ? alphaDropout(x, this.rate) : x;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), rate: this.rate };
  }
}
