/**
 * What a training step would do to a model, layer by layer, without doing it: the step is tried,
 * and what it computed is looked at afterwards.
 */

import type { Layer } from '../layers/index.js';
import type { Batch } from '../models/batches.js';
import type { Model } from '../models/model.js';
import type { Tensor } from '../tensor/tensor.js';
import { flatnessOf } from './flatness.js';
import type { Flatness } from './flatness.js';
import { Pieces, tryStep } from './trial.js';
import type { TriedLayer, TriedWeight } from './trial.js';

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

/**
 * Measures one step on one batch. Others may have their turn where it yields: between the passes of
 * the step, and between those over its values.
 */
export function* measure(model: Model, batch: Batch): Generator<void, Measurement> {
  const pieces = new Pieces();
  try {
    const { loss, lossAfter, layers: tried } = yield* tryStep(model, batch, pieces);
    const samples = batch.inputs[0]!.shape[0]!;
    const layers: LayerHealth[] = [];
    for (const each of tried) layers.push(yield* figures(each, samples));
    const received = receivedBy(tried, batch);
    const statistics = received && (yield* perFeature(received));
    return { loss, lossAfter, layers, received: statistics };
  } finally {
    pieces.end();
  }
}

type Values = ArrayLike<number>;

function* figures(tried: TriedLayer, samples: number): Generator<void, LayerHealth> {
  const { layer, weights } = tried;
  yield;
  const output = tried.output.dataSync();
  const { mean, variance } = yield* moments(output);
  const flatness = flatnessOf(layer);
  const deadShare = deadShareOf(output, tried.output.shape.at(-1) ?? 1, flatness);
  const saturatedShare = saturatedShareOf(output, flatness);
  yield;
  const gradient = tried.gradient?.dataSync() ?? null;
  // A mean over the batch divides each sample's gradient by their number.
  const signal = gradient
    ? samples * Math.sqrt(sumOfSquares(gradient) / Math.max(1, gradient.length))
    : null;
  const gradientNorm = yield* gradientNormOf(weights);
  return {
    name: layer.name,
    type: layer.constructor.name,
    layer,
    mean,
    variance,
    deadShare,
    saturatedShare,
    signal,
    gradientNorm,
    updateRatio: yield* updateRatioOf(weights),
    finite: Number.isFinite(variance) && Number.isFinite(gradientNorm ?? 0),
  };
}

function* gradientNormOf(weights: readonly TriedWeight[]): Generator<void, number | null> {
  const gradients = weights.flatMap(({ gradient }) => gradient ?? []);
  let squares = 0;
  for (const gradient of gradients) {
    yield;
    squares += sumOfSquares(gradient.dataSync());
  }
  return gradients.length > 0 ? Math.sqrt(squares) : null;
}

/** Of matrices only: biases begin at 0, so that any change of theirs is infinitely large. */
function* updateRatioOf(weights: readonly TriedWeight[]): Generator<void, number | null> {
  let [change, length] = [0, 0];
  for (const { before, after } of weights.filter((each) => each.before.rank >= 2)) {
    yield;
    const [old, now] = [before.dataSync(), after.dataSync()];
    length += sumOfSquares(old);
    yield;
    change += sumOfSquaredDifferences(now, old);
  }
  return length > 0 ? Math.sqrt(change / length) : null;
}

function deadShareOf(values: Values, units: number, flat: Flatness | null): number | null {
  const off = flat?.off ?? null;
  if (off === null || units === 0) return null;
  const alive = new Uint8Array(units);
  for (let i = 0; i < values.length; i++) if (values[i]! > off) alive[i % units] = 1;
  return alive.filter((each) => each === 0).length / units;
}

function saturatedShareOf(values: Values, flat: Flatness | null): number | null {
  const bounds = flat?.saturated ?? null;
  if (bounds === null || values.length === 0) return null;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < bounds[0] || values[i]! > bounds[1]) count++;
  }
  return count / values.length;
}

/** What reached the first layer with a matrix: another layer's result, or the model's input. */
function receivedBy(tried: readonly TriedLayer[], batch: Batch): Tensor | null {
  const at = tried.findIndex(({ layer }) => layer.weights.some(({ value }) => value.rank >= 2));
  if (at < 0) return null;
  return at === 0 ? batch.inputs[0]! : tried[at - 1]!.output;
}

// ---- numbers ------------------------------------------------------------------------------------

function sumOfSquares(values: Values): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

function sumOfSquaredDifferences(a: Values, b: Values): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

/** Mean and variance. */
function* moments(values: Values): Generator<void, { mean: number; variance: number }> {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  yield;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, variance: squares / values.length };
}

/** Row by row: columns of a few thousand features would take tens of milliseconds. */
function* perFeature(x: Tensor): Generator<void, FeatureStatistics> {
  yield;
  const values = x.dataSync();
  const features = x.shape.at(-1) ?? 1;
  const rows = Math.floor(values.length / features);
  const means = new Float64Array(features);
  for (let i = 0, f = 0; i < rows * features; i++, f = f + 1 === features ? 0 : f + 1) {
    means[f]! += values[i]!;
  }
  for (let f = 0; f < features; f++) means[f]! /= rows;
  yield;
  const squares = new Float64Array(features);
  for (let i = 0, f = 0; i < rows * features; i++, f = f + 1 === features ? 0 : f + 1) {
    squares[f]! += (values[i]! - means[f]!) ** 2;
  }
  return {
    means: Array.from(means),
    deviations: Array.from(squares, (sum) => Math.sqrt(sum / rows)),
  };
}
