/** The dense layer of the `js` backend, forward and backward: products with their epilogues. */

import type { HostArray } from './backend.js';
import { map } from './js-elementwise.js';
import { matmul } from './js-matmul.js';
import { sumColumns } from './js-sums.js';
import { kernels } from './kernels.js';

/** See `dense` in backend.ts. */
export function dense(
  out: HostArray,
  pre: HostArray | null,
  x: HostArray,
  w: HostArray,
  bias: HostArray | null,
  rows: number,
  units: number,
  features: number,
  activation: number,
  p: number,
  q: number,
): void {
  const sum = pre ?? out;
  if (bias) {
    for (let start = 0; start < rows * units; start += units) sum.set(bias, start);
  }
  matmul(sum, x, w, 1, rows, units, features, 0, 0, false, false, bias !== null);
  if (activation >= 0) map(activation, out, sum, null, null, null, p, q);
  else if (pre) out.set(pre);
}

/** See `denseBackward` in backend.ts. */
export function denseBackward(
  dx: HostArray | null,
  dw: HostArray | null,
  db: HostArray | null,
  scratch: HostArray,
  g: HostArray,
  x: HostArray,
  w: HostArray,
  y: HostArray,
  pre: HostArray | null,
  rows: number,
  units: number,
  features: number,
  derivative: number,
  p: number,
  q: number,
  accumulate: boolean,
): void {
  let dz = g;
  if (derivative >= 0) {
    dz = scratch;
    const arrays = { a: pre ?? y, b: y, c: y, g, y };
    const [x0, x1, x2] = kernels[derivative]!.operands.map((operand) => arrays[operand]);
    map(derivative, dz, x0!, x1 ?? null, x2 ?? null, null, p, q);
  }
  if (dw) matmul(dw, x, dz, 1, features, units, rows, 0, 0, true, false, accumulate);
  if (db) addColumns(db, dz, rows, units, accumulate);
  if (dx) matmul(dx, dz, w, 1, rows, features, units, 0, 0, false, true, false);
}

function addColumns(
  out: HostArray,
  a: HostArray,
  rows: number,
  columns: number,
  accumulate: boolean,
): void {
  const sums = new Float64Array(columns);
  sumColumns(sums, 'sum', a, 0, rows, columns);
  if (accumulate) for (let c = 0; c < columns; c++) sums[c] = sums[c]! + out[c]!;
  out.set(sums);
}
