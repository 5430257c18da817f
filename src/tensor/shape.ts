/** Shape arithmetic: sizes, strides, broadcasting, axes. Knows no tensors. */

import { describe, ShapeError } from '../errors.js';
import { checkNumber } from '../values.js';

export type Shape = readonly number[];

/** Number of elements; the empty shape is a scalar, 1. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** `[2, 3]`, as shapes are written in messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Throws unless `shape` is an array of whole numbers ≥ 0 whose product a double holds exactly. */
export function checkShape(shape: unknown, where: string): Shape {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`${where}: a shape is an array like [2, 3], not ${describe(shape)}`);
  }
  for (const extent of shape as unknown[]) {
    if (typeof extent !== 'number' || !Number.isInteger(extent) || extent < 0) {
      const list = (shape as unknown[]).map((each) => describe(each)).join(', ');
      throw new ShapeError(`${where}: shape [${list}] needs whole numbers, 0 or more`);
    }
  }
  if (sizeOf(shape as number[]) > Number.MAX_SAFE_INTEGER) {
    throw new ShapeError(`${where}: shape ${showShape(shape as number[])} is too large`);
  }
  return shape as number[];
}

/** An axis from −rank to rank − 1 as 0 … rank − 1. */
export function checkAxis(axis: number, rank: number, where: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(
      rank === 0
        ? `${where}: axis ${describe(axis)} given, but a scalar has no axes`
        : `${where}: axis ${describe(axis)} is outside [${-rank}, ${rank - 1}] of a rank-${rank} tensor`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes to sort out: undefined means all; each checked, sorted, no repeats. */
export function checkAxes(
  axes: number | readonly number[] | undefined | null,
  rank: number,
  where: string,
): number[] {
  if (axes === undefined || axes === null) {
    const all = new Array<number>(rank);
    for (let axis = 0; axis < rank; axis++) all[axis] = axis; // Array.from takes half a microsecond
    return all;
  }
  const given: unknown = typeof axes === 'number' ? [axes] : axes;
  if (!Array.isArray(given)) {
    throw new ShapeError(
      `${where}: axes are a whole number or an array of them, not ${describe(axes)}`,
    );
  }
  const list = (given as number[]).map((axis) => checkAxis(axis, rank, where));
  list.sort((a, b) => a - b);
  for (let i = 1; i < list.length; i++) {
    if (list[i] === list[i - 1]) throw new ShapeError(`${where}: axis ${list[i]} is given twice`);
  }
  return list;
}

/** The shape both broadcast to (numpy's rule), or a ShapeError naming both. */
export function broadcastShapes(a: Shape, b: Shape, where: string): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${where}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast together ` +
          `(${m} against ${n}, counting axes from the right)`,
      );
    }
    shape[rank - i] = m === 1 ? n : m;
  }
  return shape;
}

/** Strides with which `shape` reads as `target`; 0 where it repeats. Shapes must broadcast. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]!));
}

/**
 * Merges neighbouring axes that every operand walks as one, and drops axes of size 1.
 * Returns the merged sizes and, per operand, its merged strides.
 */
export function mergeAxes(
  shape: Shape,
  strides: readonly (readonly number[])[],
): { sizes: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const last = sizes.length - 1;
    const joins =
      last >= 0 && merged.every((list, which) => list[last] === strides[which]![axis]! * size);
    if (joins) {
      sizes[last] = sizes[last]! * size;
      merged.forEach((list, which) => (list[last] = strides[which]![axis]!));
    } else {
      sizes.push(size);
      merged.forEach((list, which) => list.push(strides[which]![axis]!));
    }
  }
  return { sizes, strides: merged };
}

/** A whole number within [low, high], or a ValueError saying which argument is wrong. */
export function checkInteger(value: number, low: number, high: number, what: string): number {
  const min = low === -Infinity ? {} : { min: low };
  const max = high === Infinity ? {} : { max: high };
  return checkNumber(value, what, { ...min, ...max, whole: true });
}
