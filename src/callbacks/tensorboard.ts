/** Curves, histograms, structure and settings of a training run for TensorBoard. */

import { basename, join } from 'node:path';

import { EventFile } from '../io/event-file.js';
import type { HyperParameter } from '../io/event-file.js';
import { kerasGraph } from '../models/keras-graph.js';
import { checkInteger } from '../tensor/shape.js';
import { checkOptionNames } from '../names.js';
import { checkFlag } from '../values.js';
import { Callback } from './callback.js';
import type { CallbackState, Logs } from './callback.js';
import { checkPath } from './file-template.js';

export interface TensorBoardOptions {
  /** Default 'logs'. Training goes to its folder `train`, validation to `validation`. */
  readonly logDirectory?: string;
  /** Write histograms of all weights every so many epochs. Default 0, never. */
  readonly histogramFrequency?: number;
  /** Write the model's structure, as a graph and as the text of its summary. Default true. */
  readonly graph?: boolean;
  /** Write numbers after every epoch, or also after every so many steps. Default 'epoch'. */
  readonly updateFrequency?: 'epoch' | number;
  /** Write how many steps were done per second. Default false. */
  readonly stepsPerSecond?: boolean;
  /** What this run differs in from others, for TensorBoard's table of runs. */
  readonly hyperParameters?: Readonly<Record<string, HyperParameter>>;
}

const known: readonly (keyof TensorBoardOptions)[] = [
  'logDirectory',
  'histogramFrequency',
  'graph',
  'updateFrequency',
  'stepsPerSecond',
  'hyperParameters',
];

/**
 * Writes event files under the names Keras gives: `epoch_loss`, `epoch_learning_rate`, `batch_loss`
 * and so on, the same for training and validation so that TensorBoard draws them in one chart.
 *
 * A run that begins at a later epoch, or is gone on with, replaces what earlier files of the
 * directory show from there on (unless it also writes every so many steps).
 */
export class TensorBoard extends Callback {
  readonly logDirectory: string;
  readonly #options: TensorBoardOptions;
  readonly #histogramFrequency: number;
  readonly #stepFrequency: number;
  #train!: EventFile;
  #validation!: EventFile;
  #root!: EventFile;
  #begun = false;
  #finished = false;
  #steps = 0;
  #epochSteps = 0;
  #epochBegan = 0;

  constructor(options: TensorBoardOptions = {}) {
    super();
    checkOptionNames('TensorBoard', options, known);
    const where = 'TensorBoard:';
    this.#options = options;
    this.logDirectory = options.logDirectory ?? 'logs';
    checkPath('TensorBoard', this.logDirectory);
    checkFlag(options.graph ?? true, `${where} graph`);
    const histograms = options.histogramFrequency ?? 0;
    this.#histogramFrequency = checkInteger(histograms, 0, Infinity, `${where} histogramFrequency`);
    const frequency = options.updateFrequency ?? 'epoch';
    this.#stepFrequency =
      frequency === 'epoch' ? 0 : checkInteger(frequency, 1, Infinity, `${where} updateFrequency`);
    // Nobody is told of steps unless it is to be written: collecting metrics costs time.
    if (this.#stepFrequency === 0) this.ignore('onTrainBatchEnd');
  }

  override onTrainBegin(): void {
    this.#begun = false;
    this.#finished = false;
    this.#steps = 0;
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    if (!this.#begun) await this.#begin(epoch);
    this.#epochBegan = performance.now();
    this.#epochSteps = this.model.optimizer.iterations;
  }

  async #begin(epoch: number): Promise<void> {
    this.#begun = true;
    const start = this.#stepFrequency === 0 ? epoch : null;
    this.#train = new EventFile(join(this.logDirectory, 'train'), start);
    this.#validation = new EventFile(join(this.logDirectory, 'validation'), start);
    this.#root = new EventFile(this.logDirectory);
    const { hyperParameters, graph } = this.#options;
    if (hyperParameters) {
      this.#root.hyperParameters(hyperParameters, basename(this.logDirectory));
      await this.#root.flush();
    }
    if (graph ?? true) {
      this.#train.text('model_summary', `\`\`\`\n${this.model.summary()}\n\`\`\``, epoch);
      const structure = kerasGraph(this.model);
      if (structure !== null) this.#train.kerasModel(structure);
      await this.#train.flush();
    }
  }

  override async onTrainBatchEnd(_step: number, logs: Logs): Promise<void> {
    const step = this.#steps++;
    if (step % this.#stepFrequency !== 0) return;
    for (const [name, value] of Object.entries(logs)) {
      this.#train.scalar(`batch_${name}`, value, step);
    }
    await this.#train.flush();
  }

  override async onValidationEnd(logs: Logs): Promise<void> {
    const step = this.model.optimizer.iterations;
    for (const [name, value] of Object.entries(logs)) {
      if (!name.startsWith('val_')) continue;
      this.#validation.scalar(`evaluation_${name.slice(4)}_vs_iterations`, value, step);
    }
    await this.#validation.flush();
  }

  override async onEpochEnd(epoch: number, logs: Record<string, number>): Promise<void> {
    const { optimizer } = this.model;
    for (const [name, value] of Object.entries(logs)) {
      if (name.startsWith('val_')) this.#validation.scalar(`epoch_${name.slice(4)}`, value, epoch);
      else if (name !== 'learningRate') this.#train.scalar(`epoch_${name}`, value, epoch);
    }
    this.#train.scalar('epoch_learning_rate', optimizer.learningRate, epoch);
    if (this.#options.stepsPerSecond) {
      const seconds = (performance.now() - this.#epochBegan) / 1000;
      const rate = (optimizer.iterations - this.#epochSteps) / seconds;
      this.#train.scalar('epoch_steps_per_second', rate, epoch);
    }
    if (this.#histogramFrequency > 0 && epoch % this.#histogramFrequency === 0) {
      await this.#histograms(epoch);
    }
    await this.#train.flush();
    await this.#validation.flush();
    this.#finished = epoch + 1 >= this.run.epochs || this.model.stopTraining;
  }

  async #histograms(epoch: number): Promise<void> {
    for (const { name, value } of this.model.weights) {
      this.#train.histogram(`${name}/histogram`, await value.data(), epoch);
    }
  }

  override async onTrainEnd(): Promise<void> {
    if (!this.#begun) return;
    if (this.#options.hyperParameters) this.#root.hyperParametersEnd(this.#finished);
    for (const file of [this.#train, this.#validation, this.#root]) await file.close();
  }

  override state(): CallbackState {
    return { values: { steps: this.#steps } };
  }

  override restore({ values }: CallbackState): void {
    this.#steps = values['steps'] as number;
  }
}
