/** Cases of everything that moves values without changing them, and of indexing. */

import type { DType } from '../../src/backends/dtype.js';
import { exact, real, summed, whole } from '../case.js';
import type { Case } from '../case.js';
import { at, atBroadcast, build, permute, plain, positions, reshape } from '../plain.js';
import type { Plain } from '../plain.js';

type Index = readonly number[];

/** A case of an operation whose arguments after the tensor are constants. */
const moved = (
  op: string,
  title: string,
  input: Plain,
  rest: readonly unknown[],
  expected: (x: Plain) => Plain | readonly Plain[],
): Case => ({
  op,
  title,
  inputs: [input],
  args: (x) => [x, ...rest],
  expected,
  tolerance: exact,
});

/** A tensor of each dtype: movement is the same for all. */
const kinds: readonly DType[] = ['int32', 'uint8', 'bool'];

// ---- shapes -----------------------------------------------------------------------------------

const shapes: Case[] = [
  shaped('reshape', [2, 3], [[3, 2]], [3, 2]),
  shaped('reshape', [2, 3], [[-1]], [6]),
  shaped('reshape', [2, 6], [[3, -1, 2]], [3, 2, 2]),
  shaped('reshape', [1], [[]], []),
  shaped('reshape', [], [[1, 1]], [1, 1]),
  shaped('reshape', [0, 3], [[5, 0]], [5, 0]),
  shaped('reshape', [0, 3], [[-1, 3]], [0, 3]),
  shaped('flatten', [2, 3, 2], [], [12]),
  shaped('flatten', [2, 3, 2], [1], [2, 6]),
  shaped('flatten', [], [], [1]),
  shaped('flatten', [2, 0, 3], [1], [2, 0]),
  shaped('squeeze', [1, 2, 1, 3], [], [2, 3]),
  shaped('squeeze', [1, 2, 1, 3], [-2], [1, 2, 3]),
  shaped('squeeze', [1, 2, 1], [[0, 2]], [2]),
  shaped('squeeze', [1, 1], [], []),
  shaped('squeeze', [2, 0], [], [2, 0]),
  shaped('expandDims', [2, 3], [0], [1, 2, 3]),
  shaped('expandDims', [2, 3], [-1], [2, 3, 1]),
  shaped('expandDims', [2, 3], [1], [2, 1, 3]),
  shaped('expandDims', [], [0], [1]),
];

function shaped(op: string, shape: Index, rest: readonly unknown[], result: Index): Case {
  const title = `[${shape.join(', ')}] to [${result.join(', ')}]`;
  return moved(op, title, real(shape), rest, (x) => reshape(x, result));
}

const orders: Case[] = [
  ordered([2, 3], undefined, [1, 0]),
  ordered([2, 3, 4], undefined, [2, 1, 0]),
  ordered([2, 3, 4], [1, 2, 0], [1, 2, 0]),
  ordered([2, 3, 4], [-1, 0, -2], [2, 0, 1]),
  ordered([2, 1, 3], [1, 0, 2], [1, 0, 2]),
  ordered([4], undefined, [0]),
  ordered([], undefined, []),
  ordered([0, 3], undefined, [1, 0]),
  ordered([2, 3, 2, 2, 3], [4, 2, 0, 3, 1], [4, 2, 0, 3, 1]),
  ordered([2, 2, 2, 2, 2, 2, 2, 2], [7, 5, 3, 1, 6, 4, 2, 0], [7, 5, 3, 1, 6, 4, 2, 0]),
  ordered([67, 131], undefined, [1, 0]),
  ordered([5, 67, 33], [0, 2, 1], [0, 2, 1]),
  ...kinds.map((dtype) =>
    moved('transpose', dtype, whole([5, 7], 0, 1, dtype), [], (x) => permute(x, [1, 0])),
  ),
  moved('swapAxes', 'first and last', real([2, 3, 2]), [0, -1], (x) => permute(x, [2, 1, 0])),
  moved('swapAxes', 'an axis with itself', real([2, 3]), [1, 1], (x) => x),
];

function ordered(shape: Index, order: readonly number[] | undefined, axes: Index): Case {
  const title = `[${shape.join(', ')}] by ${order ? `[${order.join(', ')}]` : 'default'}`;
  return moved('transpose', title, real(shape), order ? [order] : [], (x) => permute(x, axes));
}

