/**
 * What a training step would do to a model, layer by layer, without doing it: the model, its
 * optimizer and the random numbers are afterwards as they were. The step is made in one go, and
 * copies of all it computed are looked at afterwards, layer by layer.
 */

import { gradientsOf, noGrad } from '../autograd/tape.js';
import type { CallContext, Layer } from '../layers/index.js';
import type { Batch } from '../models/batches.js';
import type { Model } from '../models/model.js';
import { lossOf } from '../models/step.js';
import { defaultGenerator } from '../tensor/random.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { flatnessOf } from './flatness.js';
import type { Flatness } from './flatness.js';

/** Figures of one layer in one step. Layers used at several places stand once for each. */
export interface LayerHealth {
  readonly name: string;
  /** The layer's class. */
  readonly type: string;
  readonly layer: Layer;
  /** Mean and variance of all its results. */
  readonly mean: number;
  readonly variance: number;
  /** Share of units that are off for every sample; null when its activation is never off. */
  readonly deadShare: number | null;
  /** Share of results where its activation is flat; null when it never is. */
  readonly saturatedShare: number | null;
  /** Root mean square of the loss's gradient for its results, per sample; null without one. */
  readonly signal: number | null;
  /** Length of the loss's gradient for its trained weights; null when it has none. */
  readonly gradientNorm: number | null;
  /** Length of the step's change of its matrices over their length; null when it has none. */
  readonly updateRatio: number | null;
  /** Whether any of its results, or gradients of its weights, is NaN or infinite. */
  readonly finite: boolean;
}

export interface Measurement {
  readonly loss: number;
  /** Loss of the same batch, with the same random numbers, after the step. */
  readonly lossAfter: number;
  /** Layers in the order in which they were run, those that hold others left out. */
  readonly layers: readonly LayerHealth[];
  /** What the first layer with a matrix receives: its values per feature. */
  readonly received: FeatureStatistics | null;
}

