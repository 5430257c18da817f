/**
 * The classes of layers that files may name, and layers as they stand in files: a class name and
 * the arguments that make an equal layer.
 */

import { describe, GradloomError, ValueError } from '../errors.js';
import { isSerialized, unknownName } from '../names.js';
import type { Serialized } from '../names.js';
import { Layer, makeLayer } from './layer.js';
import type { LayerClass } from './layer.js';

/** A class of layers that hold others, which stand under `layers` in the config. */
interface Container {
  fromConfig(config: Readonly<Record<string, unknown>>, layers: readonly Layer[]): Layer;
}

const classes = new Map<string, LayerClass>();

/**
 * Makes a class of layers known under its name, so that {@link loadModel} can make them again. Its
 * constructor must accept what its `config()` gives: options last, arguments before them listed in
 * its static `positional`. A layer with layers inside lists them, serialized, under `layers`, and
 * its class has a static `fromConfig(config, layers)`.
 */
export function registerLayer(made: LayerClass): void {
  if (!((made as { prototype?: unknown } | null)?.prototype instanceof Layer)) {
    throw new ValueError(
      `registerLayer: expected a class that extends Layer, got ${describe(made)}`,
    );
  }
  const known = classes.get(made.name);
  if (known && known !== made) {
    throw new ValueError(
      `registerLayer: another class named ${made.name} is registered; rename one of them`,
    );
  }
  classes.set(made.name, made);
}

/** Names of the classes registered so far. @internal */
export const layerNames = (): string[] => [...classes.keys()];

/** Class name and config. Throws ValueError for a layer that could not be made again from them. */
export function serializeLayer(layer: Layer): Serialized {
  const made = layer.constructor as LayerClass;
  const { name: className } = made;
  const known = classes.get(className);
  if (className === '' || (known && known !== made)) {
    const why = className === '' ? 'has no name' : `is named ${className} like another one`;
    throw new ValueError(`layer ${layer.name} cannot be saved: its class ${why}; rename it`);
  }
  const required = made.length > made.positional.length;
  if (required && !('fromConfig' in made) && layer.config === Layer.prototype.config) {
    throw new ValueError(
      `layer ${layer.name} cannot be saved: the constructor of ${className} takes arguments, but ` +
        'the class does not state them in config() and positional',
    );
  }
  return { className, config: layer.config() };
}

/** A layer from its class name and config. Throws ValueError when there is no such class. */
export function layerFromConfig(serialized: unknown): Layer {
  if (!isSerialized(serialized)) {
    throw new ValueError(`expected a layer's { className, config }, got ${describe(serialized)}`);
  }
  const { className, config } = serialized;
  const made = classes.get(className);
  if (!made) {
    const { message } = unknownName('layer', className, [...classes.keys()]);
    throw new ValueError(`${message}. A class of your own: registerLayer(${className}) first`);
  }
  if (typeof (config['name'] ?? '') !== 'string') {
    throw new ValueError(`the name of a ${className} is ${describe(config['name'])}, not a string`);
  }
  try {
    return 'fromConfig' in made
      ? (made as unknown as Container).fromConfig(config, innerLayers(config))
      : makeLayer(made, config);
  } catch (error) {
    if (error instanceof GradloomError) throw error;
    throw new ValueError(`a ${className} cannot be made from its config: ${String(error)}`);
  }
}

function innerLayers({ layers }: Readonly<Record<string, unknown>>): Layer[] {
  if (Array.isArray(layers)) return (layers as unknown[]).map(layerFromConfig);
  throw new ValueError(`expected a list of layers, got ${describe(layers)}`);
}
