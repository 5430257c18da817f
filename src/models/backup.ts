/** The whole state of a training run in a file, and back. */

import { access } from 'node:fs/promises';

import type { CallbackState, Position } from '../callbacks/callback.js';
import { FileError, GradloomError } from '../errors.js';
import { readSafetensors } from '../io/safetensors.js';
import { defaultGenerator } from '../tensor/random.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { assignWeights, weightsOf } from './load-weights.js';
import type { Model } from './model.js';
import { restoreTraining } from './restore.js';
import { addTraining, readRecord, weightsRecord, weightTensors, writeRecord } from './save.js';
import type { ModelRecord } from './save.js';

/** What the file of a backup says besides weights and the optimizer's state. */
interface RunRecord extends ModelRecord {
  readonly run: {
    readonly position: Position;
    /** What loss and metrics have summed up in the epoch. */
    readonly sums: unknown;
    /** Shapes of samples, to build a model with that is not built before data comes. */
    readonly inputShapes: readonly Shape[];
    readonly stopTraining: boolean;
    /** What callbacks remember, by callback. */
    readonly callbacks: Readonly<Record<string, CallbackState['values']>>;
  };
}

/** Where a run is, besides its model. */
export interface RunState {
  readonly position: Position;
  readonly sums: unknown;
  /** What callbacks remember, by callback. */
  readonly callbacks: ReadonlyMap<string, CallbackState>;
}

/** A backup that was read. */
export interface Backup extends RunState {
  /** Puts weights, optimizer, random numbers and the counts of the model back. */
  restoreModel(): void;
}

const tensorName = (callback: string, key: string): string => `callback/${callback}/${key}`;

/** Writes the state of a run, atomically. */
export async function writeBackup(
  path: string,
  model: Model,
  { position, sums, callbacks }: RunState,
): Promise<void> {
  const tensors = weightTensors(model);
  const training = addTraining(model, tensors);
  for (const [name, state] of callbacks) {
    for (const [key, tensor] of Object.entries(state.tensors ?? {})) {
      tensors.set(tensorName(name, key), tensor);
    }
  }
  const values = [...callbacks].map(([name, state]) => [name, state.values] as const);
  const { stopTraining, inputShapes } = model;
  const run: RunRecord['run'] = {
    position,
    sums,
    inputShapes,
    stopTraining,
    callbacks: Object.fromEntries(values),
  };
  const record: RunRecord = { ...weightsRecord(model), training, run };
  await writeRecord(path, record, tensors);
}

/**
 * Reads a backup; null when there is none. Throws FileError when it is damaged or of another model,
 * before anything is changed.
 */
export async function readBackup(path: string, model: Model): Promise<Backup | null> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return null;
  const file = await readSafetensors(path);
  const record = readRecord(file.metadata) as RunRecord | null;
  if (!record?.training || !isPosition((record as Partial<RunRecord>).run?.position)) {
    throw new FileError(`${path} is no backup of a training run`);
  }
  const { training, run, weights } = record;
  return {
    position: run.position,
    sums: run.sums,
    callbacks: new Map(
      Object.entries(run.callbacks).map(([name, values]) => [
        name,
        { values, tensors: tensorsOf(name, file.tensors) },
      ]),
    ),
    restoreModel: () => {
      try {
        model.ensureBuilt(...run.inputShapes);
        assignWeights(model, weightsOf(file), {});
        restoreTraining(model, training, weights, file.tensors);
      } catch (error) {
        if (!(error instanceof GradloomError)) throw error;
        throw new FileError(
          `cannot go on with ${path}: ${error.message}. To begin anew, remove that file`,
        );
      }
      defaultGenerator.restore(training.generator);
      model.stopTraining = run.stopTraining;
    },
  };
}

/** A callback's tensors, by its own keys. */
function tensorsOf(callback: string, tensors: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const prefix = tensorName(callback, '');
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function isPosition(value: unknown): value is Position {
  const { epoch, step } = Object(value) as Partial<Position>;
  return [epoch, step].every((each) => Number.isSafeInteger(each) && each! >= 0);
}
