/** TerminateOnNaN beside recorded steps: what it finds in them, what it leaves, what it costs. */

import {
  callbacks,
  layers,
  optimizers,
  randint,
  seed,
  Sequential,
  setDevice,
  tensor,
} from 'gradloom';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { Recording } from '../src/tensor/recording.js';
import { devices } from './devices.js';

const samples = 96;
const batchSize = 8;
/** The step of the first epoch whose targets or weights are spoiled: one that is replayed. */
const late = 9;

/** Overflows in layer c as soon as its weights are huge; statistics and chance are before it. */
const net = (): Sequential =>
  new Sequential([
    new layers.Dense(6, { inputShape: [4], activation: 'elu', name: 'a' }),
    new layers.BatchNormalization({ name: 'norm' }),
    new layers.Dropout(0.2, { name: 'drop' }),
    new layers.Dense(5, { name: 'c' }),
    new layers.BatchNormalization({ name: 'last' }),
    new layers.Dense(3, { activation: 'softmax', name: 'd' }),
  ]).compile({ optimizer: new optimizers.Nadam(), loss: 'sparseCategoricalCrossentropy' });

const spoiling = (model: Sequential): callbacks.Callback =>
  new callbacks.LambdaCallback({
    onTrainBatchBegin: (step) => {
      if (step !== late) return;
      const { value } = model.weights.find(({ name }) => name === 'c/kernel')!;
      value.assign(new Float32Array(value.size).fill(3e38));
    },
  });

/** One epoch of it; the weights afterwards, and how often a recording was run. */
async function train(list: (model: Sequential) => callbacks.Callback[]) {
  seed(5);
  const replay = vi.spyOn(Recording.prototype, 'replay');
  const model = net();
  const values = Float32Array.from({ length: samples * 4 }, (_, i) => Math.sin(i * i));
  const x = tensor(values, { shape: [samples, 4] });
  const y = randint([samples], { high: 3 });
  const { history } = await model.fit(x, y, {
    batchSize,
    verbose: 'silent',
    stepsPerEpoch: late + 1,
    callbacks: [spoiling(model), ...list(model)],
  });
  const weights = model.weights.map(({ value }) => value.dataSync());
  return {
    history,
    weights,
    replays: replay.mock.calls.length,
    random: randint([4], { high: 9 }).toArray(),
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(devices)('TerminateOnNaN on %s', (device) => {
  it('finds the layer in a replayed step, and leaves what training would have left', async () => {
    setDevice(device);
    const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const watched = await train(() => [new callbacks.TerminateOnNaN()]);
    const text = write.mock.calls.map(([part]) => String(part)).join('');
    write.mockRestore();
    expect(text).toMatch(
      /^TerminateOnNaN: the loss is NaN in step 10 of epoch 1: layer (c|last) is the first to /,
    );
    expect(text).toMatch(/its input was finite .*, its weights too .*; try a lower learning rate/);
    const plain = await train(() => []);
    expect(watched.weights).toEqual(plain.weights);
    expect(watched.random).toEqual(plain.random);
    const canRecord = tensor([0]).backend.replay !== undefined;
    expect(watched.replays > 0).toBe(canRecord);
  });

  it('copies no trained weights where the loss is seen before the update', async () => {
    setDevice(device);
    const { backend } = tensor([0]);
    const model = net();
    const sizes = new Set(
      model.trainableWeights.map(({ value }) => value.size).filter((size) => size > 6),
    );
    const copied: number[] = [];
    const write = vi.spyOn(backend, 'write');
    const copy = vi.spyOn(backend, 'copy');
    const watching = new callbacks.LambdaCallback({
      onTrainBatchBegin: () => {
        for (const [out] of write.mock.calls) copied.push(out.length);
        for (const [out] of copy.mock.calls) copied.push(out.length);
        write.mockClear();
        copy.mockClear();
      },
    });
    const x = tensor(new Float32Array(samples * 4), { shape: [samples, 4] });
    const y = randint([samples], { high: 3 });
    const list = [new callbacks.TerminateOnNaN(), watching];
    await model.fit(x, y, { batchSize, verbose: 'silent', callbacks: list });
    expect(copied.length).toBeGreaterThan(0);
    if (backend.host) expect(copied.filter((size) => sizes.has(size))).toEqual([]);
  });
});
