/** Cases of the elementwise operations on floats: a line each, and the shapes all are tried on. */

import { close, exact, extremes, grid, real, summed, ulps } from '../case.js';
import type { Case, Domain, GradientPlan, Tolerance } from '../case.js';
import { plain, scalar, zip } from '../plain.js';
import type { Plain } from '../plain.js';

interface UnaryOptions extends Domain {
  /** Arguments after the tensor. */
  readonly args?: readonly unknown[];
  /** Domain of the long array. Default −20 to 20, or from–to where those are given. */
  readonly wide?: readonly [number, number];
  readonly tolerance?: Tolerance;
}

const kink: GradientPlan = { none: 'extreme values, where differences mean nothing' };

/** An operation of one argument on the shapes there are, a long grid, and extreme values. */
function unary(op: string, f: (x: number) => number, options: UnaryOptions = {}): Case[] {
  const { args = [], tolerance = close, from = -20, to = 20 } = options;
  const [low, high] = options.wide ?? [from, to];
  const label = args.length > 0 ? `(${args.join(', ')})` : '';
  const make = (title: string, input: Plain, gradient?: GradientPlan): Case => ({
    op,
    title: `${title}${label}`,
    inputs: [input],
    args: (x) => [x, ...args],
    expected: (x) => zip(f, [x]),
    tolerance,
    ...(gradient ? { gradient } : {}),
  });
  return [
    make('a matrix', real([2, 3], options)),
    make('a scalar', real([], options)),
    make('no elements', real([2, 0, 3], options)),
    make('a long array', grid(1003, low, high)),
    make('extreme values', extremes, kink),
  ];
}

/** Pairs of shapes that broadcast: every path a broadcasting kernel can take. */
const pairs: readonly (readonly [a: readonly number[], b: readonly number[]])[] = [
  [[2, 3], [2, 3]],
  [[], []],
  [[2, 3], []],
  [[], [4]],
  [[2, 3], [3]],
  [[2, 1], [1, 3]],
  [[2, 1, 3], [2, 1]],
  [[2, 1, 2, 1, 2], [1, 3, 1, 2, 1]], // five loops
  [[0, 3], [3]],
  [[2, 0], [2, 1]],
  [[1003], [1003]],
  [[17, 129], [129]],
  [[17, 129], [17, 1]],
  [[129, 1], [1, 17]],
]; // prettier-ignore

interface BinaryOptions {
  readonly a?: Domain;
  readonly b?: Domain;
  readonly tolerance?: Tolerance;
}

function binary(
  op: string,
  f: (a: number, b: number) => number,
  options: BinaryOptions = {},
): Case[] {
  const { tolerance = close } = options;
  return pairs.map(([a, b]) => ({
    op,
    title: `[${a.join(', ')}] and [${b.join(', ')}]`,
    inputs: [real(a, options.a), real(b, options.b)],
    expected: (x, y) => zip(f, [x, y]),
    tolerance,
  }));
}

/** The pairs of shapes, with the one or the other at two of three places. */
function ternary(op: string, f: (a: number, b: number, c: number) => number): Case[] {
  const triples = pairs.flatMap(([a, b]) =>
    a.join() === b.join() ? [[a, a, a]] : [[a, b, a], [b, a, a], [a, a, b]],
  ); // prettier-ignore
  return triples.map((shapes) => ({
    op,
    title: shapes.map((shape) => `[${shape.join(', ')}]`).join(' and '),
    inputs: shapes.map((shape) => real(shape)),
    expected: (...x) => zip(f, x),
    tolerance: summed,
  }));
}

/** Pairs of extreme values, in every combination. */
function binaryExtremes(
  op: string,
  f: (a: number, b: number) => number,
  tolerance: Tolerance = close,
): Case {
  const count = extremes.shape[0]!;
  return {
    op,
    title: 'extreme values',
    inputs: [extremes, plain([count, 1], extremes.values)],
    expected: (a, b) => zip(f, [a, b]),
    tolerance,
    gradient: kink,
  };
}

// ---- oracles ----------------------------------------------------------------------------------

/**
 * erf near 0 by its series 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms are all positive;
 * further out 1 minus erfc by its continued fraction.
 */
