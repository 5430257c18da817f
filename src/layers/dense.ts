/** The fully connected layer. */

import * as activations from '../activations.js';
import type { ActivationLike } from '../activations.js';
import * as constraints from '../constraints.js';
import * as initializers from '../initializers/index.js';
import * as regularizers from '../regularizers.js';
import { dense } from '../ops/dense.js';
import { ShapeError } from '../errors.js';
import { checkInteger, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { CallContext, LayerOptions, Weight } from './layer.js';

export interface DenseOptions extends LayerOptions {
  /** Applied to the result. Default none. */
  readonly activation?: ActivationLike | null;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default glorotUniform. */
  readonly kernelInitializer?: initializers.InitializerLike;
  /** Default zeros. */
  readonly biasInitializer?: initializers.InitializerLike;
  readonly kernelRegularizer?: regularizers.RegularizerLike | null;
  readonly biasRegularizer?: regularizers.RegularizerLike | null;
  /** Penalizes the layer's output; the penalty is divided by the batch size, as in Keras. */
  readonly activityRegularizer?: regularizers.RegularizerLike | null;
  readonly kernelConstraint?: constraints.ConstraintLike | null;
  readonly biasConstraint?: constraints.ConstraintLike | null;
}

/**
 * activation(x · kernel + bias): [batch, ..., features] → [batch, ..., units], in one fused pass
 * forward and one backward.
 */
export class Dense extends Layer {
  readonly units: number;
  readonly #options: DenseOptions;
  readonly #activation: activations.Activation;
  readonly #activityRegularizer: regularizers.Regularizer | null;
  #kernel!: Weight;
  #bias: Weight | null = null;

  constructor(units: number, options: DenseOptions = {}) {
    super(options);
    this.units = checkInteger(units, 1, Infinity, 'Dense: units');
    this.#options = options;
    this.#activation = activations.get(options.activation ?? 'linear');
    this.#activityRegularizer = options.activityRegularizer
      ? regularizers.get(options.activityRegularizer)
      : null;
    // Names are checked now, not when the layer is built.
    initializers.get(options.kernelInitializer ?? 'glorotUniform');
    initializers.get(options.biasInitializer ?? 'zeros');
  }

  /** The activation's name. */
  get activation(): activations.Activation {
    return this.#activation;
  }

  override build(inputShape: Shape): void {
    const features = inputShape.at(-1);
    if (features === undefined) {
      throw new ShapeError(
        `layer ${this.name}: Dense needs samples of one axis or more, got ${showShape(inputShape)}`,
      );
    }
    const options = this.#options;
    this.#kernel = this.addWeight('kernel', [features, this.units], {
      initializer: options.kernelInitializer ?? 'glorotUniform',
      regularizer: options.kernelRegularizer ?? null,
      constraint: options.kernelConstraint ?? null,
    });
    if (options.useBias === false) return;
    this.#bias = this.addWeight('bias', [this.units], {
      initializer: options.biasInitializer ?? 'zeros',
      regularizer: options.biasRegularizer ?? null,
      constraint: options.biasConstraint ?? null,
    });
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const { fused } = this.#activation;
    const product = dense(x, this.#kernel.value, this.#bias?.value ?? null, fused);
    const y = fused ? product : this.#activation.call(product);
    if (this.#activityRegularizer && context.addLoss) {
      context.addLoss(this.#activityRegularizer.call(y).div(y.shape[0]!));
    }
    return y;
  }

  override outputShape(inputShape: Shape): Shape {
    return [...inputShape.slice(0, -1), this.units];
  }

  override config(): Record<string, unknown> {
    const options = this.#options;
    return {
      ...super.config(),
      units: this.units,
      activation: this.#activation.config(),
      useBias: options.useBias ?? true,
      kernelInitializer: initializers.get(options.kernelInitializer ?? 'glorotUniform').config(),
      biasInitializer: initializers.get(options.biasInitializer ?? 'zeros').config(),
    };
  }
}
