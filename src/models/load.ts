/** Models from files: made from their architecture, filled with their weights, compiled again. */

import { FileError, GradloomError } from '../errors.js';
import { readSafetensors } from '../io/safetensors.js';
import type { Safetensors } from '../io/safetensors.js';
import * as layers from '../layers/index.js';
import { checkOptionsOf, Layer } from '../layers/layer.js';
import type { LayerClass } from '../layers/layer.js';
import { withoutInitialization } from '../layers/weight.js';
import { layerFromConfig, registerLayer } from '../layers/registry.js';
import { checkOptionNames } from '../names.js';
import { defaultGenerator } from '../tensor/random.js';
import { assignWeights, weightsOf } from './load-weights.js';
import { Model } from './model.js';
import { restoreTraining } from './restore.js';
import { readRecord } from './save.js';
import type { ModelRecord } from './save.js';
import { Functional } from './functional.js';
import { Sequential } from './sequential.js';

for (const each of [...Object.values(layers), Sequential, Functional] as unknown[]) {
  if (!isLayerClass(each)) continue;
  registerLayer(each);
  checkOptionsOf(each);
}

export { layerFromConfig, registerLayer, serializeLayer } from '../layers/registry.js';

/** Whether a value is a class whose instances are layers; abstract ones do no harm. */
function isLayerClass(value: unknown): value is LayerClass {
  return typeof value === 'function' && value.prototype instanceof Layer;
}

export interface LoadOptions {
  /** Compile it as it was, with the optimizer's state. Default true. */
  readonly compile?: boolean;
  /**
   * Put the default generator where it was, so that training goes on with the same random numbers
   * as if it had not been interrupted. Default false.
   */
  readonly restoreGenerator?: boolean;
}

/**
 * A model from a file that `model.save` wrote: architecture, weights and, if it was compiled, what
 * it was compiled with and the optimizer's state, so that training goes on exactly where it was.
 * Classes of your own must be known: registerLayer, losses.register and so on. Throws FileError for
 * files that are damaged, of another kind, or newer than this program.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<Model> {
  checkOptionNames('loadModel', options, ['compile', 'restoreGenerator']);
  const file = await readSafetensors(path);
  try {
    return modelFrom(file, options);
  } catch (error) {
    // Whatever a file says may surface anywhere: the cause tells where.
    const reason = error instanceof GradloomError ? error.message : String(error);
    throw new FileError(`cannot load ${path}: ${reason}`, { cause: error });
  }
}

function modelFrom(file: Safetensors, options: LoadOptions): Model {
  const record = readRecord(file.metadata);
  if (!record) throw new FileError('it is a safetensors file, but not of a gradloom model');
  if (!record.model) {
    throw new FileError('it holds weights only: make the model and call loadWeights');
  }
  const weights = weightsOf(file);
  const model = emptyModel(record, sizeOf(weights.tensors));
  assignWeights(model, weights, {});
  const { compile, training } = record;
  if (compile && (options.compile ?? true)) {
    model.compile(compile);
    if (training) restoreTraining(model, training, record.weights, file.tensors);
  }
  if (training && options.restoreGenerator) defaultGenerator.restore(training.generator);
  return model;
}

/** The model with weights of any value: not more of them than the file holds. */
function emptyModel({ model: serialized }: ModelRecord, size: number): Model {
  const layer = withoutInitialization(size, () => layerFromConfig(serialized));
  if (layer instanceof Model) return layer;
  throw new FileError(`it holds the layer ${layer.name}, not a model`);
}

const sizeOf = (tensors: ReadonlyMap<string, { readonly size: number }>): number =>
  [...tensors.values()].reduce((sum, each) => sum + each.size, 0);
