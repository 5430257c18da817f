/** Conformance of reduce and cumsum. */

import { describe, expect, it } from 'vitest';

import { reductions } from '../../src/backends/backend.js';
import type { HostArray, Reduction } from '../../src/backends/backend.js';
import { typedArray } from '../../src/backends/dtype.js';
import type { DType, FloatDType } from '../../src/backends/dtype.js';
import { array, type Bench, expectClose, expectSame, floatDTypes } from './harness.js';
import { numberDTypes, roundoff, Source } from './harness.js';

/** [outer, n, inner] */
const shapes = [
  [1, 1, 1], [1, 7, 1], [3, 5, 1], [2, 3, 4], [1, 1000, 1], [4, 129, 1], [3, 300, 7], [1, 700, 100],
  [5, 1, 3], [2, 64, 33], [0, 3, 2], [2, 3, 0],
] as const; // prettier-ignore

type Fold = (values: number[]) => number;

/** Extreme of the values; NaN wins. */
const extreme = (beats: (a: number, b: number) => boolean): Fold => {
  return (values) =>
    values.reduce((best, value) =>
      Number.isNaN(best) || (!Number.isNaN(value) && !beats(value, best)) ? best : value,
    );
};
const largest = extreme((a, b) => a > b);
const smallest = extreme((a, b) => a < b);
const position = (values: number[], wanted: number): number =>
  values.findIndex((value) => value === wanted || (Number.isNaN(value) && Number.isNaN(wanted)));

const folds: Readonly<Record<Reduction, Fold>> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  prod: (values) => values.reduce((product, value) => product * value, 1),
  max: largest,
  min: smallest,
  any: (values) => Number(values.some((value) => value !== 0)),
  all: (values) => Number(values.every((value) => value !== 0)),
  argMax: (values) => position(values, largest(values)),
  argMin: (values) => position(values, smallest(values)),
  sumSquares: (values) => values.reduce((sum, value) => sum + value * value, 0),
  sumAbs: (values) => values.reduce((sum, value) => sum + Math.abs(value), 0),
};
const summing: readonly Reduction[] = ['sum', 'sumSquares', 'sumAbs'];

function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || dtype === 'float64';
}

function resultType(reduction: Reduction, dtype: DType): DType {
  if (reduction === 'any' || reduction === 'all') return 'uint8';
  if (reduction === 'argMax' || reduction === 'argMin') return 'int32';
  const keeps = reduction === 'max' || reduction === 'min' || isFloat(dtype);
  return keeps ? dtype : 'int32';
}

/** How far a float result may be off. */
function tolerance(reduction: Reduction, dtype: DType, values: number[]): number {
  if (!isFloat(dtype)) return 0;
  const unit = roundoff[dtype];
  if (reduction === 'prod') return unit * (values.length + 2) * Math.abs(folds.prod(values));
  if (!summing.includes(reduction)) return 0;
  const magnitude = reduction === 'sumSquares' ? folds.sumSquares(values) : folds.sumAbs(values);
  // Blocks of 128 in the element's own precision would be off by this much at the very worst.
  return unit * 140 * magnitude;
}

function check(
  bench: Bench,
  reduction: Reduction,
  dtype: DType,
  a: HostArray,
  [outer, n, inner]: readonly [number, number, number],
): void {
  const out = bench.output(resultType(reduction, dtype), outer * inner);
  bench.backend.reduce(reductions.indexOf(reduction), out, bench.put(a), outer, n, inner);
  const wanted: number[] = [];
  const tolerances: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const values = Array.from({ length: n }, (_, j) => a[(o * n + j) * inner + i]!);
      wanted.push(folds[reduction](values));
      tolerances.push(tolerance(reduction, dtype, values));
    }
  }
  expectClose(bench.get(out), wanted, tolerances, `${reduction} ${dtype} ${outer} ${n} ${inner}`);
}

