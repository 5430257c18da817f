/** Cases of products, the dense layer, softmax and cross-entropy. */

import type { Tensor } from '../../src/tensor/tensor.js';
import { exact, real, summed, ulps, whole } from '../case.js';
import type { Case, Tolerance } from '../case.js';
import { alongAxis, at, broadcastShape, build, plain, reduce, sum, zip } from '../plain.js';
import type { Plain } from '../plain.js';

// ---- products ---------------------------------------------------------------------------------

const swapLast = (shape: readonly number[]): number[] => [
  ...shape.slice(0, -2),
  ...shape.slice(-2).reverse(),
];

/** The matrices with their last two axes exchanged, when `turn`. */
const turned = (x: Plain, turn: boolean): Plain =>
  turn ? build(swapLast(x.shape), (i) => at(x, swapLast(i)), x.dtype) : x;

/** Row by column, by the definition. */
function product(a: Plain, b: Plain): Plain {
  const left = a.shape.length === 1 ? { ...a, shape: [1, ...a.shape] } : a;
  const right = b.shape.length === 1 ? { ...b, shape: [...b.shape, 1] } : b;
  const [m, inner] = left.shape.slice(-2) as [number, number];
  const n = right.shape.at(-1)!;
  const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const all = build([...batch, m, n], (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const outer = index.slice(0, -2);
    const element = (x: Plain, row: number, column: number): number => {
      const own = x.shape.slice(0, -2);
      const lead = outer.slice(outer.length - own.length);
      return at(x, [...lead.map((each, axis) => (own[axis] === 1 ? 0 : each)), row, column]);
    };
    let total = 0;
    for (let k = 0; k < inner; k++) total += element(left, i, k) * element(right, k, j);
    return total;
  });
  const shape = [...batch];
  if (a.shape.length > 1) shape.push(m);
  if (b.shape.length > 1) shape.push(n);
  return { ...all, shape };
}

/** Rounding errors of k products of numbers below 2 add up, also where the sum cancels. */
const products = (k: number): Tolerance => ulps(4, 4 * (k + 4));

const multiplied = (
  title: string,
  a: readonly number[],
  b: readonly number[],
  transposeA = false,
  transposeB = false,
): Case => ({
  op: 'matmul',
  title,
  inputs: [real(a), real(b)],
  args: (x, y) => [x, y, ...(transposeA || transposeB ? [{ transposeA, transposeB }] : [])],
  expected: (x, y) => product(turned(x, transposeA), turned(y, transposeB)),
  tolerance: products(a.at(transposeA ? -2 : -1) ?? 1),
});

