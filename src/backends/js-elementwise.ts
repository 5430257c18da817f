/** Elementwise kernels of the `js` backend: running the generated loops, selection, conversion. */

import { DTypeError } from '../errors.js';
import type { HostArray } from './backend.js';
import { dtypeOf } from './dtype.js';
import type { Loop } from './js-loops.js';
import { isTabulated, mapTabulated } from './js-tables.js';
import { kernels } from './kernels.js';
import { loadLoops } from './load-loops.js';

const int32Limits = [-(2 ** 31), 2 ** 31 - 1] as const;
const uint8Limits = [0, 255] as const;

/** Range of an integer array's elements; undefined for float arrays. */
function integerLimits(array: HostArray): readonly [number, number] | undefined {
  if (array instanceof Int32Array) return int32Limits;
  return array instanceof Uint8Array ? uint8Limits : undefined;
}

/** A number as an array's dtype has it: see `cast` in backend.ts. */
function convert(array: HostArray, value: number): number {
  const limits = integerLimits(array);
  if (!limits) return value;
  return Math.trunc(Math.min(Math.max(value, limits[0]), limits[1])) || 0;
}

function loopFor(kernel: number, input: HostArray): Loop {
  const { float32Loops, float64Loops, integerLoops } = loadLoops();
  const loops =
    input instanceof Float32Array
      ? float32Loops
      : input instanceof Float64Array
        ? float64Loops
        : integerLoops;
  const loop = loops[kernel];
  if (loop) return loop;
  const name = kernels[kernel]?.name ?? `number ${kernel}`;
  throw new DTypeError(`kernel ${name} is not defined for ${dtypeOf(input)}: cast to float32`);
}

/** The walk of a flat run: `[1, 1, n]` and for each operand its stride, 0 or 1. */
const flatWalk = new Int32Array(15);
flatWalk[0] = 1;
flatWalk[1] = 1;

/** Longest flat run, a walk's counts being int32. */
const longest = 2 ** 30;

/** See `map` in backend.ts. */
export function map(
  kernel: number,
  out: HostArray,
  x0: HostArray,
  x1: HostArray | null,
  x2: HostArray | null,
  x3: HostArray | null,
  p: number,
  q: number,
): void {
  if (x0 instanceof Float32Array && isTabulated(kernel) && out.length === x0.length) {
    mapTabulated(kernel, out as Float32Array, x0, p, q);
    return;
  }
  if (out.length > longest) {
    mapParts(kernel, out, [x0, x1, x2, x3], p, q);
    return;
  }
  flatWalk[2] = out.length;
  flatWalk[5] = x0.length === 1 ? 0 : 1;
  if (x1) flatWalk[8] = x1.length === 1 ? 0 : 1;
  if (x2) flatWalk[11] = x2.length === 1 ? 0 : 1;
  if (x3) flatWalk[14] = x3.length === 1 ? 0 : 1;
  mapStrided(kernel, out, x0, x1, x2, x3, p, q, flatWalk);
}

function mapParts(
  kernel: number,
  out: HostArray,
  operands: readonly (HostArray | null)[],
  p: number,
  q: number,
): void {
  for (let start = 0; start < out.length; start += longest) {
    const part = (array: HostArray | null): HostArray | null =>
      array && array.length > 1 ? array.subarray(start, start + longest) : array;
    const [x0, x1, x2, x3] = operands.map(part);
    map(kernel, part(out)!, x0!, x1 ?? null, x2 ?? null, x3 ?? null, p, q);
  }
}

/** See `mapStrided` in backend.ts. */
export function mapStrided(
  kernel: number,
  out: HostArray,
  x0: HostArray,
  x1: HostArray | null,
  x2: HostArray | null,
  x3: HostArray | null,
  p: number,
  q: number,
  walk: Int32Array,
): void {
  const loop = loopFor(kernel, x0);
  loop(out, walk, convert(out, p), convert(out, q), x0, x1 ?? x0, x2 ?? x0, x3 ?? x0);
}

/** See `select` in backend.ts. */
export function select(out: HostArray, condition: HostArray, a: HostArray, b: HostArray): void {
  const stepCondition = condition.length === 1 ? 0 : 1;
  const stepA = a.length === 1 ? 0 : 1;
  const stepB = b.length === 1 ? 0 : 1;
  for (let i = 0, c = 0, j = 0, k = 0; i < out.length; i++) {
    out[i] = condition[c] !== 0 ? a[j]! : b[k]!;
    c += stepCondition;
    j += stepA;
    k += stepB;
  }
}

/** See `cast` in backend.ts. */
export function cast(out: HostArray, a: HostArray, toBool: boolean): void {
  const limits = integerLimits(out);
  if (toBool) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] !== 0 ? 1 : 0;
  } else if (!limits) {
    out.set(a);
  } else {
    const [low, high] = limits;
    for (let i = 0; i < out.length; i++) {
      const value = a[i]!;
      // NaN fails both comparisons, and the store makes it 0; it also truncates.
      out[i] = value < low ? low : value > high ? high : value;
    }
  }
}

export function fill(out: HostArray, value: number): void {
  out.fill(convert(out, value));
}
