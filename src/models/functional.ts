/** Models of any shape: several inputs and outputs, branches, layers used at several places. */

import { ShapeError, ValueError } from '../errors.js';
import { Input } from '../layers/input.js';
import { Layer } from '../layers/layer.js';
import type { CallContext, LayerOptions } from '../layers/layer.js';
import { serializeLayer } from '../layers/registry.js';
import type { SymbolicCall, SymbolicTensor } from '../layers/symbolic.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { InputSpec } from './data.js';
import { Graph, symbolsOf } from './graph.js';
import type { GraphData, Symbols } from './graph.js';
import { Model } from './model.js';
import { isPlainObject } from './structure.js';
import type { SummaryRow } from './summary.js';

/** A tensor for every symbolic tensor, in the same structure. */
export type ValuesOf<O> = O extends SymbolicTensor ? Tensor : { -readonly [K in keyof O]: Tensor };

export interface FunctionalOptions<O extends Symbols> extends Omit<LayerOptions, 'inputShape'> {
  /** One, an array, or an object whose keys name the inputs; data for `fit` is given likewise. */
  readonly inputs: Symbols;
  /** One, an array, or an object whose keys name the outputs; `predict` answers likewise. */
  readonly outputs: O;
}

/**
 * A model from what `input()` begins and layers continue with `on()`:
 *
 * ```ts
 * const left = input([8]), right = input([8]);
 * const shared = new Dense(16, { activation: 'relu' });
 * const both = new Concatenate().on([shared.on(left), shared.on(right)]);
 * const model = new Functional({ inputs: [left, right], outputs: new Dense(1).on(both) });
 * ```
 */
export class Functional<const O extends Symbols = Symbols> extends Model<ValuesOf<O>> {
  /** @internal Its instances do nothing but call their layers; not true of every subclass. */
  static readonly isPlainContainer = true;
  #graph: Graph;

  constructor({ inputs, outputs, ...options }: FunctionalOptions<O>) {
    super({ dtype: symbolsOf(inputs)[0]?.call.layer.dtype ?? 'float32', ...options });
    this.#graph = Graph.between(inputs, outputs);
    checkNames(this.name, this.#graph.layers);
    this.ensureBuilt(...symbolsOf(inputs).map((each) => each.shape));
  }

  /** What the model was made of, for models that begin or end elsewhere. */
  get inputs(): Symbols {
    return this.#graph.inputs;
  }

  get outputs(): O {
    return this.#graph.outputs as O;
  }

  /**
   * What a layer of this model gives, to build on: `call` chooses among the places of a shared
   * layer, counted from 0.
   */
  outputOf(layer: string | Layer, call = 0): SymbolicTensor {
    const found = typeof layer === 'string' ? this.getLayer(layer) : layer;
    const calls = this.#graph.calls.filter((each) => each.layer === found);
    if (calls[call]) return calls[call].outputs[0]!;
    throw new ValueError(
      `${this.name}.outputOf: ${found.name} has ${calls.length} places here, there is no ${call}`,
    );
  }

  override get layers(): readonly Layer[] {
    return this.#graph.layers;
  }

  override get inputSpecs(): readonly InputSpec[] {
    const names = namesOf(this.#graph.inputs);
    return symbolsOf(this.#graph.inputs).map(({ call: { layer } }, i) => ({
      name: names[i]!,
      dtype: layer instanceof Input ? layer.dataType : this.dtype,
    }));
  }

