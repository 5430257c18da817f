/** Kernels of the `js` backend that work row by row: softmax, cross-entropy, scaling. */

import type { HostArray } from './backend.js';

/** Exponentials of one row; it grows to the widest row seen. */
let exponentials = new Float64Array(1024);

/** Fills `exponentials` with e^(a − largest) of one row and returns their sum; see rowLargest. */
function exponentiate(a: HostArray, start: number, columns: number, largest: number): number {
  if (exponentials.length < columns) exponentials = new Float64Array(columns);
  const values = exponentials;
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const value = Math.exp(a[start + c]! - largest);
    values[c] = value;
    sum += value;
  }
  return sum;
}

/** The largest element of a row; NaN is passed over, it reaches every result through the sum. */
function rowLargest(a: HostArray, start: number, columns: number): number {
  let largest = -Infinity;
  for (let c = 0; c < columns; c++) {
    const value = a[start + c]!;
    if (value > largest) largest = value;
  }
  return largest;
}

/** See `softmax` in backend.ts. */
export function softmax(
  out: HostArray,
  a: HostArray,
  rows: number,
  columns: number,
  logarithm: boolean,
): void {
  for (let start = 0; start < rows * columns; start += columns) {
    const largest = rowLargest(a, start, columns);
    const sum = exponentiate(a, start, columns, largest);
    const values = exponentials;
    if (logarithm) {
      const shift = Math.log(sum);
      for (let i = start; i < start + columns; i++) out[i] = a[i]! - largest - shift;
    } else {
      const scale = 1 / sum;
      for (let c = 0; c < columns; c++) out[start + c] = values[c]! * scale;
    }
  }
}

/** See `softmaxBackward` in backend.ts. */
export function softmaxBackward(
  out: HostArray,
  g: HostArray,
  y: HostArray,
  rows: number,
  columns: number,
  logarithm: boolean,
): void {
  for (let start = 0; start < rows * columns; start += columns) {
    const end = start + columns;
    let sum = 0;
    if (logarithm) {
      for (let i = start; i < end; i++) sum += g[i]!;
      for (let i = start; i < end; i++) out[i] = g[i]! - Math.exp(y[i]!) * sum;
    } else {
      for (let i = start; i < end; i++) sum += g[i]! * y[i]!;
      for (let i = start; i < end; i++) out[i] = y[i]! * (g[i]! - sum);
    }
  }
}

/** See `crossEntropy` in backend.ts. */
export function crossEntropy(
  loss: HostArray,
  difference: HostArray | null,
  logits: HostArray,
  target: HostArray,
  rows: number,
  classes: number,
): number {
  const labels = target instanceof Int32Array;
  if (labels) {
    for (let r = 0; r < rows; r++) {
      const label = target[r]!;
      if (!(label >= 0 && label < classes)) return r;
    }
  }
  for (let r = 0; r < rows; r++) {
    const start = r * classes;
    const largest = rowLargest(logits, start, classes);
    const sum = exponentiate(logits, start, classes, largest);
    if (labels) {
      const label = start + target[r]!;
      loss[r] = Math.log(sum) - (logits[label]! - largest);
      if (!difference) continue;
      writeSoftmax(difference, start, classes, 1 / sum);
      difference[label] = exponentials[label - start]! / sum - 1;
    } else {
      const total = targetLoss(loss, r, logits, target, classes, largest, Math.log(sum));
      if (!difference) continue;
      writeSoftmax(difference, start, classes, total / sum);
      for (let i = start; i < start + classes; i++) difference[i] = difference[i]! - target[i]!;
    }
  }
  return -1;
}

function writeSoftmax(out: HostArray, start: number, columns: number, scale: number): void {
  const values = exponentials;
  for (let c = 0; c < columns; c++) out[start + c] = values[c]! * scale;
}

/** Loss of row r against probabilities, whose sum is returned; 0 · ∞ counts as 0. */
function targetLoss(
  loss: HostArray,
  r: number,
  logits: HostArray,
  target: HostArray,
  classes: number,
  largest: number,
  logSum: number,
): number {
  let total = 0;
  let value = 0;
  for (let i = r * classes; i < (r + 1) * classes; i++) {
    const weight = target[i]!;
    total += weight;
    if (weight !== 0) value += weight * (logSum - (logits[i]! - largest));
  }
  loss[r] = value;
  return total;
}

/** See `scaleRows` in backend.ts. */
export function scaleRows(
  out: HostArray,
  a: HostArray,
  scale: HostArray,
  rows: number,
  columns: number,
  factor: number,
): void {
  for (let r = 0, i = 0; r < rows; r++) {
    const value = scale[r]! * factor;
    for (const end = i + columns; i < end; i++) out[i] = a[i]! * value;
  }
}
