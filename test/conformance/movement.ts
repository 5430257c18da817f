/** Conformance of copy, gather, scatterAdd, takeAlong, putAlongAdd and loadRows. */

import { describe, expect, it } from 'vitest';

import type { HostArray } from '../../src/backends/backend.js';
import { typedArray } from '../../src/backends/dtype.js';
import type { DType, FloatDType } from '../../src/backends/dtype.js';
import { array, type Bench, expectClose, expectSame, floatDTypes } from './harness.js';
import { numberDTypes, roundoff, Source } from './harness.js';

export function movementTests(bench: Bench): void {
  describe('copy', () => copyTests(bench));
  describe.each(numberDTypes)('indexing %s', (dtype) => indexTests(bench, dtype));
  loadRowsTests(bench);
}

// ---- copy -------------------------------------------------------------------------------------

/** Every position of an array of the given sizes, last axis fastest. */
function* positions(sizes: readonly number[]): Generator<number[]> {
  const total = sizes.reduce((product, size) => product * size, 1);
  for (let i = 0; i < total; i++) {
    let rest = i;
    const position = sizes.map(() => 0);
    for (let d = sizes.length - 1; d >= 0; d--) {
      position[d] = rest % sizes[d]!;
      rest = Math.floor(rest / sizes[d]!);
    }
    yield position;
  }
}

function checkCopy(
  bench: Bench,
  dtype: DType,
  sizes: readonly number[],
  outStrides: readonly number[],
  strides: readonly number[],
): void {
  const reach = (list: readonly number[]): { offset: number; size: number } => {
    const ends = list.map((stride, d) => stride * Math.max(0, sizes[d]! - 1));
    const offset = -ends.filter((end) => end < 0).reduce((sum, end) => sum + end, 0) + 3;
    return { offset, size: offset + ends.filter((e) => e > 0).reduce((sum, e) => sum + e, 0) + 4 };
  };
  const [target, origin] = [reach(outStrides), reach(strides)];
  const a = new Source(sizes.length).values(dtype, origin.size);
  const wanted = typedArray(dtype, target.size).fill(99);
  for (const position of positions(sizes)) {
    const at = (list: readonly number[], offset: number): number =>
      position.reduce((sum, index, d) => sum + index * list[d]!, offset);
    wanted[at(outStrides, target.offset)] = a[at(strides, origin.offset)]!;
  }
  const walk = Int32Array.of(sizes.length, ...sizes, ...outStrides, ...strides);
  const out = bench.output(dtype, target.size);
  bench.backend.copy(out, target.offset, bench.put(a), origin.offset, walk);
  expectSame(bench.get(out), wanted, `copy ${dtype} ${walk.join(' ')}`);
}

/** Strides of a contiguous array. */
function contiguous(sizes: readonly number[]): number[] {
  return sizes.map((_, d) => sizes.slice(d + 1).reduce((product, size) => product * size, 1));
}

