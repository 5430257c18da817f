/** An activation function as a layer of its own. */

import * as activations from '../activations.js';
import type { ActivationLike } from '../activations.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';

/** Applies an activation function, given by name or as a function. */
export class Activation extends Layer {
  readonly activation: activations.Activation;

  constructor(activation: ActivationLike, options: LayerOptions = {}) {
    super(options);
    this.activation = activations.get(activation);
  }

  override call(x: Tensor): Tensor {
    return this.activation.call(x);
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), activation: this.activation.config() };
  }
}
