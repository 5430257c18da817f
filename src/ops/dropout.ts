/**
 * Noise for regularization. Dropout stores no mask: the backward pass computes the same random
 * numbers again from their place in the stream.
 */

import { track, tracks } from '../autograd/tape.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { defaultGenerator, normal } from '../tensor/random.js';
import type { Generator, Stream } from '../tensor/random.js';
import { emptyLike } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DType, FloatDType } from '../backends/dtype.js';
import { checkNumber, partialShare } from '../values.js';
import { add, checkFloat, mul } from './elementwise.js';

export interface NoiseOptions {
  /** Where the random numbers come from; default the default generator. */
  readonly generator?: Generator;
}

/** The x of a noise function: float, with a rate (if any) of at least 0 and below 1. */
function checked<D extends DType>(name: string, value: TensorLike<D>, rate: number): Tensor<D> {
  checkNumber(rate, `${name}: rate`, partialShare);
  const x = asTensor(value);
  checkFloat(name, x);
  return x;
}

/** Element by element a · x + b where it is kept, c where it is dropped. */
function drop<D extends DType>(
  name: string,
  x: Tensor<D>,
  rate: number,
  [a, b, c]: readonly [number, number, number],
  stream: Stream,
): Tensor<D> {
  const out = emptyLike(x);
  if (out.size > 0) {
    const { key0, key1, counter0, counter1 } = stream;
    x.backend.dropout(out.buffer, x.buffer, rate, a, b, c, key0, key1, counter0, counter1);
  }
  if (!tracks(x)) return out;
  return track(out, name, [x], [], (g) => [drop(name, g, rate, [a, 0, 0], stream)]);
}

/**
 * Sets each element to 0 with probability `rate` and scales the others by 1 / (1 − rate)
 * (Srivastava et al. 2014). Throws ValueError for a rate outside [0, 1).
 */
export function dropout<D extends DType>(
  value: TensorLike<D>,
  rate: number,
  options: NoiseOptions = {},
): Tensor<D> {
  const x = checked('dropout', value, rate);
  if (rate === 0) return x;
  const stream = (options.generator ?? defaultGenerator).take(x.size);
  return drop('dropout', x, rate, [1 / (1 - rate), 0, 0], stream);
}

/** SELU's limit for x → −∞, −scale · alpha. */
const seluLimit = -1.7580993408473766;

/**
 * Dropout for self-normalizing networks: dropped elements take SELU's negative limit, then all are
 * scaled and shifted so that mean 0 and variance 1 stay (Klambauer et al. 2017).
 */
export function alphaDropout<D extends DType>(
  value: TensorLike<D>,
  rate: number,
  options: NoiseOptions = {},
): Tensor<D> {
  const x = checked('alphaDropout', value, rate);
  if (rate === 0) return x;
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * seluLimit ** 2));
  const b = -a * seluLimit * rate;
  const stream = (options.generator ?? defaultGenerator).take(x.size);
  return drop('alphaDropout', x, rate, [a, b, a * seluLimit + b], stream);
}

/** Adds normal noise of mean 0 and deviation `std`. */
export function gaussianNoise<D extends DType>(
  value: TensorLike<D>,
  std: number,
  options: NoiseOptions = {},
): Tensor<D> {
  const x = checked('gaussianNoise', value, 0);
  return add(x, noiseLike(x, 0, std, options)) as Tensor<D>;
}

/**
 * Multiplies by normal noise of mean 1 and deviation √(rate / (1 − rate)), the spread that dropout
 * of that rate has (Srivastava et al. 2014, section 10).
 */
export function gaussianDropout<D extends DType>(
  value: TensorLike<D>,
  rate: number,
  options: NoiseOptions = {},
): Tensor<D> {
  const x = checked('gaussianDropout', value, rate);
  return mul(x, noiseLike(x, 1, Math.sqrt(rate / (1 - rate)), options)) as Tensor<D>;
}

function noiseLike(x: Tensor, mean: number, std: number, options: NoiseOptions): Tensor {
  const dtype = x.dtype as FloatDType;
  return normal(x.shape, { mean, std, dtype, device: x.device, ...options });
}
