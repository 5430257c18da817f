/** A learning rate set anew for every epoch. */

import { describe, ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { Callback } from './callback.js';
import { say } from './say.js';

/** The rate of an epoch (from 0), given the rate before it. */
export type RateFunction = (epoch: number, rate: number) => number;

export interface LearningRateSchedulerOptions {
  /** Say on standard error which rate an epoch has. Default false. */
  readonly verbose?: boolean;
}

/** Asks a function for the learning rate at the beginning of every epoch; logs `learningRate`. */
export class LearningRateScheduler extends Callback {
  readonly #verbose: boolean;

  constructor(
    readonly schedule: RateFunction,
    options: LearningRateSchedulerOptions = {},
  ) {
    super();
    checkOptionNames('LearningRateScheduler', options, ['verbose']);
    this.#verbose = options.verbose ?? false;
    if (typeof (schedule as unknown) !== 'function') {
      throw new ValueError(
        'LearningRateScheduler: expected a function from (epoch, rate) to a rate, got ' +
          describe(schedule),
      );
    }
  }

  override onEpochBegin(epoch: number): void {
    const { optimizer } = this.model;
    const rate: unknown = this.schedule(epoch, optimizer.learningRate);
    if (typeof rate !== 'number') {
      throw new ValueError(
        `LearningRateScheduler: the schedule gave ${describe(rate)} for epoch ${epoch}; a number ` +
          'was expected',
      );
    }
    optimizer.learningRate = rate;
    if (!this.#verbose) return;
    say('LearningRateScheduler', `epoch ${epoch + 1}: learning rate ${rate}`);
  }

  override onEpochEnd(_epoch: number, logs: Record<string, number>): void {
    logs['learningRate'] = this.model.optimizer.learningRate;
  }
}
