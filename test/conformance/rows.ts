/** Conformance of softmax, cross-entropy, row scaling and batch normalization. */

import { describe, expect, it } from 'vitest';

import type { HostArray } from '../../src/backends/backend.js';
import type { FloatDType } from '../../src/backends/dtype.js';
import { array, type Bench, expectClose, floatDTypes, roundoff, Source } from './harness.js';

const shapes = [
  [1, 1], [3, 4], [32, 10], [5, 33], [2, 1000], [17, 2], [0, 5], [3, 0], [1, 257],
] as const; // prettier-ignore

/** Roundings a softmax may be off by, relative to its value (at inputs of moderate size). */
const softmaxRoundings = 64;

export function rowTests(bench: Bench): void {
  describe.each(floatDTypes)('softmax %s', (dtype) => softmaxTests(bench, dtype));
  describe.each(floatDTypes)('crossEntropy %s', (dtype) => crossEntropyTests(bench, dtype));
  describe.each(floatDTypes)('batchNorm %s', (dtype) => batchNormTests(bench, dtype));

  it.each(floatDTypes)('scaleRows %s', (dtype) => {
    for (const [rows, columns] of shapes) {
      const source = new Source(rows);
      const [a, scale] = [source.values(dtype, rows * columns), source.values(dtype, rows)];
      const wanted = Array.from(a, (value, i) => value * scale[Math.floor(i / columns)]! * 0.3);
      const tolerances = wanted.map((value) => 6 * roundoff[dtype] * Math.abs(value));
      for (const inPlace of [false, true]) {
        const buffer = bench.put(a);
        const out = inPlace ? buffer : bench.output(dtype, a.length);
        bench.backend.scaleRows(out, buffer, bench.put(scale), rows, columns, 0.3);
        expectClose(bench.get(out), wanted, tolerances, `scaleRows ${rows} ${columns}`);
      }
    }
  });
}

// ---- softmax ----------------------------------------------------------------------------------

/** Softmax and its logarithm of one row. */
function softmaxRow(row: readonly number[]): { y: number[]; log: number[] } {
  const largest = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, value) => total + value, 0);
  return {
    y: powers.map((value) => value / sum),
    log: row.map((value) => value - largest - Math.log(sum)),
  };
}

function rowsOf(values: HostArray, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, r) => [
    ...values.subarray(r * columns, (r + 1) * columns),
  ]);
}

function softmaxTests(bench: Bench, dtype: FloatDType): void {
  const unit = softmaxRoundings * roundoff[dtype];
  const check = (a: HostArray, rows: number, columns: number, inPlace = false): void => {
    for (const logarithm of [false, true]) {
      const buffer = bench.put(a);
      const out = inPlace ? buffer : bench.output(dtype, a.length);
      bench.backend.softmax(out, buffer, rows, columns, logarithm);
      const wanted = rowsOf(a, rows, columns).flatMap((row) => softmaxRow(row)[logarithm ? 'log' : 'y']); // prettier-ignore
      const tolerances = wanted.map((value) => unit * (logarithm ? 1 + Math.abs(value) : value) + 1e-37); // prettier-ignore
      expectClose(bench.get(out), wanted, tolerances, `softmax ${rows}x${columns} ${logarithm}`);
    }
  };

  it.each(shapes)('%i rows of %i, also in place', (rows, columns) => {
    const a = new Source(columns + 1).values(dtype, rows * columns, 8);
    check(a, rows, columns);
    check(a, rows, columns, true);
  });

  it('does not overflow, and keeps what infinities and NaN mean', () => {
    check(array(dtype, [1e4, 1e4 + 1, -1e4, 3e4]), 1, 4);
    check(array(dtype, [-1e5, -1e5, -1e5]), 1, 3);
    check(array(dtype, [-Infinity, 1, 2, -Infinity]), 1, 4);
    check(array(dtype, [NaN, 1, 2, 0, 1, 2]), 2, 3);
    check(array(dtype, [Infinity, 1, -Infinity, -Infinity]), 2, 2);
  });

  it.each(shapes)('backward, %i rows of %i', (rows, columns) => {
    const source = new Source(columns + 2);
    const a = source.values(dtype, rows * columns, 4);
    const g = source.values(dtype, rows * columns);
    for (const logarithm of [false, true]) {
      const results = rowsOf(a, rows, columns).map(softmaxRow);
      const y = array(dtype, results.flatMap((row) => (logarithm ? row.log : row.y))); // prettier-ignore
      const out = bench.output(dtype, a.length);
      bench.backend.softmaxBackward(out, bench.put(g), bench.put(y), rows, columns, logarithm);
      const wanted: number[] = [];
      rowsOf(y, rows, columns).forEach((row, r) => {
        const upstream = [...g.subarray(r * columns, (r + 1) * columns)];
        const sum = upstream.reduce((total, each, c) => total + each * (logarithm ? 1 : row[c]!), 0); // prettier-ignore
        row.forEach((value, c) => {
          const each = upstream[c]!;
          wanted.push(logarithm ? each - Math.exp(value) * sum : value * (each - sum));
        });
      });
      expectClose(bench.get(out), wanted, 4 * unit, `softmaxBackward ${rows}x${columns}`);
    }
  });
}

