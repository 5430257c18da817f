/**
 * Models as files. A file is one safetensors file: the weights by their paths, the optimizer's
 * state under `optimizer/…`, and in its metadata, as JSON under the key `gradloom`, everything else
 * (`ModelRecord`). So other programs read the weights, and one rename replaces all at once.
 */

import { FileError, ValueError } from '../errors.js';
import { fromExactJson, toExactJson } from '../io/exact-json.js';
import { writeSafetensors } from '../io/safetensors.js';
import { serializeLayer } from '../layers/registry.js';
import * as losses from '../losses/index.js';
import * as metrics from '../metrics/index.js';
import { checkOptionNames } from '../names.js';
import type { Serialized } from '../names.js';
import * as optimizers from '../optimizers/index.js';
import type { GroupSettings } from '../optimizers/index.js';
import { defaultGenerator } from '../tensor/random.js';
import type { GeneratorState } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Compiled, CompileOptions } from './compile.js';
import type { Model } from './model.js';
import { namedWeights } from './weight-names.js';

/** Version of the layout; readers refuse greater ones. */
export const recordVersion = 1;
const recordKey = 'gradloom';
export const optimizerPrefix = 'optimizer/';

/** What a file says besides its tensors. */
export interface ModelRecord {
  readonly version: number;
  /** Names of the model's weights, in its order. */
  readonly weights: readonly string[];
  /** The architecture; absent in files of weights only. */
  readonly model?: Serialized;
  /** What `compile` takes; absent when the model was not compiled. */
  readonly compile?: CompileOptions;
  readonly training?: TrainingRecord;
}

/** Where training stands, besides weights and the optimizer's tensors. */
export interface TrainingRecord {
  readonly epochsSeen: number;
  /** Numbers of the optimizer's state. */
  readonly optimizer: Readonly<Record<string, number>>;
  /** Weights, by name, that have a learning rate or decay of their own. */
  readonly groups?: readonly GroupRecord[];
  /** The default generator: it decides dropout and, by its seed, the order of samples. */
  readonly generator: GeneratorState;
}

export interface GroupRecord {
  readonly weights: readonly string[];
  readonly settings: GroupSettings;
}

export interface SaveOptions {
  /** Keep what `compile` was given and the optimizer's state. Default true. */
  readonly includeOptimizer?: boolean;
}

/** Saves architecture, weights and, if compiled, the state of training; see Model.save. */
export async function saveModel(model: Model, path: string, options: SaveOptions): Promise<void> {
  checkOptionNames('save', options, ['includeOptimizer']);
  const { includeOptimizer = true } = options;
  const compiled = includeOptimizer && model.isCompiled ? model.compiled : null;
  const tensors = weightTensors(model);
  const base = { ...weightsRecord(model), model: serializeLayer(model) };
  if (!compiled) return writeRecord(path, base, tensors);
  const training = addTraining(model, tensors);
  return writeRecord(path, { ...base, compile: compileConfig(compiled), training }, tensors);
}

/** Saves the weights only; see Model.saveWeights. */
export async function saveModelWeights(model: Model, path: string): Promise<void> {
  if (!model.built) {
    throw new ValueError(
      `model ${model.name} has no weights yet: give its first layer an inputShape, or call it once`,
    );
  }
  return writeRecord(path, weightsRecord(model), weightTensors(model));
}

/** Throws ValueError for a model that could not be saved, naming what is in the way. */
export function checkSavable(model: Model, { weightsOnly }: { weightsOnly: boolean }): void {
  namedWeights(model);
  if (weightsOnly) return;
  toExactJson(serializeLayer(model), `model ${model.name}`);
  if (model.isCompiled) toExactJson(compileConfig(model.compiled), 'compile');
}

/** Weights by name: what a file holds of the model itself. */
export function weightTensors(model: Model): Map<string, Tensor> {
  return new Map([...namedWeights(model)].map(([name, { value }]) => [name, value]));
}

export const weightsRecord = (model: Model): ModelRecord => ({
  version: recordVersion,
  weights: [...namedWeights(model).keys()],
});

/** Adds the optimizer's tensors to those of a file; returns the rest of the state of training. */
export function addTraining(model: Model, tensors: Map<string, Tensor>): TrainingRecord {
  const weights = [...namedWeights(model)];
  const state = model.optimizer.state(weights.map(([, { value }]) => value));
  for (const [key, tensor] of Object.entries(state.tensors)) {
    const [index, variable] = key.split('/') as [string, string];
    const name = `${optimizerPrefix}${weights[Number(index)]![0]}/${variable}`;
    if (tensors.has(name)) throw new ValueError(`rename the layer "optimizer": ${name} is taken`);
    tensors.set(name, tensor);
  }
  return {
    epochsSeen: model.epochsSeen,
    optimizer: state.numbers,
    groups: (state.groups ?? []).map(({ parameters, settings }) => ({
      weights: parameters.map((index) => weights[index]![0]),
      settings,
    })),
    generator: defaultGenerator.state(),
  };
}

/** What `compile` would have to be given, as plain JSON. */
export function compileConfig({ optimizer, goals }: Compiled): CompileOptions {
  const metricsOf = (weighted: boolean): readonly (readonly Serialized[])[] =>
    goals.map((goal) =>
      goal.metrics
        .filter((each) => each.weighted === weighted)
        .map((each) => metrics.serialize(each.metric)),
    );
  return {
    optimizer: optimizers.serialize(optimizer),
    loss: goals.map(({ loss }) => loss && losses.serialize(loss)),
    lossWeights: goals.map(({ weight }) => weight),
    metrics: metricsOf(false),
    weightedMetrics: metricsOf(true),
  };
}

/** Writes a file, atomically. */
export async function writeRecord(
  path: string,
  record: ModelRecord,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const metadata = { format: 'gradloom', [recordKey]: toExactJson(record, 'the model') };
  await writeSafetensors(path, tensors, metadata);
}

/** The record of a file, or null for a file of another program. Throws FileError. */
export function readRecord(metadata: ReadonlyMap<string, string>): ModelRecord | null {
  const text = metadata.get(recordKey);
  if (text === undefined) return null;
  let record: Partial<ModelRecord>;
  try {
    record = Object(fromExactJson(text)) as Partial<ModelRecord>;
  } catch {
    throw new FileError('its description of the model is no JSON: it is damaged');
  }
  const { version, weights } = record;
  if (typeof version !== 'number' || !isListOfStrings(weights)) {
    throw new FileError('its description of the model lacks version and weights: it is damaged');
  }
  if (version > recordVersion) {
    throw new FileError(
      `it is of version ${version}; this gradloom reads up to ${recordVersion}: update gradloom`,
    );
  }
  return record as ModelRecord;
}

const isListOfStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
