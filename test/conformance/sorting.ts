/** Conformance of sort. */

import { describe, it } from 'vitest';

import type { HostArray } from '../../src/backends/backend.js';
import type { DType } from '../../src/backends/dtype.js';
import { array, type Bench, expectSame, numberDTypes, Source } from './harness.js';

export function sortingTests(bench: Bench): void {
  describe.each(numberDTypes)('sort %s', (dtype) => sortTests(bench, dtype));
}

/** Positions of a row in order: stable, NaN last whichever the direction. */
function sortedPositions(row: HostArray, descending: boolean): number[] {
  const all = Array.from(row, (_, position) => position);
  const numbers = all.filter((position) => !Number.isNaN(row[position]!));
  const sign = descending ? -1 : 1;
  // Comparing, not subtracting: Infinity − Infinity is NaN.
  numbers.sort((i, j) => sign * (Number(row[i]! > row[j]!) - Number(row[i]! < row[j]!)) || i - j);
  return [...numbers, ...all.filter((position) => Number.isNaN(row[position]!))];
}

function sortTests(bench: Bench, dtype: DType): void {
  const shapes = [
    [1, 1, 1], [3, 2, 2], [4, 17, 17], [2, 33, 5], [5, 100, 1], [2, 1000, 1000], [1, 5000, 40],
    [3, 300, 32], [2, 20, 0], [0, 5, 5], [2, 0, 0],
  ] as const; // prettier-ignore
  it.each(shapes)('%i rows of %i, first %i, both directions', (rows, n, k) => {
    for (const descending of [false, true]) {
      for (const kind of ['many', 'ties', 'special'] as const) {
        const a = new Source(17).values(dtype, rows * n);
        if (kind === 'ties') a.forEach((value, i) => (a[i] = Math.round(value) & 3));
        if (kind === 'special' && dtype.startsWith('float')) {
          const special = [NaN, Infinity, -Infinity, 0, -0];
          a.forEach((_, i) => i % 3 === 0 && (a[i] = special[i % 5]!));
        }
        checkSort(bench, dtype, a, rows, n, k, descending, kind);
      }
    }
  });

  it('rows already in order, and in reverse', () => {
    const rising = array(
      dtype,
      Array.from({ length: 200 }, (_, i) => i),
    );
    const falling = array(
      dtype,
      Array.from({ length: 200 }, (_, i) => 199 - i),
    );
    for (const descending of [false, true]) {
      checkSort(bench, dtype, rising, 1, 200, 200, descending, 'rising');
      checkSort(bench, dtype, falling, 1, 200, 200, descending, 'falling');
    }
  });
}

function checkSort(
  bench: Bench,
  dtype: DType,
  a: HostArray,
  rows: number,
  n: number,
  k: number,
  descending: boolean,
  label: string,
): void {
  const [values, index] = [bench.output(dtype, rows * k), bench.output('int32', rows * k)];
  bench.backend.sort(values, index, bench.put(a), rows, n, k, descending);
  const wantedIndex: number[] = [];
  const wantedValues: number[] = [];
  for (let r = 0; r < rows; r++) {
    const row = a.subarray(r * n, (r + 1) * n);
    const order = sortedPositions(row, descending).slice(0, k);
    wantedIndex.push(...order);
    wantedValues.push(...order.map((position) => row[position]!));
  }
  expectSame(bench.get(index), wantedIndex, `positions of ${label} ${rows}x${n} first ${k}`);
  expectSame(bench.get(values), wantedValues, `values of ${label} ${rows}x${n} first ${k}`);
}
