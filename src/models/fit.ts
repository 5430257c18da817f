/**
 * The training loop. It owns the order of things: epochs, steps, validation, when callbacks are
 * told, when the event loop gets its turn, how training ends. What a step does is step.ts's.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';

import { CallbackList } from '../callbacks/callback.js';
import type { Callback, RunInfo } from '../callbacks/callback.js';
import { History } from '../callbacks/history.js';
import { ProgressBar } from '../callbacks/progress-bar.js';
import { ShapeError, ValueError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkInteger, showShape } from '../tensor/shape.js';
import { fromArray, Tensor } from '../tensor/tensor.js';
import { asBatch, TensorBatches } from './batches.js';
import type { BatchIterable, BatchLike } from './batches.js';
import type { FitOptions, Model, ValidationData } from './model.js';
import { evaluateStep, logsOf, RunningMean, trainStep } from './step.js';
import type { Compiled } from './step.js';

/** Longest stretch of work before the event loop gets a turn, in milliseconds. */
const stretch = 20;

/** A function that gives the event loop a turn when it has waited long enough. */
export function turns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < stretch) return;
    await nextTurn();
    last = performance.now();
  };
}

type Source = TensorBatches | BatchIterable;

/** Trains; see Model.fit. */
export async function fitModel(
  model: Model,
  compiled: Compiled,
  data: TensorLike | BatchIterable,
  targets: TensorLike | null,
  options: FitOptions,
): Promise<History> {
  const run = new Run(model, compiled, data, targets, options);
  return run.all();
}

class Run {
  readonly #model: Model;
  readonly #compiled: Compiled;
  readonly #options: FitOptions;
  readonly #training: Source;
  readonly #validation: Source | null;
  readonly #callbacks: CallbackList;
  readonly #history = new History();
  readonly #info: RunInfo;
  readonly #loss = new RunningMean();
  readonly #turn = turns();
  #logs: Record<string, number> = {};

