/** Cases of reductions, statistics, norms, running sums and orders. */

import type { DType } from '../../src/backends/dtype.js';
import { exact, real, summed, ulps, whole } from '../case.js';
import type { Case, Domain, GradientPlan, Tolerance } from '../case.js';
import { alongAxis, build, plain, reduce, sum } from '../plain.js';
import type { Plain } from '../plain.js';

type Reduction = (values: number[]) => number;

/** Which axes, as the caller gives them and as a list of their numbers. */
interface Axes {
  readonly shape: readonly number[];
  readonly axis: number | readonly number[] | undefined;
  readonly axes: readonly number[];
}

/** Every way axes can be chosen: inner, outer, middle, apart, several, none, all. */
const choices: readonly Axes[] = [
  { shape: [2, 3], axis: undefined, axes: [0, 1] },
  { shape: [2, 3], axis: 1, axes: [1] },
  { shape: [2, 3], axis: -2, axes: [0] },
  { shape: [2, 3, 2], axis: 1, axes: [1] },
  { shape: [2, 3, 2], axis: [0, 2], axes: [0, 2] },
  { shape: [2, 3, 2], axis: [2, 1], axes: [1, 2] },
  { shape: [2, 1, 2, 3], axis: [-1, 0], axes: [0, 3] },
  { shape: [], axis: undefined, axes: [] },
  { shape: [4], axis: undefined, axes: [0] },
  { shape: [1, 5], axis: 0, axes: [0] },
  { shape: [3, 0], axis: 0, axes: [0] },
  { shape: [0, 3], axis: 1, axes: [1] },
  // Long enough for every loop, vector and tail.
  { shape: [1003], axis: undefined, axes: [0] },
  { shape: [7, 301], axis: 1, axes: [1] },
  { shape: [301, 7], axis: 0, axes: [0] },
  { shape: [9, 31, 17], axis: 1, axes: [1] },
];