function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  const start = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (Math.abs(x) > 2) {
    let fraction = 0;
    for (let n = 100; n > 0; n--) fraction = n / 2 / (Math.abs(x) + fraction);
    return Math.sign(x) * (1 - start / (Math.abs(x) + fraction));
  }
  let term = x;
  let sum = x;
  for (let n = 1; n < 100; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return 2 * start * sum;
}

const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
const softplus = (x: number): number =>
  x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
const even = (x: number): number =>
  Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));
const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const hardSigmoid = (x: number): number => Math.min(Math.max(x / 6 + 0.5, 0), 1);

/** Remainder with the divisor's sign. */
function modulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

const least = (a: number, b: number): number => Math.min(a, b);
const most = (a: number, b: number): number => Math.max(a, b);

// ---- the table --------------------------------------------------------------------------------

const fractions: Domain = { from: -0.95, to: 0.95 };
const positive: Domain = { from: 0.1, to: 5 };
const zero: Domain = { avoid: [0] };
const integers: Domain = { avoid: [-2, -1, 0, 1, 2] };
const cancelling = ulps(8, 8);

const arithmetic: Case[] = [
  ...unary('neg', (x) => -x, { tolerance: exact }),
  ...unary('abs', Math.abs, { ...zero, tolerance: exact }),
  ...unary('sign', Math.sign, { ...zero, tolerance: exact }),
  ...unary('square', (x) => x * x, { tolerance: exact }),
  ...unary('reciprocal', (x) => 1 / x, { ...positive, tolerance: exact }),
  ...unary('sqrt', Math.sqrt, { ...positive, tolerance: exact }),
  ...unary('rsqrt', (x) => 1 / Math.sqrt(x), positive),
  ...unary('floor', Math.floor, { ...integers, tolerance: exact }),
  ...unary('ceil', Math.ceil, { ...integers, tolerance: exact }),
  ...unary('round', even, { avoid: [-1.5, -0.5, 0.5, 1.5], tolerance: exact }),
  ...unary('clip', (x) => Math.min(Math.max(x, -0.7), 1.1), {
    avoid: [-0.7, 1.1],
    args: [-0.7, 1.1],
    tolerance: close,
  }),
  ...unary('affine', (x) => x * 1.75 - 0.5, { args: [1.75, -0.5], tolerance: summed }),
  ...binary('add', (a, b) => a + b, { tolerance: exact }),
  ...binary('sub', (a, b) => a - b, { tolerance: exact }),
  ...binary('mul', (a, b) => a * b, { tolerance: exact }),
  ...binary('div', (a, b) => a / b, { b: positive, tolerance: exact }),
  ...binary('pow', (a, b) => a ** b, { a: positive }),
  ...binary('minimum', least, { tolerance: exact }),
  ...binary('maximum', most, { tolerance: exact }),
  ...binary('mod', modulo, { a: { from: 0.1, to: 0.9 }, b: { from: 1, to: 3 } }),
  ...binary('floorDiv', (a, b) => Math.floor(a / b), {
    a: { from: 2.1, to: 2.9 },
    b: { from: 0.75, to: 0.95 },
  }),
  ...binary('atan2', Math.atan2, { b: { from: 0.2, to: 2 } }),
  ...binary('squaredDifference', (a, b) => (a - b) ** 2),
  ...ternary('mulAdd', (a, b, c) => a * b + c),
  binaryExtremes('add', (a, b) => a + b, exact),
  binaryExtremes('sub', (a, b) => a - b, exact),
  binaryExtremes('mul', (a, b) => a * b, exact),
  binaryExtremes('div', (a, b) => a / b, exact),
  binaryExtremes('minimum', least, exact),
  binaryExtremes('maximum', most, exact),
  binaryExtremes('atan2', Math.atan2),
];

