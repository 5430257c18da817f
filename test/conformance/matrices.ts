/** Conformance of matmul, dense and denseBackward. */

import { describe, it } from 'vitest';

import type { HostArray } from '../../src/backends/backend.js';
import type { FloatDType } from '../../src/backends/dtype.js';
import { parse } from '../../src/backends/expression.js';
import type { FormulaName } from '../../src/backends/formulas.js';
import { kernelNumber, kernels } from '../../src/backends/kernels.js';
import { type Bench, expectClose, floatDTypes, roundoff, Source } from './harness.js';
import { evaluateFloat } from './reference.js';
import type { Float } from './reference.js';

type Element = (row: number, column: number) => Float;

const exact = (value: number): Float => ({ value, error: 0 });

/** Element (i, j) of a stored matrix of `columns` columns, or of its transpose. */
function stored(values: HostArray, start: number, columns: number, transposed = false): Element {
  return transposed
    ? (i, j) => exact(values[start + j * columns + i]!)
    : (i, j) => exact(values[start + i * columns + j]!);
}

/** One element of A · B + initial, with the error that k roundings (mostly cancelling) may make. */
function dot(
  a: Element,
  b: Element,
  i: number,
  j: number,
  k: number,
  initial: number,
  unit: number,
): Float {
  let value = initial;
  let magnitude = Math.abs(initial);
  let error = 0;
  for (let p = 0; p < k; p++) {
    const [x, y] = [a(i, p), b(p, j)];
    value += x.value * y.value;
    magnitude += Math.abs(x.value * y.value);
    error += Math.abs(x.value) * y.error + Math.abs(y.value) * x.error;
  }
  return { value, error: error + unit * (4 * Math.sqrt(k) + 4) * magnitude };
}

function product(
  a: Element,
  b: Element,
  m: number,
  n: number,
  k: number,
  initial: HostArray | null,
  unit: number,
): Float[] {
  return Array.from({ length: m * n }, (_, at) =>
    dot(a, b, Math.floor(at / n), at % n, k, initial?.[at] ?? 0, unit),
  );
}

function expectFloats(found: HostArray, wanted: readonly Float[], label: string): void {
  const values = wanted.map((each) => each.value);
  expectClose(found, values, wanted.map((each) => each.error), label); // prettier-ignore
}

export function matrixTests(bench: Bench): void {
  describe.each(floatDTypes)('matmul %s', (dtype) => matmulTests(bench, dtype));
  describe.each(floatDTypes)('dense %s', (dtype) => denseTests(bench, dtype));
}

// ---- matmul -----------------------------------------------------------------------------------

interface Problem {
  batch?: number;
  m: number;
  n: number;
  k: number;
  /** One matrix for the whole batch. */
  sharedA?: boolean;
  sharedB?: boolean;
}

function checkMatmul(bench: Bench, dtype: FloatDType, problem: Problem, flags: number): void {
  const { batch = 1, m, n, k, sharedA = false, sharedB = false } = problem;
  const [transA, transB, accumulate] = [!!(flags & 1), !!(flags & 2), !!(flags & 4)];
  const source = new Source(m * 31 + n * 7 + k);
  const [strideA, strideB] = [sharedA ? 0 : m * k, sharedB ? 0 : k * n];
  const a = source.values(dtype, sharedA ? m * k : batch * m * k);
  const b = source.values(dtype, sharedB ? k * n : batch * k * n);
  const initial = source.values(dtype, batch * m * n);
  const out = bench.put(accumulate ? initial : initial.slice().fill(NaN));
  bench.backend.matmul(
    out, bench.put(a), bench.put(b), batch, m, n, k, strideA, strideB, transA, transB, accumulate,
  ); // prettier-ignore
  const wanted: Float[] = [];
  for (let t = 0; t < batch; t++) {
    const left = stored(a, t * strideA, transA ? m : k, transA);
    const right = stored(b, t * strideB, transB ? k : n, transB);
    const start = accumulate ? initial.subarray(t * m * n, (t + 1) * m * n) : null;
    wanted.push(...product(left, right, m, n, k, start, roundoff[dtype]));
  }
  const label = `${dtype} ${JSON.stringify(problem)} A${transA ? 'ᵀ' : ''} B${transB ? 'ᵀ' : ''}`;
  expectFloats(bench.get(out), wanted, accumulate ? `${label} added` : label);
}

