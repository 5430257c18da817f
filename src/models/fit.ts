/**
 * The training loop. It owns the order of things: epochs, steps, validation, when callbacks are
 * told, when the event loop gets its turn, how training ends. What a step does is step.ts's.
 */

import { Callback, CallbackList } from '../callbacks/callback.js';
import type { Resumption, RunInfo } from '../callbacks/callback.js';
import { History } from '../callbacks/history.js';
import { ProgressBar } from '../callbacks/progress-bar.js';
import { describe, ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { checkInteger } from '../tensor/shape.js';
import { asBatch, sampleShapes, TensorBatches } from './batches.js';
import type { Batch, BatchIterable, BatchLike } from './batches.js';
import { allMetrics, checkTargets, logsOf, resetMetrics, RunningTotals } from './compile.js';
import type { Compiled, TotalsState } from './compile.js';
import type { Data } from './data.js';
import { evaluateBatches, settledLogs } from './evaluation.js';
import type { FitOptions, Model } from './model.js';
import { sources } from './sources.js';
import type { Source } from './sources.js';
import type { LossObserver, StepResult } from './step.js';
import { Training } from './training.js';
import { turns } from './turns.js';

/** Trains; see Model.fit. */
export async function fitModel(
  model: Model,
  compiled: Compiled,
  data: Data | BatchIterable,
  targets: Data | null | undefined,
  options: FitOptions,
): Promise<History> {
  const run = new Run(model, compiled, data, targets, options);
  return run.all();
}

/** What an epoch sums up over its steps, as plain JSON. */
interface Sums {
  readonly totals: TotalsState;
  /** One per metric; null for metrics that cannot tell. */
  readonly metrics: readonly unknown[];
}

class Run {
  readonly #model: Model;
  readonly #compiled: Compiled;
  readonly #options: FitOptions;
  readonly #training: Source;
  readonly #steps: Training;
  readonly #validation: Source | null;
  readonly #callbacks: CallbackList;
  readonly #history = new History();
  readonly #info: RunInfo;
  readonly #totals = new RunningTotals();
  readonly #turn = turns();
  #logs: Record<string, number> = {};
  /** Makes the batch of the current step. */
  #batch: () => Batch = () => {
    throw new ValueError('fit: there is no batch before the first step');
  };

  constructor(
    model: Model,
    compiled: Compiled,
    data: Data | BatchIterable,
    targets: Data | null | undefined,
    options: FitOptions,
  ) {
    checkOptionNames('fit', options, fitOptions);
    checkCallbacks(options.callbacks);
    checkKinds(options);
    this.#model = model;
    this.#compiled = compiled;
    this.#options = options;
    const batchSize = checkInteger(options.batchSize ?? 32, 1, Infinity, 'fit: batchSize');
    const initialEpoch = checkInteger(options.initialEpoch ?? 0, 0, Infinity, 'fit: initialEpoch');
    const epochs = checkInteger(options.epochs ?? 1, 0, Infinity, 'fit: epochs');
    const { training, validation } = sources(model, data, targets, options, batchSize);
    this.#training = training;
    const isTensors = training instanceof TensorBatches;
    for (const source of [training, validation]) {
      if (source instanceof TensorBatches) checkTargets(compiled, source.all.targets);
    }
    const count = (result: StepResult): void => this.#totals.add(result, result.samples);
    const observe = observerFor(options.callbacks ?? []);
    this.#steps = new Training(model, compiled, isTensors ? training : null, count, observe);
    this.#validation = validation;
    const known = training instanceof TensorBatches ? training.steps : undefined;
    const limit = options.stepsPerEpoch;
    if (limit !== undefined) checkInteger(limit, 1, Infinity, 'fit: stepsPerEpoch');
    this.#callbacks = new CallbackList([
      ...(options.callbacks ?? []),
      ...progress(options.verbose ?? 'auto'),
      this.#history,
    ]);
    this.#info = {
      epochs,
      initialEpoch,
      stepsPerEpoch: known === undefined ? limit : Math.min(known, limit ?? known),
      batchSize,
      validation: validation !== null,
      callbacks: this.#callbacks.callbacks,
      batch: () => this.#batch(),
    };
    for (const callback of this.#callbacks.callbacks) {
      callback.model = model;
      callback.run = this.#info;
    }
  }

  async all(): Promise<History> {
    const { initialEpoch, epochs } = this.#info;
    this.#model.stopTraining = false;
    await this.#callbacks.call('onTrainBegin');
    try {
      let resumption = await this.#resumption();
      let epoch = resumption?.position.epoch ?? initialEpoch;
      // Between epochs everything is put back now; within one, after it has begun.
      if (resumption?.position.step === 0) {
        await resumption.restore();
        resumption = undefined;
      }
      for (; epoch < epochs && !this.#stopped(); epoch++) {
        await this.#epoch(epoch, resumption);
        resumption = undefined;
      }
      // As Keras: before callbacks end, so that weights they restore have the last word.
      const parameters = this.#model.trainableWeights.map((weight) => weight.value);
      this.#compiled.optimizer.overwriteWithAverages(parameters);
    } finally {
      this.#steps.end();
      await this.#callbacks.call('onTrainEnd', this.#logs);
    }
    return this.#history;
  }

  #stopped(): boolean {
    return this.#model.stopTraining || this.#options.signal?.aborted === true;
  }

  async #resumption(): Promise<Resumption | undefined> {
    for (const callback of this.#callbacks.callbacks) {
      const resumption = await callback.resume?.();
      if (resumption) return resumption;
    }
    return undefined;
  }

  async #epoch(epoch: number, resumption: Resumption | undefined): Promise<void> {
    const { signal } = this.#options;
    await this.#callbacks.call('onEpochBegin', epoch);
    this.#totals.reset();
    resetMetrics(this.#compiled);
    if (resumption) {
      await resumption.restore();
      this.#restoreSums(resumption.sums as Sums);
    }
    const complete = await this.#trainEpoch(epoch, resumption?.position.step ?? 0);
    await this.#steps.settle();
    this.#model.epochsSeen++;
    // An interrupted epoch is no epoch: callbacks would compare it with whole ones.
    if (!complete) return;
    const logs = await settledLogs(this.#totals, this.#compiled);
    if (this.#validation) {
      await this.#callbacks.call('onValidationBegin');
      const results = await evaluateBatches(this.#model, this.#compiled, this.#validation, signal);
      if (!results) return;
      for (const [name, value] of Object.entries(results)) logs[`val_${name}`] = value;
      await this.#callbacks.call('onValidationEnd', logs);
    }
    this.#logs = logs;
    await this.#callbacks.call('onEpochEnd', epoch, logs);
    await this.#callbacks.call('onBoundary', { epoch: epoch + 1, step: 0 }, this.#sums);
  }

  /** What the epoch has summed up so far. */
  readonly #sums = async (): Promise<Sums> => {
    await this.#steps.settle();
    const metrics = allMetrics(this.#compiled).map(({ metric }) => metric);
    for (const metric of metrics) await metric.settled();
    return {
      totals: this.#totals.state(),
      metrics: metrics.map((metric) => metric.state?.() ?? null),
    };
  };

  #restoreSums({ totals, metrics }: Sums): void {
    this.#totals.restore(totals);
    allMetrics(this.#compiled).forEach(({ metric }, i) => {
      if (metrics[i] !== null) metric.restore?.(metrics[i]);
    });
  }

  /** Runs the steps of one epoch from the first on; false when it was interrupted. */
  async #trainEpoch(epoch: number, first: number): Promise<boolean> {
    const source = this.#training;
    const steps = this.#info.stepsPerEpoch ?? Infinity;
    const told = this.#callbacks.listens('onTrainBatchEnd');
    const watched = this.#callbacks.listens('onBoundary');
    let step = first;
    const one = async (make: () => void): Promise<void> => {
      await this.#callbacks.call('onTrainBatchBegin', step);
      make();
      if (told) {
        const logs = this.#steps.logs(() => logsOf(this.#totals, this.#compiled));
        await this.#callbacks.call('onTrainBatchEnd', step, logs);
      }
      step++;
      if (watched) {
        await this.#callbacks.call('onBoundary', { epoch, step }, this.#sums);
      }
      if (this.#steps.isDue) await this.#steps.settle();
      await this.#turn();
    };
    const interrupted = (): boolean => this.#options.signal?.aborted ?? false;

    if (source instanceof TensorBatches) {
      if (this.#options.shuffle ?? true) source.shuffle(this.#model.epochsSeen);
      this.#batch = () => source.batch(step);
      while (step < steps && !this.#model.stopTraining) {
        if (interrupted()) return false;
        await one(() => this.#steps.step(step));
      }
      return true;
    }
    let seen = 0;
    for await (const batchLike of source as AsyncIterable<BatchLike>) {
      if (interrupted()) return false;
      if (seen++ < first) continue;
      const batch = asBatch(batchLike, this.#model);
      checkTargets(this.#compiled, batch.targets);
      this.#model.ensureBuilt(...sampleShapes(batch));
      this.#batch = () => batch;
      await one(() => this.#steps.stepOn(batch));
      if (step >= steps || this.#model.stopTraining) break;
    }
    if (step === 0) {
      throw new ValueError(
        `fit: the iterable of batches yielded none in epoch ${epoch + 1}; a generator runs through ` +
          'once, so give something to iterate anew every epoch: { [Symbol.iterator]: makeBatches }',
      );
    }
    return true;
  }
}

/** Tells those callbacks that want to know of losses that are not finite; null if none does. */
function observerFor(all: readonly Callback[]): LossObserver | null {
  const asking = all.filter((each) => each.beforeBrokenUpdate);
  if (asking.length === 0) return null;
  return (loss) => {
    if (!loss.backend.host || Number.isFinite(loss.item())) return;
    for (const each of asking) each.beforeBrokenUpdate?.();
  };
}

const fitOptions: readonly (keyof FitOptions)[] = [
  'batchSize',
  'epochs',
  'initialEpoch',
  'shuffle',
  'validationData',
  'validationSplit',
  'validationBatchSize',
  'sampleWeight',
  'classWeight',
  'callbacks',
  'verbose',
  'stepsPerEpoch',
  'signal',
];

/** Throws ValueError unless it is a list of callbacks, which JavaScript does not see to. */
function checkCallbacks(given: unknown): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) {
    throw new ValueError(`fit: callbacks must be an array, [callback], not ${describe(given)}`);
  }
  (given as unknown[]).forEach((each, i) => {
    if (each instanceof Callback) return;
    const isClass = typeof each === 'function' && each.prototype instanceof Callback;
    const hint = isClass ? `, new ${each.name}(…)` : ', an instance of a class that extends it';
    throw new ValueError(`fit: callback ${i} must be a Callback${hint}; got ${describe(each)}`);
  });
}

/** Throws ValueError for values that would count as true, or do nothing, whatever was meant. */
function checkKinds({ shuffle, signal }: FitOptions): void {
  if (shuffle !== undefined && typeof shuffle !== 'boolean') {
    throw new ValueError(`fit: shuffle must be true or false, not ${describe(shuffle)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ValueError(
      `fit: signal must be an AbortSignal, as of new AbortController(), not ${describe(signal)}`,
    );
  }
}

const verbosities = ['auto', 'bar', 'lines', 'silent'];

function progress(verbose: NonNullable<FitOptions['verbose']>): Callback[] {
  if (!verbosities.includes(verbose)) {
    throw new ValueError(
      `fit: verbose must be one of ${verbosities.join(', ')}, not ${describe(verbose)}; ` +
        "Keras's 0, 1 and 2 are silent, bar and lines",
    );
  }
  if (verbose === 'silent') return [];
  return [new ProgressBar(verbose === 'auto' ? {} : { style: verbose })];
}
