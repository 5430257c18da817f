/** Ends a training that has diverged. */

import { GradloomError } from '../errors.js';
import { Callback } from './callback.js';
import type { Logs } from './callback.js';

export interface TerminateOnNaNOptions {
  /** Throw a GradloomError out of `fit` instead of ending it early. Default false. */
  readonly raiseError?: boolean;
}

/** Stops training at the first step after which the loss is NaN or infinite, and says where. */
export class TerminateOnNaN extends Callback {
  readonly #raiseError: boolean;
  #epoch = 0;

  constructor(options: TerminateOnNaNOptions = {}) {
    super();
    this.#raiseError = options.raiseError ?? false;
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override onTrainBatchEnd(step: number, logs: Logs): void {
    const loss = logs['loss'];
    if (loss === undefined || Number.isFinite(loss)) return;
    const message = `the loss is ${loss} in step ${step + 1} of epoch ${this.#epoch + 1}${this.#where()}`;
    if (this.#raiseError) throw new GradloomError(message);
    process.stderr.write(`TerminateOnNaN: ${message}; training ends\n`);
    this.model.stopTraining = true;
  }

  /** The first weight that is no longer finite: where to look for the cause. */
  #where(): string {
    const broken = this.model.weights.find((weight) => {
      const values: ArrayLike<number> = weight.value.dataSync();
      return !Array.prototype.every.call(values, Number.isFinite);
    });
    return broken ? `; the first weight with NaN or infinite values is ${broken.name}` : '';
  }
}