interface Options {
  readonly domain?: Domain;
  readonly tolerance?: Tolerance;
  readonly gradient?: GradientPlan;
  /** Added to the options argument. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly result?: DType;
}

function reduced(op: string, f: Reduction, options: Options = {}): Case[] {
  const { domain, tolerance = summed, gradient, extra, result } = options;
  return choices.flatMap(({ shape, axis, axes }, i) =>
    // Keeping the axes changes the shape alone: every third choice shows it.
    (i % 3 === 0 ? [false, true] : [false]).map((keepDims) => {
      const list = axis === undefined ? 'all' : String(axis);
      const more = extra ? `, ${JSON.stringify(extra)}` : '';
      return {
        op,
        title: `[${shape.join(', ')}] over ${list}${keepDims ? ', kept' : ''}${more}`,
        inputs: [real(shape, domain)],
        args: (x) => (keepDims || extra ? [x, axis, { ...extra, keepDims }] : [x, axis]),
        expected: (x) => reduce(x, f, axes, keepDims, result ?? x.dtype),
        tolerance,
        ...(gradient ? { gradient } : {}),
      };
    }),
  );
}

/** Over no elements: the neutral element. */
function empty(op: string, value: number, shape = [2, 0], result?: DType): Case {
  return {
    op,
    title: 'over no elements',
    inputs: [plain(shape, [])],
    args: (x) => [x, 1],
    expected: () => plain([2], [value, value], result),
    ...(Number.isNaN(value) ? { gradient: { none: 'NaN' } } : {}),
  };
}

const square = (x: number): number => x * x;
const mean: Reduction = (values) => sum(values) / values.length;
const squares: Reduction = (values) => {
  const centre = mean(values);
  return sum(values.map((x) => square(x - centre)));
};
const product: Reduction = (values) => values.reduce((a, b) => a * b, 1);
const logSumExp: Reduction = (values) => {
  const top = Math.max(...values);
  return top + Math.log(sum(values.map((x) => Math.exp(x - top))));
};
const norm =
  (order: number): Reduction =>
  (values) =>
    order === Infinity
      ? Math.max(...values.map(Math.abs))
      : sum(values.map((x) => Math.abs(x) ** order)) ** (1 / order);

/** Factors near 1, so that a product of a thousand of them stays in range. */
const factors: Domain = { from: 0.95, to: 1.05 };
const signed: Domain = { avoid: [0] };

/** Sums of a thousand numbers of about 1, in blocks or in double, and their rounding on the way. */
const long = ulps(64, 64);
const second: GradientPlan = { firstOnly: 'its second derivative is zero away from ties' };

const sums: Case[] = [
  ...reduced('sum', sum),
  ...reduced('mean', mean).filter(({ inputs }) => !inputs[0]!.shape.includes(0)),
  ...reduced('prod', product, { domain: factors, tolerance: long }),
  ...reduced('max', (values) => Math.max(...values), { tolerance: exact }).filter(notEmpty),
  ...reduced('min', (values) => Math.min(...values), { tolerance: exact }).filter(notEmpty),
  ...reduced('logSumExp', logSumExp),
  ...reduced('variance', (values) => squares(values) / values.length).filter(notEmpty),
  ...reduced('variance', (values) => squares(values) / (values.length - 0.5), {
    extra: { correction: 0.5 },
  }).filter(notEmpty),
  ...reduced('std', (values) => Math.sqrt(squares(values) / values.length)).filter(varied),
  ...reduced('norm', norm(2)),
  ...reduced('norm', norm(1), { extra: { order: 1 }, domain: signed }),
  ...reduced('norm', norm(3), { extra: { order: 3 }, domain: signed }),
  ...reduced('norm', norm(Infinity), {
    extra: { order: Infinity },
    domain: signed,
    gradient: second,
  }).filter(notEmpty),
  empty('sum', 0),
  empty('prod', 1),
  empty('mean', NaN),
  empty('logSumExp', -Infinity),
  empty('norm', 0),
  empty('variance', NaN),
  empty('any', 0, [2, 0], 'bool'),
  empty('all', 1, [2, 0], 'bool'),
];

function notEmpty({ inputs }: Case): boolean {
  return !inputs[0]!.shape.includes(0);
}

/** A deviation of 0 has no derivative. */
function varied(each: Case): boolean {
  return notEmpty(each) && inputsDiffer(each);
}

function inputsDiffer({ inputs, title }: Case): boolean {
  return inputs[0]!.shape.length > 0 && !title.startsWith('[1, 5]');
}

// ---- where derivatives jump, and other edges --------------------------------------------------

const edges: Case[] = [
  {
    op: 'prod',
    title: 'with one and with several zeros',
    inputs: [plain([3, 3], [1, 2, 3, 1, 0, 3, 0, 0, 3])],
    args: (x) => [x, 1],
    expected: () => plain([3], [6, 0, 0]),
  },
  {
    op: 'max',
    title: 'ties share the gradient evenly',
    inputs: [plain([2, 3], [1, 3, 3, 2, 2, 2])],
    args: (x) => [x, 1],
    expected: () => plain([2], [3, 2]),
    gradient: {
      upstream: [2, 3],
      gradients: [plain([2, 3], [0, 1, 1, 1, 1, 1])],
    },
  },
  {
    op: 'min',
    title: 'ties share the gradient evenly',
    inputs: [plain([4], [5, 1, 1, 7])],
    expected: () => plain([], [1]),
    gradient: { upstream: [1], gradients: [plain([4], [0, 0.5, 0.5, 0])] },
  },
  {
    op: 'norm',
    title: 'of zeros has gradient zero',
    inputs: [plain([3], [0, 0, 0])],
    expected: () => plain([], [0]),
    gradient: { upstream: [1], gradients: [plain([3], [0, 0, 0])] },
  },
  {
    op: 'std',
    title: 'of equal values has gradient zero',
    inputs: [plain([2, 2], [3, 3, 1, 2])],
    args: (x) => [x, 1],
    expected: () => plain([2], [0, 0.5]),
    gradient: { upstream: [1, 1], gradients: [plain([2, 2], [0, 0, -0.5, 0.5])] },
  },
  {
    op: 'logSumExp',
    title: 'does not overflow, nor lose minus infinity',
    inputs: [plain([3, 2], [100, 100, -Infinity, 0, -200, -200])],
    args: (x) => [x, 1],
    expected: () => plain([3], [100 + Math.LN2, 0, -200 + Math.LN2]),
    gradient: {
      upstream: [1, 1, 1],
      gradients: [plain([3, 2], [0.5, 0.5, 0, 1, 0.5, 0.5])],
    },
  },
  {
    op: 'logSumExp',
    title: 'of infinities and very large values',
    inputs: [plain([4, 2], [-Infinity, -Infinity, Infinity, 0, NaN, 0, 5000, -5000])],
    args: (x) => [x, 1],
    expected: () => plain([4], [-Infinity, Infinity, NaN, 5000]),
    gradient: { none: 'infinite' },
  },
  ...(['max', 'min', 'sum', 'prod', 'mean'] as const).map((op): Case => ({
    op,
    title: 'NaN wins',
    inputs: [plain([3, 3], [1, NaN, 2, NaN, 1, 1, 2, 1, NaN])],
    args: (x) => [x, 1],
    expected: () => plain([3], [NaN, NaN, NaN]),
    gradient: { none: 'NaN' },
  })),
  {
    op: 'max',
    title: 'NaN wins in the middle of a long array',
    inputs: [build([2, 1003], ([row, i]) => (row === 1 && i === 500 ? NaN : i!))],
    args: (x) => [x, 1],
    expected: () => plain([2], [1002, NaN]),
    gradient: { none: 'NaN' },
  },
  {
    op: 'max',
    title: 'infinities',
    inputs: [plain([2, 2], [-Infinity, -Infinity, Infinity, 1])],
    args: (x) => [x, 1],
    expected: () => plain([2], [-Infinity, Infinity]),
    gradient: { none: 'infinite' },
  },
  {
    op: 'sum',
    title: 'a million small numbers beside a large one keep their digits',
    inputs: [build([1_000_001], ([i]) => (i === 0 ? 4096 : 0.0625 + 2 ** -12))],
    expected: (x) => plain([], [sum(x.values)]),
    tolerance: ulps(4, 0),
  },
  {
    op: 'variance',
    title: 'far from 0',
    inputs: [build([1000], ([i]) => 4096 + (i! % 2))],
    expected: () => plain([], [0.25]),
    tolerance: ulps(8),
  },
  {
    op: 'norm',
    title: 'of integers',
    inputs: [plain([2], [3, -4], 'int32')],
    expected: () => plain([], [5], 'float32'),
  },
  {
    op: 'mean',
    title: 'of integers and bools, as float32',
    inputs: [plain([2, 2], [1, 0, 1, 1], 'bool')],
    args: (x) => [x, 0],
    expected: () => plain([2], [1, 0.5], 'float32'),
  },
];

// ---- whole numbers ----------------------------------------------------------------------------

const integerKinds = [
  { dtype: 'int32', low: -9, high: 9 },
  { dtype: 'uint8', low: 0, high: 255 },
  { dtype: 'bool', low: 0, high: 1 },
] as const;

const wholeNumbers: Case[] = integerKinds.flatMap(({ dtype, low, high }) =>
  choices
    .filter(({ shape }) => !shape.includes(0))
    .flatMap(({ shape, axis, axes }) => {
      const make = (op: string, f: Reduction, result: DType): Case => ({
        op,
        title: `${dtype} [${shape.join(', ')}] over ${axis === undefined ? 'all' : String(axis)}`,
        inputs: [whole(shape, low, high, dtype)],
        args: (x) => [x, axis],
        expected: (x) => reduce(x, f, axes, false, result),
      });
      return [
        make('sum', (values) => sum(values) | 0, 'int32'),
        make('prod', (values) => values.reduce(Math.imul, 1), 'int32'),
        make('max', (values) => Math.max(...values), dtype),
        make('min', (values) => Math.min(...values), dtype),
        make('any', (values) => (values.some((x) => x !== 0) ? 1 : 0), 'bool'),
        make('all', (values) => (values.every((x) => x !== 0) ? 1 : 0), 'bool'),
      ];
    }),
);

const wrapping: Case[] = [
  {
    op: 'sum',
    title: 'int32 wraps',
    inputs: [plain([3], [2147483647, 1, 5], 'int32')],
    expected: () => plain([], [-2147483643], 'int32'),
  },
  {
    op: 'any',
    title: 'NaN is not zero',
    inputs: [plain([3, 2], [0, NaN, 0, -0, 0.1, 0])],
    args: (x) => [x, 1],
    expected: () => plain([3], [1, 0, 1], 'bool'),
  },
  {
    op: 'all',
    title: 'NaN is not zero',
    inputs: [plain([2, 2], [1, NaN, 1, -0])],
    args: (x) => [x, 1],
    expected: () => plain([2], [1, 0], 'bool'),
  },
];

// ---- positions of extremes --------------------------------------------------------------------

/** The first of the largest; a NaN counts as the largest. */
const first =
  (better: (a: number, b: number) => boolean): Reduction =>
  (values) => {
    const nan = values.findIndex(Number.isNaN);
    if (nan >= 0) return nan;
    return values.reduce((best, x, i) => (better(x, values[best]!) ? i : best), 0);
  };

const extremePositions: Case[] = (['argMax', 'argMin'] as const).flatMap((op) => {
  const f = first(op === 'argMax' ? (a, b) => a > b : (a, b) => a < b);
  const make = (title: string, x: Plain, axis?: number, keepDims = false): Case => ({
    op,
    title,
    inputs: [x],
    args: (input) => (keepDims ? [input, axis, { keepDims }] : [input, axis]),
    expected: (input) =>
      reduce(input, f, axis === undefined ? undefined : [axis], keepDims, 'int32'),
  });
  return [
    make('rows', real([3, 4]), 1),
    make('columns', real([3, 4]), 0),
    make('a middle axis, kept', real([2, 3, 4]), 1, true),
    make('all', real([3, 4])),
    make('a scalar', real([])),
    make('the first of equals', whole([20, 50], 0, 3), 1),
    make('the first of equals, long', whole([1003], 0, 3)),
    make('the first NaN', plain([2, 4], [1, NaN, NaN, 9, -9, 9, 1, NaN]), 1),
    make('infinities', plain([2, 2], [-Infinity, -Infinity, Infinity, Infinity]), 1),
    make('int32', whole([3, 5], -9, 9, 'int32'), 1),
    make('uint8', whole([3, 5], 0, 9, 'uint8'), 0),
    make('bool', plain([4], [0, 1, 1, 0], 'bool')),
    make('no rows', real([0, 3]), 1),
    make('a long axis', real([301, 7]), 0),
  ];
});

// ---- running sums -----------------------------------------------------------------------------

const running = (values: readonly number[]): number[] =>
  values.map((_, i) => sum(values.slice(0, i + 1)));
const backwards = (values: readonly number[]): number[] => running([...values].reverse()).reverse();

const runningSums: Case[] = [
  cumulated('the last axis', real([2, 3])),
  cumulated('the first axis', real([3, 2]), 0),
  cumulated('a middle axis, reversed', real([2, 3, 2]), 1, true),
  cumulated('a vector, reversed', real([4]), -1, true),
  cumulated('no elements', real([2, 0])),
  cumulated('no rows', real([0, 2])),
  cumulated('long rows', real([3, 301])),
  cumulated('long columns', real([301, 3]), 0),
  cumulated('int32', whole([2, 5], -9, 9, 'int32')),
  cumulated('uint8, as int32', whole([2, 5], 100, 255, 'uint8')),
  cumulated('bool, as int32', whole([2, 5], 0, 1, 'bool')),
];

function cumulated(title: string, input: Plain, axis = -1, reverse = false): Case {
  return {
    op: 'cumsum',
    title,
    inputs: [input],
    args: (x) => [x, axis, { reverse }],
    expected: (x) =>
      alongAxis(
        x,
        (axis + x.shape.length) % x.shape.length,
        reverse ? backwards : running,
        input.dtype ? 'int32' : x.dtype,
      ),
    tolerance: ulps(16, 256),
  };
}

// ---- orders -----------------------------------------------------------------------------------

/** Positions in order: NaN last in either direction, equals as they were. */
function orderOf(values: readonly number[], descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  const before = (i: number, j: number): number => {
    const [a, b] = [values[i]!, values[j]!];
    if (Number.isNaN(a) || Number.isNaN(b))
      return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  };
  return values.map((_, i) => i).sort((i, j) => before(i, j) || i - j);
}

const inputs: readonly (readonly [title: string, x: Plain, axis: number])[] = [
  ['rows', real([2, 4]), -1],
  ['columns', real([4, 2]), 0],
  ['a middle axis', real([2, 3, 2]), 1],
  ['equals keep their order', whole([3, 40], 0, 5), -1],
  ['a long row', real([2003]), -1],
  ['many rows', real([150, 5]), -1],
  ['no elements', real([2, 0]), -1],
  ['no rows', real([0, 3]), -1],
  ['one element', real([1]), 0],
  ['int32', whole([3, 20], -50, 50, 'int32'), -1],
  ['uint8', whole([300], 0, 255, 'uint8'), -1],
  ['bool', whole([2, 9], 0, 1, 'bool'), -1],
];
const special = plain([2, 5], [3, NaN, -Infinity, NaN, 1, Infinity, NaN, -0, 0, -1]);

const orders: Case[] = [false, true].flatMap((descending) =>
  [...inputs, ['NaN last, infinities', special, -1] as const].flatMap(([title, x, axis]) => {
    const at = (axis + x.shape.length) % x.shape.length;
    const positions = (input: Plain): Plain =>
      alongAxis(input, at, (values) => orderOf(values, descending), 'int32');
    const values = (input: Plain): Plain =>
      alongAxis(input, at, (list) => orderOf(list, descending).map((i) => list[i]!));
    const base = {
      title: `${title}${descending ? ', descending' : ''}`,
      inputs: [x],
      tolerance: exact,
      ...(ties(x) ? { gradient: { none: 'ties, where the order jumps' } } : {}),
    };
    return [
      { op: 'sort', ...base, args: (i) => [i, axis, { descending }], expected: values },
      { op: 'argsort', ...base, args: (i) => [i, axis, { descending }], expected: positions },
    ] satisfies Case[];
  }),
);

function ties(x: Plain): boolean {
  return x === special || new Set(x.values).size < x.values.length;
}

const bests: Case[] = [...inputs, ['NaN last, infinities', special, -1] as const].flatMap(
  ([title, x, axis]) => {
    const at = (axis + x.shape.length) % x.shape.length;
    return [0, 1, 3].flatMap((k) =>
      k > x.shape[at]!
        ? []
        : [true, false].map((largest): Case => {
            const best = (list: number[]): number[] => orderOf(list, largest).slice(0, k);
            return {
              op: 'topK',
              title: `${largest ? 'largest' : 'smallest'} ${k}: ${title}`,
              inputs: [x],
              args: (input) => [input, k, { axis, largest }],
              expected: (input) => [
                alongAxis(input, at, (list) => best(list).map((i) => list[i]!), input.dtype, k),
                alongAxis(input, at, best, 'int32', k),
              ],
              tolerance: exact,
              ...(ties(x) ? { gradient: { none: 'ties, where the order jumps' } } : {}),
            };
          }),
    );
  },
);

const sortedTies: Case = {
  op: 'sort',
  title: 'ties: the gradient goes back to where each value was',
  inputs: [plain([4], [2, 1, 2, 1])],
  expected: () => plain([4], [1, 1, 2, 2]),
  gradient: { upstream: [1, 2, 3, 4], gradients: [plain([4], [3, 1, 4, 2])] },
};

export const reductionCases: readonly Case[] = [
  ...sums,
  ...edges,
  ...wholeNumbers,
  ...wrapping,
  ...extremePositions,
  ...runningSums,
  ...orders,
  ...bests,
  sortedTies,
];