const multiplications: Case[] = [
  multiplied('matrices', [2, 3], [3, 4]),
  multiplied('one by one', [1, 1], [1, 1]),
  multiplied('left transposed', [3, 2], [3, 4], true),
  multiplied('right transposed', [2, 3], [4, 3], false, true),
  multiplied('both transposed', [3, 2], [4, 3], true, true),
  multiplied('two vectors', [5], [5]),
  multiplied('a vector and a matrix', [3], [3, 4]),
  multiplied('a matrix and a vector', [2, 3], [3]),
  multiplied('a vector and matrices', [3], [2, 3, 2]),
  multiplied('matrices and a vector', [2, 2, 3], [3]),
  multiplied('batches', [2, 2, 3], [2, 3, 2]),
  multiplied('batches, transposed', [2, 3, 2], [2, 2, 3], true, true),
  multiplied('one right matrix for all', [2, 2, 3], [3, 2]),
  multiplied('one left matrix for all', [2, 3], [2, 3, 2]),
  multiplied('one left matrix for all, transposed', [3, 2], [2, 3, 2], true),
  multiplied('batches that broadcast', [2, 1, 2, 3], [3, 3, 2]),
  multiplied('no rows', [0, 3], [3, 2]),
  multiplied('no columns', [2, 3], [3, 0]),
  multiplied('nothing to add up', [2, 0], [0, 3]),
  multiplied('no batches', [0, 2, 3], [0, 3, 2]),
  multiplied('vectors of nothing', [0], [0]),
  // Tiles, their edges, and panels of every kernel there is.
  multiplied('32 × 100 × 100', [32, 100], [100, 100]),
  multiplied('32 × 100 × 100, transposed', [100, 32], [100, 100], true, true),
  multiplied('odd sizes', [37, 53], [53, 29]),
  multiplied('odd sizes, left transposed', [53, 37], [53, 29], true),
  multiplied('odd sizes, right transposed', [37, 53], [29, 53], false, true),
  multiplied('a long inner size', [3, 1500], [1500, 5]),
  multiplied('an outer product', [150, 1], [1, 170]),
  multiplied('a long row', [1, 300], [300, 70]),
  multiplied('a long column', [70, 300], [300, 1]),
  multiplied('many small ones', [40, 3, 4], [40, 4, 5]),
  {
    op: 'matmul',
    title: 'integers, as float32',
    inputs: [whole([2, 3], -9, 9, 'int32'), whole([3, 2], 0, 9, 'uint8')],
    expected: (a, b) => ({ ...product(a, b), dtype: 'float32' }),
    tolerance: exact,
  },
  {
    op: 'matmul',
    title: 'NaN and infinity go where they belong',
    inputs: [plain([2, 2], [NaN, 1, 0, 1]), plain([2, 2], [1, 2, Infinity, 4])],
    expected: () => plain([2, 2], [NaN, NaN, Infinity, 4]),
    gradient: { none: 'NaN' },
  },
];

// ---- the dense layer --------------------------------------------------------------------------

const activations: Readonly<Record<string, (x: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  hardSilu: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
};

const fused = (
  title: string,
  shapes: readonly [x: readonly number[], w: readonly number[], bias?: readonly number[]],
  activation?: string,
): Case => ({
  op: 'dense',
  title: `${title}${activation ? `, ${activation}` : ''}`,
  inputs: shapes.flatMap((shape) => (shape ? [real(shape)] : [])),
  args: (x, w, bias?: Tensor) => [
    x,
    w,
    bias ?? null,
    // The default parameter of elu.
    activation ? { name: activation, ...(activation === 'elu' ? { p: 1 } : {}) } : null,
  ],
  expected: (x, w, bias?: Plain) => {
    const linear = product(x, w);
    const shifted = bias ? zip((a, b) => a + b, [linear, bias]) : linear;
    return activation ? zip(activations[activation]!, [shifted]) : shifted;
  },
  tolerance: products(shapes[0].at(-1)!),
});

const layers: Case[] = [
  fused('no activation', [[2, 3], [3, 2], [2]]),
  fused('no bias', [[2, 3], [3, 2]]),
  fused('no bias', [[2, 3], [3, 2]], 'elu'),
  fused('one row as a vector', [[3], [3, 2], [2]], 'tanh'),
  fused('leading axes', [[2, 2, 3], [3, 2], [2]], 'silu'),
  fused('no rows', [[0, 3], [3, 2], [2]], 'relu'),
  fused('no features', [[2, 0], [0, 3], [3]], 'elu'),
  fused('no units', [[2, 3], [3, 0], [0]]),
  ...Object.keys(activations).flatMap((name) => [
    fused('small', [[2, 3], [3, 2], [2]], name),
    fused('a batch of 32', [[32, 100], [100, 30], [30]], name),
  ]),
  fused('odd sizes', [[33, 37], [37, 19], [19]], 'elu'),
  fused('a wide batch', [[130, 20], [20, 70], [70]], 'elu'),
  {
    op: 'dense',
    title: 'a matrix on itself',
    inputs: [real([3, 3], { from: -0.5, to: 0.5 })],
    args: (x) => [x, x, null, { name: 'tanh' }],
    expected: (x) => zip(Math.tanh, [product(x, x)]),
    tolerance: products(3),
  },
]; // prettier-ignore