  override get outputNames(): readonly string[] {
    return namesOf(this.#graph.outputs);
  }

  protected override arrange(values: readonly unknown[]): unknown {
    const { outputs } = this.#graph;
    if (Array.isArray(outputs)) return [...values];
    if (!isPlainObject(outputs)) return values[0];
    return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, values[i]]));
  }

  // ---- calling ----------------------------------------------------------------------------------

  override call(x: Tensor, context: CallContext): Tensor {
    return this.#run([x], context)[0]!;
  }

  override applyAll(
    inputs: readonly Tensor[],
    context: CallContext = { training: false },
  ): Tensor[] {
    return this.#run(inputs, context).map((each) => this.finish(each, context));
  }

  #run(inputs: readonly Tensor[], context: CallContext): Tensor[] {
    const shapes = this.inputShapes;
    this.#checkCount(inputs.length);
    inputs.forEach((x, i) => {
      if (sameShape(shapes[i]!, x.shape.slice(1))) return;
      throw new ShapeError(
        `model ${this.name}: the input "${this.inputSpecs[i]!.name}" takes samples of shape ` +
          `${showShape(shapes[i]!)}, this batch has shape ${showShape(x.shape)} (the first axis is ` +
          'the batch)',
      );
    });
    return this.#graph.run(inputs, context);
  }

  #checkCount(count: number): void {
    if (count === this.inputShapes.length) return;
    const names = this.inputSpecs.map((each) => each.name);
    throw new ValueError(
      `model ${this.name} takes ${names.length} inputs (${names.join(', ')}), got ${count}`,
    );
  }

  override outputShapes(...inputShapes: Shape[]): readonly Shape[] {
    this.#checkCount(inputShapes.length);
    inputShapes.forEach((shape, i) => {
      if (sameShape(shape, this.inputShapes[i]!)) return;
      throw new ShapeError(
        `model ${this.name} takes samples of shape ${showShape(this.inputShapes[i]!)} as input ` +
          `${i}, not ${showShape(shape)}`,
      );
    });
    return symbolsOf(this.#graph.outputs).map((each) => each.shape);
  }

  override outputShape(...inputShapes: Shape[]): Shape {
    return this.outputShapes(...inputShapes)[0]!;
  }

  // ---- changing and copying ---------------------------------------------------------------------

  /**
   * Puts another layer in all places of one, named or given, which is returned. What follows must
   * fit what the new one gives; otherwise a ShapeError is thrown and nothing has changed.
   */
  replace(old: string | Layer, layer: Layer): Layer {
    const found = typeof old === 'string' ? this.getLayer(old) : old;
    if (!this.layers.includes(found))
      throw new ValueError(`${this.name}.replace: ${found.name} is not in this model`);
    const layers = this.layers.map((each) => (each === found ? layer : each));
    checkNames(this.name, layers);
    this.#graph = Graph.from(this.#graph.data(), layers);
    Layer.structureChanged();
    return found;
  }

  protected override remake(): this {
    const layers = this.layers.map((layer) => layer.clone({ weights: false }));
    return fromGraph(Graph.from(this.#graph.data(), layers), super.config()) as this;
  }

  /** `layers` in order, and `graph`: which is called on what. See {@link Functional.fromConfig}. */
  override config(): Record<string, unknown> {
    return {
      ...super.config(),
      layers: this.layers.map(serializeLayer),
      graph: this.#graph.data(),
    };
  }

  /** A model from its {@link config}, given the layers made from theirs. */
  static fromConfig(
    config: Readonly<Record<string, unknown>>,
    layers: readonly Layer[],
  ): Functional {
    return fromGraph(Graph.from(config['graph'] as GraphData, layers), config);
  }

  protected override summaryRows(): SummaryRow[] {
    const { calls } = this.#graph;
    const nameOf = ({ call, index }: SymbolicTensor): string => `${call.layer.name}[${index}]`;
    return this.layers.map((layer) => {
      const own = calls.filter((call) => call.layer === layer);
      return {
        layer,
        outputs: own[0]!.outputs.map((each) => each.shape),
        connected: own.flatMap((call: SymbolicCall) => call.inputs.map(nameOf)),
      };
    });
  }
}

function fromGraph(graph: Graph, config: Readonly<Record<string, unknown>>): Functional {
  const { name, trainable, dtype } = config as Pick<LayerOptions, 'name' | 'trainable' | 'dtype'>;
  return new Functional({
    inputs: graph.inputs,
    outputs: graph.outputs,
    ...(name === undefined ? {} : { name }),
    ...(trainable === undefined ? {} : { trainable }),
    ...(dtype === undefined ? {} : { dtype }),
  });
}

/** Names of inputs or outputs: keys, or names of their layers, numbered where one comes twice. */
function namesOf(symbols: Symbols): readonly string[] {
  if (isPlainObject(symbols)) return Object.keys(symbols);
  const seen = new Map<string, number>();
  return symbolsOf(symbols).map(({ call: { layer } }) => {
    const count = seen.get(layer.name) ?? 0;
    seen.set(layer.name, count + 1);
    return count === 0 ? layer.name : `${layer.name}_${count}`;
  });
}

function checkNames(model: string, layers: readonly Layer[]): void {
  const names = new Set<string>();
  for (const { name } of layers) {
    if (names.has(name)) {
      throw new ValueError(
        `${model}: two layers are named "${name}"; names are unique in a model, give { name }`,
      );
    }
    names.add(name);
  }
}