const repeated: Case[] = (
  [
    [[3], [2, 3]],
    [
      [2, 1],
      [2, 3],
    ],
    [[], [2, 2]],
    [[1], [0]],
    [[0], [2, 0]],
    [
      [2, 1, 2, 1],
      [3, 2, 2, 2, 2],
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [1, 37],
      [41, 37],
    ],
    [
      [41, 1],
      [41, 37],
    ],
  ] as const
).map(([from, to]) =>
  moved('broadcastTo', `[${from.join(', ')}] to [${to.join(', ')}]`, real(from), [to], (x) =>
    build(to, (index) => atBroadcast(x, index)),
  ),
);

const tiles: Case[] = (
  [
    [[2, 3], 2, [1, 2]],
    [[2, 3], [2, 1], [2, 1]],
    [[2], [3, 2], [3, 2]],
    [[2, 1, 2], [2], [1, 1, 2]],
    [[], [3], [3]],
    [[2], [0], [0]],
    [[3, 2], [2, 3], [2, 3]],
  ] as const
).map(([shape, repeats, full]) =>
  moved('tile', `[${shape.join(', ')}] by ${String(repeats)}`, real(shape), [repeats], (x) => {
    const rank = Math.max(full.length, shape.length);
    const own = [...new Array<number>(rank - shape.length).fill(1), ...shape];
    const counts = [...new Array<number>(rank - full.length).fill(1), ...full];
    const spread = reshape(x, own);
    return build(
      own.map((extent, axis) => extent * counts[axis]!),
      (index) => at(spread, index.map((i, axis) => i % own[axis]!)),
    );
  }),
); // prettier-ignore

// ---- regions ----------------------------------------------------------------------------------

type Range = number | null | readonly [number | null, (number | null)?, number?];

/** Positions a range names, by Python's own definition of a slice. */
function positionsOf(range: Range, extent: number): number[] {
  if (range === null) return Array.from({ length: extent }, (_, i) => i);
  if (typeof range === 'number') return [range < 0 ? range + extent : range];
  const step = range[2] ?? 1;
  const bound = (value: number | null | undefined, missing: number): number => {
    if (value === null || value === undefined) return missing;
    const from = value < 0 ? value + extent : value;
    return step > 0
      ? Math.min(Math.max(from, 0), extent)
      : Math.min(Math.max(from, -1), extent - 1);
  };
  const list: number[] = [];
  const stop = bound(range[1], step > 0 ? extent : -1);
  for (
    let i = bound(range[0], step > 0 ? 0 : extent - 1);
    step > 0 ? i < stop : i > stop;
    i += step
  )
    list.push(i);
  return list;
}

function sliced(shape: Index, ranges: readonly Range[], dtype?: DType): Case {
  const input = dtype ? whole(shape, 0, 1, dtype) : real(shape);
  const title = `[${shape.join(', ')}] at ${JSON.stringify(ranges)}${dtype ? `, ${dtype}` : ''}`;
  return moved('slice', title, input, ranges, (x) => {
    const lists = shape.map((extent, axis) => positionsOf(ranges[axis] ?? null, extent));
    const all = build(
      lists.map((list) => list.length),
      (index) => at(x, index.map((i, axis) => lists[axis]![i]!)),
      x.dtype,
    ); // prettier-ignore
    return reshape(
      all,
      all.shape.filter((_, axis) => typeof ranges[axis] !== 'number'),
    );
  });
}

const slices: Case[] = [
  sliced([4, 3], [[1, 3]]),
  sliced([4, 3], [2]),
  sliced([4, 3], [-1, -1]),
  sliced([4, 3], [null, 1]),
  sliced([4, 3], [null, [1, 2]]),
  sliced(
    [4, 3],
    [
      [0, 2],
      [1, 2],
    ],
  ),
  sliced(
    [4, 3],
    [
      [1, 2],
      [1, 3],
    ],
  ),
  sliced([5], [[null, null, 2]]),
  sliced([5], [[null, null, -1]]),
  sliced([5], [[-2, null, -2]]),
  sliced([5], [[1, -1]]),
  sliced([5], [[3, 1]]),
  sliced([5], [[-100, 100]]),
  sliced([5], [[4, -100, -3]]),
  sliced([4, 3], [[0, 0]]),
  sliced([0, 3], [[0, 5], 1]),
  sliced([2, 3, 2], [null, null, [0, 1]]),
  sliced([2, 3, 2], [[1], [null, 2], -2]),
  sliced([2, 3, 2], [1, [0, 3, 2]]),
  sliced([2, 3, 2], [0, 0, 0]),
  sliced([2, 3], []),
  sliced(
    [33, 47],
    [
      [1, 30, 3],
      [46, 3, -4],
    ],
  ),
  ...kinds.map((dtype) =>
    sliced(
      [5, 4],
      [
        [1, 4],
        [0, 4, 2],
      ],
      dtype,
    ),
  ),
];

