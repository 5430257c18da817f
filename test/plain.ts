/**
 * Arrays in plain TypeScript, as slow and obvious as possible: what operations are compared with.
 * Numbers are doubles; an array without a dtype stands for "the float dtype under test".
 */

import type { DType } from '../src/backends/dtype.js';

export interface Plain {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: DType | undefined;
}

export const plain = (
  shape: readonly number[],
  values: readonly number[],
  dtype?: DType,
): Plain => ({ shape, values, dtype });

export const scalar = (value: number, dtype?: DType): Plain => plain([], [value], dtype);

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, each) => n * each, 1);

/** Every position of a shape, in row-major order. */
export function positions(shape: readonly number[]): number[][] {
  return Array.from({ length: sizeOf(shape) }, (_, flat) => {
    const index = new Array<number>(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = flat % shape[axis]!;
      flat = Math.floor(flat / shape[axis]!);
    }
    return index;
  });
}

/** The array whose element at each position is `element(position)`. */
export function build(
  shape: readonly number[],
  element: (index: readonly number[]) => number,
  dtype?: DType,
): Plain {
  return plain(shape, positions(shape).map(element), dtype);
}

/** The element at a position. */
export function at(x: Plain, index: readonly number[]): number {
  let flat = 0;
  x.shape.forEach((extent, axis) => {
    const i = index[axis]!;
    if (!(i >= 0 && i < extent)) throw new Error(`position ${i} outside axis of ${extent}`);
    flat = flat * extent + i;
  });
  return x.values[flat]!;
}

/** The element that broadcasting puts at a position of a larger shape. */
export function atBroadcast(x: Plain, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return at(
    x,
    x.shape.map((extent, axis) => (extent === 1 ? 0 : index[lead + axis]!)),
  );
}

/** The shape that several broadcast to. */
export function broadcastShape(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return extents.find((extent) => extent !== 1) ?? 1;
  });
}

/** A copy of a list with one element replaced. */
export const replaceAt = (list: readonly number[], position: number, value: number): number[] =>
  list.map((each, i) => (i === position ? value : each));

/** f of the elements of arrays that broadcast together. */
export function zip(
  f: (...elements: number[]) => number,
  arrays: readonly Plain[],
  dtype?: DType,
): Plain {
  const shape = broadcastShape(...arrays.map((each) => each.shape));
  if (arrays.length === 1)
    return plain(
      shape,
      arrays[0]!.values.map((x) => f(x)),
      dtype,
    ); // fast
  return build(shape, (index) => f(...arrays.map((each) => atBroadcast(each, index))), dtype);
}

/** f of the list of values along the axes (in row-major order), for every other position. */
export function reduce(
  x: Plain,
  f: (values: number[]) => number,
  axes: readonly number[] = x.shape.map((_, axis) => axis),
  keepDims = false,
  dtype = x.dtype,
): Plain {
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const lists = new Map<string, number[]>(positions(kept).map((index) => [index.join(), []]));
  for (const index of positions(x.shape)) {
    lists.get(index.map((i, axis) => (axes.includes(axis) ? 0 : i)).join())!.push(at(x, index));
  }
  const shape = keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
  return plain(shape, [...lists.values()].map(f), dtype);
}

/** Each vector along an axis replaced by f of it, of another length where `extent` says so. */
export function alongAxis(
  x: Plain,
  axis: number,
  f: (values: number[]) => readonly number[],
  dtype = x.dtype,
  extent = x.shape[axis]!,
): Plain {
  const vectors = new Map<string, readonly number[]>();
  const key = (index: readonly number[]): string => replaceAt(index, axis, 0).join();
  for (const index of positions(replaceAt(x.shape, axis, 1))) {
    const length = { length: x.shape[axis]! };
    vectors.set(key(index), f(Array.from(length, (_, i) => at(x, replaceAt(index, axis, i)))));
  }
  const shape = replaceAt(x.shape, axis, extent);
  return build(shape, (index) => vectors.get(key(index))![index[axis]!]!, dtype);
}

/** Axes in another order: axis i of the result is axis order[i] of x. */
export function permute(x: Plain, order: readonly number[]): Plain {
  const shape = order.map((axis) => x.shape[axis]!);
  return build(
    shape,
    (index) =>
      at(
        x,
        order.map((_, axis) => index[order.indexOf(axis)]!),
      ),
    x.dtype,
  );
}

export const reshape = (x: Plain, shape: readonly number[]): Plain =>
  plain(shape, x.values, x.dtype);

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
