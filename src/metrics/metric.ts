/**
 * What a metric is. Metrics are computed in JavaScript, in double, over values read from tensors:
 * in place on the host, by an asynchronous copy from another device, so that a step never waits.
 */

import type { HostArray } from '../backends/backend.js';
import { rememberGiven } from '../names.js';
import type { Configurable } from '../names.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkText } from '../values.js';
import type { Observed } from './observed.js';

export interface MetricOptions {
  /** Shown in logs. Default: the class's name in camelCase. */
  readonly name?: string;
}

/** A running figure: {@link update} per batch, {@link result} any time, {@link reset} per epoch. */
export abstract class Metric<Result = number> implements Configurable {
  readonly name: string;
  /** Whether less or more of it is better. */
  abstract readonly direction: 'min' | 'max';
  /** Whether the result is a list of numbers, logged as `name_0`, `name_1`, …. Default false. */
  readonly givesList: boolean = false;
  /** The last read from a device that has not been counted yet. */
  #pending: Promise<void> | null = null;
  /** Counts resets, so that values on their way from before one are not counted after it. */
  #round = 0;

  constructor(options: MetricOptions = {}) {
    rememberGiven(this, options);
    const own = this.constructor.name;
    const name = options.name ?? own.charAt(0).toLowerCase() + own.slice(1);
    this.name = checkText(name, `${own}: name`);
  }

  /** The figure of all that was counted; await {@link settled} first on devices off the host. */
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
    this.read(yTrue, yPred, sampleWeight, (truth, prediction, weights) =>
      this.observe({ truth, truthShape, prediction, predictionShape, weights }),
    );
  }

  /** Calls `use` with the values: now if they are on the host, else when they have arrived. */
  protected read(
    a: Tensor,
    b: Tensor,
    c: Tensor | null,
    use: (a: HostArray, b: HostArray, c: HostArray | null) => void,
  ): void {
    const onHost = a.backend.host && b.backend.host && (c === null || c.backend.host);
    if (onHost && this.#pending === null) {
      use(
        a.buffer as HostArray,
        b.buffer as HostArray,
        c === null ? null : (c.buffer as HostArray),
      );
      return;
    }
    const round = this.#round;
    const values = Promise.all([a.data(), b.data(), c === null ? null : c.data(), this.#pending]);
    const pending = values.then(([x, y, z]) => {
      if (round === this.#round) use(x, y, z);
      if (this.#pending === pending) this.#pending = null;
    });
    // An error is thrown where the result is asked for.
    pending.catch(() => undefined);
    this.#pending = pending;
  }

  /** Resolves when every update has been counted. */
  async settled(): Promise<void> {
    await this.#pending;
  }

  /** Starts over. */
  reset(): void {
    this.#round++;
    this.#pending = null;
    this.clear();
  }

  /** What the constructor takes. */
  config(): Record<string, unknown> {
    return { name: this.name, ...this.ownConfig?.() };
  }
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
