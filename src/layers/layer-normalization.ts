/** Layer normalization (Ba, Kiros, Hinton 2016). */

import { ShapeError } from '../errors.js';
import { viewAs } from '../ops/copy.js';
import { layerNorm } from '../ops/normalize.js';
import { checkAxes, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkEachNumber, checkFlags, checkNumber, positive, whole } from '../values.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';
import { weightConfig, weightParts } from './weight.js';
import type { Weight, WeightArguments, WeightParts } from './weight.js';

/** Defaults: gammaInitializer ones, betaInitializer zeros. */
export interface LayerNormalizationOptions
  extends LayerOptions, WeightArguments<'gamma'>, WeightArguments<'beta'> {
  /** Axis or axes to normalize over, the batch being axis 0. Default the last. */
  readonly axis?: number | readonly number[];
  /** Added to the variance. Default 1e-3. */
  readonly epsilon?: number;
  /** Add the learned offset beta. Default true. */
  readonly center?: boolean;
  /** Multiply by the learned factor gamma. Default true. */
  readonly scale?: boolean;
}

/**
 * Normalizes each sample by its own mean and biased variance, then scales and shifts each of its
 * elements. The same in training and inference.
 */
export class LayerNormalization extends Layer {
  readonly axis: number | readonly number[];
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly #gammaParts: WeightParts;
  readonly #betaParts: WeightParts;
  #axes: readonly number[] = [];
  #gamma: Weight | null = null;
  #beta: Weight | null = null;

  constructor(options: LayerNormalizationOptions = {}) {
    super(options);
    this.axis = options.axis ?? -1;
    checkEachNumber(this.axis, 'LayerNormalization: axis', whole);
    this.epsilon = checkNumber(options.epsilon ?? 1e-3, 'LayerNormalization: epsilon', positive);
    this.center = options.center ?? true;
    this.scale = options.scale ?? true;
    checkFlags('LayerNormalization', { center: this.center, scale: this.scale });
    this.#gammaParts = weightParts('gamma', options, 'ones');
    this.#betaParts = weightParts('beta', options, 'zeros');
  }

  override build(inputShape: Shape): void {
    const axes = checkAxes(this.axis, inputShape.length + 1, `layer ${this.name}: axis`);
    if (axes[0] === 0) {
      throw new ShapeError(
        `layer ${this.name}: axis 0 is the batch; normalize over axes of the samples, which have ` +
          `shape ${showShape(inputShape)}`,
      );
    }
    this.#axes = axes;
    const shape = axes.map((axis) => inputShape[axis - 1]!);
    if (this.scale) this.#gamma = this.addWeight('gamma', shape, this.#gammaParts);
    if (this.center) this.#beta = this.addWeight('beta', shape, this.#betaParts);
  }

  override call(x: Tensor): Tensor {
    const options = { epsilon: this.epsilon, axis: this.#axes };
    return layerNorm(x, this.#spread(this.#gamma, x), this.#spread(this.#beta, x), options);
  }

  /** A weight of one value per element of the axes, in a shape that broadcasts against x. */
  #spread(weight: Weight | null, x: Tensor): Tensor | null {
    if (!weight) return null;
    const from = this.#axes[0]!;
    const shape = x.shape.slice(from).map((n, i) => (this.#axes.includes(from + i) ? n : 1));
    return viewAs(weight.value, shape);
  }

  override config(): Record<string, unknown> {
    const { axis, epsilon, center, scale } = this;
    return {
      ...super.config(),
      ...{ axis, epsilon, center, scale },
      ...weightConfig('gamma', this.#gammaParts),
      ...weightConfig('beta', this.#betaParts),
    };
  }
}
