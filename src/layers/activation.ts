/** Activation functions as layers of their own. */

import * as activations from '../activations.js';
import type { ActivationLike, ActivationName, ActivationParameters } from '../activations.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFlag } from '../values.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';

/** Applies an activation function, given by name or as a function. */
export class Activation extends Layer {
  static override readonly positional = ['activation'];
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

/** A layer of one activation function, whose parameters are among the layer's options. */
export abstract class ActivationLayer extends Layer {
  readonly activation: activations.Activation;

  constructor(name: ActivationName, params: ActivationParameters, options: LayerOptions) {
    super(options);
    this.activation = activations.get({ name, params });
  }

  override call(x: Tensor): Tensor {
    return this.activation.call(x);
  }

  override config(): Record<string, unknown> {
    // JSON has no infinity, which is the default where it occurs; null stands for it.
    const params = Object.entries(this.activation.params).map(
      ([name, p]) => [name, Number.isFinite(p) ? p : null] as const,
    );
    return { ...super.config(), ...Object.fromEntries(params) };
  }
}

export interface ReLUOptions extends LayerOptions {
  /** Largest value. Default none. */
  readonly maxValue?: number | null;
  /** Default 0. */
  readonly negativeSlope?: number;
  /** Inputs below it count as negative. Default 0. */
  readonly threshold?: number;
}

/** max(x, 0), with a slope below, a limit above and a threshold as options. */
export class ReLU extends ActivationLayer {
  constructor(options: ReLUOptions = {}) {
    const { maxValue, negativeSlope = 0, threshold = 0 } = options;
    super('relu', { maxValue: maxValue ?? Infinity, negativeSlope, threshold }, options);
  }
}

/** x where positive, negativeSlope · x elsewhere (Maas et al. 2013). Default slope 0.3. */
export class LeakyReLU extends ActivationLayer {
  constructor(options: LayerOptions & { readonly negativeSlope?: number } = {}) {
    super('leakyRelu', { negativeSlope: options.negativeSlope ?? 0.3 }, options);
  }
}

/** x where positive, alpha · (eˣ − 1) elsewhere (Clevert et al. 2016). Default alpha 1. */
export class ELU extends ActivationLayer {
  constructor(options: LayerOptions & { readonly alpha?: number } = {}) {
    super('elu', { alpha: options.alpha ?? 1 }, options);
  }
}

/** x where positive, alpha · (exp(x / alpha) − 1) elsewhere (Barron 2017). Default alpha 1. */
export class CELU extends ActivationLayer {
  constructor(options: LayerOptions & { readonly alpha?: number } = {}) {
    super('celu', { alpha: options.alpha ?? 1 }, options);
  }
}

/** exp(x) / Σ exp(x) along an axis, default the last. */
export class Softmax extends ActivationLayer {
  constructor(options: LayerOptions & { readonly axis?: number } = {}) {
    super('softmax', { axis: options.axis ?? -1 }, options);
  }
}

/** The logarithm of {@link Softmax}. */
export class LogSoftmax extends ActivationLayer {
  constructor(options: LayerOptions & { readonly axis?: number } = {}) {
    super('logSoftmax', { axis: options.axis ?? -1 }, options);
  }
}

/** x · Φ(x) (Hendrycks and Gimpel 2016); `approximate` takes the tanh form. Default exact. */
export class GELU extends ActivationLayer {
  readonly approximate: boolean;

  constructor(options: LayerOptions & { readonly approximate?: boolean } = {}) {
    const approximate = checkFlag(options.approximate ?? false, 'GELU: approximate');
    super(approximate ? 'geluTanh' : 'gelu', {}, options);
    this.approximate = approximate;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), approximate: this.approximate };
  }
}

/** Layers of activation functions without parameters. */
interface PlainActivation {
  new (options?: LayerOptions): ActivationLayer;
  readonly positional: readonly string[];
}

const plain = (name: ActivationName): PlainActivation =>
  class extends ActivationLayer {
    constructor(options: LayerOptions = {}) {
      super(name, {}, options);
    }
  };

/** min(max(x, 0), 6). */
export class ReLU6 extends plain('relu6') {}
/** Self-normalizing ELU (Klambauer et al. 2017). */
export class SELU extends plain('selu') {}
/** x · sigmoid(x), also called swish (Ramachandran et al. 2017). */
export class SiLU extends plain('silu') {}
/** x · tanh(softplus(x)) (Misra 2019). */
export class Mish extends plain('mish') {}
/** log(1 + eˣ). */
export class Softplus extends plain('softplus') {}
/** x / (1 + |x|). */
export class Softsign extends plain('softsign') {}
export class Tanh extends plain('tanh') {}
/** The logistic function, 1 / (1 + e⁻ˣ). */
export class Sigmoid extends plain('sigmoid') {}
/** relu6(x + 3) / 6. */
export class HardSigmoid extends plain('hardSigmoid') {}
/** eˣ. */
export class Exponential extends plain('exponential') {}
