/** Lowers the learning rate when a logged number no longer improves. */

import { ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { checkFlag, checkNumber, partialShare } from '../values.js';
import { Callback } from './callback.js';
import type { CallbackState } from './callback.js';
import { checkCounts, Monitor } from './monitor.js';
import type { MonitorOptions } from './monitor.js';
import { say } from './say.js';

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** The rate is multiplied by this, below 1. Default 0.1. */
  readonly factor?: number;
  /** Epochs without improvement before the rate falls. Default 10. */
  readonly patience?: number;
  /** Smallest change that counts as an improvement. Default 1e-4. */
  readonly minDelta?: number;
  /** Epochs after a fall in which none is counted as without improvement. Default 0. */
  readonly cooldown?: number;
  /** The rate falls no lower. Default 0. */
  readonly minLearningRate?: number;
  /** Say on standard error when the rate falls. Default false. */
  readonly verbose?: boolean;
}

const known: readonly (keyof ReduceLROnPlateauOptions)[] = [
  'monitor',
  'mode',
  'minDelta',
  'factor',
  'patience',
  'cooldown',
  'minLearningRate',
  'verbose',
];

/** Performance scheduling with Keras's rules and defaults; logs `learningRate`. */
export class ReduceLROnPlateau extends Callback {
  readonly #monitor: Monitor;
  readonly #factor: number;
  readonly #patience: number;
  readonly #cooldown: number;
  readonly #least: number;
  readonly #verbose: boolean;
  #best = NaN;
  #wait = 0;
  #cooling = 0;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    super();
    checkOptionNames('ReduceLROnPlateau', options, known);
    this.#monitor = new Monitor({ minDelta: 1e-4, ...options });
    this.#factor = options.factor ?? 0.1;
    this.#patience = options.patience ?? 10;
    this.#cooldown = options.cooldown ?? 0;
    this.#least = options.minLearningRate ?? 0;
    this.#verbose = options.verbose ?? false;
    checkCounts('ReduceLROnPlateau', {
      patience: this.#patience,
      cooldown: this.#cooldown,
      minLearningRate: this.#least,
    });
    checkNumber(this.#factor, 'ReduceLROnPlateau: factor', partialShare);
    checkFlag(this.#verbose, 'ReduceLROnPlateau: verbose');
  }

  override onTrainBegin(): void {
    const { optimizer } = this.model;
    if (optimizer.schedule) {
      throw new ValueError(
        `ReduceLROnPlateau: the learning rate follows ${optimizer.schedule.constructor.name}; ` +
          'make the optimizer with a number',
      );
    }
    this.#monitor.begin(this.model.metricDirections);
    this.#best = this.#monitor.worst;
    this.#wait = this.#cooling = 0;
  }

  override onEpochEnd(epoch: number, logs: Record<string, number>): void {
    logs['learningRate'] = this.model.optimizer.learningRate;
    const value = this.#monitor.valueIn(logs, 'ReduceLROnPlateau reduces nothing');
    if (value === undefined) return;
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#wait = 0;
    }
    if (this.#monitor.improves(value, this.#best)) {
      this.#best = value;
      this.#wait = 0;
    } else if (this.#cooling === 0 && ++this.#wait >= this.#patience) this.#reduce(epoch);
  }

  #reduce(epoch: number): void {
    const { optimizer } = this.model;
    if (optimizer.learningRate <= this.#least) return;
    optimizer.learningRate = Math.max(optimizer.learningRate * this.#factor, this.#least);
    this.#cooling = this.#cooldown;
    this.#wait = 0;
    if (!this.#verbose) return;
    say('ReduceLROnPlateau', `epoch ${epoch + 1}: learning rate ${optimizer.learningRate}`);
  }

  override state(): CallbackState {
    return { values: { best: this.#best, wait: this.#wait, cooling: this.#cooling } };
  }

  override restore({ values }: CallbackState): void {
    this.#best = values['best'] as number;
    this.#wait = values['wait'] as number;
    this.#cooling = values['cooling'] as number;
  }
}
