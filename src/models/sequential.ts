/** Layers one after another. */

import type { DType } from '../backends/dtype.js';
import { describe, ShapeError, ValueError } from '../errors.js';
import { Input } from '../layers/input.js';
import { Layer, sampleShape } from '../layers/layer.js';
import type { CallContext, LayerOptions } from '../layers/layer.js';
import { serializeLayer } from '../layers/registry.js';
import { checkShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { InputSpec } from './data.js';
import { Model } from './model.js';

/** A model that passes its input through a list of layers. */
export class Sequential extends Model<Tensor> {
  /** @internal Its instances do nothing but call their layers; not true of every subclass. */
  static readonly isPlainContainer = true;
  static override readonly positional = ['layers'];
  readonly #layers: Layer[] = [];

  /**
   * Builds at once when the first layer has an `inputShape` (or is an `Input`), else on the first
   * batch. Layers of other models may be used: they share their weights.
   */
  constructor(layers: readonly Layer[] = [], options: LayerOptions = {}) {
    const given: unknown = layers;
    if (!Array.isArray(given)) {
      throw new ValueError(`Sequential: expected an array of layers, got ${describe(layers)}`);
    }
    const dtype = options.dtype ?? layers.find((layer) => layer instanceof Layer)?.dtype;
    super(dtype === undefined ? options : { ...options, dtype });
    layers.forEach((layer, at) => this.#insert(at, layer));
    this.#buildIfKnown();
  }

  override get layers(): readonly Layer[] {
    return this.#layers;
  }

  override get inputSpecs(): readonly InputSpec[] {
    const [first] = this.#layers;
    const dtype: DType = first instanceof Input ? first.dataType : this.dtype;
    return [{ name: first?.name ?? 'x', dtype }];
  }

  override get outputNames(): readonly string[] {
    return [this.#layers.at(-1)?.name ?? 'y'];
  }

  /** Appends a layer. */
  add(layer: Layer): this {
    this.#insert(this.#layers.length, layer);
    if (this.built) this.#buildFrom(this.#layers.length - 1);
    else this.#buildIfKnown();
    Layer.structureChanged();
    return this;
  }

  /** Removes the last layer and returns it. Throws ValueError when there is none. */
  pop(): Layer {
    const last = this.#layers.pop();
    if (!last) throw new ValueError(`${this.name}.pop: the model has no layers`);
    Layer.structureChanged();
    return last;
  }

  /**
   * Puts another layer in the place of one, named or given, which is returned. The layers behind it
   * must fit what the new one gives; otherwise a ShapeError is thrown and nothing has changed.
   */
  replace(old: string | Layer, layer: Layer): Layer {
    const found = typeof old === 'string' ? this.getLayer(old) : old;
    const at = this.#layers.indexOf(found);
    if (at < 0) throw new ValueError(`${this.name}.replace: ${found.name} is not in this model`);
    const before = [...this.#layers];
    this.#layers.splice(at, 1);
    try {
      this.#insert(at, layer);
      if (this.built) this.#buildFrom(at);
    } catch (error) {
      this.#layers.splice(0, Infinity, ...before);
      throw error;
    } finally {
      Layer.structureChanged();
    }
    return found;
  }

  #insert(at: number, layer: Layer): void {
    if (!(layer instanceof Layer)) {
      throw new ValueError(`${this.name}: a layer was expected, got ${describe(layer)}`);
    }
    if (this.#layers.some((each) => each.name === layer.name)) {
      throw new ValueError(
        `${this.name}: there is a layer named "${layer.name}" already; names are unique in a model`,
      );
    }
    this.#layers.splice(at, 0, layer);
  }

  #buildIfKnown(): void {
    const shape = this.inputShape ?? this.#layers[0]?.inputShape;
    if (shape && this.#layers.length > 0 && !this.built) this.ensureBuilt(shape);
  }

  override build(inputShape: Shape): void {
    this.#buildFrom(0, checkShape(inputShape, `model ${this.name}: ${sampleShape}`));
  }

  /** Builds the layers from a position on that are not built, and checks that all fit. */
  #buildFrom(start: number, inputShape = this.inputShape!): void {
    let shape = inputShape;
    this.#layers.forEach((layer, i) => {
      if (i >= start) layer.ensureBuilt(shape);
      [shape] = layer.outputShapes(shape) as [Shape];
    });
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
    for (const layer of this.#layers) [shape] = layer.outputShapes(shape) as [Shape];
    return shape;
  }

  protected override remake(): this {
    const layers = this.#layers.map((layer) => layer.clone({ weights: false }));
    return new Sequential(layers, super.config()) as this;
  }

  override config(): Record<string, unknown> {
    return {
      ...super.config(),
      layers: this.#layers.map(serializeLayer),
    };
  }

  /** A model from its {@link config}, given the layers made from theirs. */
  static fromConfig(
    config: Readonly<Record<string, unknown>>,
    layers: readonly Layer[],
  ): Sequential {
    return new Sequential(layers, config);
  }
}
