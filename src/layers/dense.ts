/** The fully connected layer. */

import * as activations from '../activations.js';
import type { ActivationLike } from '../activations.js';
import { ShapeError } from '../errors.js';
import { dense } from '../ops/dense.js';
import { checkInteger, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFlag } from '../values.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';
import { weightConfig, weightParts } from './weight.js';
import type { Weight, WeightArguments, WeightParts } from './weight.js';

/** Defaults: kernelInitializer glorotUniform, biasInitializer zeros, the others none. */
export interface DenseOptions
  extends LayerOptions, WeightArguments<'kernel'>, WeightArguments<'bias'> {
  /** Applied to the result. Default none. */
  readonly activation?: ActivationLike | null;
  /** Default true. */
  readonly useBias?: boolean;
}

/**
 * activation(x · kernel + bias): [batch, ..., features] → [batch, ..., units], in one fused pass
 * forward and one backward.
 */
export class Dense extends Layer {
  static override readonly positional = ['units'];
  readonly units: number;
  readonly useBias: boolean;
  readonly activation: activations.Activation;
  /** How the kernel begins and is kept in bounds. */
  readonly kernelParts: WeightParts;
  readonly #biasParts: WeightParts;
  #kernel!: Weight;
  #bias: Weight | null = null;

  constructor(units: number, options: DenseOptions = {}) {
    super(options);
    this.units = checkInteger(units, 1, Infinity, 'Dense: units');
    this.useBias = checkFlag(options.useBias ?? true, 'Dense: useBias');
    this.activation = activations.get(options.activation);
    this.kernelParts = weightParts('kernel', options, 'glorotUniform');
    this.#biasParts = weightParts('bias', options, 'zeros');
  }

  override build(inputShape: Shape): void {
    this.outputShape(inputShape);
    this.#kernel = this.addWeight('kernel', [inputShape.at(-1)!, this.units], this.kernelParts);
    if (this.useBias) this.#bias = this.addWeight('bias', [this.units], this.#biasParts);
  }

  override call(x: Tensor): Tensor {
    const { fused } = this.activation;
    const product = dense(x, this.#kernel.value, this.#bias?.value ?? null, fused);
    return fused ? product : this.activation.call(product);
  }

  override outputShape(inputShape: Shape): Shape {
    const features = inputShape.at(-1);
    const expected = this.built ? this.#kernel.value.shape[0] : features;
    if (features === undefined || features !== expected) {
      throw new ShapeError(
        `layer ${this.name}: Dense needs samples of shape [..., ${expected ?? 'features'}], got ` +
          showShape(inputShape),
      );
    }
    return [...inputShape.slice(0, -1), this.units];
  }

  override config(): Record<string, unknown> {
    return {
      ...super.config(),
      units: this.units,
      activation: this.activation.config(),
      useBias: this.useBias,
      ...weightConfig('kernel', this.kernelParts),
      ...weightConfig('bias', this.#biasParts),
    };
  }
}
