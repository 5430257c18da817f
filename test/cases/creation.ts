/** Cases of operations that make tensors: filled ones, random ones, and noise. */

import { dtypes } from '../../src/backends/dtype.js';
import { Generator } from '../../src/index.js';
import { exact, real, ulps } from '../case.js';
import type { Case, Tolerance } from '../case.js';
import { build, plain, sizeOf } from '../plain.js';
import type { Plain } from '../plain.js';

const made = (
  op: string,
  title: string,
  args: () => readonly unknown[],
  expected: Plain,
  tolerance: Tolerance = exact,
): Case => ({ op, title, inputs: [], args, expected: () => expected, tolerance });

// ---- filled -----------------------------------------------------------------------------------

const filled: Case[] = [
  made('zeros', 'float32 by default', () => [[2, 3]], build([2, 3], () => 0, 'float32')),
  made('ones', 'a scalar', () => [[]], plain([], [1], 'float32')),
  made('full', 'a fraction', () => [[2], 0.1], plain([2], [0.1, 0.1], 'float32')),
  made('full', 'booleans', () => [[2], true, { dtype: 'bool' }], plain([2], [1, 1], 'bool')),
  ...dtypes.flatMap((dtype) => [
    made('zeros', dtype, () => [[3], { dtype }], plain([3], [0, 0, 0], dtype)),
    made('ones', dtype, () => [[3], { dtype }], plain([3], [1, 1, 1], dtype)),
    made('full', dtype, () => [[0, 3], 1, { dtype }], plain([0, 3], [], dtype)),
    made('eye', dtype, () => [2, 2, { dtype }], plain([2, 2], [1, 0, 0, 1], dtype)),
  ]),
  made('full', 'a long array', () => [[1003], 7, { dtype: 'uint8' }],
    build([1003], () => 7, 'uint8')),
  made('eye', 'square', () => [3], build([3, 3], ([i, j]) => Number(i === j), 'float32')),
  made('eye', 'above the diagonal', () => [2, 4, { offset: 1 }],
    build([2, 4], ([i, j]) => Number(i! + 1 === j), 'float32')),
  made('eye', 'below the diagonal', () => [3, 2, { offset: -2 }],
    build([3, 2], ([i, j]) => Number(i! - 2 === j), 'float32')),
  made('eye', 'no columns', () => [2, 0], plain([2, 0], [], 'float32')),
  made('arange', 'a count', () => [4], plain([4], [0, 1, 2, 3], 'float32')),
  made('arange', 'downwards', () => [5, 0, -2], plain([3], [5, 3, 1], 'float32')),
  made('arange', 'fractions', () => [0, 1, 0.25], plain([4], [0, 0.25, 0.5, 0.75], 'float32')),
  made('arange', 'int32', () => [-2, 2, 1, { dtype: 'int32' }],
    plain([4], [-2, -1, 0, 1], 'int32')),
  made('arange', 'nothing', () => [3, 3], plain([0], [], 'float32')),
  made('linspace', 'ends included', () => [0, 1, 5],
    plain([5], [0, 0.25, 0.5, 0.75, 1], 'float32')),
  made('linspace', 'downwards', () => [1, -1, 3, { dtype: 'float64' }],
    plain([3], [1, 0, -1], 'float64')),
  made('linspace', 'one value', () => [3, 9, 1], plain([1], [3], 'float32')),
  made('linspace', 'none', () => [3, 9, 0], plain([0], [], 'float32')),
  made('tensor', 'nested arrays', () => [[[1, 2], [3, 4.5]]],
    plain([2, 2], [1, 2, 3, 4.5], 'float32')),
  made('tensor', 'a number', () => [-0.5], plain([], [-0.5], 'float32')),
  made('tensor', 'nothing', () => [[]], plain([0], [], 'float32')),
  made('tensor', 'rows of nothing', () => [[[], []]], plain([2, 0], [], 'float32')),
  made('tensor', 'booleans', () => [[[true], [false]]], plain([2, 1], [1, 0], 'bool')),
  made('tensor', 'a typed array, folded', () => [Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }],
    plain([2, 2], [1, 2, 3, 4], 'int32')),
  made('tensor', 'another dtype', () => [Float64Array.of(1, 255), { dtype: 'uint8' }],
    plain([2], [1, 255], 'uint8')),
]; // prettier-ignore

const alike: Case[] = [...dtypes].flatMap((dtype) =>
  (['zerosLike', 'onesLike'] as const).map((op) => ({
    op,
    title: dtype,
    inputs: [plain([2, 1], [1, 0], dtype)],
    expected: () => build([2, 1], () => (op === 'onesLike' ? 1 : 0), dtype),
    gradient: { none: 'does not depend on the values' },
  })),
);

// ---- random -----------------------------------------------------------------------------------

/** Philox 4x32-10 by the paper, in whole numbers of any size: word i of the stream of a seed. */
function word(seed: number, i: number): number {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = [BigInt(Math.floor(i / 4)), 0n, 0n, 0n];
  let [k0, k1] = [BigInt(seed), 0n];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask];
    [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
  }
  return Number([c0, c1, c2, c3][i % 4]!);
}