// ---- softmax ----------------------------------------------------------------------------------

function softmax(values: readonly number[]): number[] {
  const top = Math.max(...values);
  const powers = values.map((x) => Math.exp(x - top));
  return powers.map((x) => x / sum(powers));
}

function logSoftmax(values: readonly number[]): number[] {
  const top = Math.max(...values);
  const total = Math.log(sum(values.map((x) => Math.exp(x - top))));
  return values.map((x) => x - top - total);
}

const softmaxes: Case[] = (['softmax', 'logSoftmax'] as const).flatMap((op) => {
  const f = op === 'softmax' ? softmax : logSoftmax;
  const make = (title: string, x: Plain, axis?: number): Case => ({
    op,
    title,
    inputs: [x],
    args: (input) => [input, ...(axis === undefined ? [] : [axis])],
    expected: (input) => alongAxis(input, ((axis ?? -1) + x.shape.length) % x.shape.length, f),
    tolerance: summed,
  });
  return [
    make('rows', real([2, 3])),
    make('a vector', real([4])),
    make('columns', real([3, 2]), 0),
    make('a middle axis', real([2, 3, 2]), 1),
    make('a negative axis', real([2, 3, 2]), -3),
    make('one class', real([3, 1])),
    make('no rows', real([0, 3])),
    make('no classes', real([2, 0])),
    make('ten classes', real([37, 10], { from: -20, to: 20 })),
    make('a thousand classes', real([3, 1003], { from: -20, to: 20 })),
    {
      ...make('large values', plain([2, 3], [1000, 1001, 999, -1000, -1001, -2000])),
      gradient: { none: 'saturated: differences lose their digits' },
    },
    {
      ...make('minus infinity has probability 0', plain([1, 3], [-Infinity, 0, 1])),
      gradient: { none: 'infinite' },
    },
  ];
});

const crossEntropy = (logits: Plain, target: Plain): Plain => {
  const logs = alongAxis(logits, 1, logSoftmax);
  if (target.shape.length === 1) {
    return build([logits.shape[0]!], ([row]) => -at(logs, [row!, at(target, [row!])]));
  }
  const weighted = zip((p, log) => (p === 0 ? 0 : -p * log), [target, logs]);
  return reduce(weighted, sum, [1], false);
};

const entropies: Case[] = [
  entropy('labels', real([3, 4]), whole([3], 0, 3, 'int32')),
  entropy('uint8 labels', real([3, 4]), whole([3], 0, 3, 'uint8')),
  entropy('probabilities', real([2, 3]), plain([2, 3], [0.25, 0.5, 0.25, 0, 1, 0])),
  entropy('weights that do not add up to 1', real([2, 3]), real([2, 3], { from: 0, to: 2 })),
  entropy('one class', real([2, 1]), plain([2], [0, 0], 'int32')),
  entropy('no rows', real([0, 3]), plain([0], [], 'int32')),
  entropy('a batch of 32', real([32, 10], { from: -9, to: 9 }), whole([32], 0, 9, 'int32')),
  entropy('many classes', real([5, 1003]), whole([5], 0, 1002, 'int32')),
  {
    ...entropy('far from right', plain([2, 2], [0, 1000, -500, 500]), plain([2], [0, 1], 'int32')),
    gradient: {
      upstream: [1, 2],
      gradients: [plain([2, 2], [-1, 1, 0, 0]), null],
    },
  },
];

function entropy(title: string, logits: Plain, target: Plain): Case {
  return {
    op: 'softmaxCrossEntropy',
    title,
    inputs: [logits, target],
    expected: crossEntropy,
    tolerance: summed,
    constants: [1],
  };
}

export const matrixCases: readonly Case[] = [
  ...multiplications,
  ...layers,
  ...softmaxes,
  ...entropies,
];
