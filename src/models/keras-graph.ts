/** A model's structure in the JSON that Keras writes, as far as TensorBoard draws it. */

import { serializeLayer } from '../layers/registry.js';
import { isSerialized } from '../names.js';
import type { Serialized } from '../names.js';
import type { GraphData } from './graph.js';
import type { Model } from './model.js';

interface KerasLayer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes?: readonly unknown[];
}

/** Where a value comes from: a layer, which of its places, which of its outputs. */
type History = readonly [layer: string, place: number, output: number];

/** The structure of a model, or null for a model whose layers cannot be written to a file. */
export function kerasGraph(model: Model): string | null {
  try {
    return JSON.stringify(kerasLayer(serializeLayer(model)));
  } catch {
    // A drawing is not worth ending a training for; saving the model says what is in the way.
    return null;
  }
}

function kerasLayer({ className, config }: Serialized): KerasLayer {
  const { name, dtype, layers, graph } = config;
  if (!Array.isArray(layers)) return { class_name: className, config: { name, dtype } };
  const inner = (layers as unknown[]).filter(isSerialized);
  if (graph) return functional(className, name, inner, graph as GraphData);
  return { class_name: className, config: { name, layers: inner.map(kerasLayer) } };
}

function functional(
  className: string,
  name: unknown,
  layers: readonly Serialized[],
  { calls, inputs, outputs }: GraphData,
): KerasLayer {
  const names = layers.map(({ config }) => String(config['name']));
  const historyOf = ({ call, output }: { call: number; output: number }): History => {
    const { layer } = calls[call]!;
    const place = calls.slice(0, call).filter((each) => each.layer === layer).length;
    return [names[layer]!, place, output];
  };
  const placesOf = (layer: number): unknown[] =>
    calls
      .filter((call) => call.layer === layer && call.inputs.length > 0)
      .map((call) => ({
        args: [call.inputs.map((input) => ({ config: { keras_history: historyOf(input) } }))],
      }));
  const references = (structure: GraphData['inputs']): History[] =>
    ('call' in structure ? [structure] : Object.values(structure)).map((each) =>
      historyOf(each as { call: number; output: number }),
    );
  return {
    class_name: className,
    config: {
      name,
      layers: layers.map((layer, i) => ({ ...kerasLayer(layer), inbound_nodes: placesOf(i) })),
      input_layers: references(inputs),
      output_layers: references(outputs),
    },
  };
}
