/**
 * The plan of a functional model: its symbolic calls in an order in which they can run, with a
 * numbered place for every value. Also that plan as plain data, for files and copies.
 */

import { ValueError } from '../errors.js';
import { Input, input } from '../layers/input.js';
import type { CallContext, Layer } from '../layers/layer.js';
import { SymbolicCall, SymbolicTensor } from '../layers/symbolic.js';
import type { Tensor } from '../tensor/tensor.js';
import { leaves, mapStructure } from './structure.js';
import type { Structure } from './structure.js';

/** Inputs or outputs of a functional model: one, an array, or an object by name. */
export type Symbols = Structure<SymbolicTensor>;

const isSymbol = (value: unknown): value is SymbolicTensor => value instanceof SymbolicTensor;

/** Symbolic tensors in order. */
export const symbolsOf = (symbols: Symbols): readonly SymbolicTensor[] => leaves(symbols, isSymbol);

/** One call: a layer, the places it reads and those it writes. */
interface Step {
  readonly layer: Layer;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** An output of a call: their numbers. */
interface Reference {
  readonly call: number;
  readonly output: number;
}

/** A graph as plain data; layers by their position in {@link Graph.layers}. */
export interface GraphData {
  readonly calls: readonly { readonly layer: number; readonly inputs: readonly Reference[] }[];
  readonly inputs: Structure<Reference>;
  readonly outputs: Structure<Reference>;
}

const isReference = (value: unknown): value is Reference =>
  typeof (value as Partial<Reference>).call === 'number';

export class Graph {
  /** In the order in which they can run. */
  readonly calls: readonly SymbolicCall[];
  /** Each once, in the order of their first calls. */
  readonly layers: readonly Layer[];
  readonly #steps: readonly Step[];
  readonly #inputs: readonly number[];
  readonly #outputs: readonly number[];
  readonly #places: number;

  private constructor(
    readonly inputs: Symbols,
    readonly outputs: Symbols,
    calls: readonly SymbolicCall[],
  ) {
    this.calls = calls;
    this.layers = [...new Set(this.calls.map((call) => call.layer))];
    const places = new Map<SymbolicTensor, number>();
    for (const symbol of this.calls.flatMap((call) => call.outputs))
      places.set(symbol, places.size);
    const placesOf = (symbols: readonly SymbolicTensor[]): number[] =>
      symbols.map((symbol) => places.get(symbol)!);
    this.#steps = this.calls
      .filter((call) => call.inputs.length > 0)
      .map((call) => ({
        layer: call.layer,
        inputs: placesOf(call.inputs),
        outputs: placesOf(call.outputs),
      }));
    this.#inputs = placesOf(symbolsOf(inputs));
    this.#outputs = placesOf(symbolsOf(outputs));
    this.#places = places.size;
  }

  /**
   * The graph from inputs to outputs. Inputs in the middle of another graph become beginnings.
   * Throws ValueError when outputs need an input that is not among the inputs, or one is idle.
   */
  static between(inputs: Symbols, outputs: Symbols): Graph {
    const sources = symbolsOf(inputs);
    const calls = callsBetween(sources, symbolsOf(outputs));
    if (sources.every((each) => each.call.inputs.length === 0)) {
      return new Graph(inputs, outputs, calls);
    }
    const renewed = new Map<SymbolicTensor, SymbolicTensor>();
    const anew = (symbol: SymbolicTensor): SymbolicTensor => renewed.get(symbol)!;
    for (const source of sources) {
      renewed.set(source, source.call.inputs.length === 0 ? source : input(source.shape));
    }
    for (const call of calls) {
      if (sources.some((source) => source.call === call)) continue;
      const { outputs: made } = place(call.layer, call.inputs.map(anew));
      call.outputs.forEach((symbol, i) => renewed.set(symbol, made[i]!));
    }
    const begun = mapStructure(inputs, isSymbol, anew);
    const ended = mapStructure(outputs, isSymbol, anew);
    return new Graph(begun, ended, callsBetween(symbolsOf(begun), symbolsOf(ended)));
  }

  /** Values of the outputs for values of the inputs. */
  run(inputs: readonly Tensor[], context: CallContext): Tensor[] {
    const values = new Array<Tensor>(this.#places);
    this.#inputs.forEach((place, i) => (values[place] = inputs[i]!));
    for (const step of this.#steps) {
      if (step.inputs.length === 1 && step.outputs.length === 1) {
        values[step.outputs[0]!] = step.layer.apply(values[step.inputs[0]!]!, context);
      } else {
        const given = step.inputs.map((place) => values[place]!);
        const found = step.layer.applyAll(given, context);
        step.outputs.forEach((place, i) => (values[place] = found[i]!));
      }
    }
    return this.#outputs.map((place) => values[place]!);
  }

  /** The graph as plain data. */
  data(): GraphData {
    const reference = ({ call, index }: SymbolicTensor): Reference => ({
      call: this.calls.indexOf(call),
      output: index,
    });
    return {
      calls: this.calls.map((call) => ({
        layer: this.layers.indexOf(call.layer),
        inputs: call.inputs.map(reference),
      })),
      inputs: mapStructure(this.inputs, isSymbol, reference),
      outputs: mapStructure(this.outputs, isSymbol, reference),
    };
  }

  /** A graph of the same calls with other layers. */
  static from(data: GraphData, layers: readonly Layer[]): Graph {
    const calls: SymbolicCall[] = [];
    const symbol = ({ call, output }: Reference): SymbolicTensor => {
      const found = calls[call]?.outputs[output];
      if (found) return found;
      throw new ValueError(
        `the graph refers to output ${output} of call ${call}, which is not there`,
      );
    };
    for (const { layer: number, inputs } of data.calls) {
      const layer = layers[number];
      if (!layer) throw new ValueError(`the graph refers to layer ${number}, which is not there`);
      calls.push(place(layer, inputs.map(symbol)));
    }
    return Graph.between(
      mapStructure(data.inputs, isReference, symbol),
      mapStructure(data.outputs, isReference, symbol),
    );
  }
}

function place(layer: Layer, inputs: readonly SymbolicTensor[]): SymbolicCall {
  if (!(layer instanceof Input)) return layer.onAll(inputs)[0]!.call;
  layer.ensureBuilt(layer.shape);
  return new SymbolicCall(layer, [], [layer.shape]);
}

/** Every call on the way from the inputs to the outputs, in order; those of the inputs included. */
function callsBetween(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
): SymbolicCall[] {
  if (inputs.length === 0 || outputs.length === 0 || ![...inputs, ...outputs].every(isSymbol)) {
    throw new ValueError(
      'a functional model needs inputs from input() and outputs that layers gave with on()',
    );
  }
  const ends = new Set(inputs);
  const used = new Set<SymbolicTensor>();
  const calls = new Set(inputs.map((each) => each.call));
  const waiting = [...outputs];
  for (let symbol = waiting.pop(); symbol; symbol = waiting.pop()) {
    if (used.has(symbol)) continue;
    used.add(symbol);
    if (ends.has(symbol)) continue;
    if (symbol.call.inputs.length === 0) {
      throw new ValueError(
        `the outputs depend on the input "${symbol.call.layer.name}", which is not among the inputs`,
      );
    }
    calls.add(symbol.call);
    waiting.push(...symbol.call.inputs);
  }
  const idle = inputs.find((each) => !used.has(each));
  if (idle) throw new ValueError(`no output depends on the input "${idle.call.layer.name}"`);
  return [...calls].sort((a, b) => a.order - b.order);
}
