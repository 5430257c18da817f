/** The trainable model: compile, fit, evaluate, predict. What it computes its subclasses say. */

import type { Callback, RunInfo } from '../callbacks/callback.js';
import type { History } from '../callbacks/history.js';
import { noGrad } from '../autograd/tape.js';
import { GradloomError, ShapeError, ValueError } from '../errors.js';
import { Layer } from '../layers/layer.js';
import type { LayerOptions } from '../layers/layer.js';
import type { Optimizer } from '../optimizers/index.js';
import { checkOptionNames, unknownName } from '../names.js';
import { concat } from '../ops/move.js';
import { checkInteger, sameShape, showShape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { asBatch, gathered, sampleShapes, TensorBatches } from './batches.js';
import type { BatchIterable, BatchLike } from './batches.js';
import { allMetrics, checkTargets, compiledFrom, logsOf, resetMetrics } from './compile.js';
import type { Compiled, CompileOptions } from './compile.js';
import type { Data, InputSpec } from './data.js';
import { evaluateBatches } from './evaluation.js';
import { fitModel } from './fit.js';
import { predictSamples } from './monte-carlo.js';
import type { MonteCarloOptions, Uncertainties, Uncertainty } from './monte-carlo.js';
import { isIterableOfBatches } from './sources.js';
import { loadModelWeights } from './load-weights.js';
import type { LoadReport, LoadWeightsOptions } from './load-weights.js';
import { saveModel, saveModelWeights } from './save.js';
import type { SaveOptions } from './save.js';
import { evaluateStep, trainStep } from './step.js';
import { summaryText } from './summary.js';
import type { SummaryRow } from './summary.js';
import { turns } from './turns.js';

/** Inputs and targets held back for validation: tensors, or an iterable of batches. */
export type ValidationData =
  | readonly [x: Data, y: Data, sampleWeight?: Data]
  | { readonly x: Data; readonly y: Data; readonly sampleWeight?: Data }
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
  /** Weight per sample [samples]; for several outputs one for all, or one for each. */
  readonly sampleWeight?: Data;
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

export interface PredictOptions {
  /** Samples at a time. Default 256. */
  readonly batchSize?: number;
}

export interface EvaluateOptions extends PredictOptions {
  /** Weight per sample [samples]; for several outputs one for all, or one for each. */
  readonly sampleWeight?: Data;
}

/** Options of the calls that take data to run the model on. */
const optionsOf = {
  evaluate: ['batchSize', 'sampleWeight'],
  predict: ['batchSize'],
  predictMC: ['batchSize', 'samples'],
} as const;

/**
 * `Y` is what `predict` gives: a tensor, or for several outputs an array or object of them. A model
 * of your own says its `layers` and writes `call`.
 */
export abstract class Model<Y = unknown> extends Layer {
  /**
   * Set to true by callbacks to end training: no more steps are done, and the epoch ends as usual,
   * with validation.
   */
  stopTraining = false;
  /** Epochs of training this model has seen, over all calls of fit: decides the next shuffle. */
  epochsSeen = 0;
  #compiled: Compiled | null = null;
  #fitting = false;

  constructor(options: LayerOptions = {}) {
    super(options);
    if (new.target !== Model) return;
    throw new ValueError(
      'Model is the base of models: use new Functional({ inputs, outputs }), new Sequential(layers) ' +
        'or a subclass of your own',
    );
  }

  // ---- what a subclass says ---------------------------------------------------------------------

  /** The layers, in order. */
  abstract get layers(): readonly Layer[];

  /** Where data comes in. Default: one input. */
  get inputSpecs(): readonly InputSpec[] {
    return [{ name: 'x', dtype: this.dtype }];
  }

  /** Names of what comes out. Default: one output. */
  get outputNames(): readonly string[] {
    return ['y'];
  }

  /** Values of the outputs in the structure `predict` gives. Default: the only one. */
  protected arrange(values: readonly unknown[]): unknown {
    return values[0];
  }

  /** A row per layer for {@link summary}. Default: layers in order, shapes they were built with. */
  protected summaryRows(): SummaryRow[] {
    return this.layers.map((layer) => ({
      layer,
      outputs: layer.built ? layer.outputShapes(...layer.inputShapes) : null,
    }));
  }

  override get sublayers(): readonly Layer[] {
    return this.layers;
  }

  // ---- compile ----------------------------------------------------------------------------------

  /** Chooses optimizer, losses and metrics. May be called again; weights stay. */
  compile(options: CompileOptions): this {
    this.#compiled = compiledFrom(options, this.outputNames);
    return this;
  }

  /** Whether `compile` was called. */
  get isCompiled(): boolean {
    return this.#compiled !== null;
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

  get optimizer(): Optimizer {
    return this.compiled.optimizer;
  }

  /** For each metric, whether less or more of it is better. */
  get metricDirections(): Readonly<Record<string, 'min' | 'max'>> {
    const losses = this.outputNames.map((name) => [`${name}_loss`, 'min'] as const);
    const metrics = allMetrics(this.compiled).map(
      ({ name, metric }) => [name, metric.direction] as const,
    );
    return Object.fromEntries([...losses, ...metrics]);
  }

  // ---- fit, evaluate ----------------------------------------------------------------------------

  /**
   * Trains on x [samples, ...] and y [samples, ...], or on an iterable of batches. Yields to the
   * event loop at least every 50 ms. Resolves to the history of every epoch; with an aborted signal
   * it ends early and resolves all the same, after `onTrainEnd` of every callback.
   */
  async fit(x: Data, y: Data, options?: FitOptions): Promise<History>;
  async fit(batches: BatchIterable, options?: FitOptions): Promise<History>;
  async fit(
    data: Data | BatchIterable,
    second?: Data | FitOptions,
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
        : await fitModel(this, compiled, data, second as Data | undefined, third ?? {});
    } finally {
      this.#fitting = false;
    }
  }

  /** Mean loss and metrics over all samples, or over an iterable of batches. */
  async evaluate(x: Data, y: Data, options?: EvaluateOptions): Promise<Record<string, number>>;
  async evaluate(batches: BatchIterable): Promise<Record<string, number>>;
  async evaluate(
    data: Data | BatchIterable,
    y?: Data,
    options: EvaluateOptions = {},
  ): Promise<Record<string, number>> {
    const { compiled } = this;
    if (isIterableOfBatches(data)) return evaluateBatches(this, compiled, data);
    if (y === undefined) throw new ValueError('evaluate: give targets too, evaluate(x, y)');
    const batches = this.#batches('evaluate', data, y, options);
    checkTargets(compiled, batches.all.targets);
    return evaluateBatches(this, compiled, batches);
  }

  /** Data in batches, the model built for them. */
  #batches(
    what: keyof typeof optionsOf,
    x: Data,
    y: Data | null,
    options: EvaluateOptions,
  ): TensorBatches {
    checkOptionNames(what, options, optionsOf[what]);
    const size = checkInteger(options.batchSize ?? 256, 1, Infinity, `${what}: batchSize`);
    const all = gathered(x, y, options.sampleWeight, this);
    const batches = new TensorBatches(all, size, this);
    this.ensureBuilt(...sampleShapes(all));
    return batches;
  }

  /** One training step on one batch; the loss and metrics of this batch. */
  trainOnBatch(x: Data, y: Data, sampleWeight?: Data): Record<string, number> {
    return this.#onBatch(trainStep, [x, y, sampleWeight]);
  }

  /** Loss and metrics of one batch. */
  testOnBatch(x: Data, y: Data, sampleWeight?: Data): Record<string, number> {
    return this.#onBatch(evaluateStep, [x, y, sampleWeight]);
  }

  #onBatch(step: typeof trainStep, batchLike: BatchLike): Record<string, number> {
    const { compiled } = this;
    const batch = asBatch(batchLike, this);
    checkTargets(compiled, batch.targets);
    this.ensureBuilt(...sampleShapes(batch));
    resetMetrics(compiled);
    return logsOf(
      step(this, compiled, () => batch),
      compiled,
    );
  }

  // ---- predict ----------------------------------------------------------------------------------

  /** Results for x [samples, ...], batch after batch. */
  async predict(x: Data, options: PredictOptions = {}): Promise<Y> {
    const batches = this.#batches('predict', x, null, options);
    const parts: (readonly Tensor[])[] = [];
    const turn = turns();
    for (let step = 0; step < batches.steps; step++) {
      parts.push(this.#results(() => batches.batch(step).inputs));
      await turn();
    }
    const join = (_: string, output: number): Tensor => {
      const list = parts.map((each) => each[output]!);
      return list.length === 1 ? list[0]! : noGrad(() => concat(list, 0));
    };
    return this.arrange(this.outputNames.map(join)) as Y;
  }

  /**
   * Results for x [samples, ...] as one batch, without giving the event loop a turn; of the form
   * that `predict` gives. Throws ShapeError where x does not fit the model.
   */
  predictOnBatch(x: Data): Y {
    const batch = asBatch([x], this);
    this.ensureBuilt(...sampleShapes(batch));
    return this.arrange(this.#results(() => batch.inputs)) as Y;
  }

  #results(inputs: () => readonly Tensor[]): Tensor[] {
    const scope = new Scope();
    try {
      // A result may share memory with what the scope frees: keep a copy.
      return noGrad(() => this.applyAll(inputs()).map((each) => scope.keep(each.copy())));
    } finally {
      scope.end();
    }
  }

  /**
   * Monte-Carlo prediction (Gal and Ghahramani 2016): runs the model several times with dropout and
   * noise acting, batch normalization as in inference, and gives mean and spread of the results.
   */
  async predictMC(x: Data, options: MonteCarloOptions = {}): Promise<Uncertainties<Y>> {
    const batches = this.#batches('predictMC', x, null, options);
    const found: readonly Uncertainty[] = await predictSamples(this, batches, options);
    return this.arrange(found) as Uncertainties<Y>;
  }

  // ---- files ------------------------------------------------------------------------------------

  /**
   * Saves architecture, weights and, if compiled, losses, metrics and the optimizer with its state,
   * in one safetensors file: what {@link loadModel} makes the same model of. Replaces a file
   * atomically; saves the values of the moment of the call.
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    await saveModel(this, path, options);
  }

  /** Saves the weights alone, as a safetensors file. As {@link save}. */
  async saveWeights(path: string): Promise<void> {
    await saveModelWeights(this, path);
  }

  /**
   * Sets the weights from a file of {@link save} or {@link saveWeights}, or another safetensors
   * file, and reports what matched. Throws FileError, leaving the model as it was, when the file is
   * damaged or its weights do not fit; see the options for what may differ.
   */
  async loadWeights(path: string, options: LoadWeightsOptions = {}): Promise<LoadReport> {
    return loadModelWeights(this, path, options);
  }

  // ---- looking inside ---------------------------------------------------------------------------

  /**
   * The layer of a name, or of a place among {@link layers} (−1 is the last). Throws ValueError
   * listing the names there are.
   */
  getLayer(name: string | number): Layer {
    const found =
      typeof name === 'number'
        ? this.layers.at(name)
        : this.layers.find((layer) => layer.name === name);
    if (found) return found;
    const names = this.layers.map((layer) => layer.name);
    throw unknownName(`layer in model ${this.name}`, name, names);
  }

  /** A table of layers, output shapes and numbers of parameters. */
  summary(): string {
    return summaryText(this, this.summaryRows(), this.#compiled?.optimizer ?? null);
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

export type { BatchIterable, Compiled, CompileOptions, RunInfo };