function copyTests(bench: Bench): void {
  it.each(numberDTypes)('%s: transposes, slices, flips, repeats of rank 1 to 8', (dtype) => {
    const source = new Source(5);
    for (let round = 0; round < 60; round++) {
      const rank = (round % 8) + 1;
      const sizes = Array.from({ length: rank }, () => source.integer(1, rank > 4 ? 3 : 6));
      const order = sizes.map((_, d) => d).sort(() => source.next() - 0.5);
      const dense = contiguous(order.map((d) => sizes[d]!));
      const strides = sizes.map((_, d) => {
        const stride = dense[order.indexOf(d)]! * (source.next() < 0.2 ? 2 : 1);
        const kind = source.next();
        return kind < 0.15 ? 0 : kind < 0.3 ? -stride : stride;
      });
      checkCopy(bench, dtype, sizes, contiguous(sizes), strides);
      const spaced = contiguous(sizes.map((size) => size + 1));
      checkCopy(bench, dtype, sizes, spaced, strides);
      checkCopy(bench, dtype, sizes, spaced.map((stride) => -stride), strides); // prettier-ignore
    }
  });

  it.each(numberDTypes)('%s: sizes beyond one tile or one vector', (dtype) => {
    checkCopy(bench, dtype, [1000], [1], [1]);
    checkCopy(bench, dtype, [1000], [1], [-1]);
    checkCopy(bench, dtype, [1000], [1], [0]);
    checkCopy(bench, dtype, [1000], [2], [3]);
    checkCopy(bench, dtype, [67, 131], [131, 1], [1, 67]);
    checkCopy(bench, dtype, [67, 131], [1, 67], [131, 1]);
    checkCopy(bench, dtype, [3, 65, 130], [65 * 130, 130, 1], [130, 390, 1]);
    checkCopy(bench, dtype, [20, 100], [150, 1], [100, 1]);
    checkCopy(bench, dtype, [20, 100], [100, 1], [0, 1]);
    checkCopy(bench, dtype, [2, 3, 4, 5], [60, 20, 5, 1], [60, 20, 5, 1]);
  });

  it('a size of zero copies nothing', () => {
    checkCopy(bench, 'float32', [0], [1], [1]);
    checkCopy(bench, 'float32', [3, 0, 2], [2, 2, 1], [2, 2, 1]);
  });
}

// ---- gather and its kin -----------------------------------------------------------------------

const geometries = [
  { outer: 1, n: 5, count: 7, inner: 1 },
  { outer: 3, n: 4, count: 6, inner: 5 },
  { outer: 2, n: 3, count: 4, inner: 130 },
  { outer: 1, n: 1000, count: 900, inner: 3 },
  { outer: 4, n: 1, count: 3, inner: 2 },
  { outer: 2, n: 6, count: 0, inner: 3 },
  { outer: 0, n: 6, count: 2, inner: 3 },
  { outer: 2, n: 6, count: 2, inner: 0 },
];

/** Sums of floats are checked to a few roundings of the sum of magnitudes; integers wrap. */
function expectSums(found: HostArray, wanted: Float64Array, magnitudes: Float64Array): void {
  if (found instanceof Int32Array || found instanceof Uint8Array) {
    const wrapped = found.slice();
    wrapped.set(wanted);
    expectSame(found, wrapped, 'integer sums');
  } else {
    const unit = roundoff[found instanceof Float32Array ? 'float32' : 'float64'];
    const tolerances = magnitudes.map((magnitude) => magnitude * unit * 8);
    expectClose(found, wanted, tolerances, 'sums');
  }
}

/** The four kernels as maps from positions (o, j, i) of the indexed side to the other side. */
function indexTests(bench: Bench, dtype: DType): void {
  it.each(geometries)('gather and scatterAdd %o', ({ outer, n, count, inner }) => {
    const source = new Source(11);
    const index = Int32Array.from({ length: count }, () => source.integer(0, n - 1));
    const other = (o: number, j: number, i: number): number => (o * n + index[j]!) * inner + i;
    checkPair(bench, dtype, index, other, { outer, n, count, inner }, 'gather', 'scatterAdd');
  });

  it.each(geometries)('takeAlong and putAlongAdd %o', ({ outer, n, count, inner }) => {
    const source = new Source(12);
    const size = outer * count * inner;
    const index = Int32Array.from({ length: size }, () => source.integer(0, n - 1));
    const other = (o: number, j: number, i: number): number =>
      (o * n + index[(o * count + j) * inner + i]!) * inner + i;
    checkPair(bench, dtype, index, other, { outer, n, count, inner }, 'takeAlong', 'putAlongAdd');
  });

  const kernels = ['gather', 'scatterAdd', 'takeAlong', 'putAlongAdd'] as const;
  it.each(kernels)('%s gives the position of the first index out of range', (kernel) => {
    for (const bad of [4, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const index = bench.put(Int32Array.of(0, 3, bad, 1, -9));
      const [small, large] = [bench.output(dtype, 5), bench.output(dtype, 4)];
      const taking = kernel === 'gather' || kernel === 'takeAlong';
      const [out, a] = taking ? [small, large] : [large, small];
      expect(bench.backend[kernel](out, a, index, 1, 4, 5, 1)).toBe(2);
    }
  });
}

function checkPair(
  bench: Bench,
  dtype: DType,
  index: Int32Array,
  other: (o: number, j: number, i: number) => number,
  { outer, n, count, inner }: (typeof geometries)[number],
  take: 'gather' | 'takeAlong',
  put: 'scatterAdd' | 'putAlongAdd',
): void {
  const source = new Source(13);
  const indexBuffer = bench.put(index);
  const a = source.values(dtype, outer * n * inner);
  const small = source.values(dtype, outer * count * inner);
  const taken = typedArray(dtype, small.length);
  const sums = Float64Array.from(a);
  const magnitudes = sums.map(Math.abs);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      for (let i = 0; i < inner; i++, at++) {
        taken[at] = a[other(o, j, i)]!;
        sums[other(o, j, i)]! += small[at]!;
        magnitudes[other(o, j, i)]! += Math.abs(small[at]!);
      }
    }
  }
  const out = bench.output(dtype, small.length);
  expect(bench.backend[take](out, bench.put(a), indexBuffer, outer, n, count, inner)).toBe(-1);
  expectSame(bench.get(out), taken, take);
  const sum = bench.put(a);
  expect(bench.backend[put](sum, bench.put(small), indexBuffer, outer, n, count, inner)).toBe(-1);
  expectSums(bench.get(sum), sums, magnitudes);
}

