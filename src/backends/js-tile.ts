/**
 * The inner loop of the `js` backend's matrix products, and the panels it works on: Float64Arrays,
 * one for each row or column of the tile of the result that is computed at a time, so that the loop
 * reads memory in order and converts nothing.
 */

import type { HostArray } from './backend.js';

/** A matrix somewhere in an array: element (i, j) is values[start + i * row + j * column]. */
export interface Matrix {
  readonly values: HostArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/**
 * The tile of the result that is kept in local variables. A larger one would need fewer loads, but
 * V8 computes all products of a pass through the loop before it adds any: with more than six it
 * runs out of registers, keeps sums in memory and takes twice as long.
 */
export const tileRows = 3;
export const tileColumns = 2;
/** The most that panels hold of A, tileRows x depth, and of B, depth x width: 512 KiB, for L2. */
export const depth = 256;
export const width = 256;

/**
 * A function, since V8 takes its constants for constant: those of modules become variables in
 * bundles. Then it knows where the arrays are, and checks an index once for all of one length.
 */
function createTile() {
  const a0s = new Float64Array(depth);
  const a1s = new Float64Array(depth);
  const a2s = new Float64Array(depth);
  const b0s = new Float64Array(depth * (width / tileColumns));
  const b1s = new Float64Array(depth * (width / tileColumns));
  const tile = new Float64Array(tileRows * tileColumns);

  /** Packs the strip of A from row `first`, over p .. p + count. Missing rows may be anything. */
  function packRows(a: Matrix, first: number, rows: number, p: number, count: number): void {
    const { values, row, column } = a;
    const second = rows > 1 ? row : 0;
    const third = rows > 2 ? 2 * row : 0;
    for (let q = 0, from = a.start + first * row + p * column; q < count; q++, from += column) {
      a0s[q] = values[from]!;
      a1s[q] = values[from + second]!;
      a2s[q] = values[from + third]!;
    }
  }

  /** Packs B from column `first`, over p .. p + count: pair after pair of columns. */
  function packColumns(b: Matrix, first: number, columns: number, p: number, count: number): void {
    const { values, row, column } = b;
    for (let c = 0, at = 0; c < columns; c += tileColumns) {
      const second = c + 1 < columns ? column : 0;
      let from = b.start + p * row + (first + c) * column;
      for (const end = at + count; at < end; at++, from += row) {
        b0s[at] = values[from]!;
        b1s[at] = values[from + second]!;
      }
    }
  }

  /**
   * out[at …] = the strip of A · the pair of columns of B packed at `from`, over `count`; it adds
   * that where told. Of the tile only so many rows and columns are in `out`.
   */
  function multiply(
    out: Matrix,
    at: number,
    rows: number,
    columns: number,
    from: number,
    count: number,
    add: boolean,
  ): void {
    let c00 = 0, c01 = 0, c10 = 0, c11 = 0, c20 = 0, c21 = 0; // prettier-ignore
    for (let i = 0; i < count; i++) {
      const j = from + i;
      const a0 = a0s[i]!;
      const a1 = a1s[i]!;
      const a2 = a2s[i]!;
      const b0 = b0s[j]!;
      const b1 = b1s[j]!;
      c00 += a0 * b0;
      c01 += a0 * b1;
      c10 += a1 * b0;
      c11 += a1 * b1;
      c20 += a2 * b0;
      c21 += a2 * b1;
    }
    tile[0] = c00;
    tile[1] = c01;
    tile[2] = c10;
    tile[3] = c11;
    tile[4] = c20;
    tile[5] = c21;
    const { values, row, column } = out;
    for (let r = 0, t = 0; r < rows; r++, at += row, t += tileColumns) {
      values[at] = add ? values[at]! + tile[t]! : tile[t]!;
      if (columns === 1) continue;
      const right = at + column;
      values[right] = add ? values[right]! + tile[t + 1]! : tile[t + 1]!;
    }
  }

  return { packRows, packColumns, multiply };
}

export const { packRows, packColumns, multiply } = createTile();
