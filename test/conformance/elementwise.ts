/** Conformance of map, mapStrided, select, cast and fill. */

import { describe, expect, it } from 'vitest';

import type { Buffer, HostArray } from '../../src/backends/backend.js';
import { typedArray } from '../../src/backends/dtype.js';
import type { DType, FloatDType } from '../../src/backends/dtype.js';
import { parse } from '../../src/backends/expression.js';
import { kernelNumber, kernels } from '../../src/backends/kernels.js';
import type { Kernel } from '../../src/backends/kernels.js';
import { array, type Bench, expectClose, expectSame, floatDTypes } from './harness.js';
import { numberDTypes, roundoff, Source } from './harness.js';
import { evaluateFloat, evaluateInteger } from './reference.js';

const trees = new Map(kernels.map((kernel) => [kernel.name, parse(kernel.text)]));

/** Ordinary points, kinks of the formulas and their neighbours. */
const points = [
  0, 0.5, -0.5, 1, -1, 1.5, 2.5, -2.5, 3, -3, 3.5, 6, -6, 7.25, 0.001, -0.001, 1e-6, -1e-6, 20, -20,
];
const infinite = [NaN, Infinity, -Infinity];
/** Parameters p and q of a kernel, exact in float32; low and high must be in order. */
const parameterValues = [0.25, 1.5];
const integerParameters = [2, 7];

/** Absolute error allowed besides the bound: results this small may be flushed to zero. */
const tiny: Readonly<Record<FloatDType, number>> = { float32: 1e-36, float64: 1e-300 };

function isInteger(dtype: DType): dtype is 'int32' | 'uint8' {
  return dtype === 'int32' || dtype === 'uint8';
}

/** Values of one operand: special points first, in an order that differs by operand. */
function operandValues(source: Source, dtype: DType, size: number, operand: number): HostArray {
  const values = source.values(dtype, size, 3);
  for (let i = 0; i < Math.min(size, points.length ** 2); i++) {
    const point = points[(operand === 0 ? i : Math.floor(i / points.length)) % points.length]!;
    if (dtype === 'float32' || dtype === 'float64') values[i] = point;
    else if (dtype === 'uint8') values[i] = Math.abs(Math.trunc(point));
    else values[i] = i % 7 === 3 ? Math.trunc(point) * 300_000_000 : Math.trunc(point);
  }
  return values;
}

function parametersOf(kernel: Kernel, dtype: DType): Record<string, number> {
  const values = isInteger(dtype) ? integerParameters : parameterValues;
  return Object.fromEntries(kernel.parameters.map((name, index) => [name, values[index]!]));
}

/** What the kernel must give for operand values, and the error allowed. */
function reference(kernel: Kernel, dtype: DType, values: readonly number[]): [number, number] {
  const tree = trees.get(kernel.name)!;
  const parameters = parametersOf(kernel, dtype);
  const names = { ...parameters };
  kernel.operands.forEach((operand, index) => (names[operand] = values[index]!));
  if (isInteger(dtype)) {
    const entries = Object.entries(names).map(([name, value]) => [name, BigInt(value)] as const);
    if (kernel.name.startsWith('isInf') || kernel.name.startsWith('isFinite')) {
      return [kernel.name.startsWith('isInf') ? 0 : 1, 0];
    }
    const value = evaluateInteger(tree, Object.fromEntries(entries));
    if (kernel.kind === 'compare') return [Number(value), 0];
    return [Number(dtype === 'uint8' ? BigInt.asUintN(8, value) : BigInt.asIntN(32, value)), 0];
  }
  const floating = dtype as FloatDType;
  const { value, error } = evaluateFloat(tree, names, roundoff[floating]);
  return [value, kernel.kind === 'compare' ? 0 : error + roundoff[floating] * Math.abs(value) + tiny[floating]]; // prettier-ignore
}

function kernelDTypes(kernel: Kernel): readonly DType[] {
  if (kernel.kind === 'compare') return numberDTypes;
  return kernel.kind === 'number' && kernel.name.endsWith('.y') ? numberDTypes : floatDTypes;
}

/** Runs a kernel flat and compares; operands of length 1 repeat. */
function checkFlat(
  bench: Bench,
  number: number,
  dtype: DType,
  size: number,
  operands: readonly HostArray[],
  inPlace = -1,
): void {
  const kernel = kernels[number]!;
  const outType = kernel.kind === 'compare' ? 'uint8' : dtype;
  const buffers = operands.map((values) => bench.put(values));
  const out = inPlace >= 0 ? buffers[inPlace]! : bench.output(outType, size);
  runMap(bench, number, out, buffers, dtype);
  const results = Array.from(
    { length: size },
    (_, i) =>
    reference(kernel, dtype, operands.map((each) => each[each.length === 1 ? 0 : i]!)), // prettier-ignore
  );
  const lengths = operands.map((each) => each.length).join(', ');
  const label = `${kernel.name} ${dtype} [${lengths}]${inPlace >= 0 ? ' in place' : ''}`;
  const [values, tolerances] = [results.map(([value]) => value), results.map(([, error]) => error)];
  expectClose(bench.get(out), values, tolerances, label);
}