/** Statistics of each feature (last axis) over a batch. */
export interface FeatureStatistics {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** Measures one step on one batch; others may have their turn where it yields. */
export function* measure(model: Model, batch: Batch): Generator<void, Measurement> {
  const { loss, lossAfter, layers: taken, received } = take(model, batch);
  const layers: LayerHealth[] = [];
  for (const each of taken) {
    yield;
    layers.push(figures(each));
  }
  yield;
  return { loss, lossAfter, layers, received: received && perFeature(...received) };
}

/** Copies of what a step computed. */
interface Taken {
  readonly loss: number;
  readonly lossAfter: number;
  readonly layers: readonly TakenLayer[];
  /** What reached the first layer with a matrix, and its number of features. */
  readonly received: readonly [values: ArrayLike<number>, features: number] | null;
}

interface TakenLayer {
  readonly layer: Layer;
  readonly output: ArrayLike<number>;
  /** Length of the output's last axis. */
  readonly units: number;
  /** Of the loss, for the output. */
  readonly gradient: ArrayLike<number> | null;
  readonly samples: number;
  readonly weights: readonly TakenWeight[];
}

/** A trained weight before and after the step. */
interface TakenWeight {
  readonly rank: number;
  readonly gradient: ArrayLike<number> | null;
  readonly before: ArrayLike<number>;
  readonly after: ArrayLike<number>;
}

function take(model: Model, batch: Batch): Taken {
  const scope = new Scope();
  const undo = remember(model);
  try {
    return step(model, batch);
  } finally {
    undo();
    scope.end();
  }
}

/** Copies of everything a step changes, and a function that puts it back. */
function remember(model: Model): () => void {
  const { optimizer } = model;
  const parameters = model.weights.map((weight) => weight.value);
  const values = noGrad(() => parameters.map((value) => value.copy()));
  const state = optimizer.state(parameters);
  const random = defaultGenerator.state();
  return () => {
    parameters.forEach((parameter, i) => parameter.assign(values[i]!));
    optimizer.restore(state, parameters);
    defaultGenerator.restore(random);
  };
}

/** One result of one layer. */
interface Seen {
  readonly layer: Layer;
  readonly output: Tensor;
}

/** Loss of a batch in training; `observe` is shown the layers' results. */
function forward(model: Model, batch: Batch, observe?: CallContext['observe']): Tensor {
  const penalties: Tensor[] = [];
  const outputs = model.applyAll(batch.inputs, {
    training: true,
    addLoss: (loss) => penalties.push(loss),
    ...(observe ? { observe } : {}),
  });
  return lossOf(model, model.compiled, outputs, batch, penalties).loss;
}

function step(model: Model, batch: Batch): Taken {
  const seen: Seen[] = [];
  const random = defaultGenerator.state();
  const loss = forward(model, batch, (layer, output) => {
    if (layer.sublayers.length === 0) seen.push({ layer, output });
  });
  const parameters = model.trainableWeights.map((weight) => weight.value);
  const wanted = [...parameters, ...seen.map(({ output }) => output)];
  const gradients = loss.requiresGrad ? gradientsOf(loss, wanted) : wanted.map(() => null);
  const weights = trained(model, parameters, gradients.slice(0, parameters.length));
  // Masks of dropout are the same again: another loss is the step's doing.
  defaultGenerator.restore(random);
  const lossAfter = noGrad(() => forward(model, batch).item() as number);
  const samples = batch.inputs[0]!.shape[0]!;
  return {
    loss: loss.item() as number,
    lossAfter,
    layers: seen.map(({ layer, output }, i) => ({
      layer,
      output: output.dataSync(),
      units: output.shape.at(-1) ?? 1,
      gradient: gradients[parameters.length + i]?.dataSync() ?? null,
      samples,
      weights: layer.weights.flatMap(({ value }) => weights.get(value) ?? []),
    })),
    received: receivedBy(seen, batch),
  };
}

/** Makes the optimizer's step, and takes what it moves; nothing where no weight has a gradient. */
function trained(
  model: Model,
  parameters: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): Map<Tensor, TakenWeight> {
  if (gradients.every((gradient) => gradient === null)) return new Map();
  const before = parameters.map((parameter) => parameter.dataSync());
  move(model, parameters, gradients);
  return new Map(
    parameters.map((parameter, i) => [
      parameter,
      {
        rank: parameter.rank,
        gradient: gradients[i]?.dataSync() ?? null,
        before: before[i]!,
        after: parameter.dataSync(),
      },
    ]),
  );
}

function move(
  model: Model,
  parameters: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): void {
  const { optimizer } = model;
  // Optimizers that accumulate gradients move once in several steps: see the step that moves.
  const updates = optimizer.iterations;
  const names = model.trainableWeights.map((weight) => weight.name);
  for (let i = 0; i < (optimizer.gradientAccumulationSteps ?? 1); i++) {
    if (optimizer.iterations > updates) break;
    noGrad(() => optimizer.apply(parameters, gradients, names));
  }
}

function figures({ layer, output, units, gradient, samples, weights }: TakenLayer): LayerHealth {
  const { mean, variance } = moments(output);
  const flatness = flatnessOf(layer);
  const squares = weights.flatMap((each) => (each.gradient ? [sumOfSquares(each.gradient)] : []));
  const gradientNorm = squares.length > 0 ? Math.sqrt(squares.reduce((a, b) => a + b)) : null;
  return {
    name: layer.name,
    type: layer.constructor.name,
    layer,
    mean,
    variance,
    deadShare: deadShare(output, units, flatness),
    saturatedShare: saturatedShare(output, flatness),
    // A mean over the batch divides each sample's gradient by their number.
    signal: gradient
      ? samples * Math.sqrt(sumOfSquares(gradient) / Math.max(1, gradient.length))
      : null,
    gradientNorm,
    updateRatio: updateRatio(weights),
    finite: Number.isFinite(variance) && Number.isFinite(gradientNorm ?? 0),
  };
}

/** Of matrices only: biases begin at 0, so that any change of theirs is infinitely large. */
function updateRatio(weights: readonly TakenWeight[]): number | null {
  let [change, length] = [0, 0];
  for (const { before, after } of weights.filter(({ rank }) => rank >= 2)) {
    for (let i = 0; i < before.length; i++) {
      change += (after[i]! - before[i]!) ** 2;
      length += before[i]! ** 2;
    }
  }
  return length > 0 ? Math.sqrt(change / length) : null;
}

function deadShare(values: ArrayLike<number>, units: number, flat: Flatness | null): number | null {
  const off = flat?.off ?? null;
  if (off === null || units === 0) return null;
  const alive = new Uint8Array(units);
  for (let i = 0; i < values.length; i++) if (values[i]! > off) alive[i % units] = 1;
  return alive.filter((each) => each === 0).length / units;
}

function saturatedShare(values: ArrayLike<number>, flat: Flatness | null): number | null {
  const bounds = flat?.saturated ?? null;
  if (bounds === null || values.length === 0) return null;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < bounds[0] || values[i]! > bounds[1]) count++;
  }
  return count / values.length;
}

/** What reached the first layer with a matrix: another layer's result, or the model's input. */
function receivedBy(seen: readonly Seen[], batch: Batch): Taken['received'] {
  const at = seen.findIndex(({ layer }) => layer.weights.some(({ value }) => value.rank >= 2));
  if (at < 0) return null;
  const x = at === 0 ? batch.inputs[0]! : seen[at - 1]!.output;
  return [x.dataSync(), x.shape.at(-1) ?? 1];
}

// ---- numbers ------------------------------------------------------------------------------------

function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

/** Mean and variance. */
function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, variance: squares / values.length };
}

/** Row by row: columns of a few thousand features would take tens of milliseconds. */
function perFeature(values: ArrayLike<number>, features: number): FeatureStatistics {
  const rows = Math.floor(values.length / features);
  const means = new Float64Array(features);
  for (let i = 0, f = 0; i < rows * features; i++, f = f + 1 === features ? 0 : f + 1) {
    means[f]! += values[i]!;
  }
  for (let f = 0; f < features; f++) means[f]! /= rows;
  const squares = new Float64Array(features);
  for (let i = 0, f = 0; i < rows * features; i++, f = f + 1 === features ? 0 : f + 1) {
    squares[f]! += (values[i]! - means[f]!) ** 2;
  }
  return {
    means: Array.from(means),
    deviations: Array.from(squares, (sum) => Math.sqrt(sum / rows)),
  };
}
