/** Sorting of the `js` backend: stable, NaN last, and cheap when only the first few are wanted. */

import type { HostArray } from './backend.js';

/** Below this many wanted of many more, keeping a short sorted list beats sorting everything. */
const fewWanted = 32;
/** Runs sorted by insertion before merging. */
const shortRun = 16;

/** See `sort` in backend.ts. */
export function sort(
  values: HostArray,
  index: HostArray,
  a: HostArray,
  rows: number,
  n: number,
  k: number,
  descending: boolean,
): void {
  // Keys rise in the wanted order; positions say where in the row each key stood.
  const keys = new Float64Array(n);
  const positions = new Int32Array(n);
  const spareKeys = new Float64Array(n);
  const sparePositions = new Int32Array(n);
  for (let r = 0; r < rows; r++) {
    const numbers = loadKeys(keys, positions, a, r * n, n, descending);
    if (k <= fewWanted && k * 8 < numbers) selectFirst(keys, positions, numbers, k);
    else mergeSort(keys, positions, spareKeys, sparePositions, numbers);
    for (let j = 0; j < k; j++) {
      index[r * k + j] = positions[j]!;
      values[r * k + j] = a[r * n + positions[j]!]!;
    }
  }
}

/** Keys of one row, NaN left out, then the positions of the NaN. Returns the number of keys. */
function loadKeys(
  keys: Float64Array,
  positions: Int32Array,
  a: HostArray,
  start: number,
  n: number,
  descending: boolean,
): number {
  let numbers = 0;
  for (let j = 0; j < n; j++) {
    const value = a[start + j]!;
    if (Number.isNaN(value)) continue;
    keys[numbers] = descending ? -value : value;
    positions[numbers++] = j;
  }
  for (let j = 0, at = numbers; at < n; j++) {
    if (Number.isNaN(a[start + j]!)) positions[at++] = j;
  }
  return numbers;
}

/** Sorts [from, to) by insertion. */
function insertionSort(keys: Float64Array, positions: Int32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) insert(keys, positions, from, i, keys[i]!, positions[i]!);
}

/** Puts a key behind its equals in the sorted [from, to), moving the larger ones up by one. */
function insert(
  keys: Float64Array,
  positions: Int32Array,
  from: number,
  to: number,
  key: number,
  position: number,
): void {
  let at = to;
  for (; at > from && keys[at - 1]! > key; at--) {
    keys[at] = keys[at - 1]!;
    positions[at] = positions[at - 1]!;
  }
  keys[at] = key;
  positions[at] = position;
}

/** Leaves the k smallest keys, sorted, in front. */
function selectFirst(keys: Float64Array, positions: Int32Array, n: number, k: number): void {
  if (k === 0) return;
  insertionSort(keys, positions, 0, k);
  for (let i = k; i < n; i++) {
    if (keys[i]! < keys[k - 1]!) insert(keys, positions, 0, k - 1, keys[i]!, positions[i]!);
  }
}

/** Sorts the first n keys: runs by insertion, then merged in passes between the two pairs. */
function mergeSort(
  keys: Float64Array,
  positions: Int32Array,
  spareKeys: Float64Array,
  sparePositions: Int32Array,
  n: number,
): void {
  for (let from = 0; from < n; from += shortRun) {
    insertionSort(keys, positions, from, Math.min(n, from + shortRun));
  }
  let [fromKeys, fromPositions, toKeys, toPositions] = [
    keys, positions, spareKeys, sparePositions,
  ]; // prettier-ignore
  for (let run = shortRun; run < n; run *= 2) {
    for (let start = 0; start < n; start += 2 * run) {
      const middle = Math.min(n, start + run);
      const end = Math.min(n, start + 2 * run);
      merge(fromKeys, fromPositions, toKeys, toPositions, start, middle, end);
    }
    [fromKeys, fromPositions, toKeys, toPositions] = [
      toKeys, toPositions, fromKeys, fromPositions,
    ]; // prettier-ignore
  }
  if (fromKeys !== keys) positions.set(fromPositions.subarray(0, n));
}

/** Merges the sorted [start, middle) and [middle, end) into the other pair of arrays. */
function merge(
  keys: Float64Array,
  positions: Int32Array,
  toKeys: Float64Array,
  toPositions: Int32Array,
  start: number,
  middle: number,
  end: number,
): void {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takeLeft = left < middle && (right >= end || keys[left]! <= keys[right]!);
    const from = takeLeft ? left++ : right++;
    toKeys[at] = keys[from]!;
    toPositions[at] = positions[from]!;
  }
}
