/**
 * Reductions over axes: (x, axis, { keepDims }). `axis` is a number, a list, or undefined for all;
 * reduced axes disappear, or stay with size 1 under `keepDims`.
 */

import { isFloat } from '../backends/dtype.js';
import type { DType, SumOf } from '../backends/dtype.js';
import { gradientsByTwin } from '../autograd/fused.js';
import { noGrad, track, tracks } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxes, checkAxis, showShape, sizeOf } from '../tensor/shape.js';
import { emptyLike } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { sumAxes } from './broadcast.js';
import { viewAs } from './copy.js';
import { cast } from './cast.js';
import { add, div, equal, mul } from './elementwise.js';
import { concat, transpose } from './move.js';
import { slice } from './slice.js';
import { dropAxes, keptShape, runReduction } from './reduction.js';

/** Axes to reduce: one, several, or (absent) all. */
export type Axes = number | readonly number[] | null | undefined;

export interface ReduceOptions {
  /** Leave reduced axes in the shape with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** How many elements are reduced to one. @internal */
export const countOf = (x: Tensor, axes: readonly number[]): number =>
  axes.reduce((product, axis) => product * x.shape[axis]!, 1);

/** The dtype whole numbers are added up in. */
const widened = (x: Tensor): Tensor => (isFloat(x.dtype) ? x : cast(x, 'int32'));

// ---- sums ---------------------------------------------------------------------------------------

/** Sum; 0 over no elements. Integers and bool are added up as int32. */
export function sum<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: ReduceOptions = {},
): Tensor<SumOf<D>> {
  const input: Tensor = asTensor(x);
  const axes = checkAxes(axis, input.rank, 'sum');
  const kept = axes.length === 0 ? widened(input) : sumAxes(input, axes);
  return dropAxes(kept, axes, options.keepDims ?? false) as Tensor<SumOf<D>>;
}

// ---- running sums -------------------------------------------------------------------------------

export interface CumsumOptions {
  /** Add up from the end. Default false. */
  readonly reverse?: boolean;
}

/** Running sum along an axis (default the last). Integers and bool are added up as int32. */
export function cumsum<D extends DType>(
  x: TensorLike<D>,
  axis = -1,
  options: CumsumOptions = {},
): Tensor<SumOf<D>> {
  const input = widened(asTensor(x));
  const at = checkAxis(axis, input.rank, 'cumsum');
  return runningSum(input, at, options.reverse ?? false) as Tensor<SumOf<D>>;
}

function runningSum(x: Tensor, axis: number, reverse: boolean): Tensor {
  const out = emptyLike(x);
  if (out.size > 0) {
    const outer = sizeOf(x.shape.slice(0, axis));
    const inner = sizeOf(x.shape.slice(axis + 1));
    out.backend.cumsum(out.buffer, x.buffer, outer, x.shape[axis]!, inner, reverse);
  }
  if (!tracks(x)) return out;
  return track(out, 'cumsum', [x], [], (g) => [runningSum(g, axis, !reverse)]);
}

// ---- products -----------------------------------------------------------------------------------

/** Product; 1 over no elements. Integers and bool are multiplied as int32. */
export function prod<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: ReduceOptions = {},
): Tensor<SumOf<D>> {
  const input = widened(asTensor(x));
  const axes = checkAxes(axis, input.rank, 'prod');
  const kept = runReduction('prod', input, axes, input.dtype);
  if (tracks(input)) {
    track(kept, 'prod', [input], [input], (g) =>
      gradientsByTwin((factors) => productTree(factors, axes), [input], g),
    );
  }
  return dropAxes(kept, axes, options.keepDims ?? false) as Tensor<SumOf<D>>;
}

/**
 * The product as multiplications of halves: its gradient is right where factors are 0, which the
 * product divided by the factor is not.
 */
function productTree(x: Tensor, axes: readonly number[]): Tensor {
  // 1, in a way that has a gradient (of no elements).
  if (countOf(x, axes) === 0) return add(sumAxes(x, axes), 1);
  const others = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const shape = keptShape(x.shape, axes);
  // [n, rest]: halves of the first axis are views.
  let factors = viewAs(transpose(x, [...axes, ...others]), [countOf(x, axes), sizeOf(shape)]);
  while (factors.shape[0]! > 1) {
    const count = factors.shape[0]!;
    const half = Math.floor(count / 2);
    const pairs = mul(slice(factors, [0, half]), slice(factors, [half, 2 * half]));
    factors = count % 2 === 0 ? pairs : concat([pairs, slice(factors, [2 * half, count])]);
  }
  return viewAs(factors, shape);
}

