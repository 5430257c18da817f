/** Cases of comparisons, casts, selection, and of the elementwise operations on whole numbers. */

import { dtypes, isFloat, promote } from '../../src/backends/dtype.js';
import type { DType } from '../../src/backends/dtype.js';
import { exact, extremes, real, whole } from '../case.js';
import type { Case } from '../case.js';
import { plain, scalar, zip } from '../plain.js';
import type { Plain } from '../plain.js';

/** What storing a whole number in an integer dtype does: it wraps. */
const wrap = { int32: (x: number) => x | 0, uint8: (x: number) => x & 255 };

const limits = plain([8], [-2147483648, -2147483647, -70000, -1, 0, 1, 65536, 2147483647], 'int32');
const bytes = plain([8], [0, 1, 2, 3, 127, 128, 254, 255], 'uint8');
const column = (x: Plain): Plain => ({ ...x, shape: [x.values.length, 1] });
const truth = (x: number): number => (x ? 1 : 0);

const modulo = (a: number, b: number): number => (b === 0 ? 0 : a - Math.floor(a / b) * b);

/** Operations defined on whole numbers, computed exactly before they wrap. */
const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  minimum: Math.min,
  maximum: Math.max,
  mod: modulo,
  floorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  squaredDifference: (a, b) => Math.imul(a - b, a - b),
};
const unary: Readonly<Record<string, (a: number) => number>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => Math.imul(a, a),
};

/** Every pair of limits, in every combination: overflow, division by 0 and of the least by −1. */
const wrapping: Case[] = (['int32', 'uint8'] as const).flatMap((dtype) => {
  const values = dtype === 'int32' ? limits : bytes;
  const cases: Case[] = Object.entries(binary).map(([op, f]) => ({
    op,
    title: `${dtype}, every pair of limits`,
    inputs: [values, column(values)],
    expected: (a, b) => zip((x, y) => wrap[dtype](f(x, y)), [a, b], dtype),
  }));
  const single: Case[] = Object.entries(unary).map(([op, f]) => ({
    op,
    title: `${dtype}, limits`,
    inputs: [values],
    expected: (a) => zip((x) => wrap[dtype](f(x)), [a], dtype),
  }));
  const long: Case = {
    op: 'mul',
    title: `${dtype}, a long array`,
    inputs: [whole([1003], 0, 250, dtype), whole([1003], 0, 250, dtype)],
    expected: (a, b) => zip((x, y) => wrap[dtype](x * y), [a, b], dtype),
  };
  return [...cases, ...single, long];
});

const clipped: Case[] = [
  { low: -5, high: 1e10, dtype: 'int32' as const, values: limits },
  { low: 3, high: 200, dtype: 'uint8' as const, values: bytes },
  { low: -Infinity, high: 100, dtype: 'int32' as const, values: limits },
].map(({ low, high, dtype, values }) => ({
  op: 'clip',
  title: `${dtype} to [${low}, ${high}]`,
  inputs: [values],
  args: (x) => [x, low, high],
  expected: (x) => zip((each) => Math.min(Math.max(each, low), high), [x], dtype),
}));

// ---- dtypes together --------------------------------------------------------------------------

const small = (dtype: DType): Plain =>
  dtype === 'bool' ? plain([4], [1, 0, 1, 1], 'bool') : plain([4], [3, 0, 1, 7], dtype);

const pairs = dtypes.flatMap((a) => dtypes.map((b) => [a, b] as const));

/** add gives the wider dtype, bools together int32; div a float. */
const promotion: Case[] = pairs.flatMap(([a, b]) => {
  const common = promote(a, b);
  return [
    {
      op: 'add',
      title: `${a} and ${b}`,
      inputs: [small(a), { ...small(b), shape: [4, 1] }],
      expected: (x, y) => zip((p, q) => p + q, [x, y], common === 'bool' ? 'int32' : common),
      gradient: { none: 'dtypes of values' },
    },
    {
      op: 'div',
      title: `${a} and ${b}`,
      inputs: [small(a), scalar(2, b)],
      expected: (x, y) => zip((p, q) => p / q, [x, y], isFloat(common) ? common : 'float32'),
      tolerance: exact,
      gradient: { none: 'dtypes of values' },
    },
  ] satisfies Case[];
});

/** A bare number takes the dtype of the tensor beside it where it fits. */
const numbers: Case[] = (
  [
    ['bool', 2, 'int32'],
    ['uint8', 2, 'uint8'],
    ['uint8', 300, 'int32'],
    ['uint8', -1, 'int32'],
    ['uint8', 0.5, 'float32'],
    ['int32', 2, 'int32'],
    ['int32', 0.5, 'float32'],
    ['float32', 0.5, 'float32'],
    ['float64', 0.1, 'float64'],
  ] as const
).map(([dtype, number, result]) => ({
  op: 'add',
  title: `${dtype} and the number ${number}`,
  inputs: [small(dtype)],
  args: (x) => [x, number],
  expected: (x) => zip((each) => each + number, [x], result),
  gradient: { none: 'dtypes of values' },
}));

// ---- comparisons ------------------------------------------------------------------------------

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  logicalAnd: (a, b) => a !== 0 && b !== 0,
  logicalOr: (a, b) => a !== 0 || b !== 0,
  logicalXor: (a, b) => (a !== 0) !== (b !== 0),
};

