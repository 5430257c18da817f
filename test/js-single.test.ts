/** Exponentials, and what comes from tables, on the `js` backend, over all of float32. */

import { expect, it } from 'vitest';

import { erf } from '../src/backends/js-math.js';
import { createJsBackend } from '../src/backends/js.js';
import { kernelNumber } from '../src/backends/kernels.js';
import type { FormulaName } from '../src/backends/formulas.js';

const elu = (x: number, alpha = 1): number => (x > 0 ? x : alpha * Math.expm1(x));
const celu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x / alpha));

interface Row {
  readonly name: FormulaName;
  readonly f: (x: number) => number;
  /** Its parameter; 0 if it has none. */
  readonly p: number;
  /** Largest error in units of the last place. */
  readonly ulps: number;
}
const exponentials: readonly Row[] = [
  { name: 'exp', f: Math.exp, p: 0, ulps: 1 },
  { name: 'expm1', f: Math.expm1, p: 0, ulps: 1 },
  { name: 'sigmoid', f: (x) => 1 / (1 + Math.exp(-x)), p: 0, ulps: 1 },
];
const selu = (x: number): number => (x > 0 ? 1.0507009873554805 : 1.7580993408473766) * elu(x);
const fromTables: readonly Row[] = [
  { name: 'tanh', f: Math.tanh, p: 0, ulps: 0.6 },
  { name: 'erf', f: erf, p: 0, ulps: 0.6 },
  { name: 'selu', f: selu, p: 0, ulps: 0.6 },
  ...[1, 0.3, 2.5].map((p) => ({
    name: 'elu' as const,
    f: (x: number) => elu(x, p),
    p,
    ulps: 0.6,
  })),
  ...[2, 0.3].map((p) => ({ name: 'celu' as const, f: (x: number) => celu(x, p), p, ulps: 0.6 })),
];

/** Both signs of 997 numbers to a power of two from 2^-149 to 2^127, and where formulas change. */
function arguments32(): Float32Array {
  const values = [0, 87, 86.99999, 87.00001, 43.5, 88.7228, 88.7229, 103.9, 104, Infinity, NaN];
  for (let exponent = -149; exponent < 128; exponent++) {
    for (let part = 0; part < 997; part++) values.push(2 ** exponent * (1 + part / 997));
  }
  return Float32Array.from([...values, ...values.map((each) => -each)]);
}

/** The first and the last float32 of every interval of the tables, NaN and infinities included. */
function ends32(): Float32Array {
  const bits = Uint32Array.from(
    { length: 2 ** 17 },
    (_, i) => (i >> 1) * 2 ** 16 + (i & 1) * 65535,
  );
  return new Float32Array(bits.buffer);
}

const backend = createJsBackend();
function compute({ name, p }: Pick<Row, 'name' | 'p'>, x: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  backend.map(kernelNumber(name), out, x, null, null, null, p, 0);
  return out;
}

/** The distance of two float32 in units of the last place of the second. */
function ulps(value: number, exact: number): number {
  if (Object.is(value, Math.fround(exact)) || value === Math.fround(exact)) return 0;
  const unit = 2 ** Math.max(Math.floor(Math.log2(Math.abs(exact))) - 23, -149);
  const distance = Math.abs(value - exact) / unit;
  return Number.isNaN(distance) ? Infinity : distance;
}

function expectPrecise(row: Row, x: Float32Array): void {
  const out = compute(row, x);
  const distances = x.map((each, i) => ulps(out[i]!, row.f(each)));
  const worst = distances.reduce((most, each, i) => (each <= distances[most]! ? most : i), 0);
  expect({ x: x[worst], value: out[worst], ulps: distances[worst] }).toSatisfy(
    (found: { ulps: number }) => found.ulps <= row.ulps,
  );
}

it.each([...exponentials, ...fromTables])('$name, parameter $p, is right to $ulps units', (row) => {
  expectPrecise(row, arguments32());
});

it.each(fromTables)('$name, parameter $p, is right at the ends of all intervals', (row) => {
  expectPrecise(row, ends32());
});

it.each(fromTables)('$name, parameter $p, keeps zeros, infinities and NaN as they are', (row) => {
  const x = Float32Array.of(0, -0, Infinity, -Infinity, NaN, 2 ** -149, -(2 ** -149));
  expect(compute(row, x)).toEqual(x.map(row.f));
});

function expectSame(found: Float32Array, wanted: Float32Array): void {
  expect(found.findIndex((each, i) => !Object.is(each, wanted[i]))).toBe(-1);
}

it('takes tables of other parameters in between, and any length, without any change of bits', () => {
  const x = arguments32();
  const whole = compute({ name: 'elu', p: 1 }, x);
  for (const p of [0.1, 0.2, NaN, 0.4, 0.5, 0.6]) {
    const one = compute({ name: 'elu', p }, Float32Array.of(-1));
    expect(one[0]).toBe(Math.fround(p * Math.expm1(-1)));
  }
  const backwards = x.slice().reverse();
  for (let start = 0; start < x.length; start += 1001) {
    const part = backwards.subarray(start, start + 1001);
    part.set(compute({ name: 'elu', p: 1 }, part));
  }
  expectSame(backwards.reverse(), whole);
});

it('writes results from tables over their arguments', () => {
  const x = arguments32();
  const wanted = compute({ name: 'tanh', p: 0 }, x);
  backend.map(kernelNumber('tanh'), x, x, null, null, null, 0, 0);
  expectSame(x, wanted);
});

it('spreads one element over many', () => {
  const out = new Float32Array(5);
  backend.map(kernelNumber('elu'), out, Float32Array.of(-1), null, null, null, 2, 0);
  expect(out).toEqual(new Float32Array(5).fill(2 * Math.expm1(-1)));
});