function runMap(
  bench: Bench,
  number: number,
  out: Buffer,
  buffers: readonly Buffer[],
  dtype: DType,
  walk?: Int32Array,
): void {
  const [p, q] = isInteger(dtype) ? integerParameters : parameterValues;
  const [x0, x1, x2, x3] = [buffers[0]!, buffers[1] ?? null, buffers[2] ?? null, buffers[3] ?? null]; // prettier-ignore
  if (walk) bench.backend.mapStrided(number, out, x0, x1, x2, x3, p!, q!, walk);
  else bench.backend.map(number, out, x0, x1, x2, x3, p!, q!);
}

function checkStrided(bench: Bench, number: number, dtype: DType, source: Source): void {
  const kernel = kernels[number]!;
  const counts = [source.integer(1, 4), source.integer(1, 5), source.integer(1, 9)] as const;
  const walk = new Int32Array(15);
  walk.set(counts);
  const operands = kernel.operands.map((_, operand) => {
    // Strides of a contiguous array in which some of the three axes repeat.
    let size = 1;
    for (let axis = 2; axis >= 0; axis--) {
      if (source.next() < 0.3) continue;
      walk[3 + 3 * operand + axis] = size;
      size *= counts[axis]!;
    }
    return source.values(dtype, size);
  });
  const size = counts[0] * counts[1] * counts[2];
  const out = bench.output(kernel.kind === 'compare' ? 'uint8' : dtype, size);
  const buffers = operands.map((values) => bench.put(values));
  runMap(bench, number, out, buffers, dtype, walk);
  const values: number[] = [];
  const tolerances: number[] = [];
  for (let i = 0; i < size; i++) {
    const position = [
      Math.floor(i / counts[1] / counts[2]),
      Math.floor(i / counts[2]) % counts[1],
      i % counts[2],
    ];
    const read = operands.map((array, operand) => {
      const strides = walk.subarray(3 + 3 * operand, 6 + 3 * operand);
      return array[position.reduce((sum, index, axis) => sum + index * strides[axis]!, 0)]!;
    });
    const [value, tolerance] = reference(kernel, dtype, read);
    values.push(value);
    tolerances.push(tolerance);
  }
  expectClose(bench.get(out), values, tolerances, `${kernel.name} ${dtype} walk ${walk.join(' ')}`);
}

