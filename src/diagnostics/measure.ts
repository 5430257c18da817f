/**
 * What a training step would do to a model, layer by layer, without doing it: the model, its
 * optimizer and the random numbers are afterwards as they were.
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

/** Measures one step on one batch. */
export function measure(model: Model, batch: Batch): Measurement {
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

function step(model: Model, batch: Batch): Measurement {
  const seen: Seen[] = [];
  const random = defaultGenerator.state();
  const loss = forward(model, batch, (layer, output) => {
    if (layer.sublayers.length === 0) seen.push({ layer, output });
  });
  const parameters = model.trainableWeights.map((weight) => weight.value);
  const wanted = [...parameters, ...seen.map(({ output }) => output)];
  const gradients = loss.requiresGrad ? gradientsOf(loss, wanted) : wanted.map(() => null);
  const ofWeights = new Map(parameters.map((parameter, i) => [parameter, gradients[i]!]));
  const changes = changesOf(model, parameters, gradients.slice(0, parameters.length));
  // Masks of dropout are the same again: another loss is the step's doing.
  defaultGenerator.restore(random);
  const lossAfter = noGrad(() => forward(model, batch).item() as number);
  const samples = batch.inputs[0]!.shape[0]!;
  return {
    loss: loss.item() as number,
    lossAfter,
    layers: seen.map(({ layer, output }, i) => {
      const gradient = gradients[parameters.length + i] ?? null;
      return figures(layer, output, gradient, ofWeights, changes, samples);
    }),
    received: receivedBy(seen, batch),
  };
}

/** How far the optimizer would move each parameter. */
function changesOf(
  model: Model,
  parameters: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): Map<Tensor, Ratio> {
  const changes = new Map<Tensor, Ratio>();
  if (gradients.every((gradient) => gradient === null)) return changes;
  const before = parameters.map((parameter) => parameter.dataSync());
  const { optimizer } = model;
  // Optimizers that accumulate gradients move once in several steps: see the step that moves.
  const updates = optimizer.iterations;
  const names = model.trainableWeights.map((weight) => weight.name);
  for (let i = 0; i < (optimizer.gradientAccumulationSteps ?? 1); i++) {
    if (optimizer.iterations > updates) break;
    noGrad(() => optimizer.apply(parameters, gradients, names));
  }
  parameters.forEach((parameter, i) => {
    const [old, now] = [before[i]!, parameter.dataSync()];
    let [change, length] = [0, 0];
    for (let at = 0; at < old.length; at++) {
      change += (now[at]! - old[at]!) ** 2;
      length += old[at]! ** 2;
    }
    changes.set(parameter, { change, length });
  });
  return changes;
}

/** Squared lengths of a change and of what is changed. */
interface Ratio {
  readonly change: number;
  readonly length: number;
}

function figures(
  layer: Layer,
  output: Tensor,
  gradient: Tensor | null,
  ofWeights: ReadonlyMap<Tensor, Tensor | null>,
  changes: ReadonlyMap<Tensor, Ratio>,
  samples: number,
): LayerHealth {
  const values = output.dataSync();
  const { mean, variance } = moments(values);
  const flatness = flatnessOf(layer);
  const own = layer.weights.map((weight) => weight.value);
  const squares = own.flatMap((value) => {
    const found = ofWeights.get(value);
    return found ? [sumOfSquares(found.dataSync())] : [];
  });
  const gradientNorm = squares.length > 0 ? Math.sqrt(squares.reduce((a, b) => a + b)) : null;
  return {
    name: layer.name,
    type: layer.constructor.name,
    layer,
    mean,
    variance,
    deadShare: deadShare(values, output.shape.at(-1) ?? 1, flatness),
    saturatedShare: saturatedShare(values, flatness),
    // A mean over the batch divides each sample's gradient by their number.
    signal: gradient
      ? samples * Math.sqrt(sumOfSquares(gradient.dataSync()) / Math.max(1, gradient.size))
      : null,
    gradientNorm,
    updateRatio: updateRatio(own, changes),
    finite: Number.isFinite(variance) && Number.isFinite(gradientNorm ?? 0),
  };
}

/** Of matrices only: biases begin at 0, so that any change of theirs is infinitely large. */
function updateRatio(own: readonly Tensor[], changes: ReadonlyMap<Tensor, Ratio>): number | null {
  const found = own.filter((value) => value.rank >= 2).flatMap((value) => changes.get(value) ?? []);
  const length = found.reduce((sum, each) => sum + each.length, 0);
  const change = found.reduce((sum, each) => sum + each.change, 0);
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
function receivedBy(seen: readonly Seen[], batch: Batch): FeatureStatistics | null {
  const at = seen.findIndex(({ layer }) => layer.weights.some(({ value }) => value.rank >= 2));
  if (at < 0) return null;
  const x = at === 0 ? batch.inputs[0]! : seen[at - 1]!.output;
  return perFeature(x.dataSync(), x.shape.at(-1) ?? 1);
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
