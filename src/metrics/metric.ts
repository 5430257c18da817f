/**
 * What a metric is. Metrics are computed in JavaScript, in double, over values read from tensors:
 * in place on the host; from another device they arrive later, so that a step never waits, and who
 * asks for the figure before waits for them.
 */

import type { HostArray } from '../backends/backend.js';
import { rememberGiven } from '../names.js';
import type { Configurable } from '../names.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkText } from '../values.js';
import type { Observed } from './observed.js';

export interface MetricOptions {
  /** Shown in logs. Default: the class's name in camelCase. */
  readonly name?: string;
}

/** Values of tensors, null for those that are not there. */
type Values = readonly (HostArray | null)[];

/** A batch whose values are on their way from a device. */
interface Arriving {
  /** Of the tensors, which may change or be freed meanwhile. */
  readonly copies: readonly (Tensor | null)[];
  readonly use: (values: Values) => void;
}

/** Most batches on their way: code that awaits nothing would gather more and more. */
const mostArriving = 64;

/** A running figure: {@link update} per batch, {@link result} any time, {@link reset} per epoch. */
export abstract class Metric<Result = number> implements Configurable {
  readonly name: string;
  /** Whether less or more of it is better. */
  abstract readonly direction: 'min' | 'max';
  /** Whether the result is a list of numbers, logged as `name_0`, `name_1`, …. Default false. */
  readonly givesList: boolean = false;
  /** In the order of the updates. */
  #arriving: Arriving[] = [];
  /** The wait for them, while there is one. */
  #settling: Promise<void> | null = null;

  constructor(options: MetricOptions = {}) {
    rememberGiven(this, options);
    const own = this.constructor.name;
    const name = options.name ?? own.charAt(0).toLowerCase() + own.slice(1);
    this.name = checkText(name, `${own}: name`);
    this.#countBefore('result');
    this.#countBefore('state');
  }

  /**
   * The figure of all updates. Waits for values that are still on their way from a device; there
   * are none after `await` {@link settled}, which does not block the event loop.
   */
  abstract result(): Result;

  /** Counts a batch in. */
  protected abstract observe(batch: Observed): void;

  /** Forgets everything counted. */
  protected abstract clear(): void;

  /** A copy of all that was counted, as plain JSON: what {@link restore} goes on from. */
  state?(): unknown;

  /** Goes on from what was counted before. */
  restore?(state: unknown): void;

  /** What the constructor takes besides the name. */
  protected ownConfig?(): Record<string, unknown>;

  /** Counts a batch: yPred [batch, …], yTrue as the metric needs it, sampleWeight [batch]. */
  update(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | null = null): void {
    const truthShape = yTrue.shape;
    const predictionShape = yPred.shape;
    this.read([yTrue, yPred, sampleWeight], ([truth, prediction, weights]) =>
      this.observe({
        truth: truth!,
        truthShape,
        prediction: prediction!,
        predictionShape,
        weights: weights ?? null,
      }),
    );
  }

  /** Calls `use` with the values: now if they are on the host, else when they have arrived. */
  protected read(tensors: readonly (Tensor | null)[], use: (values: Values) => void): void {
    const onHost = tensors.every((each) => each === null || each.backend.host);
    if (onHost && this.#arriving.length === 0) {
      use(tensors.map((each) => each && (each.buffer as HostArray)));
      return;
    }
    // The step's scope ends before they arrive.
    const copies = tensors.map((each) => each && Scope.release(each.copy()));
    this.#arriving.push({ copies, use });
    if (this.#arriving.length > mostArriving) this.#countNow();
    // An error is thrown where the result is asked for.
    else this.settled().catch(() => undefined);
  }

  /** Resolves when every update has been counted. */
  async settled(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => (this.#settling = null));
    await this.#settling;
  }

  async #settle(): Promise<void> {
    for (let first; (first = this.#arriving[0]);) {
      const values = await Promise.all(
        first.copies.map(async (each) => (await each?.data()) ?? null),
      );
      // Meanwhile someone may have asked for the result, or started over.
      if (this.#arriving[0] === first) this.#count(first, values);
    }
  }

  #countNow(): void {
    for (let first; (first = this.#arriving[0]);) {
      this.#count(first, first.copies.map((each) => each?.dataSync() ?? null)); // prettier-ignore
    }
  }

  /** A batch that cannot be counted stays the first, so that every later result throws too. */
  #count(first: Arriving, values: Values): void {
    first.use(values);
    this.#arriving.shift();
    free(first);
  }

  /** Makes a method of the subclass look at what is still on its way before all else. */
  #countBefore(name: 'result' | 'state'): void {
    const own = this[name]?.bind(this);
    if (!own) return;
    const value = (): unknown => {
      this.#countNow();
      return own();
    };
    Object.defineProperty(this, name, { value, writable: true, configurable: true });
  }

  /** Starts over. */
  reset(): void {
    this.#arriving.splice(0).forEach(free);
    this.clear();
  }

  /** What the constructor takes. */
  config(): Record<string, unknown> {
    return { name: this.name, ...this.ownConfig?.() };
  }
}

function free({ copies }: Arriving): void {
  for (const each of copies) each?.dispose();
}

/** Σ value · weight / Σ weight; 0 while nothing was added, as in Keras. */
export class WeightedMean {
  #sum = 0;
  #weight = 0;

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#weight += weight;
  }

  get value(): number {
    return this.#weight === 0 ? 0 : this.#sum / this.#weight;
  }

  clear(): void {
    this.#sum = this.#weight = 0;
  }

  /** What {@link restore} takes. */
  state(): readonly [sum: number, weight: number] {
    return [this.#sum, this.#weight];
  }

  restore([sum, weight]: readonly [sum: number, weight: number]): void {
    this.#sum = sum;
    this.#weight = weight;
  }
}
