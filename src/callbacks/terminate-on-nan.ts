/** Ends a training that has diverged, and says where that began. */

import { GradloomError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { findBreakdown } from '../models/breakdown.js';
import { defaultGenerator } from '../tensor/random.js';
import type { GeneratorState } from '../tensor/random.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFlags } from '../values.js';
import { Callback } from './callback.js';
import type { Logs } from './callback.js';
import { say } from './say.js';

export interface TerminateOnNaNOptions {
  /** Throw a GradloomError out of `fit` instead of ending it early. Default false. */
  readonly raiseError?: boolean;
  /**
   * Name the layer that gave the first such value. Default true: the step that fails is looked at
   * before its update. On devices that compute apart from the host it is made again from a copy of
   * the weights, which is made before every step. With false no copy is made, and only the first
   * weight that is not finite is named.
   */
  readonly trace?: boolean;
}

const known: readonly (keyof TerminateOnNaNOptions)[] = ['raiseError', 'trace'];

/** What a step begins with, as far as it is overwritten before the step is looked at. */
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
  /** What was found in the step that failed. */
  #found: string | null = null;

  constructor(options: TerminateOnNaNOptions = {}) {
    super();
    checkOptionNames('TerminateOnNaN', options, known);
    const { raiseError = false, trace = true } = options;
    checkFlags('TerminateOnNaN', { raiseError, trace });
    this.#raiseError = raiseError;
    if (!trace) this.ignore('onTrainBatchBegin');
    else this.beforeBrokenUpdate = () => (this.#found = this.#traced());
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
    // Weights may be others than in the epoch before: of layers added, of memory elsewhere.
    this.#forget();
  }

  /** This is kept until the loss is known: on the host without a call of a kernel. */
  override onTrainBatchBegin(): void {
    this.#start ??= this.#newStart();
    const { weights, copies } = this.#start;
    weights.forEach((weight, i) => {
      const { buffer, backend } = weight;
      copies[i]!.assign(backend.host ? (buffer as Float32Array) : weight);
    });
    this.#start.random = defaultGenerator.state();
  }

  #newStart(): Start {
    const all = this.model.weights.map((weight) => weight.value);
    const trained = new Set(this.model.trainableWeights.map((weight) => weight.value));
    // On the host the step is looked at before its update: only its forward pass overwrites any.
    const weights = all.filter((each) => !each.backend.host || !trained.has(each));
    const copies = weights.map((each) => each.copy());
    return { weights, copies, random: defaultGenerator.state() };
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
    this.#found = null;
  }

  #where(): string {
    if (this.#found !== null) return this.#found;
    if (this.#start && !this.#isOnHost) return this.#traced();
    const broken = this.model.weights.find((weight) => {
      const values: ArrayLike<number> = weight.value.dataSync();
      return !Array.prototype.every.call(values, Number.isFinite);
    });
    return broken ? `; the first weight with NaN or infinite values is ${broken.name}` : '';
  }

  get #isOnHost(): boolean {
    return this.model.weights.every((weight) => weight.value.backend.host);
  }

  /** Makes the step again as far as its loss, and leaves everything as it was before. */
  #traced(): string {
    const { weights, copies, random } = this.#start!;
    const scope = new Scope();
    const now = { weights: weights.map((each) => each.copy()), random: defaultGenerator.state() };
    try {
      weights.forEach((weight, i) => weight.assign(copies[i]!));
      defaultGenerator.restore(random);
      const { message, advice } = findBreakdown(this.model, this.run.batch());
      return `: ${message}; try ${advice}`;
    } finally {
      weights.forEach((weight, i) => weight.assign(now.weights[i]!));
      defaultGenerator.restore(now.random);
      scope.end();
    }
  }
}
