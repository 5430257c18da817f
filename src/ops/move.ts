/**
 * Rearranging values: new shapes, new orders of axes, tensors joined and taken apart. Reshaping
 * shares memory; everything that changes the order of values copies.
 */

import { promote } from '../backends/dtype.js';
import type { DType } from '../backends/dtype.js';
import { track, tracks } from '../autograd/tape.js';
import { describe, ShapeError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxes, checkAxis, checkInteger, checkShape } from '../tensor/shape.js';
import { showShape, sizeOf, stridesOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { empty, Tensor } from '../tensor/tensor.js';
import { broadcastTo } from './broadcast.js';
import { copyStrided, viewAs } from './copy.js';
import { cast } from './cast.js';
import { checkSameDevice } from './elementwise.js';
import { putRegion, takeRegion, wholeOf } from './slice.js';

// ---- shapes -------------------------------------------------------------------------------------

/**
 * The same values, in the same order, under another shape of the same size; shares memory. One
 * extent may be −1: it becomes whatever makes the sizes match.
 */
export function reshape<D extends DType>(x: TensorLike<D>, shape: Shape): Tensor<D> {
  const input = asTensor(x);
  const target = fillIn(shape, input);
  if (sizeOf(target) !== input.size) {
    throw new ShapeError(
      `reshape: shape ${showShape(input.shape)} has ${input.size} elements, ` +
        `${showShape(target)} has ${sizeOf(target)}`,
    );
  }
  return viewAs(input, target);
}

/** A shape with its −1 replaced. */
function fillIn(shape: Shape, input: Tensor): Shape {
  const open = Array.isArray(shape) ? shape.indexOf(-1) : -1;
  if (open < 0) return [...checkShape(shape, 'reshape')];
  const rest = shape.filter((_, axis) => axis !== open);
  const others = sizeOf(checkShape(rest, 'reshape'));
  if (others === 0 || input.size % others !== 0) {
    throw new ShapeError(
      `reshape: no extent for the -1 in ${showShape(shape)} fits the ${input.size} elements of ` +
        `shape ${showShape(input.shape)}`,
    );
  }
  return withExtent(shape, open, input.size / others);
}

const withExtent = (shape: Shape, at: number, extent: number): Shape =>
  shape.map((each, axis) => (axis === at ? extent : each));

/** Axes from `start` (default the first) to the last merged into one; shares memory. */
export function flatten<D extends DType>(x: TensorLike<D>, start = 0): Tensor<D> {
  const input = asTensor(x);
  if (input.rank === 0 && start === 0) return viewAs(input, [1]);
  const from = checkAxis(start, input.rank, 'flatten');
  return viewAs(input, [...input.shape.slice(0, from), sizeOf(input.shape.slice(from))]);
}

/** Without the given axes, which must have size 1; by default all axes of size 1 go. */
export function squeeze<D extends DType>(
  x: TensorLike<D>,
  axes?: number | readonly number[],
): Tensor<D> {
  const input = asTensor(x);
  const chosen = checkAxes(axes, input.rank, 'squeeze');
  const wrong = chosen.find((axis) => input.shape[axis] !== 1);
  if (axes !== undefined && wrong !== undefined) {
    throw new ShapeError(
      `squeeze: axis ${wrong} of shape ${showShape(input.shape)} has size ${input.shape[wrong]}, ` +
        'only axes of size 1 can be dropped',
    );
  }
  return viewAs(
    input,
    input.shape.filter((extent, axis) => extent !== 1 || !chosen.includes(axis)),
  );
}

/** With a new axis of size 1 at position `axis` of the result (−1: last). */
export function expandDims<D extends DType>(x: TensorLike<D>, axis: number): Tensor<D> {
  const input = asTensor(x);
  const at = checkAxis(axis, input.rank + 1, 'expandDims');
  return viewAs(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
}

// ---- order of axes ------------------------------------------------------------------------------

/**
 * Axis i of the result is axis `order[i]` of x; default: all axes reversed. Throws ShapeError
 * unless `order` names every axis once.
 */
export function transpose<D extends DType>(x: TensorLike<D>, order?: readonly number[]): Tensor<D> {
  const input = asTensor(x);
  if (order === undefined) return permute(input, [...input.shape.keys()].reverse());
  if (!Array.isArray(order) || order.length !== input.rank) {
    const got = Array.isArray(order) ? showShape(order) : describe(order);
    throw new ShapeError(
      `transpose: the order must name each of the ${input.rank} axes of shape ` +
        `${showShape(input.shape)} once, got ${got}`,
    );
  }
  const axes = order.map((axis) => checkAxis(axis as number, input.rank, 'transpose'));
  checkAxes(axes, input.rank, 'transpose');
  return permute(input, axes);
}

/** With two axes exchanged. */
export function swapAxes<D extends DType>(
  x: TensorLike<D>,
  first: number,
  second: number,
): Tensor<D> {
  const input = asTensor(x);
  const a = checkAxis(first, input.rank, 'swapAxes');
  const b = checkAxis(second, input.rank, 'swapAxes');
  const order = [...input.shape.keys()];
  order[a] = b;
  order[b] = a;
  return permute(input, order);
}

function permute<D extends DType>(x: Tensor<D>, order: readonly number[]): Tensor<D> {
  const shape = order.map((axis) => x.shape[axis]!);
  const moved = order.filter((axis) => x.shape[axis] !== 1);
  // Only axes of size 1 change places: the values stay in order.
  if (moved.every((axis, i) => i === 0 || axis > moved[i - 1]!)) return viewAs(x, shape);
  const strides = stridesOf(x.shape);
  const out = empty(x.backend, shape, x.dtype);
  const turned = order.map((axis) => strides[axis]!);
  copyStrided(out, x, shape, turned, 0);
  if (!tracks(x)) return out;
  const back = order.map((_, axis) => order.indexOf(axis));
  return track(out, 'transpose', [x], [], (g) => [permute(g, back)]);
}

// ---- joining and splitting ----------------------------------------------------------------------

/**
 * Tensors one after the other along an existing axis; their other axes must be equal. Different
 * dtypes give the wider one.
 */
export function concat<D extends DType>(tensors: readonly TensorLike<D>[], axis = 0): Tensor<D> {
  const parts = alike('concat', tensors);
  const first = parts[0]!;
  if (first.rank === 0) {
    throw new ShapeError('concat: scalars have no axis to join along; use stack()');
  }
  const at = checkAxis(axis, first.rank, 'concat');
  for (const part of parts) {
    if (part.rank === first.rank && part.shape.every((n, i) => i === at || n === first.shape[i])) {
      continue;
    }
    throw new ShapeError(
      `concat: shapes ${showShape(first.shape)} and ${showShape(part.shape)} may differ only in ` +
        `axis ${at}`,
    );
  }
  return join(parts, at);
}

function join<D extends DType>(parts: readonly Tensor<D>[], axis: number): Tensor<D> {
  const first = parts[0]!;
  const total = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const out = empty(first.backend, withExtent(first.shape, axis, total), first.dtype);
  let start = 0;
  const regions = parts.map((part) => {
    const region = wholeOf(part.shape);
    region.starts[axis] = start;
    start += part.shape[axis]!;
    return region;
  });
  parts.forEach((part, i) => putRegion(out, part, regions[i]!));
  if (!parts.some((part) => tracks(part))) return out;
  return track(out, 'concat', parts, [], (g) =>
    parts.map((part, i) => (part.requiresGrad ? takeRegion('concat', g, regions[i]!) : null)),
  );
}

/** Tensors of one shape along a new axis (default the first). */
export function stack<D extends DType>(tensors: readonly TensorLike<D>[], axis = 0): Tensor<D> {
  const parts = alike('stack', tensors);
  const first = parts[0]!;
  const at = checkAxis(axis, first.rank + 1, 'stack');
  for (const part of parts) {
    if (showShape(part.shape) !== showShape(first.shape)) {
      throw new ShapeError(
        `stack: shapes ${showShape(first.shape)} and ${showShape(part.shape)} must be equal`,
      );
    }
  }
  return concat(
    parts.map((part) => expandDims(part, at)),
    at,
  );
}

/** The list as tensors of one dtype on one device; at least one. */
function alike<D extends DType>(name: string, list: readonly TensorLike<D>[]): Tensor<D>[] {
  if (!Array.isArray(list) || list.length === 0) {
    throw new ShapeError(`${name}: expected an array of one tensor or more, got ${describe(list)}`);
  }
  const values = list as readonly TensorLike<D>[];
  const like = values.find((each): each is Tensor<D> => each instanceof Tensor);
  const tensors = values.map((each) => asTensor(each, like));
  tensors.forEach((each) => checkSameDevice(name, tensors[0]!, each));
  const dtype = tensors.reduce<DType>((wide, each) => promote(wide, each.dtype), 'bool');
  return tensors.map((each) => cast(each, dtype as D));
}

/**
 * Consecutive parts along an axis. `parts`: how many equal ones, or the size of each, which must
 * add up. Parts along the first axis share memory.
 */
export function split<D extends DType>(
  x: TensorLike<D>,
  parts: number | readonly number[],
  axis = 0,
): Tensor<D>[] {
  const input = asTensor(x);
  const at = checkAxis(axis, input.rank, 'split');
  const sizes = partSizes(parts, input.shape, at);
  let start = 0;
  return sizes.map((size) => {
    const region = wholeOf(input.shape);
    region.starts[at] = start;
    region.counts[at] = size;
    start += size;
    return takeRegion('split', input, region);
  });
}

function partSizes(parts: number | readonly number[], shape: Shape, axis: number): Shape {
  const extent = shape[axis]!;
  if (typeof parts !== 'number') {
    const total = checkShape(parts, 'split').reduce((sum, size) => sum + size, 0);
    if (total === extent) return parts;
    throw new ShapeError(
      `split: parts ${showShape(parts)} add up to ${total}, axis ${axis} of shape ` +
        `${showShape(shape)} has ${extent}`,
    );
  }
  // Nothing divides into any number of parts: that many tensors would not fit.
  checkInteger(parts, 1, Math.max(extent, 65536), 'split: the number of parts');
  if (extent % parts !== 0) {
    throw new ShapeError(
      `split: axis ${axis} of shape ${showShape(shape)} does not divide into ${parts} equal ` +
        'parts; give the size of each part',
    );
  }
  return new Array<number>(parts).fill(extent / parts);
}

/** Copies side by side: `repeats[i]` of them along axis i. A number repeats the last axis. */
export function tile<D extends DType>(
  x: TensorLike<D>,
  repeats: number | readonly number[],
): Tensor<D> {
  const input = asTensor(x);
  const given = checkShape(typeof repeats === 'number' ? [repeats] : repeats, 'tile');
  const rank = Math.max(given.length, input.rank);
  const counts = [...new Array<number>(rank - given.length).fill(1), ...given];
  const shape = [...new Array<number>(rank - input.rank).fill(1), ...input.shape];
  // [r0, n0, r1, n1, …]: every axis behind an axis of its copies.
  const apart = viewAs(
    input,
    shape.flatMap((extent) => [1, extent]),
  );
  const spread = broadcastTo(
    apart,
    shape.flatMap((extent, axis) => [counts[axis]!, extent]),
  );
  return viewAs(
    spread,
    shape.map((extent, axis) => counts[axis]! * extent),
  );
}

export { broadcastTo };
