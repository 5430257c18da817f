/** Statistics and norms over axes, made of the reductions: same arguments as theirs. */

import { isFloat } from '../backends/dtype.js';
import type { DType, FloatOf } from '../backends/dtype.js';
import { noGrad, track, tracks } from '../autograd/tape.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxes } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber } from '../values.js';
import { sumAxes } from './broadcast.js';
import { cast } from './cast.js';
import { abs, add, div, equal, exp, isFinite, log, mul, pow, sign, sub } from './elementwise.js';
import { maximum, sqrt, where } from './elementwise.js';
import { countOf, max } from './reduce.js';
import type { Axes, ReduceOptions } from './reduce.js';
import { dropAxes, runReduction } from './reduction.js';

const toFloat = (x: Tensor): Tensor => (isFloat(x.dtype) ? x : cast(x, 'float32'));

/** Arithmetic mean; NaN over no elements. Integers give float32. */
export function mean<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: ReduceOptions = {},
): Tensor<FloatOf<D>> {
  const input: Tensor = asTensor(x);
  const axes = checkAxes(axis, input.rank, 'mean');
  return dropAxes(meanKept(input, axes), axes, options.keepDims ?? false) as Tensor<FloatOf<D>>;
}

function meanKept(x: Tensor, axes: readonly number[]): Tensor {
  return div(sumAxes(toFloat(x), axes), countOf(x, axes));
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count in the divisor: 1 for the unbiased estimate. Default 0. */
  readonly correction?: number;
}

/** Mean squared distance from the mean; biased unless `correction` is 1. Integers give float32. */
export function variance<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: VarianceOptions = {},
): Tensor<FloatOf<D>> {
  const input = toFloat(asTensor(x));
  const axes = checkAxes(axis, input.rank, 'variance');
  const { correction = 0, keepDims = false } = options;
  checkNumber(correction, 'variance: correction', { min: 0, infinite: true });
  const centred = sub(input, meanKept(input, axes));
  // numpy's rule: a correction of the count or more divides by 0, giving NaN or infinity.
  const divisor = Math.max(0, countOf(input, axes) - correction);
  const kept = div(sumSquares(centred, axes), divisor);
  return dropAxes(kept, axes, keepDims) as Tensor<FloatOf<D>>;
}

/** Square root of the {@link variance}. The gradient of equal values is zero. */
export function std<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: VarianceOptions = {},
): Tensor<FloatOf<D>> {
  const spread: Tensor = variance(x, axis, options);
  const y = noGrad(() => sqrt(spread));
  if (!tracks(spread)) return y as Tensor<FloatOf<D>>;
  return track(y, 'std', [spread], [y], (g) => {
    const zero = equal(y, 0);
    return [where(zero, 0, div(g, mul(where(zero, 1, y), 2)))];
  }) as Tensor<FloatOf<D>>;
}

/** Σ x² over sorted axes, kept at size 1, without an array of squares. */
function sumSquares(x: Tensor, axes: readonly number[]): Tensor {
  const y = runReduction('sumSquares', x, axes, x.dtype);
  if (!tracks(x)) return y;
  return track(y, 'sumSquares', [x], [x], (g) => [mul(mul(g, 2), x)]);
}

/** log Σ eˣ, without overflow; −∞ over no elements. Integers give float32. */
export function logSumExp<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: ReduceOptions = {},
): Tensor<FloatOf<D>> {
  const input = toFloat(asTensor(x));
  const axes = checkAxes(axis, input.rank, 'logSumExp');
  const kept = noGrad(() => {
    if (countOf(input, axes) === 0) return log(sumAxes(input, axes));
    const top = runReduction('max', input, axes, input.dtype);
    const shift = where(isFinite(top), top, 0);
    return add(log(sumAxes(exp(sub(input, shift)), axes)), shift);
  });
  if (tracks(input)) {
    track(kept, 'logSumExp', [input], [input, kept], (g) => [mul(g, exp(sub(input, kept)))]);
  }
  return dropAxes(kept, axes, options.keepDims ?? false) as Tensor<FloatOf<D>>;
}

// ---- norms --------------------------------------------------------------------------------------

export interface NormOptions extends ReduceOptions {
  /** The p of (Σ |x|ᵖ)^(1/p): 1 or more, or Infinity for the largest |x|. Default 2. */
  readonly order?: number;
}

/**
 * Length of the vectors along the axes (all elements by default). The gradient of a vector of
 * zeros is zero. Integers give float32. Throws ValueError for an order below 1.
 */
export function norm<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: NormOptions = {},
): Tensor<FloatOf<D>> {
  const { order = 2, keepDims = false } = options;
  checkNumber(order, 'norm: order', { min: 1, infinite: true });
  const input = toFloat(asTensor(x));
  const axes = checkAxes(axis, input.rank, 'norm');
  return dropAxes(normKept(input, axes, order), axes, keepDims) as Tensor<FloatOf<D>>;
}

/** x divided by its Euclidean norm along the axes, which counts as 1e-12 at least; same shape. */
export const l2Normalize = (x: Tensor, axes: Axes): Tensor =>
  div(x, maximum(norm(x, axes, { keepDims: true }), 1e-12));

function normKept(x: Tensor, axes: readonly number[], order: number): Tensor {
  if (order === Infinity) return max(abs(x), axes, { keepDims: true });
  if (order === 1) return sumAbs(x, axes);
  const y = noGrad(() =>
    order === 2
      ? sqrt(runReduction('sumSquares', x, axes, x.dtype))
      : pow(sumAxes(pow(abs(x), order), axes), 1 / order),
  );
  if (!tracks(x)) return y;
  // dy/dx = sign(x)·(|x| / y)^(p − 1), and 0 where y is 0.
  return track(y, 'norm', [x], [x, y], (g) => {
    const zero = equal(y, 0);
    const part = div(x, where(zero, 1, y));
    const slope = order === 2 ? part : mul(sign(x), pow(abs(part), order - 1));
    return [mul(where(zero, 0, g), slope)];
  });
}

/** Σ |x| over sorted axes, kept at size 1. */
function sumAbs(x: Tensor, axes: readonly number[]): Tensor {
  const y = runReduction('sumAbs', x, axes, x.dtype);
  if (!tracks(x)) return y;
  return track(y, 'sumAbs', [x], [x], (g) => [mul(g, sign(x))]);
}
