/** Copies to a CUDA device beside its work: values, order, and that nothing waits for them. */

import { afterEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { device as currentDevice, deviceStatistics, setDevice } from '../src/backends/registry.js';
import { LambdaCallback } from '../src/callbacks/index.js';
import { Dense } from '../src/layers/index.js';
import { Sequential } from '../src/models/sequential.js';
import { add } from '../src/ops/elementwise.js';
import { tensor, zeros } from '../src/tensor/create.js';
import { seed } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => setDevice(first));

/** Elements of a batch: 80 kB, more than the least that is copied beside the work. */
const features = 625;
const batchSize = 32;
const size = batchSize * features;

interface Batch {
  readonly x: Float32Array;
  readonly y: Int32Array;
}

/** Different in every batch, and small. */
function batchOf(number: number): Batch {
  const x = Float32Array.from({ length: size }, (_, i) => (((i + 7) * (number + 3)) % 17) / 64);
  return { x, y: Int32Array.from({ length: batchSize }, (_, i) => (i + number) % 3) };
}

/** The weights after training on an iterable of batches; `seen` gets the waits before each end. */
async function train(device: string, steps: number, seen: number[] = []): Promise<number[]> {
  setDevice(device);
  seed(1);
  const model = new Sequential([
    new Dense(4, { activation: 'elu', inputShape: [features] }),
    new Dense(3, { activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
  function* batches(): Generator<{ x: Tensor; y: Tensor }> {
    for (let i = 0; i < steps; i++) {
      const { x, y } = batchOf(i);
      yield { x: tensor(x).reshape([batchSize, features]), y: tensor(y) };
    }
  }
  const look = new LambdaCallback({
    onTrainBatchEnd: () => void seen.push(deviceStatistics()?.waits ?? 0),
  });
  await model.fit(batches(), { verbose: 'silent', callbacks: [look] });
  return model.weights.flatMap(({ value }) => [...value.dataSync()]);
}

it('training on js copies nothing', async () => {
  await train('js', 2);
  expect(deviceStatistics()).toBeNull();
});

describe.each(devices.filter((each) => each.startsWith('cuda')))('uploads on %s', (device) => {
  it('of many batches into one tensor come in order, each before the work that reads it', () => {
    setDevice(device);
    const input = zeros([size]);
    let sum: Tensor = zeros([size]);
    const expected = new Float32Array(size);
    for (let i = 0; i < 11; i++) {
      const { x } = batchOf(i);
      input.assign(x);
      sum = add(sum, input);
      x.forEach((value, at) => (expected[at]! += value));
    }
    expect(sum.dataSync()).toEqual(expected);
  });

  it('of arrays that do not fit the ring come whole', () => {
    setDevice(device);
    const values = Float32Array.from({ length: 5_000_001 }, (_, i) => i);
    const found = tensor(values).dataSync();
    expect(Buffer.from(found.buffer).equals(Buffer.from(values.buffer))).toBe(true);
  });

  it('of the next batch are queued beside the work of a step, and not waited for', async () => {
    await train(device, 1); // memory is made
    const before = deviceStatistics(device)!;
    const waits: number[] = [];
    await train(device, 4, waits);
    expect(waits).toEqual([waits[0], waits[0], waits[0], waits[0]]);
    const after = deviceStatistics(device)!;
    expect(after.copiesBesideWork.count - before.copiesBesideWork.count).toBe(4);
    expect(after.copiesBesideWork.bytes - before.copiesBesideWork.bytes).toBe(4 * size * 4);
  });

  it('train as copies that are waited for', async () => {
    const [here, there] = [await train(device, 6), await train('js', 6)];
    expect(here.length).toBe(there.length);
    here.forEach((value, i) => expect(value).toBeCloseTo(there[i]!, 5));
  });
});