const transcendental: Case[] = [
  ...unary('exp', Math.exp, { from: -4, to: 4, wide: [-110, 87] }),
  ...unary('expm1', Math.expm1, { from: -3, to: 3, wide: [-30, 80] }),
  ...unary('log', Math.log, positive),
  ...unary('log1p', Math.log1p, { from: -0.9, to: 5 }),
  ...unary('sin', Math.sin, { from: -3, to: 3, wide: [-30, 30] }),
  ...unary('cos', Math.cos, { from: -3, to: 3, wide: [-30, 30] }),
  ...unary('tan', Math.tan, { from: -1.4, to: 1.4 }),
  ...unary('asin', Math.asin, fractions),
  ...unary('acos', Math.acos, fractions),
  ...unary('atan', Math.atan),
  ...unary('sinh', Math.sinh, { from: -3, to: 3, wide: [-80, 80] }),
  ...unary('cosh', Math.cosh, { from: -3, to: 3, wide: [-80, 80] }),
  ...unary('tanh', Math.tanh, { from: -3, to: 3, wide: [-20, 20] }),
  ...unary('erf', erf, { from: -3, to: 3, wide: [-7, 7], tolerance: ulps(16) }),
];

const activations: Case[] = [
  ...unary('sigmoid', sigmoid, { from: -4, to: 4, wide: [-80, 80] }),
  ...unary('logSigmoid', (x) => -softplus(-x), { from: -4, to: 4, wide: [-80, 80] }),
  ...unary('softplus', softplus, { from: -4, to: 4, wide: [-80, 80] }),
  ...unary('softsign', (x) => x / (1 + Math.abs(x)), zero),
  ...unary('relu', (x) => Math.max(x, 0), { ...zero, tolerance: exact }),
  ...unary('relu6', (x) => Math.min(Math.max(x, 0), 6), {
    from: -3,
    to: 9,
    avoid: [0, 6],
    tolerance: exact,
  }),
  ...unary('leakyRelu', (x) => (x > 0 ? x : 0.2 * x), zero),
  ...unary('leakyRelu', (x) => (x > 0 ? x : 0.01 * x), { ...zero, args: [0.01] }),
  ...unary('elu', (x) => elu(x, 1), zero),
  ...unary('elu', (x) => elu(x, 0.3), { ...zero, args: [0.3] }),
  ...unary('celu', (x) => elu(x, 1), zero),
  ...unary('celu', (x) => (x > 0 ? x : 2 * Math.expm1(x / 2)), { ...zero, args: [2] }),
  ...unary('selu', (x) => 1.0507009873554805 * elu(x, 1.6732632423543772), zero),
  ...unary('gelu', (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)), {
    from: -3,
    to: 3,
    wide: [-8, 8],
    tolerance: cancelling,
  }),
  ...unary('gelu', geluTanh, {
    from: -3,
    to: 3,
    wide: [-8, 8],
    args: [true],
    tolerance: cancelling,
  }),
  ...unary('silu', (x) => x * sigmoid(x), { from: -4, to: 4, wide: [-80, 80] }),
  ...unary('mish', (x) => x * Math.tanh(softplus(x)), { from: -4, to: 4, wide: [-30, 30] }),
  ...unary('hardSigmoid', hardSigmoid, { from: -5, to: 5, avoid: [-3, 3], tolerance: cancelling }),
  ...unary('hardSilu', (x) => (x <= -3 ? 0 : x >= 3 ? x : x * hardSigmoid(x)), {
    from: -5,
    to: 5,
    avoid: [-3, 3],
    tolerance: cancelling,
  }),
  ...binary('prelu', (a, b) => (a > 0 ? a : a * b), { a: zero, tolerance: exact }),
];

/** pow where C, Python and JavaScript do not agree, and at 0. */
const powers: Case[] = [
  {
    op: 'pow',
    title: 'special pairs, as in C',
    inputs: [
      plain([13], [1, 1, -1, 0, 0, 0, 2, Infinity, -2, -2, -8, NaN, 0]),
      plain([13], [NaN, Infinity, Infinity, 0, 3, -1, -1, 0, 3, 2, 1 / 3, 0, 0.5]),
    ],
    expected: () => plain([13], [1, 1, 1, 1, 0, Infinity, 0.5, 1, -8, 4, NaN, 1, 0]),
    gradient: kink,
  },
  {
    op: 'pow',
    title: 'negative bases to whole powers',
    inputs: [plain([5], [-2, -1.5, -0.5, -3, 1.5])],
    args: (x) => [x, 3],
    expected: (x) => zip((a) => a * a * a, [x]),
  },
  {
    op: 'pow',
    title: 'the gradient at 0, where the power is 0, 1, 2, 3',
    inputs: [plain([4], [0, 0, 0, 0]), plain([4], [0, 1, 2, 3])],
    expected: () => plain([4], [1, 0, 0, 0]),
    gradient: {
      upstream: [1, 1, 1, 1],
      gradients: [plain([4], [0, 1, 0, 0]), null],
    },
    constants: [1],
  },
];

