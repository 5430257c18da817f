/** js-math.ts, and what is particular to the `js` backend: generated loops, memory, refusals. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { emitJs } from '../scripts/emit-js.js';
import { erf, floorDiv, floorDivInteger, mod, modInteger } from '../src/backends/js-math.js';
import { pow, round, sigmoid, softplus } from '../src/backends/js-math.js';
import { createJsBackend } from '../src/backends/js.js';
import { kernelNumber } from '../src/backends/kernels.js';
import { DTypeError, MemoryError, ValueError } from '../src/errors.js';

describe('js-math', () => {
  // Values with forty digits, rounded to double.
  it.each([
    [0.1, 0.1124629160182849], [0.46875, 0.49261347321793797], [0.5, 0.5204998778130465],
    [1, 0.8427007929497149], [2, 0.9953222650189527], [3.9, 0.9999999652077514],
    [4, 0.9999999845827421], [4.1, 0.9999999932999724], [5.5, 0.9999999999999927],
  ])('erf(±%f)', (x, wanted) => {
    expect(Math.abs(erf(x) - wanted)).toBeLessThanOrEqual(2 ** -51 * wanted);
    expect(erf(-x)).toBe(-erf(x));
  }); // prettier-ignore

  it('erf at the ends', () => {
    expect([erf(0), erf(-0), erf(7), erf(Infinity), erf(-Infinity), erf(NaN)]).toEqual([
      0,
      -0,
      1,
      1,
      -1,
      NaN,
    ]);
  });

  it('round takes halves to even and keeps the sign of zero', () => {
    const values = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, -0.3, 2 ** 52 + 1, -0];
    expect(values.map(round)).toEqual([0, 2, 2, -0, -2, -2, 0, -0, 2 ** 52 + 1, -0]);
    expect([Infinity, -Infinity, NaN].map(round)).toEqual([Infinity, -Infinity, NaN]);
  });

  it('mod and floorDiv are Python’s', () => {
    const pairs = [[7, 3], [-7, 3], [7, -3], [-7, -3], [1, 0.1], [6, 3], [-6, 3], [6, -3], [5.5, 2]]; // prettier-ignore
    expect(pairs.map(([a, b]) => mod(a!, b!))).toEqual([
      1, 2, -2, -1, 0.09999999999999995, 0, 0, -0, 1.5,
    ]);
    expect(pairs.map(([a, b]) => floorDiv(a!, b!))).toEqual([2, -3, -3, 2, 9, 2, -2, -2, 2]);
    expect([mod(5, Infinity), mod(-5, Infinity), mod(5, 0)]).toEqual([5, Infinity, NaN]);
    expect([floorDiv(1, 0), floorDiv(-1, 0), floorDiv(0, 0)]).toEqual([Infinity, -Infinity, NaN]);
  });

  it('integer mod and floorDiv give 0 for a zero divisor', () => {
    expect([modInteger(7, -3), modInteger(7, 0), modInteger(-(2 ** 31), -1)]).toEqual([-2, 0, 0]);
    expect([floorDivInteger(-7, 2), floorDivInteger(7, 0)]).toEqual([-4, 0]);
  });

  it('pow is C’s where Math.pow is not', () => {
    expect([pow(1, NaN), pow(1, Infinity), pow(-1, Infinity), pow(-1, -Infinity)]).toEqual([
      1, 1, 1, 1,
    ]);
    expect([pow(2, 10), pow(-2, 3), pow(-8, 1 / 3), pow(NaN, 0)]).toEqual([1024, -8, NaN, 1]);
  });

  it('sigmoid and softplus do not overflow', () => {
    expect([sigmoid(-1000), sigmoid(1000), sigmoid(0)]).toEqual([0, 1, 0.5]);
    expect(sigmoid(-740)).toBe(Math.exp(-740));
    expect(sigmoid(NaN)).toBeNaN();
    expect([softplus(1000), softplus(-1000), softplus(0)]).toEqual([1000, 0, Math.log(2)]);
  });
});

describe('the js backend', () => {
  const backend = createJsBackend();

  it('has the loops that the formulas say', () => {
    const file = new URL('../src/backends/js-loops.ts', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(emitJs());
  });

  it('refuses float kernels on integers, by name', () => {
    const ints = Int32Array.of(1, 2);
    const run = (): void => backend.map(kernelNumber('exp'), ints, ints, null, null, null, 0, 0);
    expect(run).toThrow(DTypeError);
    expect(run).toThrow(/exp\.y.*int32/);
  });

  it('tells how much memory was asked for and how much there is', () => {
    const ask = (): unknown => backend.allocate('float64', 1e12);
    expect(ask).toThrow(MemoryError);
    expect(ask).toThrow(/7\.3 TiB \(8000000000000 bytes\) for 1000000000000 float64 elements/);
    expect(ask).toThrow(/this process may have [\d.]+ [GMT]iB/);
  });

  it('has one thread', () => {
    expect(backend.threads()).toBe(1);
    expect(() => backend.setThreads(2)).toThrow(ValueError);
  });
});
