/** Normalization by statistics: of the batch (per channel), or of each sample. */

import { gradientsByTwin } from '../autograd/fused.js';
import { isRecording, track, tracks } from '../autograd/tape.js';
import type { DType } from '../backends/dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { checkAxes, showShape } from '../tensor/shape.js';
import { checkTensor, empty, emptyLike } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber } from '../values.js';
import { add, checkFloat, checkSameDevice, mul, rsqrt, sub } from './elementwise.js';
import { mean, variance } from './statistics.js';
import type { Axes } from './reduce.js';

export interface NormalizeOptions {
  /** Added to the variance. Default 1e-3, as in Keras. */
  readonly epsilon?: number;
}

/** A normalized batch with the statistics it was normalized by, which carry no gradient. */
export interface BatchNormResult<D extends DType = DType> {
  readonly output: Tensor<D>;
  /** [channels] */
  readonly mean: Tensor<D>;
  /** Biased variance, [channels]. */
  readonly variance: Tensor<D>;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) of x [..., channels] by its own statistics:
 * (x − mean) / √(biased variance + epsilon) · gamma + beta, with gamma and beta [channels] or null
 * for 1 and 0. Throws ShapeError, also for a batch without rows; DTypeError; DeviceError.
 */
export function batchNorm<D extends DType>(
  x: Tensor<D>,
  gamma: Tensor | null = null,
  beta: Tensor | null = null,
  options: NormalizeOptions = {},
): BatchNormResult<D> {
  const epsilon = epsilonOf('batchNorm', options);
  const channels = checkChannels('batchNorm', x, { gamma, beta });
  if (x.size === 0) {
    throw new ShapeError(
      `batchNorm: shape ${showShape(x.shape)} has no rows to take statistics of`,
    );
  }
  const rows = x.size / channels;
  const output = emptyLike(x);
  const statistic = (): Tensor<D> => empty(x.backend, [channels], x.dtype);
  const [average, inverse, spread] = [statistic(), statistic(), statistic()];
  x.backend.batchNorm(
    output.buffer,
    average.buffer,
    inverse.buffer,
    spread.buffer,
    x.buffer,
    gamma?.buffer ?? null,
    beta?.buffer ?? null,
    rows,
    channels,
    epsilon,
  );
  const result = { output, mean: average, variance: spread };
  if (!tracks(x, gamma, beta)) return result;
  const inputs = [x, gamma, beta].filter((each) => each !== null);
  const saved = [x, average, inverse, ...(gamma ? [gamma] : [])];
  track(output, 'batchNorm', inputs, saved, (g) => {
    if (isRecording()) {
      const twin = (...each: Tensor[]): Tensor =>
        composed(each[0]!, gamma && each[1]!, beta && each.at(-1)!, epsilon);
      return gradientsByTwin(twin, inputs, g);
    }
    const wanted = (each: Tensor | null): Tensor | null =>
      each?.requiresGrad ? emptyLike(each) : null;
    const [dx, dgamma, dbeta] = [wanted(x), wanted(gamma), wanted(beta)];
    x.backend.batchNormBackward(
      dx?.buffer ?? null,
      dgamma?.buffer ?? null,
      dbeta?.buffer ?? null,
      g.buffer,
      x.buffer,
      average.buffer,
      inverse.buffer,
      gamma?.buffer ?? null,
      rows,
      channels,
    );
    return [dx, ...(gamma ? [dgamma] : []), ...(beta ? [dbeta] : [])];
  });
  return result;
}

/** The composed twin: the same value from differentiable operations. */
function composed(x: Tensor, gamma: Tensor | null, beta: Tensor | null, epsilon: number): Tensor {
  const rows = [...x.shape.keys()].slice(0, -1);
  return scaled(standardized(x, rows, epsilon), gamma, beta);
}

/** (x − mean) / √(variance + epsilon) over the axes. */
function standardized(x: Tensor, axes: Axes, epsilon: number): Tensor {
  const keep = { keepDims: true };
  const inverse = rsqrt(add(variance(x, axes, keep), epsilon));
  return mul(sub(x, mean(x, axes, keep)), inverse);
}

function scaled(x: Tensor, gamma: Tensor | null, beta: Tensor | null): Tensor {
  const product = gamma ? mul(x, gamma) : x;
  return beta ? add(product, beta) : product;
}

/**
 * Batch normalization of x [..., channels] by given statistics, each [channels]:
 * (x − mean) / √(variance + epsilon) · gamma + beta, as one factor and one offset per channel.
 */
export function batchNormInference<D extends DType>(
  x: Tensor<D>,
  mean: Tensor,
  variance: Tensor,
  gamma: Tensor | null = null,
  beta: Tensor | null = null,
  options: NormalizeOptions = {},
): Tensor<D> {
  const epsilon = epsilonOf('batchNormInference', options);
  checkChannels('batchNormInference', x, { mean, variance, gamma, beta });
  const inverse = rsqrt(add(variance, epsilon));
  const factor = gamma ? mul(inverse, gamma) : inverse;
  const offset = mul(mean, factor);
  const product = mul(x, factor);
  return (beta ? add(product, sub(beta, offset)) : sub(product, offset)) as Tensor<D>;
}

export interface LayerNormOptions extends NormalizeOptions {
  /** Axes to normalize over; default the last. gamma and beta broadcast against x. */
  readonly axis?: number | readonly number[];
}

/**
 * Layer normalization (Ba, Kiros, Hinton 2016): each sample by its own mean and biased variance,
 * then times gamma plus beta (null for 1 and 0).
 */
export function layerNorm<D extends DType>(
  x: Tensor<D>,
  gamma: Tensor | null = null,
  beta: Tensor | null = null,
  options: LayerNormOptions = {},
): Tensor<D> {
  const epsilon = epsilonOf('layerNorm', options);
  checkTensor('layerNorm', x);
  checkFloat('layerNorm', x);
  const axes = checkAxes(options.axis ?? -1, x.rank, 'layerNorm');
  return scaled(standardized(x, axes, epsilon), gamma, beta) as Tensor<D>;
}

// ---- checks -------------------------------------------------------------------------------------

const epsilonOf = (name: string, { epsilon = 1e-3 }: NormalizeOptions): number =>
  checkNumber(epsilon, `${name}: epsilon`, { min: 0, infinite: true });

/** The number of channels of x, which everything else must have one value for. */
function checkChannels(
  name: string,
  x: Tensor,
  others: Readonly<Record<string, Tensor | null>>,
): number {
  checkTensor(name, x);
  checkFloat(name, x);
  const channels = x.shape.at(-1);
  if (channels === undefined) throw new ShapeError(`${name}: a scalar has no channels`);
  for (const [what, each] of Object.entries(others)) {
    if (each === null) continue;
    checkTensor(name, each);
    if (each.rank !== 1 || each.size !== channels) {
      throw new ShapeError(
        `${name}: ${what} has shape ${showShape(each.shape)}, expected [${channels}] for input ` +
          showShape(x.shape),
      );
    }
    if (each.dtype !== x.dtype) {
      throw new DTypeError(`${name}: ${what} is ${each.dtype}, the input ${x.dtype}; use cast()`);
    }
    checkSameDevice(name, x, each);
  }
  return channels;
}
