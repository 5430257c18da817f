/**
 * Rectangular regions of a tensor: taking one out and putting one in, each the other's gradient.
 * Slices, flips and padding are such regions; concatenation and splitting (move.ts) use them.
 */

import type { DType } from '../backends/dtype.js';
import { track, tracks } from '../autograd/tape.js';
import { describe, ShapeError, ValueError } from '../errors.js';
import { asTensor, full } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxes, showShape, stridesOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { empty, Tensor } from '../tensor/tensor.js';
import { copyBetween, viewAs } from './copy.js';

/** Along each axis: the positions start, start + step, …, `counts` of them. */
export interface Region {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly counts: readonly number[];
}

/** What to take along one axis: a position (which drops the axis), everything, or a range. */
export type Range =
  number | null | readonly [start: number | null, stop?: number | null, step?: number];

// ---- regions ------------------------------------------------------------------------------------

/** The values of a region of x; shares x's memory when they lie together. @internal */
export function takeRegion<D extends DType>(name: string, x: Tensor<D>, region: Region): Tensor<D> {
  const out = liesTogether(x.shape, region)
    ? new Tensor(x.storage, region.counts, x.dtype, x.offset + offsetOf(x.shape, region))
    : empty(x.backend, region.counts, x.dtype);
  if (out.storage !== x.storage) {
    const strides = stridesOf(x.shape).map((stride, axis) => stride * region.steps[axis]!);
    const offset = offsetOf(x.shape, region);
    copyBetween(out, 0, stridesOf(region.counts), x, offset, strides, region.counts);
  }
  if (!tracks(x)) return out;
  return track(out, name, [x], [], (g) => [placeRegion(name, g, region, x.shape, 0)]);
}

/** A tensor of `shape` filled with `value`, holding x in a region. @internal */
export function placeRegion<D extends DType>(
  name: string,
  x: Tensor<D>,
  region: Region,
  shape: Shape,
  value: number,
): Tensor<D> {
  const out = full(shape, value, { dtype: x.dtype, device: x.device });
  putRegion(out, x, region);
  if (!tracks(x)) return out;
  return track(out, name, [x], [], (g) => [takeRegion(name, g, region)]);
}

/** Writes x into a region of out, in place. @internal */
export function putRegion(out: Tensor, x: Tensor, region: Region): void {
  const strides = stridesOf(out.shape).map((stride, axis) => stride * region.steps[axis]!);
  copyBetween(out, offsetOf(out.shape, region), strides, x, 0, stridesOf(x.shape), region.counts);
}

/** A whole shape as a region, to change one axis of. @internal */
export function wholeOf(shape: Shape): { starts: number[]; steps: number[]; counts: number[] } {
  return { starts: shape.map(() => 0), steps: shape.map(() => 1), counts: [...shape] };
}

/** True when a region is one run of memory: single positions, then one range, then whole axes. */
function liesTogether(shape: Shape, region: Region): boolean {
  const { steps, counts } = region;
  if (counts.includes(0)) return true;
  const range = counts.findIndex((count) => count !== 1);
  const whole = (axis: number): boolean => counts[axis] === shape[axis];
  const forward = (axis: number): boolean => counts[axis] === 1 || steps[axis] === 1;
  return (
    range < 0 ||
    counts.every((_, axis) => axis < range || (forward(axis) && (axis === range || whole(axis))))
  );
}

function offsetOf(shape: Shape, region: Region): number {
  if (region.counts.includes(0)) return 0;
  const strides = stridesOf(shape);
  return region.starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
}

// ---- slices -------------------------------------------------------------------------------------

/**
 * Part of a tensor, one range per axis; axes not mentioned are taken whole. A range is
 *
 * - a number: that position, and the axis is dropped (−1 is the last one);
 * - `null`: everything;
 * - `[start, stop, step]` as in Python's `start:stop:step`: negative bounds count from the end,
 *   bounds beyond the ends are cut, `null` means from the start or to the end, a negative step
 *   walks backwards.
 *
 * `x.slice([0, 10])` is the first ten rows. A run of leading positions shares the tensor's memory;
 * everything else is copied. Throws ShapeError for too many ranges, ValueError for a position
 * outside or a step of 0.
 */
