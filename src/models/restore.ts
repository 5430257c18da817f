/** The state of training from files into a compiled model. */

import { FileError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import { optimizerPrefix } from './save.js';
import type { GroupRecord, TrainingRecord } from './save.js';
import { namedWeights } from './weight-names.js';

/**
 * Gives a model the optimizer's state and the count of epochs that a file holds. The model's
 * weights are those of the file in order (`names`): their own names may be others.
 */
export function restoreTraining(
  model: Model,
  training: TrainingRecord,
  names: readonly string[],
  tensors: ReadonlyMap<string, Tensor>,
): void {
  const { epochsSeen, optimizer, groups } = training;
  const numbers = Object.entries(Object(optimizer) as Record<string, unknown>);
  if (!isCount(epochsSeen) || numbers.length === 0 || !numbers.every(isNumber)) {
    throw new FileError('its state of training is not made of numbers: it is damaged');
  }
  if (groups !== undefined && !(Array.isArray(groups) && groups.every(isGroup))) {
    throw new FileError('its groups of parameters are no list of weights: it is damaged');
  }
  const indexOf = new Map(names.map((name, index) => [name, index]));
  const state: Record<string, Tensor> = {};
  for (const [name, tensor] of tensors) {
    if (!name.startsWith(optimizerPrefix)) continue;
    const path = name.slice(optimizerPrefix.length);
    const cut = path.lastIndexOf('/');
    const index = indexOf.get(path.slice(0, cut));
    if (index === undefined) continue;
    state[`${index}/${path.slice(cut + 1)}`] = tensor;
  }
  const parameters = [...namedWeights(model).values()].map(({ value }) => value);
  const states = groups?.map(({ weights, settings }: GroupRecord) => ({
    // A weight the file does not name is none of the model's: the optimizer says so.
    parameters: weights.map((name) => indexOf.get(name) ?? -1),
    settings,
  }));
  model.optimizer.restore(
    { numbers: optimizer, tensors: state, ...(states ? { groups: states } : {}) },
    parameters,
  );
  model.epochsSeen = epochsSeen;
}

function isGroup(value: unknown): value is GroupRecord {
  const { weights, settings } = Object(value) as Record<string, unknown>;
  return Array.isArray(weights) && typeof settings === 'object' && settings !== null;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Steps are counted, the other numbers may be any. */
const isNumber = ([name, value]: [string, unknown]): boolean =>
  name === 'iterations' ? isCount(value) : typeof value === 'number';
