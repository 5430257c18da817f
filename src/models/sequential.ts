/** Layers one after another. */

import { ShapeError, ValueError } from '../errors.js';
import { Layer } from '../layers/layer.js';
import type { CallContext, LayerOptions } from '../layers/layer.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Model } from './model.js';

/** A model that passes its input through a list of layers. */
export class Sequential extends Model {
  readonly #layers: Layer[] = [];

  /** Builds at once when the first layer has an `inputShape`, else on the first batch. */
  constructor(layers: readonly Layer[] = [], options: LayerOptions = {}) {
    super(options);
    for (const layer of layers) this.#push(layer);
    this.#buildIfKnown();
  }

  override get layers(): readonly Layer[] {
    return this.#layers;
  }

  /** Appends a layer. */
  add(layer: Layer): this {
    this.#push(layer);
    if (this.built) layer.ensureBuilt(this.#shapeBefore(this.#layers.length - 1));
    else this.#buildIfKnown();
    return this;
  }

  /** Removes the last layer and returns it. Throws ValueError when there is none. */
  pop(): Layer {
    const last = this.#layers.pop();
    if (!last) throw new ValueError(`${this.name}.pop: the model has no layers`);
    return last;
  }

  #push(layer: Layer): void {
    if (!(layer instanceof Layer)) {
      throw new ValueError(`${this.name}: a layer was expected, got ${typeof layer}`);
    }
    if (this.#layers.some((each) => each.name === layer.name)) {
      throw new ValueError(
        `${this.name}: there is a layer named "${layer.name}" already; names are unique in a model`,
      );
    }
    this.#layers.push(layer);
  }

  #buildIfKnown(): void {
    const shape = this.inputShape ?? this.#layers[0]?.inputShape;
    if (shape && this.#layers.length > 0 && !this.built) this.ensureBuilt(shape);
  }

  #shapeBefore(count: number): Shape {
    let shape = this.inputShape!;
    for (const layer of this.#layers.slice(0, count)) shape = layer.outputShape(shape);
    return shape;
  }

  override build(inputShape: Shape): void {
    let shape = inputShape;
    for (const layer of this.#layers) {
      layer.ensureBuilt(shape);
      shape = layer.outputShape(shape);
    }
  }

  override call(x: Tensor, context: CallContext): Tensor {
    this.checkInput(x);
    if (x.rank === 0) throw new ShapeError(`${this.name}: a batch has at least one axis`);
    let y = x;
    for (const layer of this.#layers) y = layer.apply(y, context);
    return y;
  }

  override outputShape(inputShape: Shape): Shape {
    let shape = inputShape;
    for (const layer of this.#layers) shape = layer.outputShape(shape);
    return shape;
  }

  override config(): Record<string, unknown> {
    return {
      ...super.config(),
      layers: this.#layers.map((layer) => ({
        className: layer.constructor.name,
        config: layer.config(),
      })),
    };
  }
}
