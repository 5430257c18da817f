/** The 1cycle policy for a run whose number of steps need not be counted by hand. */

import { describe, ValueError } from '../errors.js';
import { OneCycle } from '../schedules.js';
import type { OneCycleOptions } from '../schedules.js';
import { Callback } from './callback.js';

export type OneCycleSchedulerOptions = Omit<OneCycleOptions, 'maxLearningRate' | 'totalSteps'>;

/**
 * Sets the learning rate before every step by a {@link OneCycle} as long as the run of `fit`
 * (epochs × steps per epoch), and logs `learningRate`. Stopped early, the run never sees the low
 * rates of the end.
 */
export class OneCycleScheduler extends Callback {
  readonly #maxLearningRate: number;
  readonly #options: OneCycleSchedulerOptions;
  #schedule!: OneCycle;
  #stepsPerEpoch = 0;
  #epoch = 0;

  constructor(maxLearningRate: number, options: OneCycleSchedulerOptions = {}) {
    super();
    if (!(typeof maxLearningRate === 'number' && maxLearningRate > 0)) {
      throw new ValueError(
        'OneCycleScheduler: expected the highest learning rate, a number greater than 0, got ' +
          describe(maxLearningRate),
      );
    }
    this.#maxLearningRate = maxLearningRate;
    this.#options = options;
  }

  override onTrainBegin(): void {
    const { epochs, initialEpoch, stepsPerEpoch } = this.run;
    if (stepsPerEpoch === undefined) {
      throw new ValueError(
        'OneCycleScheduler: the length of the data is not known; give fit stepsPerEpoch',
      );
    }
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#schedule = new OneCycle({
      ...this.#options,
      maxLearningRate: this.#maxLearningRate,
      totalSteps: Math.max(1, epochs - initialEpoch) * stepsPerEpoch,
    });
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override onTrainBatchBegin(step: number): void {
    const done = (this.#epoch - this.run.initialEpoch) * this.#stepsPerEpoch + step;
    this.model.optimizer.learningRate = this.#schedule.at(done);
  }

  override onEpochEnd(_epoch: number, logs: Record<string, number>): void {
    logs['learningRate'] = this.model.optimizer.learningRate;
  }
}
