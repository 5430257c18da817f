/** Data movement of the `js` backend: strided copies, indexed reads and indexed sums. */

import type { HostArray } from './backend.js';

/** Runs at least this long are copied by `set`: its call costs about as much as fifty elements. */
const longRun = 64;

/** The loops of a strided copy, outermost first. */
interface Walk {
  sizes: number[];
  outStrides: number[];
  strides: number[];
}

/** Drops loops of one step and joins loops that step through both arrays as one; null if empty. */
function simplify(walk: Int32Array): Walk | null {
  const rank = walk[0]!;
  const simple: Walk = { sizes: [], outStrides: [], strides: [] };
  for (let d = 0; d < rank; d++) {
    const size = walk[1 + d]!;
    const outStride = walk[1 + rank + d]!;
    const stride = walk[1 + 2 * rank + d]!;
    if (size === 0) return null;
    if (size === 1) continue;
    const last = simple.sizes.length - 1;
    const joins =
      last >= 0 &&
      simple.outStrides[last] === outStride * size &&
      simple.strides[last] === stride * size;
    if (joins) {
      simple.sizes[last]! *= size;
      simple.outStrides[last] = outStride;
      simple.strides[last] = stride;
    } else {
      simple.sizes.push(size);
      simple.outStrides.push(outStride);
      simple.strides.push(stride);
    }
  }
  for (const list of [simple.sizes, simple.outStrides, simple.strides]) {
    while (list.length < 2) list.unshift(list === simple.sizes ? 1 : 0);
  }
  return simple;
}

/** See `copy` in backend.ts. */
export function copy(
  out: HostArray,
  outOffset: number,
  a: HostArray,
  aOffset: number,
  walk: Int32Array,
): void {
  const simple = simplify(walk);
  if (!simple) return;
  const { sizes, outStrides, strides } = simple;
  const outer = sizes.length - 2;
  const position = new Array<number>(outer).fill(0);
  let o = outOffset;
  let i = aOffset;
  for (;;) {
    copyPlane(out, o, a, i, sizes, outStrides, strides);
    let d = outer - 1;
    for (; d >= 0; d--) {
      o += outStrides[d]!;
      i += strides[d]!;
      if (++position[d]! < sizes[d]!) break;
      o -= outStrides[d]! * sizes[d]!;
      i -= strides[d]! * sizes[d]!;
      position[d] = 0;
    }
    if (d < 0) return;
  }
}

/** The two innermost loops. */
function copyPlane(
  out: HostArray,
  o: number,
  a: HostArray,
  i: number,
  sizes: readonly number[],
  outStrides: readonly number[],
  strides: readonly number[],
): void {
  const [rows, columns] = [sizes.at(-2)!, sizes.at(-1)!];
  const [outRow, outColumn] = [outStrides.at(-2)!, outStrides.at(-1)!];
  const [row, column] = [strides.at(-2)!, strides.at(-1)!];
  if (outColumn === 1 && column === 1 && columns >= longRun) {
    for (let r = 0; r < rows; r++, o += outRow, i += row) out.set(a.subarray(i, i + columns), o);
    return;
  }
  // In a transpose either side jumps from line to line of the cache: go by squares that fit.
  const edge = Math.abs(column) > Math.abs(row) ? 32 : columns;
  for (let c = 0; c < columns; c += edge) {
    const end = Math.min(columns, c + edge);
    for (let r = 0; r < rows; r++) {
      let to = o + r * outRow + c * outColumn;
      let from = i + r * row + c * column;
      for (let j = c; j < end; j++, to += outColumn, from += column) out[to] = a[from]!;
    }
  }
}

/** Position of the first index outside [0, n), or -1. */
function firstOutside(index: HostArray, n: number): number {
  for (let j = 0; j < index.length; j++) {
    const value = index[j]!;
    if (!(value >= 0 && value < n)) return j;
  }
  return -1;
}

/** See `gather` in backend.ts. */
export function gather(
  out: HostArray,
  a: HostArray,
  index: HostArray,
  outer: number,
  n: number,
  count: number,
  inner: number,
): number {
  const outside = firstOutside(index, n);
  if (outside >= 0) return outside;
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      let from = (o * n + index[j]!) * inner;
      if (inner >= longRun) {
        out.set(a.subarray(from, from + inner), to);
        to += inner;
      } else {
        for (const end = from + inner; from < end; from++, to++) out[to] = a[from]!;
      }
    }
  }
  return -1;
}

/** See `scatterAdd` in backend.ts. */
export function scatterAdd(
  out: HostArray,
  a: HostArray,
  index: HostArray,
  outer: number,
  n: number,
  count: number,
  inner: number,
): number {
  const outside = firstOutside(index, n);
  if (outside >= 0) return outside;
  let from = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      let to = (o * n + index[j]!) * inner;
      for (const end = to + inner; to < end; to++, from++) out[to] = out[to]! + a[from]!;
    }
  }
  return -1;
}

/** See `takeAlong` in backend.ts. */
export function takeAlong(
  out: HostArray,
  a: HostArray,
  index: HostArray,
  outer: number,
  n: number,
  count: number,
  inner: number,
): number {
  const outside = firstOutside(index, n);
  if (outside >= 0) return outside;
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      for (let i = 0; i < inner; i++, to++) out[to] = a[(o * n + index[to]!) * inner + i]!;
    }
  }
  return -1;
}

/** See `putAlongAdd` in backend.ts. */
export function putAlongAdd(
  out: HostArray,
  a: HostArray,
  index: HostArray,
  outer: number,
  n: number,
  count: number,
  inner: number,
): number {
  const outside = firstOutside(index, n);
  if (outside >= 0) return outside;
  let from = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      for (let i = 0; i < inner; i++, from++) {
        const to = (o * n + index[from]!) * inner + i;
        out[to] = out[to]! + a[from]!;
      }
    }
  }
  return -1;
}

/** See `loadRows` in backend.ts. */
export function loadRows(
  out: HostArray,
  data: HostArray,
  index: HostArray | null,
  center: HostArray | null,
  scale: HostArray | null,
  n: number,
  count: number,
  width: number,
): number {
  const outside = index ? firstOutside(index, n) : -1;
  if (outside >= 0) return outside;
  for (let r = 0, to = 0; r < count; r++, to += width) {
    const from = (index ? index[r]! : r) * width;
    if (center) loadRow(out, to, data, from, center, scale!, width);
    else out.set(data.subarray(from, from + width), to);
  }
  return -1;
}

/** One row of {@link loadRows}: (x − center) · scale. */
function loadRow(
  out: HostArray,
  to: number,
  data: HostArray,
  from: number,
  center: HostArray,
  scale: HostArray,
  width: number,
): void {
  const step = center.length === 1 ? 0 : 1;
  const rounds = out instanceof Float32Array;
  for (let c = 0, at = 0; c < width; c++, at += step) {
    const value = rounds ? Math.fround(data[from + c]!) : data[from + c]!;
    out[to + c] = (value - center[at]!) * scale[at]!;
  }
}
