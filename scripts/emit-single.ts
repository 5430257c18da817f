/**
 * Functions of the formulas' language as JavaScript for float32 results: right to one unit in
 * float32's last place, and several times as fast as Math's, which are right in double precision.
 *
 * All come from e^x = 2^(k/64) · e^r with |r| ≤ ln 2 / 128: the power from a table, the rest from a
 * short polynomial (Tang, ACM TOMS 15, 1989), in double precision. What the table does not reach,
 * NaN included, goes to Math. They stand in the loops as text, since V8 does not always inline what
 * is called there, and have numbers in place of names, since it knows only of some that they do not
 * change. None branches on the sign of its argument, which in data is as good as random: a wrong
 * guess costs the processor more than computing both sides.
 */

import { entries, parts, reach } from '../src/backends/powers.js';

// With x = (k + f) ln 2 / 64 and |f| ≤ 1/2: e^r - 1 = f (r1 + f (r2 + f r3)).
const r1 = Math.LN2 / parts;
const r2 = r1 ** 2 / 2;
const r3 = r1 ** 3 / 6;
// Without the cubic term, where relative precision near 0 is not asked for: its nearest line on
// [-1/2, 1/2] goes to the linear one.
const s1 = r1 + (3 / 16) * r3;

/** Added and subtracted, it leaves no bits for a fraction: a double is rounded to an integer. */
const halves = 1.5 * 2 ** 52;

/** Declares the `power` and the `f` of e^(factor · x). */
const split = (x: string, factor = 1): string =>
  `const t = ${x} * ${(factor * parts) / Math.LN2}, k = t + ${halves} - ${halves}, f = t - k, ` +
  `power = table[k & ${entries - 1}]!;`;
const exponential = `power * (1 + f * (${s1} + f * ${r2}))`;
/** e^x - 1, exact near 0. */
const growth = `power * (f * (${r1} + f * (${r2} + f * ${r3}))) + (power - 1)`;

const choose = (near: string, splitting: string, value: string, far: string): string =>
  `if (${near}) { ${splitting} y = ${value}; } else y = ${far};`;

/** Statements that set y to the function of x, by name. */
const bodies: Readonly<Record<string, string>> = {
  exp: choose(`Math.abs(x) < ${reach}`, split('x'), exponential, 'Math.exp(x)'),
  expm1: choose(`Math.abs(x) < ${reach}`, split('x'), growth, 'Math.expm1(x)'),
  tanh: choose(
    `Math.abs(x) < ${reach / 2}`,
    `${split('x', 2)} const grown = ${growth};`,
    'grown / (grown + 2)',
    'Math.tanh(x)',
  ),
  sigmoid: choose(
    `Math.abs(x) < ${reach}`,
    split('x', -1),
    `1 / (1 + ${exponential})`,
    'sigmoid(x)',
  ),
};

/** Whether a function has a form of its own for float32 results. */
export const isSingle = (name: string): boolean => name in bodies;

/** A statement that declares `result` as the function of an argument. */
export const singleCall = (name: string, argument: string, result: string): string =>
  `let ${result} = 0; { const x = ${argument}; ${bodies[name]!.replace(/\by\b/g, result)} }`;
