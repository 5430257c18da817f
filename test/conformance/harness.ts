/** What the conformance tests share: moving values, made-up inputs, comparison with tolerance. */

import { expect } from 'vitest';

import type { Backend, Buffer, HostArray } from '../../src/backends/backend.js';
import { dtypeOf, typedArray } from '../../src/backends/dtype.js';
import type { DType, FloatDType } from '../../src/backends/dtype.js';

export const floatDTypes = ['float32', 'float64'] as const;
export const numberDTypes = ['float32', 'float64', 'int32', 'uint8'] as const;

/** Half the distance from 1 to the next number: the relative error of one rounding. */
export const roundoff: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -24,
  float64: 2 ** -53,
};

/** The same numbers on every run (mulberry32), so that a failure can be repeated. */
export class Source {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Floats in [-scale, scale), or integers of the whole range of a small integer dtype. */
  values(dtype: DType, size: number, scale = 2): HostArray {
    const array = typedArray(dtype, size);
    for (let i = 0; i < size; i++) {
      if (dtype === 'bool') array[i] = this.integer(0, 1);
      else if (dtype === 'uint8') array[i] = this.integer(0, 255);
      else if (dtype === 'int32') array[i] = this.integer(-100, 100);
      else array[i] = (this.next() * 2 - 1) * scale;
    }
    return array;
  }
}

/** A backend with values going in and coming out as typed arrays. */
export class Bench {
  constructor(readonly backend: Backend) {}

  /** A buffer holding values. */
  put(values: HostArray): Buffer {
    const buffer = this.backend.allocate(dtypeOf(values)!, values.length);
    this.backend.write(buffer, values);
    return buffer;
  }

  putOptional(values: HostArray | null): Buffer | null {
    return values && this.put(values);
  }

  /** A buffer whose contents a kernel has to replace: 99 everywhere. */
  output(dtype: DType, size: number): Buffer {
    return this.put(typedArray(dtype, size).fill(99));
  }

  get(buffer: Buffer): HostArray {
    return this.backend.readSync(buffer);
  }
}

/** A typed array of a dtype from plain numbers. */
export function array(dtype: DType, values: ArrayLike<number>): HostArray {
  const result = typedArray(dtype, values.length);
  result.set(values);
  return result;
}

/** Whether two numbers are the same, both NaN or apart by no more than the tolerance. */
function agree(found: number, wanted: number, tolerance: number): boolean {
  if (found === wanted || (Number.isNaN(found) && Number.isNaN(wanted))) return true;
  return Math.abs(found - wanted) <= tolerance;
}

/**
 * Fails unless every element is as wanted, to a tolerance for all or for each. Wanted numbers are
 * rounded to the found array's dtype first. `label` says what was computed.
 */
export function expectClose(
  found: HostArray,
  wanted: ArrayLike<number>,
  tolerance: number | ArrayLike<number>,
  label: string,
): void {
  expect(found.length, `${label}: length`).toBe(wanted.length);
  for (let i = 0; i < found.length; i++) {
    const allowed = typeof tolerance === 'number' ? tolerance : tolerance[i]!;
    const want = found instanceof Float32Array ? Math.fround(wanted[i]!) : wanted[i]!;
    if (agree(found[i]!, want, allowed)) continue;
    expect.fail(
      `${label}: element ${i} of ${found.length} is ${found[i]}, wanted ${want} ± ${allowed}`,
    );
  }
}

/** Fails unless every element equals what is wanted; NaN equals NaN. */
export function expectSame(found: HostArray, wanted: ArrayLike<number>, label: string): void {
  expectClose(found, wanted, 0, label);
}
