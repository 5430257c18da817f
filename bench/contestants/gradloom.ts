/** gradloom, on the device named by GRADLOOM_DEVICE. */

import {
  device,
  elu,
  exp,
  Generator,
  layers,
  matmul,
  normal,
  optimizers,
  randint,
  seed,
  Sequential,
  softmax,
  sum,
  tanh,
  tensor,
  threads,
  tidy,
  add,
  mul,
} from 'gradloom';
import type { Tensor } from 'gradloom';

import type { Case } from '../protocol.js';
import { answerRequests } from './timing.js';
import type { Repetition } from './timing.js';

type Of<K extends Case['kind']> = Extract<Case, { kind: K }>;

function net(depth: number, width: number, batchNorm: boolean): Sequential {
  const hidden = Array.from({ length: depth }, () => [
    ...(batchNorm ? [new layers.BatchNormalization()] : []),
    new layers.Dense(width, { activation: 'elu', kernelInitializer: 'heNormal' }),
  ]).flat();
  const model = new Sequential([...hidden, new layers.Dense(10, { activation: 'softmax' })]);
  return model.compile({
    optimizer: new optimizers.Nadam({ learningRate: 5e-5 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

function step({ batch, depth, width, batchNorm }: Of<'step'>): Repetition {
  seed(1);
  const model = net(depth, width, batchNorm);
  const x = normal([batch, 3072]);
  const y = randint([batch], { low: 0, high: 10 });
  return () => model.trainOnBatch(x, y);
}

const epochs = new Map<number, { model: Sequential; x: Tensor; y: Tensor }>();

async function epoch({ batch, samples }: Of<'epoch'>): Promise<number> {
  let prepared = epochs.get(samples);
  if (!prepared) {
    const pixels = randint([samples, 3072], { low: 0, high: 256, generator: new Generator(1) });
    const labels = randint([samples], { low: 0, high: 10, generator: new Generator(2) });
    const x = tensor(Uint8Array.from(pixels.dataSync()), { shape: [samples, 3072] });
    prepared = { model: net(20, 100, false), x, y: tensor(Uint8Array.from(labels.dataSync())) };
    epochs.set(samples, prepared);
  }
  const began = performance.now();
  await prepared.model.fit(prepared.x, prepared.y, { batchSize: batch, verbose: 'silent' });
  return (performance.now() - began) / Math.ceil(samples / batch);
}

function product({ m, n, k, transA, transB }: Of<'matmul'>): Repetition {
  const a = normal(transA ? [k, m] : [m, k]);
  const b = normal(transB ? [n, k] : [k, n]);
  return () => tidy(() => void matmul(a, b, { transposeA: transA, transposeB: transB }));
}

function map({ op, n }: Of<'map'>): Repetition {
  const x = normal(op === 'softmax' ? [n / 1000, 1000] : [n]);
  const run: Record<typeof op, () => void> = {
    elu: () => void elu(x),
    exp: () => void exp(x),
    tanh: () => void tanh(x),
    addScaled: () => void add(mul(x, 2), 1),
    sum: () => void sum(x),
    softmax: () => void softmax(x),
    copy: () => void x.copy(),
  };
  return () => tidy(run[op]);
}

answerRequests(`gradloom ${device()}, ${threads()} threads`, (wanted) => {
  switch (wanted.kind) {
    case 'step':
      return step(wanted);
    case 'epoch':
      return epoch(wanted);
    case 'matmul':
      return product(wanted);
    case 'map':
      return map(wanted);
    default:
      return wanted satisfies never;
  }
});