export function reductionTests(bench: Bench): void {
  describe.each(reductions)('%s', (reduction) => {
    it.each(numberDTypes)('%s', (dtype) => {
      const source = new Source(23);
      for (const shape of shapes) {
        const size = shape[0] * shape[1] * shape[2];
        const a = source.values(dtype, size);
        // Products of many factors must stay in range; zeros make any and all decide something.
        if (reduction === 'prod') a.forEach((_, i) => (a[i] = source.next() < 0.5 ? 1 : 2));
        if (reduction === 'prod' && shape[1] > 20) a.fill(1);
        if (reduction === 'any' || reduction === 'all') {
          a.forEach((_, i) => (a[i] = Math.floor(i / 3) % 4 === 0 ? 0 : 1));
        }
        check(bench, reduction, dtype, a, shape);
      }
    });

    if (['max', 'min', 'argMax', 'argMin'].includes(reduction)) {
      it('ties: the first; NaN counts as the extreme', () => {
        for (const dtype of floatDTypes) {
          const rows = [
            [1, 3, 3, 1, 1, 3], [NaN, 1, 2, NaN, 0, 3], [5, 1, 9, 0, NaN, NaN],
            [-Infinity, Infinity, 0, Infinity, -Infinity, 1], [0, -0, 0, -0, 0, 0],
          ]; // prettier-ignore
          check(bench, reduction, dtype, array(dtype, rows.flat()), [rows.length, 6, 1]);
          check(bench, reduction, dtype, array(dtype, rows.flat()), [1, rows.length, 6]);
        }
      });
    } else if (reduction !== 'sumSquares' && reduction !== 'sumAbs') {
      it('over nothing gives the neutral element', () => {
        for (const dtype of numberDTypes) {
          check(bench, reduction, dtype, typedArray(dtype, 0), [3, 0, 1]);
          check(bench, reduction, dtype, typedArray(dtype, 0), [2, 0, 4]);
        }
      });
    }
  });

  it('any and all count NaN as true', () => {
    const a = array('float32', [NaN, 0]);
    check(bench, 'any', 'float32', a, [1, 2, 1]);
    check(bench, 'all', 'float32', a, [2, 1, 1]);
  });

  it('sums and products of integers wrap as int32', () => {
    const large = Int32Array.of(2 ** 31 - 1, 2 ** 31 - 1, 5, -(2 ** 31), 77_777_777, 12_345);
    const sum = large.reduce((total, value) => (total + value) | 0, 0);
    const product = large.reduce((total, value) => Math.imul(total, value), 1);
    const out = bench.output('int32', 1);
    bench.backend.reduce(reductions.indexOf('sum'), out, bench.put(large), 1, large.length, 1);
    expect(bench.get(out)[0]).toBe(sum);
    bench.backend.reduce(reductions.indexOf('prod'), out, bench.put(large), 1, large.length, 1);
    expect(bench.get(out)[0]).toBe(product);
  });

  it('the error of a long float32 sum does not grow with its length', () => {
    const n = 1_000_000;
    const a = new Float32Array(n).fill(0.1);
    const wanted = n * Math.fround(0.1);
    for (const [outer, inner, size] of [
      [1, 1, n],
      [1, 10, n / 10],
    ] as const) {
      // prettier-ignore
      const out = bench.output('float32', outer * inner);
      bench.backend.reduce(reductions.indexOf('sum'), out, bench.put(a), outer, size, inner);
      const each = wanted / inner;
      expectClose(bench.get(out), new Array<number>(inner).fill(each), each * 2 ** -21, 'long sum');
    }
  });

  cumsumTests(bench);
}

function cumsumTests(bench: Bench): void {
  it.each(numberDTypes)('cumsum %s, both directions', (dtype) => {
    const source = new Source(29);
    for (const [outer, n, inner] of shapes) {
      const a = source.values(dtype, outer * n * inner);
      for (const reverse of [false, true]) {
        const wanted = typedArray(dtype, a.length);
        const tolerances = new Float64Array(a.length);
        for (let line = 0; line < outer * inner; line++) {
          const start = Math.floor(line / inner) * n * inner + (line % inner);
          let [sum, magnitude] = [0, 0];
          for (let j = 0; j < n; j++) {
            const at = start + (reverse ? n - 1 - j : j) * inner;
            sum += a[at]!;
            magnitude += Math.abs(a[at]!);
            wanted[at] = sum;
            if (isFloat(dtype)) tolerances[at] = magnitude * (j + 4) * roundoff[dtype];
          }
        }
        const out = bench.output(dtype, a.length);
        bench.backend.cumsum(out, bench.put(a), outer, n, inner, reverse);
        expectClose(bench.get(out), wanted, tolerances, `cumsum ${outer} ${n} ${inner} ${reverse}`);
      }
    }
  });

  it('cumsum of int32 wraps', () => {
    const out = bench.output('int32', 3);
    bench.backend.cumsum(out, bench.put(Int32Array.of(2 ** 31 - 1, 1, 1)), 1, 3, 1, false);
    expectSame(bench.get(out), [2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1], 'wrapped');
  });
}