export function slice<D extends DType>(x: TensorLike<D>, ...ranges: Range[]): Tensor<D> {
  const input = asTensor(x);
  if (ranges.length > input.rank) {
    throw new ShapeError(
      `slice: ${ranges.length} ranges given for shape ${showShape(input.shape)}, which has ` +
        `${input.rank} axes`,
    );
  }
  const region = wholeOf(input.shape);
  const kept = input.shape.map(() => true);
  ranges.forEach((range, axis) => {
    const extent = input.shape[axis]!;
    if (typeof range === 'number') {
      region.starts[axis] = positionOf(range, axis, extent);
      region.counts[axis] = 1;
      kept[axis] = false;
    } else if (range !== null) {
      const [start, step, count] = boundsOf(range, axis, extent);
      region.starts[axis] = start;
      region.steps[axis] = step;
      region.counts[axis] = count;
    }
  });
  const part = takeRegion('slice', input, region);
  return viewAs(
    part,
    part.shape.filter((_, axis) => kept[axis]),
  );
}

function positionOf(position: number, axis: number, extent: number): number {
  if (!Number.isInteger(position) || position < -extent || position >= extent) {
    throw new ValueError(
      `slice: position ${position} is outside axis ${axis} of size ${extent}` +
        (extent > 0 ? ` (from ${-extent} to ${extent - 1})` : ''),
    );
  }
  return position < 0 ? position + extent : position;
}

/** Start, step and count of a range, by Python's rules. */
function boundsOf(
  range: Exclude<Range, number | null>,
  axis: number,
  extent: number,
): [start: number, step: number, count: number] {
  checkRange(range, axis);
  const [from, to] = range;
  const step = range[2] ?? 1;
  if (step === 0) throw new ValueError(`slice: the step of axis ${axis} must not be 0`);
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const cut = (bound: number | null | undefined, absent: number): number => {
    if (bound === null || bound === undefined) return absent;
    return Math.min(Math.max(bound < 0 ? bound + extent : bound, low), high);
  };
  const start = cut(from, step > 0 ? low : high);
  const stop = cut(to, step > 0 ? high : low);
  return [start, step, Math.max(0, Math.ceil((stop - start) / step))];
}

function checkRange(range: unknown, axis: number): void {
  const whole = (value: unknown): boolean =>
    value === undefined || value === null || Number.isInteger(value);
  const list = Array.isArray(range) ? (range as unknown[]) : null;
  if (list && list.length >= 1 && list.length <= 3 && list.every(whole)) return;
  const got = list ? `[${list.map((each) => describe(each)).join(', ')}]` : describe(range);
  throw new ValueError(
    `slice: the range of axis ${axis} must be a whole number, null or [start, stop, step], ` +
      `not ${got}`,
  );
}

/** The values in reverse order along the given axes; default all of them. */
export function flip<D extends DType>(
  x: TensorLike<D>,
  axes?: number | readonly number[],
): Tensor<D> {
  const input = asTensor(x);
  const region = wholeOf(input.shape);
  for (const axis of checkAxes(axes, input.rank, 'flip')) {
    region.starts[axis] = Math.max(0, input.shape[axis]! - 1);
    region.steps[axis] = -1;
  }
  return takeRegion('flip', input, region);
}

/**
 * The tensor with `value` (default 0) around it. `widths`: how much before and after, as one number
 * for every side or `[[before, after], …]` with one pair per axis.
 */
export function pad<D extends DType>(
  x: TensorLike<D>,
  widths: number | readonly (readonly [before: number, after: number])[],
  value = 0,
): Tensor<D> {
  const input = asTensor(x);
  const pairs = typeof widths === 'number' ? input.shape.map(() => [widths, widths]) : widths;
  const fits = (width: unknown): boolean => Number.isInteger(width) && (width as number) >= 0;
  if (!Array.isArray(pairs) || pairs.length !== input.rank) {
    throw new ShapeError(
      `pad: expected one pair [before, after] for each of the ${input.rank} axes of shape ` +
        `${showShape(input.shape)}, got ${describe(widths)}`,
    );
  }
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(fits)) {
      const got = Array.isArray(pair) ? showShape(pair) : describe(pair);
      throw new ValueError(`pad: widths are two whole numbers, 0 or more, not ${got}`);
    }
  }
  const shape = input.shape.map((extent, axis) => pairs[axis]![0]! + extent + pairs[axis]![1]!);
  const region = { ...wholeOf(input.shape), starts: pairs.map((pair) => pair[0]!) };
  return placeRegion('pad', input, region, shape, value);
}