// ---- cross-entropy ----------------------------------------------------------------------------

function crossEntropyTests(bench: Bench, dtype: FloatDType): void {
  const unit = softmaxRoundings * roundoff[dtype];
  const check = (
    logits: HostArray,
    target: HostArray,
    rows: number,
    classes: number,
    scale = 1,
  ): void => {
    for (const wantsDifference of [false, true]) {
      const loss = bench.output(dtype, rows);
      const difference = wantsDifference ? bench.output(dtype, logits.length) : null;
      const [logitsBuffer, targetBuffer] = [bench.put(logits), bench.put(target)];
      expect(
        bench.backend.crossEntropy(loss, difference, logitsBuffer, targetBuffer, rows, classes),
      ).toBe(-1);
      const losses: number[] = [];
      const differences: number[] = [];
      rowsOf(logits, rows, classes).forEach((row, r) => {
        const weights = row.map((_, c) =>
          target instanceof Int32Array ? Number(target[r] === c) : target[r * classes + c]!,
        );
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const { y, log } = softmaxRow(row);
        losses.push(weights.reduce((sum, weight, c) => sum - (weight && weight * log[c]!), 0));
        differences.push(...weights.map((weight, c) => total * y[c]! - weight));
      });
      const label = `crossEntropy ${rows}x${classes}`;
      expectClose(bench.get(loss), losses, unit * scale * 8, `${label} loss`);
      if (difference) expectClose(bench.get(difference), differences, unit, `${label} difference`);
    }
  };

  const sizes = [[1, 1], [4, 3], [32, 10], [3, 100], [0, 4], [2, 1000]] as const; // prettier-ignore
  it.each(sizes)('%i rows of %i classes: labels and probabilities', (rows, classes) => {
    const source = new Source(classes);
    const logits = source.values(dtype, rows * classes, 5);
    const labels = Int32Array.from({ length: rows }, () => source.integer(0, classes - 1));
    check(logits, labels, rows, classes);
    const probabilities = source.values(dtype, rows * classes, 0.5);
    probabilities.forEach((value, i) => (probabilities[i] = Math.abs(value) / classes));
    check(logits, probabilities, rows, classes);
  });

  it('large logits, certain answers and impossible classes', () => {
    check(array(dtype, [1000, -1000, 0, -1000, 1000, 0]), Int32Array.of(0, 0), 2, 3, 2000);
    check(array(dtype, [-Infinity, 1, 2]), Int32Array.of(2), 1, 3);
    check(array(dtype, [-Infinity, 1, 2]), array(dtype, [0, 0.5, 0.5]), 1, 3);
  });

  it('gives the first row whose label is outside', () => {
    for (const bad of [3, -1, 2 ** 31 - 1]) {
      const loss = bench.output(dtype, 3);
      const logits = bench.output(dtype, 9);
      const target = bench.put(Int32Array.of(2, bad, bad));
      expect(bench.backend.crossEntropy(loss, null, logits, target, 3, 3)).toBe(1);
    }
  });
}

// ---- batch normalization ----------------------------------------------------------------------

