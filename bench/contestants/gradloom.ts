/** gradloom, on the device named by GRADLOOM_DEVICE. */

import {
  add,
  device,
  elu,
  erf,
  exp,
  log,
  matmul,
  max,
  mulAdd,
  normal,
  randint,
  setThreads,
  softmax,
  sum,
  tanh,
  tensor,
  tidy,
  zeros,
} from 'gradloom';
import type { Sequential, Tensor } from 'gradloom';

import type { Case, MapOp, Request } from '../protocol.js';
import { experiment } from './experiment.js';
import { family } from './families.js';
import { images, net, standardization, usualCallbacks } from './net.js';
import type { Images } from './net.js';
import { answerRequests } from './timing.js';
import type { Many, Repetition } from './timing.js';

type Of<K extends Case['kind']> = Extract<Case, { kind: K }>;

function step({ batch, depth, width, batchNorm }: Of<'step'>): Repetition {
  const model = net({ depth, width, batchNorm });
  const x = normal([batch, 3072]);
  const y = randint([batch], { high: 10 });
  return () => model.trainOnBatch(x, y);
}

let prepared: (Images & { readonly model: Sequential; readonly of: string }) | undefined;

/** The second epoch and later ones are timed: the first one warms up. */
async function epoch(wanted: Of<'epoch'>): Promise<number> {
  const { batch, samples, data, depth = 20, width = 100, batchNorm = false } = wanted;
  const options = { batchSize: batch, verbose: 'silent', callbacks: usualCallbacks() } as const;
  const of = JSON.stringify(wanted);
  if (prepared?.of !== of) {
    const { x, y } = await images(samples, data !== null);
    const model = net({ depth, width, batchNorm, first: [standardization(x)] });
    prepared = { x, y, model, of };
    const stepsPerEpoch = Math.min(100, Math.ceil(samples / batch));
    await model.fit(x, y, { ...options, stepsPerEpoch });
  }
  const { model, x, y } = prepared;
  const began = performance.now();
  await model.fit(x, y, options);
  return (performance.now() - began) / Math.ceil(samples / batch);
}

function product({ m, n, k, transA, transB }: Of<'matmul'>): Repetition {
  const a = normal(transA ? [k, m] : [m, k]);
  const b = normal(transB ? [n, k] : [k, n]);
  const options = { transposeA: transA, transposeB: transB };
  return () => tidy(() => void matmul(a, b, options));
}

function map({ op, n }: Of<'map'>): Repetition {
  const flat = op === 'log' ? exp(normal([n])) : normal([n]);
  const rows = flat.reshape([n / 1000, 1000]);
  const run: Record<MapOp, () => Tensor> = {
    copy: () => flat.copy(),
    addScaled: () => mulAdd(flat, flat, flat),
    elu: () => elu(flat),
    exp: () => exp(flat),
    tanh: () => tanh(flat),
    log: () => log(flat),
    erf: () => erf(flat),
    sum: () => sum(flat),
    sumRows: () => sum(rows, 1),
    sumColumns: () => sum(rows, 0),
    max: () => max(flat),
    softmax: () => softmax(rows),
  };
  return () => tidy(() => void run[op]());
}

/** One scope for many operations, as in a program: opening scopes is not what is measured. */
const tinyRepetitions = 100;

function tiny({ op }: Of<'tiny'>): Many {
  const a = tensor([1, 2, 3, 4]);
  const square = a.reshape([2, 2]);
  const run: Record<typeof op, () => Tensor> = {
    add: () => add(a, a),
    exp: () => exp(a),
    sum: () => sum(a),
    matmul: () => matmul(square, square),
  };
  const each = run[op];
  const all = (): void => {
    for (let i = 0; i < tinyRepetitions; i++) each();
  };
  return { repetition: () => tidy(all), count: tinyRepetitions };
}

type Prepared = Repetition | Many | number | Promise<number>;

/** Repetitions that a GPU is given before it is waited for. */
const queued = 16;

/** A GPU computes while the host goes on: what is timed ends when it has done all. */
function awaited(prepared: Prepared): Prepared {
  if (typeof prepared !== 'function' || !device().startsWith('cuda')) return prepared;
  const mark = zeros([1]);
  const repetition = (): void => {
    for (let i = 0; i < queued; i++) prepared();
    mark.item(); // reads after all that was queued
  };
  return { repetition, count: queued };
}

function prepare(wanted: Case, { threads }: Request): Prepared {
  if (device() === 'cpu') setThreads(threads);
  return awaited(prepareCase(wanted));
}

function prepareCase(wanted: Case): Prepared {
  switch (wanted.kind) {
    case 'step':
      return step(wanted);
    case 'epoch':
      return epoch(wanted);
    case 'matmul':
      return product(wanted);
    case 'map':
      return map(wanted);
    case 'family':
      return family(wanted.op, wanted.n);
    case 'tiny':
      return tiny(wanted);
    case 'experiment':
      return experiment(wanted);
    case 'startup':
    case 'import':
      throw new Error('start-up is timed in programs of its own');
    default:
      return wanted satisfies never;
  }
}

answerRequests(`gradloom ${device()}`, prepare);
