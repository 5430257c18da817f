/** The trainable model: compile, fit, evaluate, predict. What it computes is a subclass's matter. */

import type { Callback, RunInfo } from '../callbacks/callback.js';
import type { History } from '../callbacks/history.js';
import { noGrad } from '../autograd/tape.js';
import { GradloomError, ShapeError, ValueError } from '../errors.js';
import { Layer } from '../layers/layer.js';
import * as losses from '../losses/index.js';
import type { LossLike } from '../losses/index.js';
import * as metrics from '../metrics/index.js';
import type { MetricLike } from '../metrics/index.js';
import * as optimizers from '../optimizers/index.js';
import type { OptimizerLike } from '../optimizers/index.js';
import { concat } from '../ops/move.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkInteger, sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { asBatch, TensorBatches } from './batches.js';
import type { BatchIterable, BatchLike } from './batches.js';
import { evaluateBatches, fitModel, turns } from './fit.js';
import { evaluateStep, logsOf, trainStep } from './step.js';
import type { Compiled } from './step.js';
import { summaryText } from './summary.js';

export interface CompileOptions {
  /** An optimizer or its name with its defaults. Default rmsprop, as in Keras. */
  readonly optimizer?: OptimizerLike;
  readonly loss: LossLike;
  /** 'accuracy' takes the form that fits loss and shapes. */
  readonly metrics?: readonly MetricLike[];
}

/** Inputs and targets held back for validation: tensors, or an iterable of batches. */
export type ValidationData =
  | readonly [x: TensorLike, y: TensorLike, sampleWeight?: TensorLike]
  | { readonly x: TensorLike; readonly y: TensorLike; readonly sampleWeight?: TensorLike }
  | BatchIterable;

export interface FitOptions {
  /** Samples in a step. Default 32. */
  readonly batchSize?: number;
  /** Number of the epoch to stop before, counted from 0. Default 1. */
  readonly epochs?: number;
  /** Number of the first epoch. Default 0. */
  readonly initialEpoch?: number;
  /** A new order every epoch, decided by the seed and the epoch. Tensors only. Default true. */
  readonly shuffle?: boolean;
  readonly validationData?: ValidationData;
  /** Share of the samples, taken from the end before shuffling, to validate on. Tensors only. */
  readonly validationSplit?: number;
  /** Default: the larger of batchSize and 256; results do not depend on it but for rounding. */
  readonly validationBatchSize?: number;
  /** Weight per sample [samples]. */
  readonly sampleWeight?: TensorLike;
  /** Weight of each class, by label. */
  readonly classWeight?: Readonly<Record<number, number>>;
  readonly callbacks?: readonly Callback[];
  /** 'bar' on a terminal and 'lines' elsewhere ('auto', the default), or nothing ('silent'). */
  readonly verbose?: 'auto' | 'bar' | 'lines' | 'silent';
  /** Steps in an epoch, for iterables without end or to see fewer. */
  readonly stepsPerEpoch?: number;
  /** Ends training cleanly after the current step. */
  readonly signal?: AbortSignal;
}

export abstract class Model extends Layer {
  /** Set to true by callbacks to end training after the current epoch. */
  stopTraining = false;
  /** Epochs of training this model has seen, over all calls of fit: decides the next shuffle. */
  epochsSeen = 0;
  #compiled: Compiled | null = null;
  #fitting = false;

  /** The layers, in order. */
  abstract get layers(): readonly Layer[];

  override get sublayers(): readonly Layer[] {
    return this.layers;
  }

