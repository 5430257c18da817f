/** What `compile` settles: the optimizer, and per output its loss and metrics. */

import { describe, ValueError } from '../errors.js';
import * as losses from '../losses/index.js';
import type { Loss, LossLike } from '../losses/index.js';
import * as metrics from '../metrics/index.js';
import type { AnyMetric, MetricLike } from '../metrics/index.js';
import { checkOptionNames, isSerialized } from '../names.js';
import * as optimizers from '../optimizers/index.js';
import type { Optimizer, OptimizerLike } from '../optimizers/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber } from '../values.js';
import { byName, isPlainObject } from './structure.js';

/** For one output: a metric or several. */
export type MetricsLike = MetricLike | readonly MetricLike[];

/**
 * For a model of several outputs `loss`, `lossWeights`, `metrics` and `weightedMetrics` are arrays
 * in their order or objects by their names. A single loss serves all outputs.
 */
export interface CompileOptions {
  /** An optimizer or its name with its defaults. Default rmsprop, as in Keras. */
  readonly optimizer?: OptimizerLike;
  /** null, or not named: this output is not trained. */
  readonly loss:
    LossLike | readonly (LossLike | null)[] | Readonly<Record<string, LossLike | null>>;
  /** Factors of the outputs' losses in the sum that is minimized. Default 1 each. */
  readonly lossWeights?: readonly number[] | Readonly<Record<string, number>>;
  /**
   * 'accuracy' takes the form that fits loss and shapes. Sample weights do not count. A metric of
   * several figures, such as 'f1' of every class, is logged as `f1_0`, `f1_1`, ….
   */
  readonly metrics?: readonly MetricsLike[] | Readonly<Record<string, MetricsLike>>;
  /** Metrics in which samples count with their weights. */
  readonly weightedMetrics?: readonly MetricsLike[] | Readonly<Record<string, MetricsLike>>;
}

/** A metric and what it is logged as. */
export interface LoggedMetric {
  readonly name: string;
  readonly metric: AnyMetric;
  /** Whether samples count with their weights. */
  readonly weighted: boolean;
}

/** What is wanted of one output. */
export interface Goal {
  /** Name of the output. */
  readonly output: string;
  readonly loss: Loss | null;
  /** Factor of the loss in the sum. */
  readonly weight: number;
  readonly metrics: readonly LoggedMetric[];
}

/** What `compile` settled. */
export interface Compiled {
  readonly optimizer: Optimizer;
  /** One per output, in order. */
  readonly goals: readonly Goal[];
}

/** Throws ValueError for targets that make no sense to a loss, such as fractional class numbers. */
export function checkTargets({ goals }: Compiled, targets: readonly (Tensor | null)[]): void {
  targets.forEach((each, i) => {
    if (each) goals[i]?.loss?.checkTargets?.(each);
  });
}

const compileOptions: readonly (keyof CompileOptions)[] = [
  'optimizer',
  'loss',
  'lossWeights',
  'metrics',
  'weightedMetrics',
];

/** Finds the parts that options name, for a model of these outputs. */
export function compiledFrom(options: CompileOptions, outputs: readonly string[]): Compiled {
  checkOptionNames('compile', options, compileOptions);
  const clash = outputs.find((each) => outputs.length > 1 && /^val(_|$)/.test(each));
  if (clash !== undefined) {
    throw new ValueError(
      `compile: the output "${clash}" needs another name: its figures would be logged under the ` +
        'names of validation figures, which begin with val_',
    );
  }
  const lossOf = lossesPerOutput(options.loss, outputs);
  const factors = perOutput<number>(options.lossWeights, outputs, 'lossWeights');
  for (const each of factors) if (each !== undefined) checkNumber(each, 'compile: lossWeights');
  const plain = metricsPerOutput(options.metrics, outputs, 'metrics');
  const weighted = metricsPerOutput(options.weightedMetrics, outputs, 'weightedMetrics');
  const goals = outputs.map((output, i): Goal => {
    const loss = lossOf[i] ?? null;
    const prefix = outputs.length > 1 ? `${output}_` : '';
    const make = (like: MetricLike, isWeighted: boolean): LoggedMetric => {
      const metric = metrics.get(like, loss ? { loss } : {});
      return { name: prefix + metric.name, metric, weighted: isWeighted };
    };
    const first = plain[i]!.map((like) => make(like, false));
    const second = weighted[i]!.map((like) => make(like, true)).map((each) =>
      first.some((other) => other.name === each.name)
        ? { ...each, name: `${prefix}weighted_${each.metric.name}` }
        : each,
    );
    return { output, loss, weight: factors[i] ?? 1, metrics: [...first, ...second] };
  });
  if (goals.every((goal) => goal.loss === null)) {
    throw new ValueError(`compile: no output has a loss; the outputs are ${outputs.join(', ')}`);
  }
  return { optimizer: optimizers.get(options.optimizer ?? 'rmsprop'), goals };
}

