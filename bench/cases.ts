/** What is measured, by suite. */

import type { Case, MapOp } from './protocol.js';

export interface NamedCase {
  readonly name: string;
  readonly case: Case;
  /** Work of a repetition in the suite's unit (GFLOP or GB), for the last column. */
  readonly work?: number;
}

export interface Suite {
  readonly title: string;
  readonly cases: readonly NamedCase[];
  /** What `work` per second is called. */
  readonly unit?: 'GFLOP/s' | 'GB/s';
}

const step = (batch: number, batchNorm = false, depth = 20, width = 100): NamedCase => {
  const weights = 3072 * width + (depth - 1) * width * width + width * 10;
  return {
    name: `batch ${batch}${batchNorm ? ', batch norm' : ''}`,
    case: { kind: 'step', batch, depth, width, batchNorm },
    // Forward, and two products backward but for the first layer's input.
    work: (2 * batch * (3 * weights - 3072 * width)) / 1e9,
  };
};

const product = (m: number, n: number, k: number, transA = false, transB = false): NamedCase => ({
  name: `${m}x${k}${transA ? 'ᵀ' : ''} · ${k}x${n}${transB ? 'ᵀ' : ''}`,
  case: { kind: 'matmul', m, n, k, transA, transB },
  work: (2 * m * n * k) / 1e9,
});

const traffic: Readonly<Record<MapOp, number>> = {
  elu: 8,
  exp: 8,
  tanh: 8,
  addScaled: 16,
  sum: 4,
  softmax: 8,
  copy: 8,
};

const map = (op: MapOp, n = 4_000_000): NamedCase => ({
  name: `${op}, ${n / 1e6}M`,
  case: { kind: 'map', op, n },
  work: (n * traffic[op]) / 1e9,
});

const square = (n: number): NamedCase[] =>
  [false, true].flatMap((transA) =>
    [false, true].map((transB) => product(n, n, n, transA, transB)),
  );

export const suites: Readonly<Record<string, Suite>> = {
  epoch: {
    title: 'A whole shuffled epoch of the exercise (45,000 images, batch 32), ms a step',
    cases: [{ name: 'batch 32', case: { kind: 'epoch', batch: 32, samples: 45_000 } }],
  },
  step: {
    title: 'Training step: 3072 → 20 x Dense(100, ELU) → 10, Nadam, ms',
    unit: 'GFLOP/s',
    cases: [step(32), step(256), step(1024), step(32, true), step(256, true)],
  },
  small: {
    title: 'Matrix products of the exercise, ms',
    unit: 'GFLOP/s',
    cases: [
      product(32, 100, 3072),
      product(3072, 100, 32, true),
      product(32, 100, 100),
      product(100, 100, 32, true),
      product(32, 100, 100, false, true),
      product(32, 10, 100),
    ],
  },
  matmul: {
    title: 'Square matrix products, ms',
    unit: 'GFLOP/s',
    cases: [...square(256), ...square(512), ...square(1024), product(2048, 2048, 2048)],
  },
  map: {
    title: 'Elementwise, reductions, softmax, ms',
    unit: 'GB/s',
    cases: (['copy', 'addScaled', 'elu', 'exp', 'tanh', 'sum', 'softmax'] as const).map((op) =>
      map(op),
    ),
  },
};