function matmulTests(bench: Bench, dtype: FloatDType): void {
  const allFlags = [0, 1, 2, 3, 4, 5, 6, 7];

  it('every combination of small sizes, transposes and accumulation', () => {
    for (const m of [0, 1, 2, 3, 4, 5, 8, 9]) {
      for (const n of [0, 1, 2, 4, 7, 8, 17]) {
        for (const k of [0, 1, 2, 3, 8, 13]) {
          for (const flags of allFlags) checkMatmul(bench, dtype, { m, n, k }, flags);
        }
      }
    }
  });

  const larger: Problem[] = [
    { m: 32, n: 100, k: 100 }, { m: 32, n: 10, k: 100 }, { m: 33, n: 31, k: 300 },
    { m: 100, n: 100, k: 32 }, { m: 1, n: 300, k: 257 }, { m: 300, n: 1, k: 257 },
    { m: 2, n: 3, k: 1000 }, { m: 5, n: 530, k: 9 }, { m: 130, n: 6, k: 5 },
    { m: 65, n: 260, k: 20 }, { m: 6, n: 16, k: 3072 },
  ]; // prettier-ignore
  it.each(larger)('$m x $k times $k x $n', (problem) => {
    for (const flags of allFlags) checkMatmul(bench, dtype, problem, flags);
  });

  const batches: Problem[] = [
    { batch: 3, m: 4, n: 5, k: 6 }, { batch: 2, m: 9, n: 20, k: 33 },
    { batch: 0, m: 2, n: 2, k: 2 },
    { batch: 3, m: 4, n: 5, k: 6, sharedA: true }, { batch: 3, m: 4, n: 5, k: 6, sharedB: true },
    { batch: 4, m: 1, n: 3, k: 2, sharedB: true }, { batch: 3, m: 2, n: 2, k: 0 },
    { batch: 2, m: 3, n: 3, k: 3, sharedA: true, sharedB: true },
  ]; // prettier-ignore
  it.each(batches)('batches %o', (problem) => {
    for (const flags of allFlags) checkMatmul(bench, dtype, problem, flags);
  });

  it('NaN and infinity reach exactly the results they belong to', () => {
    for (const [m, n, k] of [
      [5, 7, 9],
      [1, 5, 3],
      [40, 40, 40],
    ] as const) {
      // prettier-ignore
      const a = new Source(1).values(dtype, m * k);
      const b = new Source(2).values(dtype, k * n);
      a[0] = NaN;
      b[n * (k - 1) + 1] = Infinity;
      const out = bench.output(dtype, m * n);
      bench.backend.matmul(out, bench.put(a), bench.put(b), 1, m, n, k, 0, 0, false, false, false);
      const wanted = product(stored(a, 0, k), stored(b, 0, n), m, n, k, null, roundoff[dtype]);
      expectFloats(bench.get(out), wanted, `special values ${m} ${n} ${k}`);
    }
  });
}

// ---- dense ------------------------------------------------------------------------------------

const activations: readonly (FormulaName | null)[] = [
  null, 'relu', 'elu', 'selu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'mish',
]; // prettier-ignore
const layerShapes = [
  [1, 1, 1], [3, 5, 4], [17, 36, 20], [7, 33, 20], [2, 300, 8], [4, 3, 0], [0, 3, 4], [1, 10, 40],
] as const; // prettier-ignore
const parameter = 0.25; // alpha or slope

/** What a kernel gives for named operands. */
function apply(
  number: number,
  names: Readonly<Record<string, number | Float>>,
  unit: number,
): Float {
  const kernel = kernels[number]!;
  const all = { ...names };
  for (const name of kernel.parameters) all[name] = parameter;
  const { value, error } = evaluateFloat(parse(kernel.text), all, unit);
  return { value, error: error + unit * Math.abs(value) + 1e-36 };
}

