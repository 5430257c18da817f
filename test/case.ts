/**
 * What a case is: one call of one operation, with everything needed to check it on any device. The
 * table itself is cases.ts; conformance.test.ts checks values, gradients.test.ts gradients.
 */

import type { DType } from '../src/backends/dtype.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { build, plain, sizeOf } from './plain.js';
import type { Plain } from './plain.js';

/** Distance allowed from the expected value: |error| ≤ absolute + relative · |expected|. */
export interface Bound {
  readonly relative: number;
  readonly absolute: number;
}

export interface Tolerance {
  readonly float32: Bound;
  readonly float64: Bound;
}

/** Gradients are compared with central differences unless a case says otherwise. */
export type GradientPlan =
  /** No gradient, and why: not smooth here, not differentiable, large. */
  | { readonly none: string }
  /** First derivatives only, and why. */
  | { readonly firstOnly: string }
  /** At kinks and ties, where differences mean nothing: the gradients for given upstream ones. */
  | { readonly upstream: readonly number[]; readonly gradients: readonly (Plain | null)[] };

export interface Case {
  /** Name under which the package exports the operation. */
  readonly op: string;
  /** What this case is about. */
  readonly title: string;
  /** Arrays without a dtype are tried as float32 and as float64. */
  readonly inputs: readonly Plain[];
  /** Arguments of the call, made from the inputs; default: the inputs themselves. */
  readonly args?: (...inputs: Tensor[]) => readonly unknown[];
  /** The result, from the inputs (as rounded to their dtype). */
  readonly expected: (...inputs: Plain[]) => Plain | readonly Plain[];
  /** Default: {@link close} for floats; everything else is exact. */
  readonly tolerance?: Tolerance;
  readonly gradient?: GradientPlan;
  /** Inputs that have no gradient (a target, say), by position. */
  readonly constants?: readonly number[];
  /** Results that have one, by position; default all float results. */
  readonly differentiable?: readonly number[];
}

const bound = (relative: number, absolute: number): Bound => ({ relative, absolute });
const ulp32 = 2 ** -23;
const ulp64 = 2 ** -52;

/** A tolerance in units of the last place, with an absolute part in the same units. */
export const ulps = (relative: number, absolute = 0): Tolerance => ({
  float32: bound(relative * ulp32, absolute * ulp32),
  float64: bound(relative * ulp64, absolute * ulp64),
});

/** Bits must be equal. */
export const exact = ulps(0);

/**
 * The default. Our kernels are within 2 units in the last place; 4 leave room for an oracle that is
 * itself a unit off. The absolute part covers results that were rounded near 0 (denormals).
 */
export const close: Tolerance = {
  float32: bound(4 * ulp32, 1e-38),
  float64: bound(4 * ulp64, 1e-300),
};

/**
 * For sums of up to some hundreds of numbers about 1: partial sums are some tens, and their
 * rounding
 * errors do not shrink when terms cancel.
 */
export const summed = ulps(16, 64);

// ---- inputs -----------------------------------------------------------------------------------

const golden = (Math.sqrt(5) - 1) / 2;
let streams = 0;

export interface Domain {
  /** Bounds of the values; default −2 to 2. */
  readonly from?: number;
  readonly to?: number;
  /** Points to stay away from, by 0.02 at least: kinks and poles. */
  readonly avoid?: readonly number[];
}

/**
 * Distinct values well spread over a domain: multiples of the golden ratio modulo 1, each array
 * with an offset of its own, so that equal shapes hold different values and no two of them tie.
 */
export function real(shape: readonly number[], domain: Domain = {}): Plain {
  const { from = -2, to = 2, avoid = [] } = domain;
  const offset = (++streams * 0.3247179572447461) % 1; // another irrational
  const value = (i: number): number => {
    const x = from + (to - from) * (((i + 1) * golden + offset) % 1);
    const kink = avoid.find((point) => Math.abs(x - point) < 0.02);
    return kink === undefined ? x : x < kink ? x - 0.04 : x + 0.04;
  };
  return plain(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => value(i)),
  );
}

/** Whole numbers from low to high, in no order. */
export function whole(shape: readonly number[], low: number, high: number, dtype?: DType): Plain {
  const { values } = real(shape, { from: low, to: high + 1 });
  return plain(shape, values.map(Math.floor), dtype);
}

/** Evenly spaced values, ends included. */
export const grid = (count: number, from: number, to: number): Plain =>
  build([count], ([i]) => from + ((to - from) * i!) / Math.max(1, count - 1));

/** Numbers that formulas stumble over. */
export const extremes = plain(
  [12],
  [0, -0, Infinity, -Infinity, NaN, 1, -1, 0.5, 1e-20, -1e-20, 1e20, -1e20],
);
