/** Exponentials in the float32 loops of the `js` backend, over the whole range of float32. */

import { expect, it } from 'vitest';

import { createJsBackend } from '../src/backends/js.js';
import { kernelNumber } from '../src/backends/kernels.js';
import type { FormulaName } from '../src/backends/formulas.js';

const elu = (x: number): number => (x > 0 ? x : Math.expm1(x));
const functions: readonly [FormulaName, (x: number) => number][] = [
  ['exp', Math.exp],
  ['expm1', Math.expm1],
  ['tanh', Math.tanh],
  ['sigmoid', (x) => 1 / (1 + Math.exp(-x))],
  ['elu', elu],
  ['selu', (x) => (x > 0 ? 1.0507009873554805 : 1.7580993408473766) * elu(x)],
];

/** Both signs of 997 numbers to a power of two from 2^-149 to 2^127, and where formulas change. */
function arguments32(): Float32Array {
  const values = [0, 87, 86.99999, 87.00001, 43.5, 88.7228, 88.7229, 103.9, 104, Infinity, NaN];
  for (let exponent = -149; exponent < 128; exponent++) {
    for (let part = 0; part < 997; part++) values.push(2 ** exponent * (1 + part / 997));
  }
  return Float32Array.from([...values, ...values.map((each) => -each)]);
}

/** The distance of two float32 in units of the last place of the second. */
function ulps(value: number, exact: number): number {
  if (Object.is(value, Math.fround(exact)) || value === Math.fround(exact)) return 0;
  const unit = 2 ** Math.max(Math.floor(Math.log2(Math.abs(exact))) - 23, -149);
  const distance = Math.abs(value - exact) / unit;
  return Number.isNaN(distance) ? Infinity : distance;
}

it.each(functions)('%s is right to one unit in the last place', (name, exact) => {
  const x = arguments32();
  const out = new Float32Array(x.length);
  createJsBackend().map(kernelNumber(name), out, x, null, null, null, 1, 0);
  const distances = x.map((each, i) => ulps(out[i]!, exact(each)));
  const worst = distances.reduce((most, each, i) => (each <= distances[most]! ? most : i), 0);
  expect({ x: x[worst], value: out[worst], ulps: distances[worst] }).toSatisfy(
    (found: { ulps: number }) => found.ulps <= 1,
  );
});