  constructor(
    model: Model,
    compiled: Compiled,
    data: TensorLike | BatchIterable,
    targets: TensorLike | null,
    options: FitOptions,
  ) {
    this.#model = model;
    this.#compiled = compiled;
    this.#options = options;
    const batchSize = checkInteger(options.batchSize ?? 32, 1, Infinity, 'fit: batchSize');
    const initialEpoch = checkInteger(options.initialEpoch ?? 0, 0, Infinity, 'fit: initialEpoch');
    const epochs = checkInteger(options.epochs ?? 1, 0, Infinity, 'fit: epochs');
    const { training, validation } = sources(model, data, targets, options, batchSize);
    this.#training = training;
    this.#validation = validation;
    const known = training instanceof TensorBatches ? training.steps : undefined;
    const limit = options.stepsPerEpoch;
    if (limit !== undefined) checkInteger(limit, 1, Infinity, 'fit: stepsPerEpoch');
    this.#info = {
      epochs,
      initialEpoch,
      stepsPerEpoch: known === undefined ? limit : Math.min(known, limit ?? known),
      batchSize,
      validation: validation !== null,
    };
    this.#callbacks = new CallbackList([
      ...(options.callbacks ?? []),
      ...progress(options.verbose ?? 'auto'),
      this.#history,
    ]);
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
      for (let epoch = initialEpoch; epoch < epochs; epoch++) {
        if (this.#model.stopTraining || this.#options.signal?.aborted) break;
        await this.#epoch(epoch);
      }
    } finally {
      await this.#callbacks.call('onTrainEnd', this.#logs);
    }
    return this.#history;
  }

  async #epoch(epoch: number): Promise<void> {
    const { signal } = this.#options;
    await this.#callbacks.call('onEpochBegin', epoch);
    this.#loss.reset();
    for (const metric of this.#compiled.metrics) metric.reset();
    const complete = await this.#trainEpoch();
    this.#model.epochsSeen++;
    // An interrupted epoch is no epoch: callbacks would compare it with whole ones.
    if (!complete) return;
    const logs = logsOf(this.#loss.value, this.#compiled);
    if (this.#validation) {
      await this.#callbacks.call('onValidationBegin');
      const results = await evaluateBatches(this.#model, this.#compiled, this.#validation, signal);
      if (!results) return;
      for (const [name, value] of Object.entries(results)) logs[`val_${name}`] = value;
      await this.#callbacks.call('onValidationEnd', logs);
    }
    this.#logs = logs;
    await this.#callbacks.call('onEpochEnd', epoch, logs);
  }

  /** Runs the steps of one epoch; false when it was interrupted. */
  async #trainEpoch(): Promise<boolean> {
    const source = this.#training;
    const steps = this.#info.stepsPerEpoch ?? Infinity;
    const told = this.#callbacks.listens('onTrainBatchEnd');
    let step = 0;
    const one = async (batch: Parameters<typeof trainStep>[2]): Promise<void> => {
      await this.#callbacks.call('onTrainBatchBegin', step);
      const { loss, samples } = trainStep(this.#model, this.#compiled, batch);
      this.#loss.add(loss, samples);
      if (told) {
        await this.#callbacks.call(
          'onTrainBatchEnd',
          step,
          logsOf(this.#loss.value, this.#compiled),
        );
      }
      step++;
      await this.#turn();
    };
    const interrupted = (): boolean => this.#options.signal?.aborted ?? false;

    if (source instanceof TensorBatches) {
      if (this.#options.shuffle ?? true) source.shuffle(this.#model.epochsSeen);
      while (step < steps) {
        if (interrupted()) return false;
        await one(() => source.batch(step));
      }
      return true;
    }
    for await (const batchLike of source as AsyncIterable<BatchLike>) {
      if (interrupted()) return false;
      const batch = asBatch(batchLike, this.#model.dtype);
      this.#model.ensureBuilt(batch.x.shape.slice(1));
      await one(() => batch);
      if (step >= steps) break;
    }
    if (step === 0) throw new ValueError('fit: the iterable of batches yielded none');
    return true;
  }
}

function progress(verbose: NonNullable<FitOptions['verbose']>): Callback[] {
  if (verbose === 'silent') return [];
  return [new ProgressBar(verbose === 'auto' ? {} : { style: verbose })];
}

/** Mean loss and metrics over all batches; undefined when interrupted. */
export async function evaluateBatches(
  model: Model,
  compiled: Compiled,
  source: Source,
): Promise<Record<string, number>>;
export async function evaluateBatches(
  model: Model,
  compiled: Compiled,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<Record<string, number> | undefined>;
export async function evaluateBatches(
  model: Model,
  compiled: Compiled,
  source: Source,
  signal?: AbortSignal,
): Promise<Record<string, number> | undefined> {
  const loss = new RunningMean();
  const turn = turns();
  for (const metric of compiled.metrics) metric.reset();
  const add = (result: { loss: number; samples: number }): void => {
    loss.add(result.loss, result.samples);
  };
  if (source instanceof TensorBatches) {
    for (let step = 0; step < source.steps; step++) {
      add(evaluateStep(model, compiled, () => source.batch(step)));
      await turn();
      if (signal?.aborted) return undefined;
    }
  } else {
    for await (const batchLike of source as AsyncIterable<BatchLike>) {
      const batch = asBatch(batchLike, model.dtype);
      add(evaluateStep(model, compiled, () => batch));
      await turn();
      if (signal?.aborted) return undefined;
    }
  }
  return logsOf(loss.value, compiled);
}

// ---- what fit was given --------------------------------------------------------------------------

function sources(
  model: Model,
  data: TensorLike | BatchIterable,
  targets: TensorLike | null,
  options: FitOptions,
  batchSize: number,
): { training: Source; validation: Source | null } {
  const size = checkInteger(
    options.validationBatchSize ?? Math.max(batchSize, 256),
    1,
    Infinity,
    'fit: validationBatchSize',
  );
  const given = options.validationData
    ? validationSource(options.validationData, size, model)
    : null;
  if (targets === null) {
    if (options.validationSplit || options.classWeight || options.sampleWeight !== undefined) {
      throw new ValueError(
        'fit: validationSplit, classWeight and sampleWeight need tensors, not an iterable',
      );
    }
    return { training: data as BatchIterable, validation: given };
  }
  const whole = tensorsOf(data as TensorLike, targets, options);
  const share = options.validationSplit ?? 0;
  if (!(share >= 0 && share < 1)) {
    throw new ValueError(`fit: validationSplit must be at least 0 and below 1, not ${share}`);
  }
  const samples = whole.x.shape[0]!;
  const kept = given || share === 0 ? samples : Math.floor(samples * (1 - share));
  const part = (from: number, to: number, each: number): TensorBatches =>
    new TensorBatches(
      rows(whole.x, from, to),
      rows(whole.y, from, to),
      whole.weight && rows(whole.weight, from, to),
      each,
      model.dtype,
    );
  const training = part(0, kept, batchSize);
  model.ensureBuilt(training.x.shape.slice(1));
  return { training, validation: given ?? (kept < samples ? part(kept, samples, size) : null) };
}

function tensorsOf(data: TensorLike, targets: TensorLike, options: FitOptions) {
  if (targets === undefined) {
    throw new ValueError('fit: give targets too, fit(x, y, options), or an iterable of batches');
  }
  const x = asTensor(data);
  const y = asTensor(targets, x);
  if (x.rank === 0 || x.shape[0] !== y.shape[0]) {
    throw new ShapeError(
      `fit: x of shape ${showShape(x.shape)} and y of shape ${showShape(y.shape)} do not have the ` +
        'same number of samples (the first axis)',
    );
  }
  let weight = options.sampleWeight === undefined ? null : asTensor(options.sampleWeight, x);
  if (options.classWeight) weight = weightsOfClasses(y, options.classWeight, weight);
  return { x, y, weight };
}

/** A weight per sample from its label (or the largest of its class probabilities). */
function weightsOfClasses(
  y: Tensor,
  classWeight: Readonly<Record<number, number>>,
  weight: Tensor | null,
): Tensor {
  const samples = y.shape[0]!;
  const values = y.dataSync();
  const width = y.size / samples;
  const given = weight?.dataSync();
  const result = new Float32Array(samples);
  for (let i = 0; i < samples; i++) {
    let label = values[i * width]!;
    if (width > 1) {
      const row = values.subarray(i * width, (i + 1) * width);
      label = row.indexOf(Math.max(...row));
    }
    result[i] = (classWeight[label] ?? 1) * (given?.[i] ?? 1);
  }
  return fromArray(result, [samples], 'float32', y.backend);
}

function validationSource(data: ValidationData, size: number, model: Model): Source {
  const pair = data as readonly TensorLike[] & { x?: TensorLike; y?: TensorLike };
  const isPair = Array.isArray(data) && data.length >= 2;
  if (!isPair && pair.x === undefined) return data as BatchIterable;
  const [x, y, weight] = isPair
    ? pair
    : [pair.x!, pair.y!, (data as { sampleWeight?: TensorLike }).sampleWeight];
  return new TensorBatches(
    asTensor(x!),
    asTensor(y!),
    weight === undefined ? null : asTensor(weight),
    size,
    model.dtype,
  );
}

/** Samples [from, to), sharing memory. */
function rows(tensor: Tensor, from: number, to: number): Tensor {
  const samples = tensor.shape[0]!;
  if (from === 0 && to === samples) return tensor;
  const width = tensor.size / samples;
  const shape = [to - from, ...tensor.shape.slice(1)];
  return new Tensor(tensor.storage, shape, tensor.dtype, tensor.offset + from * width);
}
