/** Reductions and running sums of the `js` backend. */

import { reductions } from './backend.js';
import type { HostArray, Reduction } from './backend.js';
import { sumColumns, sumRun } from './js-sums.js';
import type { Term } from './js-sums.js';

/** Reduces n elements of `a` from `start`, `step` apart. */
type Fold = (a: HostArray, start: number, step: number, n: number) => number;

/** Everything but sums of floats: integers wrap as int32 (`| 0`, imul). */
const folds: Readonly<Record<Exclude<Reduction, 'prod'>, Fold>> & {
  prodInteger: Fold;
  prod: Fold;
} = {
  sum(a, start, step, n) {
    let sum = 0;
    for (let j = 0, i = start; j < n; j++, i += step) sum = (sum + a[i]!) | 0;
    return sum;
  },
  sumSquares(a, start, step, n) {
    let sum = 0;
    for (let j = 0, i = start; j < n; j++, i += step) sum = (sum + Math.imul(a[i]!, a[i]!)) | 0;
    return sum;
  },
  sumAbs(a, start, step, n) {
    let sum = 0;
    for (let j = 0, i = start; j < n; j++, i += step) sum = (sum + Math.abs(a[i]!)) | 0;
    return sum;
  },
  prodInteger(a, start, step, n) {
    let product = 1;
    for (let j = 0, i = start; j < n; j++, i += step) product = Math.imul(product, a[i]!);
    return product;
  },
  prod(a, start, step, n) {
    let product = 1;
    for (let j = 0, i = start; j < n; j++, i += step) product *= a[i]!;
    return product;
  },
  max(a, start, step, n) {
    return a[start + folds.argMax(a, start, step, n) * step]!;
  },
  min(a, start, step, n) {
    return a[start + folds.argMin(a, start, step, n) * step]!;
  },
  argMax(a, start, step, n) {
    let best = 0;
    let bestValue = a[start]!;
    for (let j = 1, i = start + step; j < n; j++, i += step) {
      const value = a[i]!;
      if (value <= bestValue || bestValue !== bestValue) continue; // NaN is never beaten
      best = j;
      bestValue = value;
    }
    return best;
  },
  argMin(a, start, step, n) {
    let best = 0;
    let bestValue = a[start]!;
    for (let j = 1, i = start + step; j < n; j++, i += step) {
      const value = a[i]!;
      if (value >= bestValue || bestValue !== bestValue) continue;
      best = j;
      bestValue = value;
    }
    return best;
  },
  any(a, start, step, n) {
    for (let j = 0, i = start; j < n; j++, i += step) if (a[i] !== 0) return 1;
    return 0;
  },
  all(a, start, step, n) {
    for (let j = 0, i = start; j < n; j++, i += step) if (a[i] === 0) return 0;
    return 1;
  },
};

const terms: readonly string[] = ['sum', 'sumSquares', 'sumAbs'] satisfies Term[];

/** See `reduce` in backend.ts. */
export function reduce(
  reduction: number,
  out: HostArray,
  a: HostArray,
  outer: number,
  n: number,
  inner: number,
): void {
  const name = reductions[reduction]!;
  const float = a instanceof Float32Array || a instanceof Float64Array;
  if (float && terms.includes(name)) {
    sumFloats(name as Term, out, a, outer, n, inner);
    return;
  }
  const fold = folds[name === 'prod' && !float ? 'prodInteger' : name];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      out[o * inner + i] = fold(a, o * n * inner + i, inner, n);
    }
  }
}

function sumFloats(
  term: Term,
  out: HostArray,
  a: HostArray,
  outer: number,
  n: number,
  inner: number,
): void {
  if (inner === 1) {
    for (let o = 0; o < outer; o++) out[o] = sumRun(term, a, o * n, n);
    return;
  }
  const sums = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    sumColumns(sums, term, a, o * n * inner, n, inner);
    out.set(sums, o * inner);
  }
}

/** See `cumsum` in backend.ts. */
export function cumsum(
  out: HostArray,
  a: HostArray,
  outer: number,
  n: number,
  inner: number,
  reverse: boolean,
): void {
  const float = a instanceof Float32Array || a instanceof Float64Array;
  const step = reverse ? -inner : inner;
  for (let o = 0; o < outer; o++) {
    const start = (o * n + (reverse ? n - 1 : 0)) * inner;
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let j = 0, at = start + i; j < n; j++, at += step) {
        sum = float ? sum + a[at]! : (sum + a[at]!) | 0;
        out[at] = sum;
      }
    }
  }
}