const seed = 42;
const coarse = (i: number): number => Math.floor(word(seed, i) / 256) / 2 ** 24;
const fine = (i: number): number => word(seed, i) / 2 ** 32;
const generator = (): { generator: Generator } => ({ generator: new Generator(seed) });

/** P(standard normal < x) for x ≤ 0, by the series near 0 and a continued fraction further out. */
function below(x: number): number {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x < -3) {
    let fraction = 0;
    for (let n = 200; n > 0; n--) fraction = n / (-x + fraction);
    return density / (-x + fraction);
  }
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) sum += term *= (x * x) / (2 * n + 1);
  return 0.5 + density * sum;
}

/** The x with P(standard normal < x) = 1/2 + t, by bisection. */
function quantile(t: number): number {
  if (t > 0) return -quantile(-t);
  let [low, high] = [-7, 0];
  while (high - low > 1e-15 * -low) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (below(middle) < 0.5 + t) low = middle;
    else high = middle;
  }
  return low;
}

const centred = (i: number): number => (word(seed, i) + 0.5) / 2 ** 32 - 0.5;
const withinTwo = 1 - 2 * below(-2);
const element = (shape: readonly number[], f: (i: number) => number, dtype: Plain['dtype']) =>
  plain(shape, Array.from({ length: sizeOf(shape) }, (_, i) => f(i)), dtype); // prettier-ignore

/** Bisection on a density of a few units in the last place. */
const inverted: Tolerance = { ...ulps(2, 2), float64: { relative: 1e-12, absolute: 1e-12 } };

const random: Case[] = [
  made('uniform', 'float32', () => [[3, 5], generator()], element([3, 5], coarse, 'float32')),
  made('rand', 'is uniform', () => [[6], generator()], element([6], coarse, 'float32')),
  made('uniform', 'float64', () => [[7], { dtype: 'float64', ...generator() }],
    element([7], fine, 'float64')),
  made('uniform', 'a range', () => [[2003], { low: -2, high: 6, ...generator() }],
    element([2003], (i) => -2 + 8 * coarse(i), 'float32')),
  made('uniform', 'nothing', () => [[0], generator()], plain([0], [], 'float32')),
  made('randint', 'a die', () => [[2, 50], { low: 1, high: 7, ...generator() }],
    element([2, 50], (i) => 1 + Math.floor(6 * fine(i)), 'int32')),
  made('normal', 'float32', () => [[2003], generator()],
    element([2003], (i) => quantile(centred(i)), 'float32'), inverted),
  made('normal', 'float64', () => [[101], { mean: 3, std: 2, dtype: 'float64', ...generator() }],
    element([101], (i) => 3 + 2 * quantile(centred(i)), 'float64'), inverted),
  made('randn', 'is normal', () => [[5], generator()],
    element([5], (i) => quantile(centred(i)), 'float32'), inverted),
  made('truncatedNormal', 'float64', () => [[501], { dtype: 'float64', ...generator() }],
    element([501], (i) => quantile(centred(i) * withinTwo), 'float64'), inverted),
  made('truncatedNormal', 'float32', () => [[9], { mean: -1, std: 0.5, ...generator() }],
    element([9], (i) => -1 + 0.5 * quantile(centred(i) * withinTwo), 'float32'), inverted),
  ...dtypes.map((dtype) =>
    made('bernoulli', dtype, () => [[1003], { probability: 0.3, dtype, ...generator() }],
      element([1003], (i) => Number(coarse(i) < 0.3), dtype))),
  made('permutation', 'a hundred', () => [100, generator()], shuffled(100)),
  made('permutation', 'nothing', () => [0, generator()], plain([0], [], 'int32')),
]; // prettier-ignore

/** Fisher and Yates from the end. */
function shuffled(count: number): Plain {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(fine(i) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return plain([count], order, 'int32');
}

// ---- noise ------------------------------------------------------------------------------------

const limit = -1.0507009873554805 * 1.6732632423543772;

/** Each element by f, which is told whether it is kept. */
function noisy(
  op: string,
  parameter: number,
  f: (x: number, i: number) => number,
  tolerance: Tolerance = ulps(4, 4),
): Case[] {
  return [[2, 3], [], [0, 2], [1003]].map((shape) => ({
    op,
    title: `[${shape.join(', ')}] at ${parameter}`,
    inputs: [real(shape)],
    args: (x) => [x, parameter, generator()],
    expected: (x) => plain(x.shape, x.values.map(f), x.dtype),
    tolerance,
  }));
}

const noise: Case[] = [
  ...noisy('dropout', 0.3, (x, i) => (coarse(i) >= 0.3 ? x / 0.7 : 0)),
  ...noisy('dropout', 0, (x) => x, exact),
  ...noisy('alphaDropout', 0.25, (x, i) => {
    const scale = 1 / Math.sqrt(0.75 * (1 + 0.25 * limit ** 2));
    return scale * (coarse(i) >= 0.25 ? x : limit) - scale * limit * 0.25;
  }),
  ...noisy('gaussianNoise', 0.5, (x, i) => x + 0.5 * quantile(centred(i)), inverted),
  ...noisy('gaussianDropout', 0.2, (x, i) => x * (1 + 0.5 * quantile(centred(i))), inverted),
];

export const creationCases: readonly Case[] = [...filled, ...alike, ...random, ...noise];
