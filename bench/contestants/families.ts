/** Kernels that neither a training step of experiment 1 nor elementwise operations need. */

import {
  batchNorm,
  cumsum,
  dense,
  dropout,
  gather,
  grad,
  normal,
  ones,
  randint,
  scatterAdd,
  softmaxCrossEntropy,
  sort,
  sum,
  tidy,
  topK,
  transpose,
  zeros,
} from 'gradloom';

import type { FamilyOp } from '../protocol.js';
import type { Repetition } from './timing.js';

const columns = 1000;
const units = 100;

/** A repetition of one of them on [n / 1000, 1000]. */
export function family(op: FamilyOp, n: number): Repetition {
  const rows = n / columns;
  const x = normal([rows, columns]);
  const index = randint([rows], { high: rows });
  const labels = randint([rows], { high: columns });
  const [gamma, beta] = [ones([columns]), zeros([columns])];
  const [w, bias] = [normal([columns, units]), zeros([units])];
  const elu = { name: 'elu', p: 1 } as const;
  const normalized = grad((value: typeof x) => sum(batchNorm(value, gamma, beta).output));
  const loss = grad((value: typeof x) => sum(softmaxCrossEntropy(value, labels)));
  const layer = grad((weights: typeof w) => sum(dense(x, weights, bias, elu)));
  const run: Readonly<Record<FamilyOp, () => unknown>> = {
    transpose: () => transpose(x),
    cumsum: () => cumsum(x, 1),
    sort: () => sort(x),
    topK: () => topK(x, 10),
    gather: () => gather(x, index),
    scatterAdd: () => scatterAdd(x, index, x),
    batchNorm: () => batchNorm(x, gamma, beta),
    batchNormGradients: () => normalized(x),
    dropout: () => dropout(x, 0.5),
    normal: () => normal([rows, columns]),
    crossEntropyGradients: () => loss(x),
    dense: () => dense(x, w, bias, elu),
    denseGradients: () => layer(w),
  };
  return () => tidy(() => void run[op]());
}