const flips: Case[] = (
  [
    [[2, 3], undefined, [0, 1]],
    [[2, 3], 1, [1]],
    [[2, 3, 2], [0, -1], [0, 2]],
    [[4], 0, [0]],
    [[], undefined, []],
    [[0, 2], 0, [0]],
    [[31, 47], 1, [1]],
  ] as const
).map(([shape, axis, axes]) =>
  moved('flip', `[${shape.join(', ')}] over ${String(axis)}`, real(shape), [axis], (x) =>
    build(shape, (index) => {
      const reversed = axes as readonly number[];
      return at(x, index.map((i, a) => (reversed.includes(a) ? shape[a]! - 1 - i : i)));
    }),
  ),
); // prettier-ignore

function padded(shape: Index, widths: number | readonly [number, number][], value = 0): Case {
  const pairs = typeof widths === 'number' ? shape.map(() => [widths, widths]) : widths;
  const title = `[${shape.join(', ')}] by ${JSON.stringify(widths)} of ${value}`;
  return moved('pad', title, real(shape), value === 0 ? [widths] : [widths, value], (x) =>
    build(
      shape.map((extent, axis) => pairs[axis]![0] + extent + pairs[axis]![1]),
      (index) => {
        const inner = index.map((i, axis) => i - pairs[axis]![0]);
        return inner.every((i, axis) => i >= 0 && i < shape[axis]!) ? at(x, inner) : value;
      },
    ),
  );
}

const pads: Case[] = [
  padded([2, 3], 1),
  padded([2, 3], [[0, 1], [2, 0]], -1.5),
  padded([3], [[0, 0]]),
  padded([0, 2], [[1, 1], [0, 0]], 2),
  padded([], []),
  padded([2, 1, 2], [[1, 0], [0, 0], [0, 2]]),
]; // prettier-ignore

// ---- joining and splitting --------------------------------------------------------------------

function joined(op: 'concat' | 'stack', list: readonly Plain[], axis: number): Case {
  return {
    op,
    title:
      list.map(({ shape, dtype = '' }) => `${dtype}[${shape.join(', ')}]`).join(' ') +
      ` along ${axis}`,
    inputs: list,
    args: (...tensors) => [tensors, axis],
    expected: (...parts) => {
      const rank = parts[0]!.shape.length + (op === 'stack' ? 1 : 0);
      const along = (axis + rank) % rank;
      const same = parts.map((part) =>
        op === 'stack'
          ? reshape(part, [...part.shape.slice(0, along), 1, ...part.shape.slice(along)])
          : part,
      );
      const owners = same.flatMap((part) =>
        Array.from({ length: part.shape[along]! }, (_, i) => ({ part, i })),
      );
      return build(
        same[0]!.shape.map((extent, a) => (a === along ? owners.length : extent)),
        (index) => {
          const { part, i } = owners[index[along]!]!;
          return at(part, index.map((each, a) => (a === along ? i : each)));
        },
        parts[0]!.dtype,
      ); // prettier-ignore
    },
    tolerance: exact,
  };
}