/** Where derivatives jump: our convention is PyTorch's except where a comment says so. */
const kinks: Case[] = [
  jump('abs', [0], [0], [0]),
  jump('relu', [0, -1, 1], [0, 0, 1], [0, 0, 1]),
  jump('relu6', [0, 6, 7], [0, 6, 6], [0, 0, 0]),
  jump('leakyRelu', [0], [0], [0.2]),
  jump('elu', [0], [0], [1]),
  jump('hardSigmoid', [-3, 3], [0, 1], [0, 0]),
  jump('hardSilu', [-3, 3], [0, 3], [0, 1]),
  jump('softsign', [0], [0], [1]),
  { ...jump('clip', [-1, 1, 2], [-1, 1, 1], [1, 1, 0]), args: (x) => [x, -1, 1] },
  ...(['minimum', 'maximum'] as const).map((op): Case => ({
    op,
    title: 'ties share the gradient evenly',
    inputs: [plain([2], [1, 2]), plain([2], [1, 2])],
    expected: (a) => a,
    gradient: {
      upstream: [1, 4],
      gradients: [plain([2], [0.5, 2]), plain([2], [0.5, 2])],
    },
  })),
];

function jump(
  op: string,
  points: readonly number[],
  values: readonly number[],
  slopes: readonly number[],
): Case {
  const shape = [points.length];
  return {
    op,
    title: 'at the kink',
    inputs: [plain(shape, points)],
    expected: () => plain(shape, values),
    gradient: { upstream: points.map(() => 1), gradients: [plain(shape, slopes)] },
  };
}

/** Where float32 runs out of range, on the way to infinity and to 0. */
const overflow: readonly Case[] = [
  { op: 'exp', f: Math.exp.bind(Math), input: grid(101, 87, 90) },
  { op: 'expm1', f: Math.expm1.bind(Math), input: grid(101, 87, 90) },
  { op: 'cosh', f: Math.cosh.bind(Math), input: grid(101, 87, 91) },
  { op: 'sinh', f: Math.sinh.bind(Math), input: grid(101, -91, -87) },
].map(({ op, f, input }) => ({
  op,
  title: 'around the end of the range',
  inputs: [input],
  expected: (x) => zip(f, [x]),
  gradient: { none: 'overflows' },
}));

/** Beyond the size that is worth several threads. */
const threaded: Case[] = [
  { op: 'exp', f: Math.exp },
  { op: 'elu', f: (x: number) => elu(x, 1) },
].map(({ op, f }) => ({
  op,
  title: 'an array for several threads',
  inputs: [grid(300_001, -5, 5)],
  expected: (x) => zip(f, [x]),
}));

export const elementwiseCases: readonly Case[] = [
  ...arithmetic,
  ...transcendental,
  ...activations,
  ...powers,
  ...kinks,
  ...overflow,
  ...threaded,
  {
    op: 'add',
    title: 'a tensor and a number',
    inputs: [real([3])],
    args: (x) => [x, 0.1],
    expected: (x) => ({ ...zip((a, b) => a + b, [x, scalar(0.1)]) }),
    tolerance: ulps(1),
  },
  {
    op: 'mulAdd',
    title: 'a tensor and two numbers',
    inputs: [real([3])],
    args: (x) => [x, 2, 0.5],
    expected: (x) => zip((a) => a * 2 + 0.5, [x]),
    tolerance: summed,
  },
  {
    op: 'sub',
    title: 'a number and a tensor',
    inputs: [real([3])],
    args: (x) => [1, x],
    expected: (x) => zip((a) => 1 - a, [x]),
    tolerance: exact,
  },
];