function lossesPerOutput(
  given: CompileOptions['loss'] | null | undefined,
  outputs: readonly string[],
): (Loss | null | undefined)[] {
  const several = Array.isArray(given) || (isPlainObject(given) && !isSerialized(given));
  if (!several) {
    if (given === undefined || given === null) {
      throw new ValueError(
        "compile: there is no loss; give one, { loss: 'sparseCategoricalCrossentropy' } say",
      );
    }
    const loss = losses.get(given as LossLike);
    return outputs.map(() => loss);
  }
  type Several = readonly (LossLike | null)[] | Readonly<Record<string, LossLike | null>>;
  const list = perOutput<LossLike | null>(given as Several, outputs, 'loss');
  return list.map((each) => each && losses.get(each));
}

/** Options of several outputs, by output. */
function perOutput<T>(
  given: readonly T[] | Readonly<Record<string, T>> | undefined,
  outputs: readonly string[],
  what: string,
): (T | undefined)[] {
  if (given === undefined) return outputs.map(() => undefined);
  if (!Array.isArray(given)) {
    return byName(given as Readonly<Record<string, T>>, outputs, `compile: ${what}`);
  }
  if (given.length === outputs.length) return [...(given as readonly T[])];
  throw new ValueError(
    `compile: ${what} has ${given.length} entries for ${outputs.length} outputs ` +
      `(${outputs.join(', ')})`,
  );
}

function metricsPerOutput(
  given: CompileOptions['metrics'],
  outputs: readonly string[],
  what: string,
): (readonly MetricLike[])[] {
  const listOf = (each: MetricsLike | undefined): readonly MetricLike[] => {
    if (each === undefined) return [];
    return Array.isArray(each) ? (each as readonly MetricLike[]) : [each as MetricLike];
  };
  if (given !== undefined && !Array.isArray(given) && !isPlainObject(given)) {
    throw new ValueError(`compile: ${what} must be an array, such as ['accuracy']`);
  }
  // All metrics of a single output stand in one list.
  if (outputs.length === 1 && Array.isArray(given)) {
    return [(given as readonly MetricsLike[]).flatMap(listOf)];
  }
  return perOutput(given, outputs, what).map(listOf);
}

// ---- logs ---------------------------------------------------------------------------------------

/** Every metric of every output. */
export const allMetrics = ({ goals }: Compiled): readonly LoggedMetric[] =>
  goals.flatMap((goal) => goal.metrics);

/** Forgets what metrics have counted. */
export function resetMetrics(compiled: Compiled): void {
  for (const { metric } of allMetrics(compiled)) metric.reset();
}

/**
 * The names of {@link logsOf}, in its order; null where a metric gives a list, whose length is not
 * known before something was counted.
 */
export function logNames(compiled: Compiled): string[] | null {
  const { goals } = compiled;
  if (allMetrics(compiled).some(({ metric }) => metric.givesList)) return null;
  const ofOutputs = goals.length > 1 ? goals.filter(({ loss }) => loss) : [];
  return [
    'loss',
    ...ofOutputs.map(({ output }) => `${output}_loss`),
    ...allMetrics(compiled).map(({ name }) => name),
  ];
}

/**
 * Loss, the losses of several outputs, and metrics, under their logged names: figures of a list
 * under the metric's name and their number, `f1Score_0`.
 */
export function logsOf(total: Totals, compiled: Compiled): Record<string, number> {
  const logs: Record<string, number> = { loss: total.loss };
  if (compiled.goals.length > 1) {
    compiled.goals.forEach(({ output, loss }, i) => {
      if (loss) logs[`${output}_loss`] = total.parts[i]!;
    });
  }
  for (const { name, metric } of allMetrics(compiled)) {
    const result: unknown = metric.result();
    if (metric.givesList && Array.isArray(result)) {
      (result as number[]).forEach((each, i) => (logs[`${name}_${i}`] = each));
    } else if (typeof result === 'number') logs[name] = result;
    else throw noNumber(name, result);
  }
  return logs;
}

/** The error for a metric, such as a confusion matrix, whose result is no number to be logged. */
const noNumber = (name: string, result: unknown): ValueError =>
  new ValueError(
    `the metric ${name} gives ${describe(result)}, and training logs numbers; leave it out of ` +
      'compile; after training call metric.update(y, await model.predict(x)) and result()',
  );

/** A loss, and the losses of the outputs it is the sum of. */
export interface Totals {
  readonly loss: number;
  /** One per output, before its factor; empty when there is one output. */
  readonly parts: readonly number[];
}

/** Running means of {@link Totals}, weighted by sample counts. */
export class RunningTotals implements Totals {
  #sum = 0;
  #parts: number[] = [];
  #count = 0;

  add(total: Totals, samples: number): void {
    this.#sum += total.loss * samples;
    this.#count += samples;
    total.parts.forEach((part, i) => (this.#parts[i] = (this.#parts[i] ?? 0) + part * samples));
  }

  get loss(): number {
    return this.#count === 0 ? NaN : this.#sum / this.#count;
  }

  get parts(): readonly number[] {
    return this.#parts.map((part) => part / this.#count);
  }

  reset(): void {
    this.#sum = this.#count = 0;
    this.#parts = [];
  }

  /** What {@link restore} takes, as plain JSON. */
  state(): TotalsState {
    return { sum: this.#sum, parts: [...this.#parts], count: this.#count };
  }

  restore({ sum, parts, count }: TotalsState): void {
    this.#sum = sum;
    this.#parts = [...parts];
    this.#count = count;
  }
}

export interface TotalsState {
  readonly sum: number;
  readonly parts: readonly number[];
  readonly count: number;
}
