/**
 * Sums of the `js` backend. They are taken in double, blocks first and then pairs of halves, so
 * that the error grows with the logarithm of the number of terms.
 */

import type { HostArray } from './backend.js';

/** What is summed: the elements, their squares or their magnitudes. */
export type Term = 'sum' | 'sumSquares' | 'sumAbs';

/** Elements, or rows, that are summed in order. */
const block = 128;

/** Sum over a[start … start + n). */
export function sumRun(term: Term, a: HostArray, start: number, n: number): number {
  if (n <= block) return sumBlock(term, a, start, start + n);
  const half = Math.ceil(n / 2 / block) * block;
  return sumRun(term, a, start, half) + sumRun(term, a, start + half, n - half);
}

function sumBlock(term: Term, a: HostArray, start: number, end: number): number {
  let even = 0;
  let odd = 0;
  let i = start;
  if (term === 'sum') {
    for (; i + 1 < end; i += 2) {
      even += a[i]!;
      odd += a[i + 1]!;
    }
    if (i < end) even += a[i]!;
  } else if (term === 'sumSquares') {
    for (; i + 1 < end; i += 2) {
      even += a[i]! * a[i]!;
      odd += a[i + 1]! * a[i + 1]!;
    }
    if (i < end) even += a[i]! * a[i]!;
  } else {
    for (; i < end; i++) even += Math.abs(a[i]!);
  }
  return even + odd;
}

/** sums[c] = sum of column c of the matrix a[start …] of `rows` rows of `columns` elements. */
export function sumColumns(
  sums: Float64Array,
  term: Term,
  a: HostArray,
  start: number,
  rows: number,
  columns: number,
): void {
  if (rows <= block) {
    sums.fill(0, 0, columns);
    for (let r = 0; r < rows; r++) addRow(sums, term, a, start + r * columns, columns);
    return;
  }
  const half = Math.ceil(rows / 2 / block) * block;
  sumColumns(sums, term, a, start, half, columns);
  const rest = new Float64Array(columns);
  sumColumns(rest, term, a, start + half * columns, rows - half, columns);
  for (let c = 0; c < columns; c++) sums[c] = sums[c]! + rest[c]!;
}

function addRow(
  sums: Float64Array,
  term: Term,
  a: HostArray,
  start: number,
  columns: number,
): void {
  if (term === 'sum') {
    for (let c = 0; c < columns; c++) sums[c] = sums[c]! + a[start + c]!;
  } else if (term === 'sumSquares') {
    for (let c = 0; c < columns; c++) sums[c] = sums[c]! + a[start + c]! * a[start + c]!;
  } else {
    for (let c = 0; c < columns; c++) sums[c] = sums[c]! + Math.abs(a[start + c]!);
  }
}
