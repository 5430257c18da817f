/** Stops training when a logged number no longer improves. */

import { checkOptionNames } from '../names.js';
import type { Tensor } from '../tensor/tensor.js';
import { anyNumber, checkFlags, checkNumber } from '../values.js';
import { Callback } from './callback.js';
import type { CallbackState, Logs } from './callback.js';
import { checkCounts, Monitor } from './monitor.js';
import type { MonitorOptions } from './monitor.js';
import { say } from './say.js';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement before stopping. Default 0. */
  readonly patience?: number;
  /** Improvements count only once they also beat this value. */
  readonly baseline?: number;
  /** Restore the weights of the best epoch when training ends, however it ends. Default false. */
  readonly restoreBestWeights?: boolean;
  /** Epochs to let pass before watching. Default 0. */
  readonly startFromEpoch?: number;
  /** Say on standard error when training is stopped and weights are restored. Default false. */
  readonly verbose?: boolean;
}

const known: readonly (keyof EarlyStoppingOptions)[] = [
  'monitor',
  'mode',
  'minDelta',
  'patience',
  'baseline',
  'restoreBestWeights',
  'startFromEpoch',
  'verbose',
];

/** Early stopping with Keras's rules and defaults. */
export class EarlyStopping extends Callback {
  /** Epoch (counted from 0) with the best value so far, or −1. */
  bestEpoch = -1;
  /** The best value so far. */
  best = NaN;
  /** Epoch at which training was stopped, or −1. */
  stoppedEpoch = -1;
  readonly #monitor: Monitor;
  readonly #options: EarlyStoppingOptions;
  readonly #patience: number;
  #wait = 0;
  #bestWeights: Tensor[] | null = null;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    checkOptionNames('EarlyStopping', options, known);
    this.#options = options;
    this.#monitor = new Monitor(options);
    this.#patience = options.patience ?? 0;
    const { startFromEpoch, baseline, restoreBestWeights = false, verbose = false } = options;
    checkCounts('EarlyStopping', { patience: this.#patience, startFromEpoch });
    if (baseline !== undefined) checkNumber(baseline, 'EarlyStopping: baseline', anyNumber);
    checkFlags('EarlyStopping', { restoreBestWeights, verbose });
  }

  override onTrainBegin(): void {
    this.#monitor.begin(this.model.metricDirections);
    this.#wait = 0;
    this.best = this.#monitor.worst;
    this.bestEpoch = this.stoppedEpoch = -1;
    this.#bestWeights = null;
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const value = this.#monitor.valueIn(logs, 'EarlyStopping stops nothing');
    if (value === undefined || epoch < (this.#options.startFromEpoch ?? 0)) return;
    // The first watched epoch counts as the best until one improves on it, NaN included.
    if (this.#options.restoreBestWeights && !this.#bestWeights) this.#remember(epoch);
    this.#wait++;
    if (this.#monitor.improves(value, this.best)) {
      this.best = value;
      this.bestEpoch = epoch;
      if (this.#options.restoreBestWeights) this.#remember(epoch);
      const { baseline } = this.#options;
      if (baseline === undefined || this.#monitor.improves(value, baseline)) this.#wait = 0;
      return;
    }
    if (this.#wait >= this.#patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
      this.#say(`stopped after epoch ${epoch + 1}`);
    }
  }

  override onTrainEnd(): void {
    if (this.#bestWeights) {
      this.model.setWeights(this.#bestWeights);
      this.#say(`the weights of epoch ${this.bestEpoch + 1}, the best, are restored`);
    }
    this.#bestWeights = null;
  }

  #say(what: string): void {
    if (this.#options.verbose) say('EarlyStopping', what);
  }

  override state(): CallbackState {
    const { best, bestEpoch, stoppedEpoch } = this;
    const weights = this.#bestWeights?.map((each, i) => [String(i), each]) ?? [];
    return {
      values: { wait: this.#wait, best, bestEpoch, stoppedEpoch },
      tensors: Object.fromEntries(weights) as Record<string, Tensor>,
    };
  }

  override restore({ values, tensors = {} }: CallbackState): void {
    this.#wait = values['wait'] as number;
    this.best = values['best'] as number;
    this.bestEpoch = values['bestEpoch'] as number;
    this.stoppedEpoch = values['stoppedEpoch'] as number;
    const weights = Object.keys(tensors).map((_, i) => tensors[i]!);
    this.#bestWeights = weights.length > 0 ? weights : null;
  }

  #remember(epoch: number): void {
    this.#bestWeights = this.model.getWeights();
    this.bestEpoch = epoch;
  }
}
