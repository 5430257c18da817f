/** Saves the model while it is being trained. */

import { checkOptionNames } from '../names.js';
import { checkSavable } from '../models/save.js';
import { checkInteger } from '../tensor/shape.js';
import { anyNumber, checkFlags, checkNumber } from '../values.js';
import { Callback } from './callback.js';
import type { CallbackState, Logs } from './callback.js';
import { checkPath, fillTemplate } from './file-template.js';
import { Monitor } from './monitor.js';
import type { MonitorOptions } from './monitor.js';
import { showValue } from './progress-bar.js';
import { say } from './say.js';

export interface ModelCheckpointOptions extends Omit<MonitorOptions, 'minDelta'> {
  /** Save only when the monitored number is better than ever before. Default false. */
  readonly saveBestOnly?: boolean;
  /** Save the weights without architecture and optimizer. Default false. */
  readonly saveWeightsOnly?: boolean;
  /** After every epoch, or after every so many steps. Default 'epoch'. */
  readonly saveFrequency?: 'epoch' | number;
  /** The first value must be better than this to be the best. Default none. */
  readonly initialValueThreshold?: number;
  /** Say on standard error what is saved, and where the best stays the best. Default false. */
  readonly verbose?: boolean;
}

const known: readonly (keyof ModelCheckpointOptions)[] = [
  'monitor',
  'mode',
  'saveBestOnly',
  'saveWeightsOnly',
  'saveFrequency',
  'initialValueThreshold',
  'verbose',
];

/**
 * Saves to `path`, in which `{epoch:02d}` (from 1), `{batch}` (from 1, when saving by steps) and
 * the names of logged numbers, as in `{val_loss:.2f}`, are filled in. A file is replaced
 * atomically: a killed process leaves the old one or the new one. The best value is remembered from
 * one `fit` to the next.
 */
export class ModelCheckpoint extends Callback {
  readonly path: string;
  readonly #monitor: Monitor;
  readonly #options: ModelCheckpointOptions;
  readonly #steps: number | null;
  /** The best value so far; NaN before there is one. */
  best: number;
  #epoch = 0;
  #stepsSince = 0;

  constructor(path: string, options: ModelCheckpointOptions = {}) {
    super();
    checkPath('ModelCheckpoint', path);
    checkOptionNames('ModelCheckpoint', options, known);
    this.path = path;
    this.#options = options;
    this.#monitor = new Monitor(options);
    this.best = options.initialValueThreshold ?? NaN;
    const { saveBestOnly = false, saveWeightsOnly = false, verbose = false } = options;
    checkFlags('ModelCheckpoint', { saveBestOnly, saveWeightsOnly, verbose });
    if (options.initialValueThreshold !== undefined) {
      checkNumber(this.best, 'ModelCheckpoint: initialValueThreshold', anyNumber);
    }
    const frequency = options.saveFrequency ?? 'epoch';
    this.#steps =
      frequency === 'epoch'
        ? null
        : checkInteger(frequency, 1, Infinity, 'ModelCheckpoint: saveFrequency');
    if (this.#steps === null) this.ignore('onTrainBatchEnd');
  }

  override onTrainBegin(): void {
    if (this.#options.saveBestOnly) this.#monitor.begin(this.model.metricDirections);
    // What cannot be saved is said before hours of training, not after.
    checkSavable(this.model, { weightsOnly: this.#options.saveWeightsOnly ?? false });
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override async onTrainBatchEnd(step: number, logs: Logs): Promise<void> {
    if (this.#steps === null || ++this.#stepsSince < this.#steps) return;
    this.#stepsSince = 0;
    await this.#save({ ...logs, batch: step + 1 });
  }

  override async onEpochEnd(_epoch: number, logs: Record<string, number>): Promise<void> {
    if (this.#steps === null) await this.#save(logs);
  }

  async #save(logs: Logs): Promise<void> {
    if (!this.#isWanted(logs)) return;
    const path = fillTemplate(this.path, { ...logs, epoch: this.#epoch + 1 });
    if (this.#options.saveWeightsOnly) await this.model.saveWeights(path);
    else await this.model.save(path);
    this.#say(`saved ${path}`);
  }

  #say(what: string): void {
    if (this.#options.verbose) say('ModelCheckpoint', `epoch ${this.#epoch + 1}: ${what}`);
  }

  #isWanted(logs: Logs): boolean {
    if (!this.#options.saveBestOnly) return true;
    const value = this.#monitor.valueIn(logs, 'ModelCheckpoint saves every time');
    if (value === undefined) return true;
    const reference = Number.isNaN(this.best) ? this.#monitor.worst : this.best;
    const { name } = this.#monitor;
    if (!this.#monitor.improves(value, reference)) {
      this.#say(`${name} did not improve from ${showValue(reference)}`);
      return false;
    }
    this.#say(`${name} improved from ${showValue(reference)} to ${showValue(value)}`);
    this.best = value;
    return true;
  }

  override state(): CallbackState {
    return { values: { best: this.best, stepsSince: this.#stepsSince } };
  }

  override restore({ values }: CallbackState): void {
    this.best = values['best'] as number;
    this.#stepsSince = values['stepsSince'] as number;
  }
}
