/**
 * What a metric is. Metrics are computed in JavaScript, in double, over values read from tensors: in
 * place on the host, by an asynchronous copy from another device, so that a step never waits.
 */

import type { HostArray } from '../backends/backend.js';
import type { Configurable } from '../names.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Values of one batch. The arrays may be tensor memory: metrics read them and keep nothing. */
export interface Observed {
  readonly truth: HostArray;
  readonly truthShape: Shape;
  readonly prediction: HostArray;
  readonly predictionShape: Shape;
  /** One weight per sample, or null: 1 each. */
  readonly weights: HostArray | null;
}

export interface MetricOptions {
  /** Shown in logs. Default: the class's name in camelCase. */
  readonly name?: string;
}

/** A running figure: {@link update} per batch, {@link result} any time, {@link reset} per epoch. */
export abstract class Metric<Result = number> implements Configurable {
  readonly name: string;
  /** Whether more is better. */
  abstract readonly direction: 'min' | 'max';
  /** Reads from a device that have not been counted yet. */
  #pending: Promise<void> | null = null;
  /** Counts resets, so that values on their way from before one are not counted after it. */
  #round = 0;

  constructor(options: MetricOptions = {}) {
    const own = this.constructor.name;
    this.name = options.name ?? own.charAt(0).toLowerCase() + own.slice(1);
  }

  /** Counts a batch in. */
  protected abstract observe(batch: Observed): void;
  /** The figure for what was observed since {@link clear}. */
  protected abstract value(): Result;
  /** Forgets everything observed. */
  protected abstract clear(): void;
  /** What the constructor takes besides the name. */
  protected ownConfig(): Record<string, unknown> {
    return {};
  }

  /** Counts a batch: yPred [batch, …], yTrue as the metric needs it, sampleWeight [batch]. */
  update(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | null = null): void {
    if (yTrue.backend.host && yPred.backend.host && (sampleWeight?.backend.host ?? true)) {
      this.observe({
        truth: yTrue.buffer as HostArray,
        truthShape: yTrue.shape,
        prediction: yPred.buffer as HostArray,
        predictionShape: yPred.shape,
        weights: (sampleWeight?.buffer as HostArray | undefined) ?? null,
      });
    } else this.#pending = this.#later(this.#pending, yTrue, yPred, sampleWeight);
  }

  async #later(
    before: Promise<void> | null,
    yTrue: Tensor,
    yPred: Tensor,
    sampleWeight: Tensor | null,
  ): Promise<void> {
    const round = this.#round;
    const { shape: truthShape } = yTrue;
    const { shape: predictionShape } = yPred;
    const [truth, prediction, weights] = await Promise.all([
      yTrue.data(),
      yPred.data(),
      sampleWeight?.data() ?? null,
      before,
    ]);
    if (round !== this.#round) return;
    this.observe({ truth, truthShape, prediction, predictionShape, weights });
  }

  /** The figure so far; a promise while values are on their way from a device. */
  result(): Result | Promise<Result> {
    return this.#pending ? this.#settled(this.#pending) : this.value();
  }

  async #settled(pending: Promise<void>): Promise<Result> {
    await pending;
    if (this.#pending === pending) this.#pending = null;
    return this.value();
  }

  /** Starts over. */
  reset(): void {
    this.#round++;
    this.#pending = null;
    this.clear();
  }

  /** What the constructor takes. */
  config(): Record<string, unknown> {
    return { name: this.name, ...this.ownConfig() };
  }
}
