/**
 * Rows of data that are loaded when their values are wanted: the same bits whoever wants them
 * first, and standardized on the way where a layer asks for it.
 */

import { afterEach, describe, expect, it, vi } from 'vitest';

import '../src/ops/methods.js';

import { gradcheck } from '../src/autograd/gradcheck.js';
import { backendOf, device as currentDevice, setDevice } from '../src/backends/registry.js';
import { LambdaCallback } from '../src/callbacks/index.js';
import type { Callback } from '../src/callbacks/index.js';
import { Dense, Flatten, Normalization, Rescaling } from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import { TensorBatches } from '../src/models/batches.js';
import { Sequential } from '../src/models/sequential.js';
import { standardize } from '../src/ops/standardize.js';
import { Optimizer } from '../src/optimizers/optimizer.js';
import { full, tensor } from '../src/tensor/create.js';
import { Generator, randint, seed } from '../src/tensor/random.js';
import { Recording } from '../src/tensor/recording.js';
import { Scope } from '../src/tensor/storage.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => {
  setDevice(first);
  vi.restoreAllMocks();
});

const samples = 44; // at 8 a batch: five whole ones and a half

function pixels(): { x: Tensor<'uint8'>; y: Tensor } {
  const generator = new Generator(11);
  return {
    x: randint([samples, 4, 5], { high: 256, generator }).cast('uint8'),
    y: randint([samples], { high: 3, generator }),
  };
}

function net(...head: Layer[]): Sequential {
  seed(7);
  return new Sequential([...head, new Dense(9, { activation: 'elu' }), new Dense(3)]).compile({
    optimizer: 'nadam',
    loss: 'meanSquaredError',
  });
}

const heads: Readonly<Record<string, (x: Tensor) => Layer[]>> = {
  'Normalization by pixel': (x) => [
    new Flatten({ inputShape: [4, 5] }),
    new Normalization().adapt(x.reshape([samples, 20])),
  ],
  'Normalization by column': (x) => [
    new Normalization({ inputShape: [4, 5] }).adapt(x),
    new Flatten(),
  ],
  'Normalization by one number': (x) => [
    new Normalization({ axis: null, inputShape: [4, 5] }).adapt(x),
    new Flatten(),
  ],
  Rescaling: () => [new Rescaling(1 / 127.5, { offset: -1, inputShape: [4, 5] }), new Flatten()],
  'nothing that standardizes': () => [new Flatten({ inputShape: [4, 5] })],
};

describe.each(devices)('rows of data on %s', (device) => {
  async function train(
    head: (x: Tensor) => Layer[],
    recorded: boolean,
    callbacks: (model: Sequential) => Callback[] = () => [],
  ): Promise<{ weights: unknown[]; loss: unknown; replays: number }> {
    setDevice(device);
    const replay = vi.spyOn(Recording.prototype, 'replay');
    if (!recorded) vi.spyOn(Optimizer.prototype, 'isSteady', 'get').mockReturnValue(false);
    const { x, y } = pixels();
    const model = net(...head(x));
    const targets = y.cast('float32').reshape([samples, 1]).broadcastTo([samples, 3]);
    const { history } = await model.fit(x, targets, {
      epochs: 3,
      batchSize: 8,
      verbose: 'silent',
      validationSplit: 0.2,
      callbacks: callbacks(model),
    });
    const weights = model.getWeights().map((each) => each.dataSync());
    const replays = replay.mock.calls.length;
    vi.restoreAllMocks();
    return { weights, loss: [history['loss'], history['val_loss']], replays };
  }

  it.each(Object.entries(heads))('%s: recorded steps have the bits of others', async (_, head) => {
    const { replays, ...fast } = await train(head, true);
    const { replays: none, ...slow } = await train(head, false);
    expect(fast).toEqual(slow);
    expect(none).toBe(0);
    expect(replays > 0).toBe(backendOf(device).replay !== undefined);
  });

  it('statistics set in the middle of training count from the next step on', async () => {
    const later = (model: Sequential): Callback[] => [
      new LambdaCallback({
        onTrainBatchEnd: (step) => {
          if (step !== 3) return;
          const [mean, variance] = model.layers[1]!.weights;
          mean!.value.assign(full([20], 100, { device }));
          variance!.value.assign(full([20], 400, { device }));
        },
      }),
    ];
    const head = heads['Normalization by pixel']!;
    const { replays, ...fast } = await train(head, true, later);
    const { replays: none, ...slow } = await train(head, false, later);
    expect(fast).toEqual(slow);
    expect(none).toBe(0);
    expect(fast.loss).not.toEqual((await train(head, true)).loss);
    expect(replays > 0).toBe(backendOf(device).replay !== undefined);
  });

  it('are the same bits whether they were loaded before or are on the way', () => {
    setDevice(device);
    const { x: bytes, y } = pixels();
    // Whole numbers that float32 does not hold, and numbers of float64.
    const large = bytes.cast('int32').mul(2 ** 22 + 1) as Tensor;
    const kinds: Tensor[] = [bytes, large, bytes.cast('float64').div(7), bytes.cast('float32')];
    const each = Object.values(heads).flatMap((head) => kinds.map((x) => [head, x] as const));
    for (const [head, x] of each) {
      const layers = head(x);
      const all = { inputs: [x], targets: [y], weights: [null] };
      const batches = new TensorBatches(all, 8, net(...layers));
      const through = (input: Tensor): unknown =>
        layers.reduce((value, layer) => layer.apply(value), input).dataSync();
      for (const shuffled of [false, true]) {
        if (shuffled) batches.shuffle(0);
        for (let step = 0; step < batches.steps; step++) {
          const loaded = batches.batch(step).inputs[0]!;
          loaded.dataSync();
          expect(through(batches.batch(step).inputs[0]!)).toEqual(through(loaded));
        }
      }
    }
  });

  it('stay those of their batch when the next one is made', () => {
    setDevice(device);
    const { x, y } = pixels();
    const all = { inputs: [x], targets: [y], weights: [null] };
    const batches = new TensorBatches(all, 8, net(new Flatten({ inputShape: [4, 5] })));
    batches.shuffle(0);
    const wanted = batches.batch(1).inputs[0]!.dataSync();
    const scope = new Scope();
    const kept = scope.keep(batches.batch(1).inputs[0]!);
    const part = kept.reshape([8, 20]);
    batches.batch(2);
    scope.end();
    expect(kept.dataSync()).toEqual(wanted);
    expect(part.dataSync()).toEqual(wanted);
  });

  it('standardize has the gradient of its formula', () => {
    setDevice(device);
    const x = tensor([[1, 2, -3], [0.5, 4, 6]], { dtype: 'float64' }); // prettier-ignore
    const center = tensor([1, -1, 0.5], { dtype: 'float64' });
    const scale = tensor([2, 0.25, -1], { dtype: 'float64' });
    expect(standardize(x, center, scale).toArray()).toEqual([[0, 0.75, 3.5], [-1, 1.25, -5.5]]); // prettier-ignore
    gradcheck((each: Tensor) => standardize(each, center, scale), [x]);
    expect(() => standardize(x, center, tensor([1], { dtype: 'float64' }))).toThrow(
      '3 centers and 1 scales for samples of shape [3]',
    );
  });

  it('a feature that never changes becomes 0, however large it is', () => {
    setDevice(device);
    const x = tensor([[1e6, 255], [1e6, 251]]); // prettier-ignore
    const scaled = new Normalization().adapt(x).apply(x).toArray() as number[][];
    expect(scaled.map(([same]) => same)).toEqual([0, 0]);
    expect(scaled[0]![1]).toBeCloseTo(1, 6);
  });
});
