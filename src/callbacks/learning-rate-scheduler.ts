/** A learning rate set anew for every epoch. */

import { describe, ValueError } from '../errors.js';
import { Callback } from './callback.js';

/** The rate of an epoch (from 0), given the rate before it. */
export type RateFunction = (epoch: number, rate: number) => number;

/** Asks a function for the learning rate at the beginning of every epoch; logs `learningRate`. */
export class LearningRateScheduler extends Callback {
  constructor(readonly schedule: RateFunction) {
    super();
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
  }

  override onEpochEnd(_epoch: number, logs: Record<string, number>): void {
    logs['learningRate'] = this.model.optimizer.learningRate;
  }
}
