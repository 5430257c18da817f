/** Means over samples of values computed from targets and predictions, and of plain values. */

import { noGrad } from '../autograd/tape.js';
import { ValueError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkChoice } from '../values.js';
import { Metric, WeightedMean } from './metric.js';
import type { MetricOptions } from './metric.js';
import { weightReader } from './observed.js';

/** The mean over samples of something computed from targets and predictions. */
export abstract class MeanOfValues extends Metric {
  readonly #mean = new WeightedMean();

  /** Values of the samples: [batch] or [batch, …]. */
  protected abstract values(yTrue: Tensor, yPred: Tensor): Tensor;

  override update(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | null = null): void {
    const values = noGrad(() => this.values(yTrue, yPred));
    this.read([values, sampleWeight], ([given, weights]) => {
      const each = given!;
      const weight = weightReader(weights ?? null, each.length, this.name);
      for (let i = 0; i < each.length; i++) this.#mean.add(each[i]!, weight(i));
    });
  }

  protected observe(): void {
    throw new ValueError(`${this.name}: use update()`);
  }

  result(): number {
    return this.#mean.value;
  }

  protected clear(): void {
    this.#mean.clear();
  }

  override state(): unknown {
    return this.#mean.state();
  }

  override restore(state: unknown): void {
    this.#mean.restore(state as [number, number]);
  }
}

/** From (yTrue, yPred [batch, …]) values of the samples, [batch] or [batch, …]. */
export type SampleFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

export interface MeanMetricOptions extends MetricOptions {
  /** Whether less or more of it is better, for callbacks that look for the best epoch. */
  readonly direction: 'min' | 'max';
}

/** The mean over samples of a function of the user's own, which gives [batch] or [batch, …]. */
export class MeanMetric extends MeanOfValues {
  readonly direction: 'min' | 'max';
  protected readonly values: SampleFunction;

  constructor(values: SampleFunction, options: MeanMetricOptions) {
    super({ name: options.name ?? (values.name || 'meanMetric') });
    this.values = values;
    const what = `${this.name}: direction`;
    this.direction = checkChoice(options.direction, what, ['min', 'max']);
  }

  /** Throws: a function cannot be written to a file. */
  override config(): never {
    throw new ValueError(`the metric ${this.name} is a function and cannot be saved`);
  }
}

/** A running mean of plain values. */
export class Mean {
  readonly #mean = new WeightedMean();

  constructor(readonly name = 'mean') {}

  /** Adds a number, or every element of an array, each with this weight. */
  update(values: number | ArrayLike<number>, weight = 1): void {
    if (typeof values === 'number') this.#mean.add(values, weight);
    else for (let i = 0; i < values.length; i++) this.#mean.add(values[i]!, weight);
  }

  /** 0 while there are no values. */
  result(): number {
    return this.#mean.value;
  }

  reset(): void {
    this.#mean.clear();
  }
}