const compared: Case[] = Object.entries(comparisons).flatMap(([op, f]) => {
  const make = (title: string, a: Plain, b: Plain): Case => ({
    op,
    title,
    inputs: [a, b],
    expected: (x, y) => zip((p, q) => truth(f(p, q) ? 1 : 0), [x, y], 'bool'),
  });
  return [
    make('extreme values', extremes, column(extremes)),
    make('int32', limits, column(limits)),
    make('uint8', bytes, column(bytes)),
    make('bool', small('bool'), plain([4, 1], [0, 1, 1, 0], 'bool')),
    make('different dtypes', small('uint8'), plain([4, 1], [0.5, 3, 7, 1])),
    make('a long array', whole([1003], 0, 5), whole([1003], 0, 5)),
    make('rows', whole([5, 33], 0, 3), whole([33], 0, 3)),
    make('no elements', real([0, 3]), real([3])),
    make('a scalar', real([7]), scalar(0.25)),
  ];
});

const predicates: Readonly<Record<string, (x: number) => boolean>> = {
  isNaN: Number.isNaN,
  isFinite: Number.isFinite,
  isInf: (x) => Math.abs(x) === Infinity,
  logicalNot: (x) => x === 0,
};

const tested: Case[] = Object.entries(predicates).flatMap(([op, f]) => {
  const make = (title: string, input: Plain): Case => ({
    op,
    title,
    inputs: [input],
    expected: (x) => zip((each) => truth(f(each) ? 1 : 0), [x], 'bool'),
  });
  return [
    make('extreme values', extremes),
    make('int32', limits),
    make('uint8', bytes),
    make('bool', small('bool')),
    make('a long array', whole([1003], 0, 2)),
    make('no elements', real([0])),
  ];
});

// ---- casts ------------------------------------------------------------------------------------

const awkward = plain(
  [14],
  [0, -0, 0.5, -0.5, 1.9, -1.9, 254.9, 255, 256, -1, 3e9, -3e9, Infinity, NaN],
);

/** Truncated towards 0, saturating; NaN gives 0, and is true. */
function converted(value: number, dtype: DType): number {
  if (isFloat(dtype)) return value;
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  const [low, high] = dtype === 'uint8' ? [0, 255] : [-2147483648, 2147483647];
  return Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, low), high));
}

const casts: Case[] = dtypes.flatMap((to) => {
  const make = (title: string, input: Plain): Case => ({
    op: 'cast',
    title: `${title} to ${to}`,
    inputs: [input],
    args: (x) => [x, to],
    expected: (x) => ({ ...zip((each) => converted(each, to), [x], to) }),
    ...(input.dtype ? {} : { gradient: { none: 'values no difference can be taken at' } }),
  });
  return [
    make('floats', awkward),
    make('int32', limits),
    make('uint8', bytes),
    make('bool', small('bool')),
    make('no elements', plain([0, 2], [])),
    make('a long array', whole([1003], -300, 600)),
  ];
});

const smoothCasts: Case[] = [
  {
    op: 'cast',
    title: 'there and back, differentiable',
    inputs: [real([2, 3])],
    args: (x) => [x, 'float64'],
    expected: (x) => ({ ...x, dtype: 'float64' }),
  },
];

// ---- selection --------------------------------------------------------------------------------

const choose = (c: number, a: number, b: number): number => (c !== 0 ? a : b);
const condition = (shape: readonly number[]): Plain => whole(shape, 0, 1, 'bool');

const selections: Case[] = (
  [
    ['one shape', condition([2, 3]), real([2, 3]), real([2, 3])],
    ['broadcast', condition([2, 1]), real([3]), real([2, 3])],
    ['scalars', condition([3]), real([]), real([])],
    ['a scalar condition', condition([]), real([2]), real([2, 2])],
    ['no elements', condition([0, 3]), real([3]), real([1, 3])],
    ['long', condition([1003]), real([1003]), real([1003])],
    ['a float condition', plain([4], [0, NaN, 0.5, -0]), real([4]), real([4])],
  ] as const
).map(([title, c, a, b]) => ({
  op: 'where',
  title,
  inputs: [c, a, b],
  expected: (x, y, z) => zip(choose, [x, y, z]),
  tolerance: exact,
  constants: [0],
}));

const selectedIntegers: Case[] = (['int32', 'uint8', 'bool'] as const).map((dtype) => ({
  op: 'where',
  title: dtype,
  inputs: [condition([2, 3]), whole([2, 3], 0, 1, dtype), whole([3], 0, 1, dtype)],
  expected: (x, y, z) => zip(choose, [x, y, z], dtype),
}));

const guarded: Case = {
  op: 'where',
  title: 'the branch not taken may be NaN or infinite',
  inputs: [plain([2], [1, 0], 'bool'), plain([2], [1, NaN]), plain([2], [Infinity, 2])],
  expected: () => plain([2], [1, 2]),
  gradient: {
    upstream: [3, 4],
    gradients: [null, plain([2], [3, 0]), plain([2], [0, 4])],
  },
};

export const integerCases: readonly Case[] = [
  ...wrapping,
  ...clipped,
  ...promotion,
  ...numbers,
  ...compared,
  ...tested,
  ...casts,
  ...smoothCasts,
  ...selections,
  ...selectedIntegers,
  guarded,
];