export function elementwiseTests(bench: Bench): void {
  describe.each(kernels.map((kernel, number) => [kernel.name, number] as const))(
    'map %s',
    (_, number) => {
      const kernel = kernels[number]!;
      const source = new Source(number + 1);

      it.each(kernelDTypes(kernel))('%s: every length, repeated scalars, in place', (dtype) => {
        for (const size of [0, 1, 2, 3, 7, 8, 9, 31, 64, 65, 450, 2051]) {
          const operands = kernel.operands.map((_, i) => operandValues(source, dtype, size, i));
          checkFlat(bench, number, dtype, size, operands);
        }
        const size = 37;
        for (let mask = 1; mask < 2 ** kernel.operands.length; mask++) {
          const operands = kernel.operands.map((_, operand) =>
            source.values(dtype, mask & (2 ** operand) ? 1 : size),
          );
          checkFlat(bench, number, dtype, size, operands);
        }
        if (kernel.kind === 'compare') return;
        kernel.operands.forEach((_, inPlace) => {
          const operands = kernel.operands.map((_, i) => operandValues(source, dtype, size, i));
          checkFlat(bench, number, dtype, size, operands, inPlace);
        });
      });

      it.each(kernelDTypes(kernel))('%s: broadcasting walks', (dtype) => {
        for (let round = 0; round < 12; round++) checkStrided(bench, number, dtype, source);
      });

      const propagates = kernel.name.endsWith('.y') && kernel.kind !== 'compare';
      if (!propagates && kernel.kind !== 'compare') return;
      it('infinities and NaN', () => {
        for (const dtype of floatDTypes) {
          const values = infinite.flatMap((a) => [...infinite, 0, 1, -2.5].map((b) => [a, b, 1]));
          const count = kernel.operands.length;
          if (count > 1) values.push(...values.map(([a, b, c]) => [b!, a!, c!]));
          if (count > 2) values.push(...values.map(([a, b, c]) => [c!, b!, a!]));
          const operands = kernel.operands.map((_, i) => array(dtype, values.map((each) => each[i]!))); // prettier-ignore
          checkFlat(bench, number, dtype, values.length, operands);
        }
      });
    },
  );

  it('walks with no elements write nothing', () => {
    const add = kernelNumber('add');
    const out = bench.output('float32', 0);
    const one = bench.put(array('float32', [1]));
    const walk = Int32Array.of(3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    bench.backend.mapStrided(add, out, one, one, null, null, 0, 0, walk);
    expect(bench.get(out)).toHaveLength(0);
  });

  it.each(numberDTypes)('%s: arrays that begin anywhere', (dtype) => {
    const all = new Source(5).values(dtype, 40, 40).map((x) => x % 100);
    for (const [start, other, n] of [0, 1, 2, 4].flatMap((i) =>
      [0, 3, 4].flatMap((j) => [1, 4, 7, 16, 19].map((count) => [i, j, count] as const)),
    )) {
      const [a, out] = [bench.put(all), bench.output(dtype, 40)];
      const part = (of: Buffer, from: number): Buffer => bench.backend.view(of, from, n);
      const [x, y] = [part(a, other), part(a, start)];
      bench.backend.map(kernelNumber('add'), part(out, start), x, y, null, null, 0, 0);
      const wanted = array(dtype, new Array<number>(40).fill(99));
      for (let i = 0; i < n; i++) wanted[start + i] = all[other + i]! + all[start + i]!;
      expectSame(bench.get(out), wanted, `${dtype} from ${other} and ${start}, ${n} of them`);
    }
  });

  selectTests(bench);
  castTests(bench);
}

function selectTests(bench: Bench): void {
  it.each(numberDTypes)('select %s, with full and repeated operands', (dtype) => {
    const source = new Source(7);
    for (const size of [0, 1, 5, 64, 1003]) {
      for (let mask = 0; mask < 8; mask++) {
        const length = (bit: number): number => (mask & bit ? 1 : size);
        const condition = source.values('bool', length(1));
        const [a, b] = [source.values(dtype, length(2)), source.values(dtype, length(4))];
        const out = bench.output(dtype, size);
        bench.backend.select(out, bench.put(condition), bench.put(a), bench.put(b));
        const at = (values: HostArray, i: number): number => values[values.length === 1 ? 0 : i]!;
        const wanted = Array.from({ length: size }, (_, i) =>
          at(condition, i) ? at(a, i) : at(b, i),
        );
        expectSame(bench.get(out), wanted, `select ${dtype} ${size} ${mask}`);
      }
    }
  });
}

/** Values at the edges of every dtype. */
const edges = [
  0, 0.4, -0.4, 0.6, 1, -1, 1.9, -1.9, 2.5, 127, 128, 254.9, 255, 255.5, 256, 300, -300, 65536,
  2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 1e10, -1e10, 1e38, -1e38, Infinity,
  -Infinity, NaN,
]; // prettier-ignore

function convert(value: number, dtype: DType): number {
  if (dtype === 'float64') return value;
  if (dtype === 'float32') return Math.fround(value);
  const [low, high] = dtype === 'uint8' ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1];
  if (Number.isNaN(value)) return 0;
  return value <= low ? low : value >= high ? high : Math.trunc(value);
}

function castTests(bench: Bench): void {
  const pairs = numberDTypes.flatMap((from) => numberDTypes.map((to) => [from, to] as const));
  it.each(pairs)('cast %s to %s: truncating, saturating, NaN to 0', (from, to) => {
    const typed = typedArray(from, edges.length);
    edges.forEach((value, i) => (typed[i] = convert(value, from)));
    const values = array(from, [...typed, ...new Source(3).values(from, 1001, 500)]);
    for (const size of [0, 1, 13, values.length]) {
      const part = values.slice(0, size);
      const out = bench.output(to, size);
      bench.backend.cast(out, bench.put(part), false);
      const wanted = Array.from(part, (value) => convert(value, to));
      expectSame(bench.get(out), wanted, `cast ${from} to ${to}`);
    }
  });

  it.each(numberDTypes)('cast %s to bool: 1 where not zero', (from) => {
    const values = array(from, [0, -0, 1, 2, 255, ...(from.startsWith('f') ? [0.1, -5, NaN] : [])]);
    const out = bench.output('bool', values.length);
    bench.backend.cast(out, bench.put(values), true);
    expectSame(
      bench.get(out),
      Array.from(values, (value) => (value === 0 ? 0 : 1)),
      'to bool',
    );
  });

  it.each(numberDTypes)('fill %s', (dtype) => {
    for (const size of [0, 1, 100]) {
      for (const value of [0, 1, 200, -3.7, 1e10, NaN]) {
        const out = bench.output(dtype, size);
        bench.backend.fill(out, value);
        const wanted = new Array<number>(size).fill(convert(value, dtype));
        expectSame(bench.get(out), wanted, `fill ${dtype} with ${value}`);
      }
    }
  });
}
