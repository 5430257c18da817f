/** The record of a training run. */

import { Callback } from './callback.js';
import type { CallbackState } from './callback.js';

/** Every logged number of every epoch: what `fit` returns. */
export class History extends Callback {
  /** Epoch numbers, from `initialEpoch`. */
  readonly epochs: number[] = [];
  /** One list per logged name, one entry per epoch. */
  readonly history: Record<string, number[]> = {};

  override onEpochEnd(epoch: number, logs: Record<string, number>): void {
    this.epochs.push(epoch);
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value);
  }

  /** The record alone, for JSON. */
  toJSON(): { epochs: number[]; history: Record<string, number[]> } {
    return { epochs: this.epochs, history: this.history };
  }

  override state(): CallbackState {
    return { values: { epochs: [...this.epochs], history: structuredClone(this.history) } };
  }

  override restore({ values }: CallbackState): void {
    this.epochs.splice(0, Infinity, ...(values['epochs'] as number[]));
    Object.assign(this.history, values['history']);
  }
}
