/**
 * Matrix products of the `js` backend: packed and blocked, accumulated in double.
 *
 * A block of B and a strip of A are copied into Float64Array panels four elements wide, whatever
 * their dtype and transposition, so that the inner loop (4x4 of the result in local variables) has
 * one form, reads memory in order, and converts nothing.
 */

import type { HostArray } from './backend.js';

/** A matrix somewhere in an array: element (i, j) is values[start + i * row + j * column]. */
interface Matrix {
  readonly values: HostArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/** Width of the panels and of the tile of the result kept in local variables. */
const lanes = 4;
/** A block of B is depth x width: 512 KiB, for the second-level cache. */
const depth = 256;
const width = 256;
const panelA = new Float64Array(lanes * depth);
const panelsB = new Float64Array(depth * width);
const tile = new Float64Array(lanes * lanes);

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
    if (n < lanes && n < m) {
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
  if (m < lanes) {
    for (let i = 0; i < m; i++) rowProduct(out, a, b, i, n, k, accumulate);
  } else if (k === 0) {
    if (!accumulate) out.values.fill(0, out.start, out.start + m * n);
  } else {
    for (let p = 0; p < k; p += depth) {
      const count = Math.min(depth, k - p);
      for (let j = 0; j < n; j += width) {
        const columns = Math.min(width, n - j);
        packColumns(b, p, count, j, columns);
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
  for (let i = 0; i < m; i += lanes) {
    const rows = Math.min(lanes, m - i);
    const from = a.start + i * a.row + p * a.column;
    packPanel(panelA, 0, a.values, from, a.row, a.column, rows, count);
    for (let c = 0; c < columns; c += lanes) {
      multiplyTile(c * count, count);
      const at = out.start + i * out.row + (j + c) * out.column;
      storeTile(out, at, rows, Math.min(lanes, columns - c), add);
    }
  }
}

function packColumns(b: Matrix, p: number, count: number, j: number, columns: number): void {
  for (let c = 0; c < columns; c += lanes) {
    const from = b.start + p * b.row + (j + c) * b.column;
    const used = Math.min(lanes, columns - c);
    packPanel(panelsB, c * count, b.values, from, b.column, b.row, used, count);
  }
}

/** Copies `used` lanes of `count` elements, interleaved by fours; the missing lanes are zero. */
function packPanel(
  panel: Float64Array,
  at: number,
  values: HostArray,
  from: number,
  lane: number,
  next: number,
  used: number,
  count: number,
): void {
  if (used < lanes) {
    panel.fill(0, at, at + lanes * count);
    for (let u = 0; u < used; u++) {
      for (let p = 0; p < count; p++)
        panel[at + lanes * p + u] = values[from + u * lane + p * next]!;
    }
    return;
  }
  const lane2 = 2 * lane;
  const lane3 = 3 * lane;
  for (const end = at + lanes * count; at < end; at += lanes, from += next) {
    panel[at] = values[from]!;
    panel[at + 1] = values[from + lane]!;
    panel[at + 2] = values[from + lane2]!;
    panel[at + 3] = values[from + lane3]!;
  }
}

/** tile = panelA · (the panel of B at `j`), over `count`. */
function multiplyTile(j: number, count: number): void {
  const as = panelA;
  const bs = panelsB;
  let c00 = 0, c01 = 0, c02 = 0, c03 = 0; // prettier-ignore
  let c10 = 0, c11 = 0, c12 = 0, c13 = 0; // prettier-ignore
  let c20 = 0, c21 = 0, c22 = 0, c23 = 0; // prettier-ignore
  let c30 = 0, c31 = 0, c32 = 0, c33 = 0; // prettier-ignore
  for (let i = 0, end = lanes * count; i < end; i += 4, j += 4) {
    const a0 = as[i]!;
    const a1 = as[i + 1]!;
    const a2 = as[i + 2]!;
    const a3 = as[i + 3]!;
    const b0 = bs[j]!;
    c00 += a0 * b0;
    c10 += a1 * b0;
    c20 += a2 * b0;
    c30 += a3 * b0;
    const b1 = bs[j + 1]!;
    c01 += a0 * b1;
    c11 += a1 * b1;
    c21 += a2 * b1;
    c31 += a3 * b1;
    const b2 = bs[j + 2]!;
    c02 += a0 * b2;
    c12 += a1 * b2;
    c22 += a2 * b2;
    c32 += a3 * b2;
    const b3 = bs[j + 3]!;
    c03 += a0 * b3;
    c13 += a1 * b3;
    c23 += a2 * b3;
    c33 += a3 * b3;
  }
  tile[0] = c00;
  tile[1] = c01;
  tile[2] = c02;
  tile[3] = c03;
  tile[4] = c10;
  tile[5] = c11;
  tile[6] = c12;
  tile[7] = c13;
  tile[8] = c20;
  tile[9] = c21;
  tile[10] = c22;
  tile[11] = c23;
  tile[12] = c30;
  tile[13] = c31;
  tile[14] = c32;
  tile[15] = c33;
}

function storeTile(out: Matrix, at: number, rows: number, columns: number, add: boolean): void {
  const { values, row, column } = out;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const o = at + i * row + j * column;
      const value = tile[i * lanes + j]!;
      values[o] = add ? values[o]! + value : value;
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
