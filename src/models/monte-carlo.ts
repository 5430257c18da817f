/**
 * Monte-Carlo prediction: how sure a model is, from how much its answers vary when dropout and
 * noise act. Nothing is retrained or rebuilt.
 */

import { noGrad } from '../autograd/tape.js';
import type { Layer } from '../layers/layer.js';
import { add, affine, log, maximum, mul, sqrt, sub } from '../ops/elementwise.js';
import { concat } from '../ops/move.js';
import { sum } from '../ops/reduce.js';
import { zerosLike } from '../tensor/create.js';
import { checkInteger } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import type { TensorBatches } from './batches.js';
import { turns } from './turns.js';

export interface MonteCarloOptions {
  /** Predictions per sample of the data. Default 100. */
  readonly samples?: number;
  /** Samples of the data at a time. Default 256. */
  readonly batchSize?: number;
}

/** Several predictions of one output, summed up. */
export interface Uncertainty {
  /** [samples, ...] */
  readonly mean: Tensor;
  /** Of the predictions (divided by their number, as numpy's std); [samples, ...]. */
  readonly standardDeviation: Tensor;
  /**
   * Of the mean prediction as a distribution over the last axis, −Σ p log p in nats; of one
   * probability p the entropy of p and 1 − p; [samples, ..., without the last axis]. Null when the
   * outputs are not probabilities.
   */
  readonly entropy: Tensor | null;
}

/** An {@link Uncertainty} per output, in the structure of the outputs. */
export type Uncertainties<Y> = Y extends Tensor
  ? Uncertainty
  : { -readonly [K in keyof Y]: Uncertainty };

/** Samples the model's outputs for all batches. @internal */
export async function predictSamples(
  model: Layer,
  batches: TensorBatches,
  options: MonteCarloOptions,
): Promise<Uncertainty[]> {
  const samples = checkInteger(options.samples ?? 100, 1, Infinity, 'predictMC: samples');
  const parts: Running[][] = [];
  const turn = turns();
  for (let step = 0; step < batches.steps; step++) {
    const running: Running[] = [];
    for (let sample = 0; sample < samples; sample++) {
      noGrad(() => takeSample(model, batches, step, running));
      await turn();
    }
    parts.push(running);
  }
  return noGrad(() => parts[0]!.map((_, output) => summedUp(parts.map((each) => each[output]!))));
}

/** Mean and squared deviations of the predictions so far (Welford 1962). */
interface Running {
  count: number;
  readonly mean: Tensor;
  readonly squares: Tensor;
}

function takeSample(model: Layer, batches: TensorBatches, step: number, running: Running[]): void {
  const scope = new Scope();
  try {
    const { inputs } = batches.batch(step);
    model.applyAll(inputs, { training: false, sampling: true }).forEach((y, output) => {
      const each = (running[output] ??= {
        count: 0,
        mean: scope.keep(zerosLike(y)),
        squares: scope.keep(zerosLike(y)),
      });
      each.count++;
      const before = sub(y, each.mean);
      each.mean.assign(add(each.mean, affine(before, 1 / each.count, 0)));
      each.squares.assign(add(each.squares, mul(before, sub(y, each.mean))));
    });
  } finally {
    scope.end();
  }
}

function summedUp(parts: readonly Running[]): Uncertainty {
  const join = (list: readonly Tensor[]): Tensor =>
    list.length === 1 ? list[0]! : concat(list, 0);
  const mean = join(parts.map((each) => each.mean));
  const squares = join(parts.map((each) => each.squares));
  const standardDeviation = sqrt(affine(maximum(squares, 0), 1 / parts[0]!.count, 0));
  return { mean, standardDeviation, entropy: entropyOf(mean) };
}

/** See {@link Uncertainty.entropy}. */
function entropyOf(p: Tensor): Tensor | null {
  const classes = p.shape.at(-1);
  if (p.rank < 2 || classes === undefined || !isProbability(p, classes)) return null;
  const terms = (each: Tensor): Tensor => mul(each, log(maximum(each, 1e-30)));
  const negative = classes === 1 ? add(terms(p), terms(affine(p, -1, 1))) : terms(p);
  return affine(sum(negative, -1), -1, 0);
}

/** Whether values are probabilities: single ones, or distributions over the last axis. */
function isProbability(p: Tensor, classes: number): boolean {
  const values = p.dataSync();
  if (!values.every((value) => value >= 0 && value <= 1 + 1e-5)) return false;
  if (classes === 1) return true;
  return sum(p, -1)
    .dataSync()
    .every((total) => Math.abs(total - 1) < 1e-3);
}
