/** Layers that only regularize: noise, and a penalty on what passes through. */

import { gaussianNoise } from '../ops/dropout.js';
import { L1L2 } from '../regularizers.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber, notNegative } from '../values.js';
import { isNoisy, Layer } from './layer.js';
import type { CallContext, LayerOptions } from './layer.js';

/** Adds normal noise of mean 0 in training. Identity in inference. */
export class GaussianNoise extends Layer {
  static override readonly positional = ['stddev'];
  readonly stddev: number;

  constructor(stddev: number, options: LayerOptions = {}) {
    super(options);
    this.stddev = checkNumber(stddev, 'GaussianNoise: stddev', notNegative);
  }

  override call(x: Tensor, context: CallContext): Tensor {
    return this.stddev > 0 && isNoisy(context) ? gaussianNoise(x, this.stddev) : x;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), stddev: this.stddev };
  }
}

export interface ActivityRegularizationOptions extends Omit<LayerOptions, 'activityRegularizer'> {
  /** Factor of Σ|x|. Default 0. */
  readonly l1?: number;
  /** Factor of Σx². Default 0. */
  readonly l2?: number;
}

/** Passes its input on and adds l1 · Σ|x| + l2 · Σx², divided by the batch size, to the loss. */
export class ActivityRegularization extends Layer {
  readonly l1: number;
  readonly l2: number;

  constructor(options: ActivityRegularizationOptions = {}) {
    const { l1 = 0, l2 = 0 } = options;
    super({ ...options, activityRegularizer: new L1L2({ l1, l2 }) });
    this.l1 = l1;
    this.l2 = l2;
  }

  override call(x: Tensor): Tensor {
    return x;
  }

  override config(): Record<string, unknown> {
    const config: Record<string, unknown> = { ...super.config(), l1: this.l1, l2: this.l2 };
    delete config['activityRegularizer'];
    return config;
  }
}
