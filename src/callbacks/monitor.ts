/** Watching one logged number for improvement. */

import { ValueError } from '../errors.js';
import { anyNumber, checkChoice, checkNumber } from '../values.js';
import type { Logs } from './callback.js';
import { say } from './say.js';

export type Mode = 'auto' | 'min' | 'max';

export interface MonitorOptions {
  /** Logged name to watch. Default val_loss. */
  readonly monitor?: string;
  /** Whether less or more is better. Default auto: less for losses and errors, more for scores. */
  readonly mode?: Mode;
  /** Smallest change that counts. Default 0. */
  readonly minDelta?: number;
}

/** Which direction of `name` is better, by the direction its metric states. */
function direction(name: string, mode: Mode, directions: Readonly<Record<string, 'min' | 'max'>>) {
  if (mode !== 'auto') return mode;
  const bare = name.replace(/^val_/, '');
  if (bare === 'loss') return 'min';
  // Of a metric that gives a list one figure is watched: f1Score_2.
  const known = directions[bare] ?? directions[bare.replace(/_\d+$/, '')];
  if (known) return known;
  throw new ValueError(
    `cannot tell whether a higher or a lower ${name} is better; give mode 'min' or 'max'`,
  );
}

/** Throws ValueError for a number of a callback that is below 0, or no number. */
export function checkCounts(
  callback: string,
  counts: Readonly<Record<string, number | undefined>>,
): void {
  for (const [name, value] of Object.entries(counts)) {
    if (value !== undefined) checkNumber(value, `${callback}: ${name}`, { min: 0, infinite: true });
  }
}

/** Compares values of one logged number; keeps none of them. */
export class Monitor {
  readonly name: string;
  readonly #mode: Mode;
  readonly #minDelta: number;
  #direction: 'min' | 'max' = 'min';
  #warned = false;

  constructor(options: MonitorOptions) {
    this.name = options.monitor ?? 'val_loss';
    this.#mode = checkChoice(options.mode ?? 'auto', 'mode', ['auto', 'min', 'max']);
    this.#minDelta = Math.abs(checkNumber(options.minDelta ?? 0, 'minDelta', anyNumber));
  }

  /** Settles the direction; call when training begins. */
  begin(directions: Readonly<Record<string, 'min' | 'max'>>): void {
    this.#direction = direction(this.name, this.#mode, directions);
  }

  /** The watched number; undefined where it is not logged, which is said once: `consequence`. */
  valueIn(logs: Logs, consequence: string): number | undefined {
    const value = logs[this.name];
    if (value !== undefined || this.#warned) return value;
    this.#warned = true;
    const known = Object.keys(logs).join(', ');
    say(
      consequence,
      `${this.name} is not logged. Logged are ${known}; give validationData or another monitor`,
    );
    return undefined;
  }

  /** The value anything improves on. */
  get worst(): number {
    return this.#direction === 'min' ? Infinity : -Infinity;
  }

  /** Whether `value` is better than `reference` by more than minDelta. NaN never is. */
  improves(value: number, reference: number): boolean {
    return this.#direction === 'min'
      ? value + this.#minDelta < reference
      : value - this.#minDelta > reference;
  }
}
