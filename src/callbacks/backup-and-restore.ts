/** Going on with a training that was interrupted. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { readBackup, writeBackup } from '../models/backup.js';
import { checkInteger } from '../tensor/shape.js';
import { checkFlag } from '../values.js';
import { Callback } from './callback.js';
import type { CallbackState, Position, Resumption } from './callback.js';
import { checkPath } from './file-template.js';
import { say } from './say.js';

export interface BackupAndRestoreOptions {
  /** After every epoch, or after every so many steps (and every epoch). Default 'epoch'. */
  readonly saveFrequency?: 'epoch' | number;
  /** Remove the backup when training has come to its end. Default true. */
  readonly deleteCheckpoint?: boolean;
}

const known: readonly (keyof BackupAndRestoreOptions)[] = ['saveFrequency', 'deleteCheckpoint'];

/**
 * Keeps the whole state of a run in one file of `directory`: weights, optimizer, epoch and step,
 * random numbers, and what the other callbacks remember. When the process is killed, the same
 * program started again goes on from there, and on the same device ends with the same bits as if
 * nothing had happened. A run that was aborted or has thrown keeps its backup.
 *
 * The data must be the same: tensors are shuffled as before; of an iterable the batches that were
 * done are skipped.
 */
export class BackupAndRestore extends Callback {
  readonly path: string;
  readonly #steps: number | null;
  readonly #delete: boolean;
  #stepsSince = 0;
  #finished = false;

  constructor(directory: string, options: BackupAndRestoreOptions = {}) {
    super();
    checkPath('BackupAndRestore', directory);
    checkOptionNames('BackupAndRestore', options, known);
    this.path = join(directory, 'backup.safetensors');
    const frequency = options.saveFrequency ?? 'epoch';
    this.#steps =
      frequency === 'epoch'
        ? null
        : checkInteger(frequency, 1, Infinity, 'BackupAndRestore: saveFrequency');
    const { deleteCheckpoint = true } = options;
    this.#delete = checkFlag(deleteCheckpoint, 'BackupAndRestore: deleteCheckpoint');
  }

  override onTrainBegin(): void {
    const several = this.run.callbacks.filter((each) => each instanceof BackupAndRestore);
    if (several.length > 1) {
      throw new ValueError('BackupAndRestore: one is enough; there are several in this run');
    }
    this.#stepsSince = 0;
    this.#finished = false;
  }

  override async resume(): Promise<Resumption | undefined> {
    const backup = await readBackup(this.path, this.model);
    if (!backup) return undefined;
    const { position, sums } = backup;
    const step = position.step > 0 ? `, step ${position.step + 1}` : '';
    say('BackupAndRestore', `going on with epoch ${position.epoch + 1}${step} from ${this.path}`);
    return {
      position,
      sums,
      restore: async () => {
        backup.restoreModel();
        await restoreCallbacks(this.run.callbacks, backup.callbacks);
      },
    };
  }

  override async onBoundary(position: Position, sums: () => Promise<unknown>): Promise<void> {
    const isEpoch = position.step === 0;
    this.#finished = isEpoch && (position.epoch >= this.run.epochs || this.model.stopTraining);
    if (this.#finished && this.#delete) return;
    this.#stepsSince = isEpoch ? 0 : this.#stepsSince + 1;
    if (!isEpoch && (this.#steps === null || this.#stepsSince < this.#steps)) return;
    this.#stepsSince = 0;
    const callbacks = await statesOf(this.run.callbacks);
    await writeBackup(this.path, this.model, { position, sums: await sums(), callbacks });
  }

  override async onTrainEnd(): Promise<void> {
    if (this.#finished && this.#delete) await rm(this.path, { force: true });
  }
}

/** The states of those callbacks that have one, by class and, within it, order. */
async function statesOf(callbacks: readonly Callback[]): Promise<Map<string, CallbackState>> {
  const states = new Map<string, CallbackState>();
  for (const [key, callback] of keyed(callbacks)) {
    const state = await callback.state?.();
    if (state) states.set(key, state);
  }
  return states;
}

async function restoreCallbacks(
  callbacks: readonly Callback[],
  states: ReadonlyMap<string, CallbackState>,
): Promise<void> {
  const known = keyed(callbacks);
  for (const [key, state] of states) {
    const callback = known.get(key);
    if (callback?.restore) await callback.restore(state);
    else say('BackupAndRestore', `the backup holds what ${key} remembered; this run has none`);
  }
}

/** Callbacks as `EarlyStopping`, `EarlyStopping 2`, … */
function keyed(callbacks: readonly Callback[]): Map<string, Callback> {
  const keys = new Map<string, Callback>();
  for (const callback of callbacks) {
    const { name } = callback.constructor;
    let key = name;
    for (let number = 2; keys.has(key); number++) key = `${name} ${number}`;
    keys.set(key, callback);
  }
  return keys;
}
