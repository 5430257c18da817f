/**
 * Matrix products of the `js` backend: packed and blocked, accumulated in double.
 *
 * A block of B and a strip of A are copied into panels, whatever their dtype and transposition, so
 * that the inner loop (js-tile.ts) has one form.
 */

import type { HostArray } from './backend.js';
import { depth, multiply, packColumns, packRows, tileColumns, tileRows, width } from './js-tile.js';
import type { Matrix } from './js-tile.js';

/** out [batch, m, n] = A · B (+ out); see `matmul` in backend.ts. */
export function matmul(
  out: HostArray,
  a: HostArray,
  b: HostArray,
  batch: number,
  m: number,
  n: number,
  k: number,
  strideA: number,
  strideB: number,
  transA: boolean,
  transB: boolean,
  accumulate: boolean,
): void {
  if (batch > 1 && strideB === 0 && !transA && strideA === m * k) {
    m *= batch; // one B for all: the matrices of A lie below each other as one
    batch = 1;
  }
  for (let t = 0; t < batch; t++) {
    const rowA = transA ? 1 : k;
    const rowB = transB ? 1 : n;
    const left = { values: a, start: t * strideA, row: rowA, column: transA ? m : 1 };
    const right = { values: b, start: t * strideB, row: rowB, column: transB ? k : 1 };
    const result = { values: out, start: t * m * n, row: n, column: 1 };
    // A narrow result is computed transposed, so that only few rows need a path of its own.
    if (n < tileColumns && n < m) {
      product(transpose(result), transpose(right), transpose(left), n, m, k, accumulate);
    } else {
      product(result, left, right, m, n, k, accumulate);
    }
  }
}

function transpose({ values, start, row, column }: Matrix): Matrix {
  return { values, start, row: column, column: row };
}

function product(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  m: number,
  n: number,
  k: number,
  accumulate: boolean,
): void {
  if (m < tileRows) {
    for (let i = 0; i < m; i++) rowProduct(out, a, b, i, n, k, accumulate);
  } else if (k === 0) {
    if (!accumulate) out.values.fill(0, out.start, out.start + m * n);
  } else {
    for (let p = 0; p < k; p += depth) {
      const count = Math.min(depth, k - p);
      for (let j = 0; j < n; j += width) {
        const columns = Math.min(width, n - j);
        packColumns(b, j, columns, p, count);
        blockProduct(out, a, m, p, count, j, columns, accumulate || p > 0);
      }
    }
  }
}

/** Adds to (or sets) out[:, j .. j + columns] the product over p .. p + count, B being packed. */
function blockProduct(
  out: Matrix,
  a: Matrix,
  m: number,
  p: number,
  count: number,
  j: number,
  columns: number,
  add: boolean,
): void {
  for (let i = 0; i < m; i += tileRows) {
    const rows = Math.min(tileRows, m - i);
    packRows(a, i, rows, p, count);
    for (let c = 0; c < columns; c += tileColumns) {
      const at = out.start + i * out.row + (j + c) * out.column;
      multiply(out, at, rows, columns - c, (c / tileColumns) * count, count, add);
    }
  }
}

/** Sums of one row of the result; it grows to the widest result seen. */
let sums = new Float64Array(1024);

/** Row i of out by passing once over B, which no packing could make cheaper. */
function rowProduct(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  i: number,
  n: number,
  k: number,
  accumulate: boolean,
): void {
  if (sums.length < n) sums = new Float64Array(n);
  const from = a.start + i * a.row;
  if (b.column === 1) addRows(a.values, from, a.column, b, n, k);
  else dotColumns(a.values, from, a.column, b, n, k);
  const { values, column } = out;
  let at = out.start + i * out.row;
  for (let j = 0; j < n; j++, at += column) {
    values[at] = accumulate ? values[at]! + sums[j]! : sums[j]!;
  }
}

/** sums = Σ_p a[p] · (row p of B), the rows of B being contiguous; four rows at a time. */
function addRows(a: HostArray, from: number, next: number, b: Matrix, n: number, k: number): void {
  const { values, row } = b;
  sums.fill(0, 0, n);
  let p = 0;
  for (; p + 4 <= k; p += 4, from += 4 * next) {
    const a0 = a[from]!;
    const a1 = a[from + next]!;
    const a2 = a[from + 2 * next]!;
    const a3 = a[from + 3 * next]!;
    let at = b.start + p * row;
    for (let j = 0; j < n; j++, at++) {
      const pair = a0 * values[at]! + a1 * values[at + row]!;
      sums[j] = sums[j]! + (pair + (a2 * values[at + 2 * row]! + a3 * values[at + 3 * row]!));
    }
  }
  for (; p < k; p++, from += next) {
    const a0 = a[from]!;
    for (let j = 0, at = b.start + p * row; j < n; j++, at++) {
      sums[j] = sums[j]! + a0 * values[at]!;
    }
  }
}

/** sums[j] = a · (column j of B), the columns of B being contiguous; four columns at a time. */
function dotColumns(
  a: HostArray,
  from: number,
  next: number,
  b: Matrix,
  n: number,
  k: number,
): void {
  const { values, column } = b;
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    let sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0; // prettier-ignore
    let at = b.start + j * column;
    for (let i = from, end = at + k; at < end; at++, i += next) {
      const value = a[i]!;
      sum0 += value * values[at]!;
      sum1 += value * values[at + column]!;
      sum2 += value * values[at + 2 * column]!;
      sum3 += value * values[at + 3 * column]!;
    }
    sums[j] = sum0;
    sums[j + 1] = sum1;
    sums[j + 2] = sum2;
    sums[j + 3] = sum3;
  }
  for (; j < n; j++) {
    let sum = 0;
    let at = b.start + j * column;
    for (let i = from, end = at + k; at < end; at++, i += next) sum += a[i]! * values[at]!;
    sums[j] = sum;
  }
}
