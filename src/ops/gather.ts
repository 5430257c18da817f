/**
 * Reading and adding by position. Indices are int32 tensors of any shape, or arrays of numbers;
 * every one is checked, and the first wrong one is named.
 */

import type { Backend } from '../backends/backend.js';
import { checkDType } from '../backends/dtype.js';
import type { DType } from '../backends/dtype.js';
import { track, tracks } from '../autograd/tape.js';
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { asTensor, full, tensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxis, checkInteger, sameShape, showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { empty, Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { checkSameDevice } from './elementwise.js';

/** Positions: whole numbers, as an integer tensor or nested arrays. */
export type Indices = TensorLike;

// ---- checks -------------------------------------------------------------------------------------

/** The indices as an int32 tensor on x's device. */
function indicesOf(name: string, indices: Indices, x: Tensor): Tensor<'int32'> {
  const given =
    indices instanceof Tensor ? indices : tensor(indices, { dtype: 'int32', device: x.device });
  checkSameDevice(name, x, given);
  if (given.dtype === 'int32' || given.dtype === 'uint8') return cast(given, 'int32');
  throw new DTypeError(
    `${name}: indices must be int32, not ${given.dtype}; use cast('int32')` +
      (given.dtype === 'bool' ? ', or where() to select by a condition' : ''),
  );
}

/** `index 7 (at [1, 2] of the indices)`, for the flat position of a wrong one. */
function showIndex(what: string, position: number, indices: Tensor): string {
  const { shape } = indices;
  const value = indices.dataSync()[position]!;
  if (shape.length === 0) return `${what} ${value}`;
  const place = shape.map((_, axis) => {
    const inner = sizeOf(shape.slice(axis + 1));
    return Math.floor(position / inner) % shape[axis]!;
  });
  const many = what === 'index' ? 'indices' : `${what}s`;
  return `${what} ${value} (at ${showShape(place)} of the ${many})`;
}

type IndexKernel = 'gather' | 'scatterAdd' | 'takeAlong' | 'putAlongAdd';

/** Runs one of the four kernels along an axis of `shape`, on arrays that are not empty. */
function run(
  name: string,
  kernel: IndexKernel,
  out: Tensor,
  x: Tensor,
  indices: Tensor<'int32'>,
  shape: Shape,
  axis: number,
): void {
  const along = kernel === 'gather' || kernel === 'scatterAdd';
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const count = along ? indices.size : indices.shape[axis]!;
  // Nothing to move, but wrong indices are wrong all the same.
  if (indices.size === 0) return;
  const n = shape[axis]!;
  const backend: Backend = out.backend;
  const wrong =
    out.size === 0 || x.size === 0
      ? firstOutside(indices, n)
      : backend[kernel](out.buffer, x.buffer, indices.buffer, outer, n, count, inner);
  if (wrong < 0) return;
  const range = n === 0 ? 'which is empty' : `which has positions 0 to ${n - 1}`;
  throw new ValueError(
    `${name}: ${showIndex('index', wrong, indices)} is outside axis ${axis}, ${range}`,
  );
}

function firstOutside(indices: Tensor<'int32'>, n: number): number {
  return indices.dataSync().findIndex((value) => value < 0 || value >= n);
}

// ---- whole slices -------------------------------------------------------------------------------

/**
 * Slices of x at positions along an axis (default the first): the result has the shape of x with
 * that axis replaced by the shape of `indices`. Positions may repeat; their gradients add up.
 * Throws ValueError naming the first position outside 0 … n − 1.
 */
export function gather<D extends DType>(x: TensorLike<D>, indices: Indices, axis = 0): Tensor<D> {
  const input = asTensor(x);
  const at = checkAxis(axis, input.rank, 'gather');
  const index = indicesOf('gather', indices, input);
  const shape = [...input.shape.slice(0, at), ...index.shape, ...input.shape.slice(at + 1)];
  const out = empty(input.backend, shape, input.dtype);
  run('gather', 'gather', out, input, index, input.shape, at);
  if (!tracks(input)) return out;
  return track(out, 'gather', [input], [index], (g) => {
    const zeros = full(input.shape, 0, { dtype: g.dtype, device: g.device });
    return [scatterAdd(zeros, index, g, at)];
  });
}

/**
 * A copy of x with `updates` added to the slices at positions along an axis (default the first);
 * `updates` has the shape that `gather(x, indices, axis)` has. Repeated positions add up, in order.
 */
export function scatterAdd<D extends DType>(
  x: TensorLike<D>,
  indices: Indices,
  updates: TensorLike<D>,
  axis = 0,
): Tensor<D> {
  const input = asTensor(x);
  const at = checkAxis(axis, input.rank, 'scatterAdd');
  const index = indicesOf('scatterAdd', indices, input);
  const added = cast(asTensor(updates, input), input.dtype);
  checkSameDevice('scatterAdd', input, added);
  const shape = [...input.shape.slice(0, at), ...index.shape, ...input.shape.slice(at + 1)];
  checkUpdates('scatterAdd', added, shape);
  return addInto('scatterAdd', 'scatterAdd', input, index, added, at, (g) => gather(g, index, at));
}

function checkUpdates(name: string, updates: Tensor, shape: Shape): void {
  if (sameShape(updates.shape, shape)) return;
  throw new ShapeError(
    `${name}: updates have shape ${showShape(updates.shape)}, expected ${showShape(shape)}`,
  );
}

/** x plus updates at indices, by a kernel whose gradient for the updates is `back`. */
function addInto<D extends DType>(
  name: string,
  kernel: IndexKernel,
  x: Tensor<D>,
  index: Tensor<'int32'>,
  updates: Tensor<D>,
  axis: number,
  back: (g: Tensor) => Tensor,
): Tensor<D> {
  if (x.dtype === 'bool') throw new DTypeError(`${name}: bool cannot be added; use cast('int32')`);
  const out = x.copy();
  run(name, kernel, out, updates, index, x.shape, axis);
  if (!tracks(x, updates)) return out;
  return track(out, name, [x, updates], [index], (g) => [
    x.requiresGrad ? g : null,
    updates.requiresGrad ? back(g) : null,
  ]);
}

// ---- single elements ----------------------------------------------------------------------------

/**
 * For each position of the result, the element of x at that position but at `indices` along the
 * axis (default the last), as numpy's take_along_axis: `indices` has the shape of x except along
 * that axis. With argMax or argsort kept in shape it gives the values themselves.
 */
export function takeAlongAxis<D extends DType>(
  x: TensorLike<D>,
  indices: Indices,
  axis = -1,
): Tensor<D> {
  const input = asTensor(x);
  const at = checkAxis(axis, input.rank, 'takeAlongAxis');
  const index = indicesOf('takeAlongAxis', indices, input);
  const fits =
    index.rank === input.rank &&
    index.shape.every((extent, i) => i === at || extent === input.shape[i]);
  if (!fits) {
    throw new ShapeError(
      `takeAlongAxis: indices ${showShape(index.shape)} and values ${showShape(input.shape)} may ` +
        `differ only in axis ${at}`,
    );
  }
  return takeAlong(input, index, at);
}

/** takeAlongAxis of checked arguments. @internal */
export function takeAlong<D extends DType>(
  x: Tensor<D>,
  index: Tensor<'int32'>,
  axis: number,
): Tensor<D> {
  const out = empty(x.backend, index.shape, x.dtype);
  run('takeAlongAxis', 'takeAlong', out, x, index, x.shape, axis);
  return tracks(x) ? trackTaken(out, x, index, axis) : out;
}

/** Records `out` as the elements of x at `index` along the axis. @internal */
export function trackTaken<D extends DType>(
  out: Tensor<D>,
  x: Tensor<D>,
  index: Tensor<'int32'>,
  axis: number,
): Tensor<D> {
  return track(out, 'takeAlongAxis', [x], [index], (g) => {
    const zeros = full(x.shape, 0, { dtype: g.dtype, device: g.device });
    const back = (each: Tensor): Tensor => takeAlong(each, index, axis);
    return [addInto('takeAlongAxis', 'putAlongAdd', zeros, index, g, axis, back)];
  });
}

// ---- labels -------------------------------------------------------------------------------------

/**
 * Labels as rows of 0 with a 1 at the label: shape [...labels, classes]. Default float32. Throws
 * ValueError naming the first label outside 0 … classes − 1.
 */
export function oneHot<D extends DType = 'float32'>(
  labels: Indices,
  classes: number,
  options: { readonly dtype?: D } = {},
): Tensor<D> {
  checkInteger(classes, 0, Infinity, 'oneHot: classes');
  const given = labels instanceof Tensor ? labels : tensor(labels, { dtype: 'int32' });
  const index = indicesOf('oneHot', given, given);
  const [count, device] = [index.size, index.device];
  const dtype = checkDType(options.dtype ?? 'float32', 'oneHot') as D;
  const out = full([...index.shape, classes], 0, { dtype, device });
  if (count === 0) return out;
  const ones = full([count], 1, { dtype, device });
  const wrong =
    classes === 0
      ? 0
      : out.backend.putAlongAdd(out.buffer, ones.buffer, index.buffer, count, classes, 1, 1);
  if (wrong < 0) return out;
  throw new ValueError(
    `oneHot: ${showIndex('label', wrong, index)} is outside the ${classes} classes` +
      (classes > 0 ? ` 0 to ${classes - 1}` : ''),
  );
}
