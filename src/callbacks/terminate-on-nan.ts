/** Ends a training that has diverged, and says where that began. */

import { GradloomError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { findBreakdown } from '../models/breakdown.js';
import { defaultGenerator } from '../tensor/random.js';
import type { GeneratorState } from '../tensor/random.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { Callback } from './callback.js';
import type { Logs } from './callback.js';
import { say } from './say.js';

export interface TerminateOnNaNOptions {
  /** Throw a GradloomError out of `fit` instead of ending it early. Default false. */
  readonly raiseError?: boolean;
  /**
   * Keep a copy of the weights before every step, so that the step that fails can be made again
   * and the layer that failed first be named. Default true. With false no copy is made, and only
   * the first weight that is not finite is named.
   */
  readonly trace?: boolean;
}

const known: readonly (keyof TerminateOnNaNOptions)[] = ['raiseError', 'trace'];

/** What a step begins with. */
interface Start {
  readonly weights: readonly Tensor[];
  readonly copies: readonly Tensor[];
  random: GeneratorState;
}

/**
 * Stops training at the first step after which the loss is NaN or infinite, and says which layer
 * gave the first such value there, and what to try.
 */
export class TerminateOnNaN extends Callback {
  readonly #raiseError: boolean;
  #epoch = 0;
  #start: Start | null = null;

  constructor(options: TerminateOnNaNOptions = {}) {
    super();
    checkOptionNames('TerminateOnNaN', options, known);
    this.#raiseError = options.raiseError ?? false;
    if (options.trace === false) this.ignore('onTrainBatchBegin');
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
    // Weights may be others than in the epoch before: of layers added, of memory elsewhere.
    this.#forget();
  }

  /** The update of a step overwrites what led to it: this is kept until the loss is known. */
  override onTrainBatchBegin(): void {
    const random = defaultGenerator.state();
    if (this.#start) {
      const { weights, copies } = this.#start;
      weights.forEach((weight, i) => copies[i]!.assign(weight));
      this.#start.random = random;
    } else {
      const weights = this.model.weights.map((weight) => weight.value);
      this.#start = { weights, copies: this.model.getWeights(), random };
    }
  }

  override onTrainBatchEnd(step: number, logs: Logs): void {
    const loss = logs['loss'];
    if (loss === undefined || Number.isFinite(loss)) return;
    const place = `step ${step + 1} of epoch ${this.#epoch + 1}`;
    const message = `the loss is ${loss} in ${place}${this.#where()}`;
    if (this.#raiseError) throw new GradloomError(message);
    say('TerminateOnNaN', `${message}; training ends`);
    this.model.stopTraining = true;
  }

  override onTrainEnd(): void {
    this.#forget();
  }

  #forget(): void {
    for (const copy of this.#start?.copies ?? []) copy.dispose();
    this.#start = null;
  }

  #where(): string {
    if (this.#start) return this.#traced(this.#start);
    const broken = this.model.weights.find((weight) => {
      const values: ArrayLike<number> = weight.value.dataSync();
      return !Array.prototype.every.call(values, Number.isFinite);
    });
    return broken ? `; the first weight with NaN or infinite values is ${broken.name}` : '';
  }

  /** Makes the step again as far as its loss, and leaves everything as it was after it. */
  #traced({ weights, copies, random }: Start): string {
    const scope = new Scope();
    const after = { weights: this.model.getWeights(), random: defaultGenerator.state() };
    try {
      weights.forEach((weight, i) => weight.assign(copies[i]!));
      defaultGenerator.restore(random);
      const { message, advice } = findBreakdown(this.model, this.run.batch());
      return `: ${message}; try ${advice}`;
    } finally {
      weights.forEach((weight, i) => weight.assign(after.weights[i]!));
      defaultGenerator.restore(after.random);
      scope.end();
    }
  }
}