// ---- extremes -----------------------------------------------------------------------------------

function extreme<D extends DType>(
  name: 'max' | 'min',
  x: TensorLike<D>,
  axis: Axes,
  options: ReduceOptions,
): Tensor<D> {
  const input = asTensor(x);
  const axes = checkAxes(axis, input.rank, name);
  checkAny(name, input, axes);
  const kept = runReduction(name, input, axes, input.dtype);
  if (tracks(input)) {
    track(kept, name, [input], [input, kept], (g) => [mul(g, shares(input, kept, axes))]);
  }
  return dropAxes(kept, axes, options.keepDims ?? false) as Tensor<D>;
}

/** 1 / (number of elements equal to the extreme) where an element is, 0 elsewhere; a constant. */
function shares(x: Tensor, top: Tensor, axes: readonly number[]): Tensor {
  return noGrad(() => {
    const ties = cast(equal(x, top), x.dtype);
    return div(ties, sumAxes(ties, axes));
  });
}

/** Throws when there is nothing to choose from (but somewhere to put the choice). */
function checkAny(name: string, x: Tensor, axes: readonly number[]): void {
  if (countOf(x, axes) > 0 || sizeOf(keptShape(x.shape, axes)) === 0) return;
  throw new ShapeError(
    `${name}: no elements to choose from along ${axes.length === 1 ? 'axis' : 'axes'} ` +
      `${axes.join(', ')} of shape ${showShape(x.shape)}`,
  );
}

/**
 * Largest value; NaN where there is a NaN. Equal largest values share the gradient evenly. Throws
 * ShapeError over no elements.
 */
export function max<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: ReduceOptions = {},
): Tensor<D> {
  return extreme('max', x, axis, options);
}

/** Smallest value, otherwise as {@link max}. */
export function min<D extends DType>(
  x: TensorLike<D>,
  axis?: Axes,
  options: ReduceOptions = {},
): Tensor<D> {
  return extreme('min', x, axis, options);
}

function position(
  name: 'argMax' | 'argMin',
  x: TensorLike,
  axis: number | null | undefined,
  options: ReduceOptions,
): Tensor<'int32'> {
  const input = asTensor(x);
  const axes = checkAxes(axis, input.rank, name);
  checkAny(name, input, axes);
  const kept = runReduction(name, input, axes, 'int32');
  return dropAxes(kept, axes, options.keepDims ?? false) as Tensor<'int32'>;
}

/**
 * Position of the largest value along an axis, the first of equals; a NaN counts as the largest.
 * Without an axis: its position in the flattened tensor. Throws ShapeError over no elements.
 */
export function argMax(
  x: TensorLike,
  axis?: number | null,
  options: ReduceOptions = {},
): Tensor<'int32'> {
  return position('argMax', x, axis, options);
}

/** Position of the smallest value, otherwise as {@link argMax}. */
export function argMin(
  x: TensorLike,
  axis?: number | null,
  options: ReduceOptions = {},
): Tensor<'int32'> {
  return position('argMin', x, axis, options);
}

// ---- truth --------------------------------------------------------------------------------------

function truth(
  name: 'any' | 'all',
  x: TensorLike,
  axis: Axes,
  options: ReduceOptions,
): Tensor<'bool'> {
  const input = asTensor(x);
  const axes = checkAxes(axis, input.rank, name);
  const kept = runReduction(name, input, axes, 'bool');
  return dropAxes(kept, axes, options.keepDims ?? false) as Tensor<'bool'>;
}

/** Whether any value is not zero; false over no elements. */
export function any(x: TensorLike, axis?: Axes, options: ReduceOptions = {}): Tensor<'bool'> {
  return truth('any', x, axis, options);
}

/** Whether every value is not zero; true over no elements. */
export function all(x: TensorLike, axis?: Axes, options: ReduceOptions = {}): Tensor<'bool'> {
  return truth('all', x, axis, options);
}