const joins: Case[] = [
  joined('concat', [real([2, 3]), real([1, 3])], 0),
  joined('concat', [real([2, 1]), real([2, 3]), real([2, 2])], -1),
  joined('concat', [real([2, 1, 2]), real([2, 2, 2])], 1),
  joined('concat', [real([0, 2]), real([2, 2])], 0),
  joined('concat', [real([3])], 0),
  joined('concat', [real([2, 0]), real([2, 0])], 1),
  joined('concat', [real([31, 17]), real([31, 40])], 1),
  ...kinds.map((dtype) => joined('concat', [whole([3], 0, 1, dtype), whole([2], 0, 1, dtype)], 0)),
  joined('stack', [real([]), real([]), real([])], 0),
  joined('stack', [real([2, 3]), real([2, 3])], 0),
  joined('stack', [real([2, 3]), real([2, 3])], 1),
  joined('stack', [real([2, 3]), real([2, 3])], -1),
  joined('stack', [real([0]), real([0])], 1),
  {
    op: 'concat',
    title: 'different dtypes give the wider one',
    inputs: [plain([2], [1, 2], 'uint8'), plain([1], [-3], 'int32'), plain([1], [1], 'bool')],
    args: (...tensors) => [tensors],
    expected: () => plain([4], [1, 2, -3, 1], 'int32'),
  },
  {
    op: 'stack',
    title: 'the same tensor twice',
    inputs: [real([3])],
    args: (x) => [[x, x]],
    expected: (x) => plain([2, 3], [...x.values, ...x.values]),
    tolerance: exact,
  },
];

function parted(shape: Index, parts: number | readonly number[], axis: number): Case {
  const along = (axis + shape.length) % shape.length;
  const sizes =
    typeof parts === 'number' ? Array.from({ length: parts }, () => shape[along]! / parts) : parts;
  const title = `[${shape.join(', ')}] into ${String(parts)} along ${axis}`;
  return moved('split', title, real(shape), [parts, axis], (x) => {
    let start = 0;
    return sizes.map((size) => {
      const from = start;
      start += size;
      return build(
        shape.map((extent, a) => (a === along ? size : extent)),
        (index) => at(x, index.map((i, a) => (a === along ? i + from : i))),
      ); // prettier-ignore
    });
  });
}

const splits: Case[] = [
  parted([4, 3], 2, 0),
  parted([2, 6], 3, -1),
  parted([2, 5], [1, 4], 1),
  parted([5], [2, 0, 3], 0),
  parted([3, 2], 3, 0),
  parted([0, 2], 2, 0),
];

// ---- indexing ---------------------------------------------------------------------------------

/** x at positions of an axis: [...before, ...indices, ...after]. */
function gathered(x: Plain, indices: Plain, axis: number): Plain {
  const rank = indices.shape.length;
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return build(
    shape,
    (index) => {
      const position = at(indices, index.slice(axis, axis + rank));
      return at(x, [...index.slice(0, axis), position, ...index.slice(axis + rank)]);
    },
    x.dtype,
  );
}

const gathers: Case[] = [
  gathering('rows', real([4, 3]), whole([3], 0, 3, 'int32')),
  gathering('repeated rows', real([3, 2]), plain([5], [1, 1, 0, 1, 2], 'int32')),
  gathering('columns', real([2, 4]), plain([3], [3, 0, 0], 'int32'), -1),
  gathering('a middle axis, a matrix of indices', real([2, 3, 2]), whole([2, 2], 0, 2, 'int32'), 1),
  gathering('one position', real([3, 2]), plain([], [2], 'int32')),
  gathering('no positions', real([3, 2]), plain([0], [], 'int32')),
  gathering('uint8 indices', real([3]), plain([2], [2, 0], 'uint8')),
  gathering('empty rows', real([3, 0]), plain([2], [2, 0], 'int32')),
  gathering('long rows', real([50, 67]), whole([80], 0, 49, 'int32')),
  gathering('many columns', real([67, 50]), whole([80], 0, 49, 'int32'), 1),
  ...kinds.map((dtype) => gathering(dtype, whole([4, 3], 0, 1, dtype), whole([3], 0, 3, 'int32'))),
  {
    op: 'gather',
    title: 'an array of numbers as indices',
    inputs: [real([3, 2])],
    args: (x) => [x, [2, 0]],
    expected: (x) => gathered(x, plain([2], [2, 0]), 0),
    tolerance: exact,
  },
];

function gathering(title: string, x: Plain, indices: Plain, axis?: number): Case {
  const along = ((axis ?? 0) + x.shape.length) % x.shape.length;
  return {
    op: 'gather',
    title,
    inputs: [x, indices],
    args: (a, i) => [a, i, ...(axis === undefined ? [] : [axis])],
    expected: (a, i) => gathered(a, i, along),
    tolerance: exact,
  };
}