function batchNormTests(bench: Bench, dtype: FloatDType): void {
  const sizes = [[1, 3], [2, 1], [32, 100], [300, 7], [5, 33], [700, 1], [4, 0]] as const; // prettier-ignore
  /** Roundings allowed, of numbers of magnitude about one. */
  const tolerance = 300 * roundoff[dtype];

  it.each(sizes)('forward and backward, %i rows of %i channels', (rows, channels) => {
    const source = new Source(rows + channels);
    const x = source.values(dtype, rows * channels);
    const g = source.values(dtype, rows * channels);
    for (const scaled of [false, true]) {
      const gamma = scaled ? source.values(dtype, channels) : null;
      const beta = scaled ? source.values(dtype, channels) : null;
      checkNormalization(bench, dtype, x, g, gamma, beta, rows, channels, tolerance);
    }
  });

  it('a mean far from zero does not spoil the variance', () => {
    const rows = 64;
    const x = array(
      dtype,
      Array.from({ length: rows }, (_, r) => 1000 + (r % 2)),
    );
    const [out, mean, inverse, variance] = [64, 1, 1, 1].map((n) => bench.output(dtype, n));
    bench.backend.batchNorm(out!, mean!, inverse!, variance!, bench.put(x), null, null, rows, 1, 0);
    expectClose(bench.get(mean!), [1000.5], 1e-4, 'mean');
    expectClose(bench.get(variance!), [0.25], 1e-4, 'variance');
    expectClose(bench.get(inverse!), [2], 1e-3, 'inverse');
  });
}

function checkNormalization(
  bench: Bench,
  dtype: FloatDType,
  x: HostArray,
  g: HostArray,
  gamma: HostArray | null,
  beta: HostArray | null,
  rows: number,
  channels: number,
  tolerance: number,
): void {
  const epsilon = 0.01;
  const column = (values: HostArray, c: number): number[] =>
    Array.from({ length: rows }, (_, r) => values[r * channels + c]!);
  const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
  const means = Array.from({ length: channels }, (_, c) => total(column(x, c)) / rows);
  const variances = means.map((m, c) => total(column(x, c).map((v) => (v - m) ** 2)) / rows);
  const inverses = variances.map((variance) => 1 / Math.sqrt(variance + epsilon));
  const normalized = Array.from(x, (v, i) => (v - means[i % channels]!) * inverses[i % channels]!);
  const wanted = normalized.map(
    (value, i) => value * (gamma?.[i % channels] ?? 1) + (beta?.[i % channels] ?? 0),
  );
  const out = bench.output(dtype, x.length);
  const [mean, inverse, variance] = [1, 2, 3].map(() => bench.output(dtype, channels));
  const [xBuffer, gammaBuffer] = [bench.put(x), bench.putOptional(gamma)];
  bench.backend.batchNorm(
    out, mean!, inverse!, variance!, xBuffer, gammaBuffer, bench.putOptional(beta), rows, channels,
    epsilon,
  ); // prettier-ignore
  const label = `batchNorm ${rows}x${channels}`;
  expectClose(bench.get(mean!), means, tolerance, `${label} mean`);
  expectClose(bench.get(variance!), variances, tolerance, `${label} variance`);
  expectClose(bench.get(inverse!), inverses, inverses.map((v) => v ** 3 * tolerance), `${label} inverse`); // prettier-ignore
  const steep = 1 + Math.max(0, ...inverses) ** 3;
  expectClose(bench.get(out), wanted, steep * tolerance, label);

  const dgammas = means.map((_, c) =>
    total(column(g, c).map((v, r) => v * normalized[r * channels + c]!)),
  );
  const dbetas = means.map((_, c) => total(column(g, c)));
  const dxs = Array.from(g, (value, i) => {
    const c = i % channels;
    const centred = value - dbetas[c]! / rows - (normalized[i]! * dgammas[c]!) / rows;
    return (gamma?.[c] ?? 1) * inverses[c]! * centred;
  });
  for (const asked of [0, 1, 2, 4, 7]) {
    const dx = asked & 1 ? bench.output(dtype, x.length) : null;
    const dgamma = asked & 2 ? bench.output(dtype, channels) : null;
    const dbeta = asked & 4 ? bench.output(dtype, channels) : null;
    bench.backend.batchNormBackward(
      dx, dgamma, dbeta, bench.put(g), xBuffer, mean!, inverse!, gammaBuffer, rows, channels,
    ); // prettier-ignore
    const growing = tolerance * steep * (1 + Math.sqrt(rows));
    if (dx) expectClose(bench.get(dx), dxs, 4 * steep * tolerance, `${label} dx`);
    if (dgamma) expectClose(bench.get(dgamma), dgammas, growing, `${label} dgamma`);
    if (dbeta) expectClose(bench.get(dbeta), dbetas, growing, `${label} dbeta`);
  }
}