  /** Chooses optimizer, loss and metrics. May be called again; weights stay. */
  compile(options: CompileOptions): this {
    const loss = losses.get(options.loss);
    this.#compiled = {
      optimizer: optimizers.get(options.optimizer ?? 'rmsprop'),
      loss,
      metrics: (options.metrics ?? []).map((metric) => metrics.get(metric, { loss })),
    };
    return this;
  }

  /** What `compile` settled. Throws when it was not called. */
  get compiled(): Compiled {
    if (!this.#compiled) {
      throw new GradloomError(
        `model ${this.name} is not compiled: call compile({ optimizer, loss, metrics }) first`,
      );
    }
    return this.#compiled;
  }

  get optimizer(): optimizers.Optimizer {
    return this.compiled.optimizer;
  }

  /** For each metric, whether less or more of it is better. */
  get metricDirections(): Readonly<Record<string, 'min' | 'max'>> {
    return Object.fromEntries(this.compiled.metrics.map((each) => [each.name, each.direction]));
  }

  /**
   * Trains on x [samples, ...] and y [samples, ...], or on an iterable of batches. Yields to the
   * event loop at least every 50 ms. Resolves to the history of every epoch; with an aborted signal
   * it ends early and resolves all the same, after `onTrainEnd` of every callback.
   */
  async fit(x: TensorLike, y: TensorLike, options?: FitOptions): Promise<History>;
  async fit(batches: BatchIterable, options?: FitOptions): Promise<History>;
  async fit(
    data: TensorLike | BatchIterable,
    second?: TensorLike | FitOptions,
    third?: FitOptions,
  ): Promise<History> {
    const { compiled } = this;
    if (this.#fitting) {
      throw new GradloomError(`model ${this.name} is being trained already; await that fit first`);
    }
    this.#fitting = true;
    try {
      return isIterableOfBatches(data)
        ? await fitModel(this, compiled, data, null, (second ?? {}) as FitOptions)
        : await fitModel(this, compiled, data, second as TensorLike, third ?? {});
    } finally {
      this.#fitting = false;
    }
  }

  /** Mean loss and metrics over all samples. Default batch size 256. */
  async evaluate(
    x: TensorLike,
    y: TensorLike,
    options: { readonly batchSize?: number; readonly sampleWeight?: TensorLike } = {},
  ): Promise<Record<string, number>> {
    const weight = options.sampleWeight === undefined ? null : asTensor(options.sampleWeight);
    const batches = new TensorBatches(
      asTensor(x),
      asTensor(y),
      weight,
      checkInteger(options.batchSize ?? 256, 1, Infinity, 'evaluate: batchSize'),
      this.dtype,
    );
    this.ensureBuilt(batches.x.shape.slice(1));
    return evaluateBatches(this, this.compiled, batches);
  }

  /** Results for x [samples, ...], batch after batch. Default batch size 256. */
  async predict(x: TensorLike, options: { readonly batchSize?: number } = {}): Promise<Tensor> {
    const size = checkInteger(options.batchSize ?? 256, 1, Infinity, 'predict: batchSize');
    const batches = new TensorBatches(asTensor(x), null, null, size, this.dtype);
    this.ensureBuilt(batches.x.shape.slice(1));
    const parts: Tensor[] = [];
    const turn = turns();
    for (let step = 0; step < batches.steps; step++) {
      const scope = new Scope();
      try {
        const y = noGrad(() => this.apply(batches.batch(step).x, { training: false }));
        // A result may share memory with what the scope frees: keep a copy.
        parts.push(scope.keep(y.copy()));
      } finally {
        scope.end();
      }
      await turn();
    }
    return parts.length === 1 ? parts[0]! : noGrad(() => concat(parts, 0));
  }

  /** One training step on one batch; the loss and metrics of this batch. */
  trainOnBatch(x: TensorLike, y: TensorLike, sampleWeight?: TensorLike): Record<string, number> {
    return this.#onBatch(trainStep, [x, y, sampleWeight] as BatchLike);
  }

  /** Loss and metrics of one batch. */
  testOnBatch(x: TensorLike, y: TensorLike, sampleWeight?: TensorLike): Record<string, number> {
    return this.#onBatch(evaluateStep, [x, y, sampleWeight] as BatchLike);
  }

  #onBatch(step: typeof trainStep, batchLike: BatchLike): Record<string, number> {
    const { compiled } = this;
    const batch = asBatch(batchLike, this.dtype);
    this.ensureBuilt(batch.x.shape.slice(1));
    for (const metric of compiled.metrics) metric.reset();
    const { loss } = step(this, compiled, () => batch);
    return logsOf(loss, compiled);
  }

  /** The layer of a name. Throws ValueError listing the names there are. */
  getLayer(name: string): Layer {
    const found = this.layers.find((layer) => layer.name === name);
    if (found) return found;
    const names = this.layers.map((layer) => layer.name).join(', ');
    throw new ValueError(`model ${this.name} has no layer "${name}"; its layers are ${names}`);
  }

  /** A table of layers, output shapes and numbers of parameters. */
  summary(): string {
    return summaryText(this, this.#compiled?.optimizer ?? null);
  }

  /** Checks that a batch has samples of the shape the model was built for. */
  protected checkInput(x: Tensor): void {
    const expected = this.inputShape;
    if (!expected || sameShape(expected, x.shape.slice(1))) return;
    throw new ShapeError(
      `model ${this.name} expects samples of shape ${showShape(expected)}, this batch has shape ` +
        `${showShape(x.shape)} (the first axis is the batch)`,
    );
  }
}

function isIterableOfBatches(value: unknown): value is BatchIterable {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !ArrayBuffer.isView(value) && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

export type { BatchIterable, Compiled, RunInfo, Shape };