const scatters: Case[] = [
  scattering('rows', real([4, 2]), plain([3], [1, 3, 1], 'int32')),
  scattering('columns', real([2, 4]), plain([3], [3, 0, 3], 'int32'), -1),
  scattering('a matrix of indices', real([3]), plain([2, 2], [0, 0, 2, 0], 'int32')),
  scattering('one position', real([3, 2]), plain([], [2], 'int32')),
  scattering('no positions', real([3, 2]), plain([0], [], 'int32')),
  scattering('long rows', real([20, 67]), whole([80], 0, 19, 'int32')),
  scattering('int32', whole([4, 2], -9, 9, 'int32'), plain([3], [1, 3, 1], 'int32')),
  scattering('uint8', whole([4, 2], 0, 9, 'uint8'), plain([3], [1, 3, 1], 'int32')),
];

function scattering(title: string, x: Plain, indices: Plain, axis = 0): Case {
  const along = (axis + x.shape.length) % x.shape.length;
  const shape = [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)];
  const updates = x.dtype ? whole(shape, 0, 9, x.dtype) : real(shape);
  return {
    op: 'scatterAdd',
    title,
    inputs: [x, indices, updates],
    args: (a, i, u) => [a, i, u, axis],
    tolerance: summed,
    expected: (a, i, u) => {
      const rank = i.shape.length;
      const sums = new Map<string, number>();
      for (const index of positions(u.shape)) {
        const position = at(i, index.slice(along, along + rank));
        const key = [...index.slice(0, along), position, ...index.slice(along + rank)].join();
        sums.set(key, (sums.get(key) ?? 0) + at(u, index));
      }
      return build(a.shape, (index) => at(a, index) + (sums.get(index.join()) ?? 0), a.dtype);
    },
  };
}

const along: Case[] = [
  taking('rows', real([3, 4]), whole([3, 2], 0, 3, 'int32')),
  taking('columns', real([4, 3]), whole([2, 3], 0, 3, 'int32'), 0),
  taking('a middle axis', real([2, 3, 2]), whole([2, 4, 2], 0, 2, 'int32'), 1),
  taking('no positions', real([3, 4]), plain([3, 0], [], 'int32')),
  taking('many', real([41, 30]), whole([41, 50], 0, 29, 'int32')),
  ...kinds.map((dtype) => taking(dtype, whole([3, 4], 0, 1, dtype), whole([3, 2], 0, 3, 'int32'))),
];

function taking(title: string, x: Plain, indices: Plain, axis = -1): Case {
  const at0 = (axis + x.shape.length) % x.shape.length;
  return {
    op: 'takeAlongAxis',
    title,
    inputs: [x, indices],
    args: (a, i) => [a, i, axis],
    expected: (a, i) =>
      build(
        i.shape,
        (index) => at(a, index.map((each, d) => (d === at0 ? at(i, index) : each))),
        a.dtype,
      ), // prettier-ignore
    tolerance: exact,
  };
}

const labels: Case[] = [
  labelled('a vector', plain([4], [2, 0, 1, 2], 'int32'), 3),
  labelled('a matrix', whole([2, 3], 0, 3, 'int32'), 4),
  labelled('a scalar', plain([], [1], 'int32'), 2),
  labelled('uint8 labels', whole([5], 0, 9, 'uint8'), 10),
  labelled('no labels', plain([0], [], 'int32'), 3),
  labelled('as int32', whole([5], 0, 9, 'int32'), 10, 'int32'),
  labelled('as bool', whole([5], 0, 9, 'int32'), 10, 'bool'),
  labelled('as float64', whole([5], 0, 9, 'int32'), 10, 'float64'),
];

function labelled(title: string, input: Plain, classes: number, dtype?: DType): Case {
  return moved('oneHot', title, input, [classes, ...(dtype ? [{ dtype }] : [])], (x) =>
    build(
      [...x.shape, classes],
      (index) => (at(x, index.slice(0, -1)) === index.at(-1) ? 1 : 0),
      dtype ?? 'float32',
    ),
  );
}

export const movementCases: readonly Case[] = [
  ...shapes,
  ...orders,
  ...repeated,
  ...tiles,
  ...slices,
  ...flips,
  ...pads,
  ...joins,
  ...splits,
  ...gathers,
  ...scatters,
  ...along,
  ...labels,
];