function denseTests(bench: Bench, dtype: FloatDType): void {
  const unit = roundoff[dtype];

  it.each(activations)('forward, activation %s', (name) => {
    for (const [rows, units, features] of layerShapes) {
      const source = new Source(rows + units);
      const x = source.values(dtype, rows * features);
      const w = source.values(dtype, features * units, 0.3);
      for (const bias of [null, source.values(dtype, units)]) {
        for (const keep of [false, true]) {
          const out = bench.output(dtype, rows * units);
          const pre = keep ? bench.output(dtype, rows * units) : null;
          const number = name ? kernelNumber(name) : -1;
          bench.backend.dense(
            out, pre, bench.put(x), bench.put(w), bench.putOptional(bias), rows, units, features,
            number, parameter, 0,
          ); // prettier-ignore
          const sums =
            product(stored(x, 0, features), stored(w, 0, units), rows, units, features, null, unit) // prettier-ignore
              .map(({ value, error }, at) => {
                const b = bias ? bias[at % units]! : 0;
                return {
                  value: value + b,
                  error: error + 2 * unit * (Math.abs(value) + Math.abs(b)),
                };
              });
          const label = `dense ${name} ${rows} ${units} ${features}`;
          if (pre) expectFloats(bench.get(pre), sums, `${label} before activation`);
          const wanted = sums.map((sum) => (name ? apply(number, { a: sum }, unit) : sum));
          expectFloats(bench.get(out), wanted, label);
        }
      }
    }
  });

  it.each(activations)('backward, activation %s', (name) => {
    for (const shape of layerShapes) {
      for (const accumulate of [false, true]) {
        checkBackward(bench, dtype, name, shape, accumulate, 7, false);
      }
    }
  });

  it('backward with any of the outputs missing, and with g as scratch', () => {
    for (let outputs = 0; outputs < 8; outputs++) {
      for (const name of [null, 'elu', 'silu'] as const) {
        checkBackward(bench, dtype, name, [5, 9, 6], false, outputs, true);
        checkBackward(bench, dtype, name, [40, 20, 30], true, outputs, true);
      }
    }
  });
}

/** `outputs`: which to ask for, 1 dx, 2 dw, 4 db. */
function checkBackward(
  bench: Bench,
  dtype: FloatDType,
  name: FormulaName | null,
  [rows, units, features]: readonly [number, number, number],
  accumulate: boolean,
  outputs: number,
  scratchIsG: boolean,
): void {
  const unit = roundoff[dtype];
  const source = new Source(rows * units + features);
  const x = source.values(dtype, rows * features);
  const w = source.values(dtype, features * units, 0.3);
  const g = source.values(dtype, rows * units);
  const pre = source.values(dtype, rows * units);
  const y = pre.map((a) => (name ? apply(kernelNumber(name), { a }, unit).value : a)) as HostArray;
  const [dw0, db0] = [source.values(dtype, w.length), source.values(dtype, units)];
  const derivative = name ? kernelNumber(name, 'da') : -1;
  const reads = derivative >= 0 && kernels[derivative]!.operands.includes('a');

  const dx = outputs & 1 ? bench.output(dtype, x.length) : null;
  const dw = outputs & 2 ? bench.put(dw0) : null;
  const db = outputs & 4 ? bench.put(db0) : null;
  const gBuffer = bench.put(g);
  const scratch = scratchIsG ? gBuffer : bench.output(dtype, g.length);
  bench.backend.denseBackward(
    dx, dw, db, scratch, gBuffer, bench.put(x), bench.put(w), bench.put(y),
    reads ? bench.put(pre) : null, rows, units, features, derivative, parameter, 0, accumulate,
  ); // prettier-ignore

  const dz = Array.from(g, (value, at) =>
    name ? apply(derivative, { a: pre[at]!, g: value, y: y[at]! }, unit) : exact(value),
  );
  const label = `denseBackward ${name} ${rows} ${units} ${features}`;
  const gradient: Element = (i, j) => dz[i * units + j]!;
  if (dx) {
    const wanted = product(gradient, stored(w, 0, units, true), rows, features, units, null, unit);
    expectFloats(bench.get(dx), wanted, `${label} dx`);
  }
  if (dw) {
    const left = stored(x, 0, features, true);
    const start = accumulate ? dw0 : null;
    expectFloats(bench.get(dw), product(left, gradient, features, units, rows, start, unit), `${label} dw`); // prettier-ignore
  }
  if (db) {
    const start = accumulate ? db0 : null;
    const ones: Element = () => exact(1);
    expectFloats(bench.get(db), product(ones, gradient, 1, units, rows, start, unit), `${label} db`); // prettier-ignore
  }
}