// ---- loadRows ---------------------------------------------------------------------------------

function loadRowsTests(bench: Bench): void {
  const pairs = numberDTypes.flatMap((from) => floatDTypes.map((to) => [from, to] as const));
  it.each(pairs)('loadRows %s to %s', (from, to: FloatDType) => {
    const source = new Source(19);
    for (const [n, count, width] of [
      [4, 6, 1],
      [5, 3, 17],
      [10, 4, 300],
      [3, 0, 5],
      [3, 2, 0],
    ] as const) {
      for (const parameters of [null, 1, width]) {
        const data = source.values(from, n * width);
        const picked = Int32Array.from({ length: count }, () => source.integer(0, n - 1));
        const inOrder = Int32Array.from({ length: Math.min(count, n) }, (_, i) => i);
        const [center, scale] = [1, 2].map(() =>
          parameters === null ? null : source.values(to, parameters),
        ) as [HostArray | null, HostArray | null];
        const put = (array: HostArray | null) => array && bench.put(array);
        for (const index of [picked, inOrder]) {
          const out = bench.output(to, index.length * width);
          const result = bench.backend.loadRows(
            out, bench.put(data), index === inOrder ? null : bench.put(index),
            put(center), put(scale), n, index.length, width,
          ); // prettier-ignore
          expect(result).toBe(-1);
          const at = (values: HostArray | null, c: number): number =>
            values![parameters === 1 ? 0 : c]!;
          const wanted: number[] = [];
          const tolerances: number[] = [];
          for (let i = 0; i < index.length * width; i++) {
            const c = i % width;
            const value = data[index[Math.floor(i / width)]! * width + c]!;
            const by = center ? at(scale, c) : 1;
            const from = center ? at(center, c) : 0;
            wanted.push((value - from) * by);
            tolerances.push(4 * roundoff[to] * (Math.abs(value) + Math.abs(from)) * Math.abs(by));
          }
          expectClose(bench.get(out), wanted, tolerances, `loadRows ${n} ${count} ${width}`);
        }
      }
    }
  });

  it('loadRows gives the position of the first row out of range', () => {
    const [out, data] = [bench.output('float32', 6), bench.output('uint8', 8)];
    const one = bench.put(array('float32', [1]));
    for (const bad of [4, -1, 2 ** 31 - 1]) {
      const index = bench.put(Int32Array.of(3, bad, bad));
      expect(bench.backend.loadRows(out, data, index, one, one, 4, 3, 2)).toBe(1);
    }
  });
}
