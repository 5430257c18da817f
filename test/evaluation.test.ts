/** Evaluation: the figures of batches one by one, however they are read from the device. */

import { afterEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { device as currentDevice, deviceStatistics, setDevice } from '../src/backends/registry.js';
import { ValueError } from '../src/errors.js';
import { Dense } from '../src/layers/index.js';
import { MeanMetric } from '../src/metrics/index.js';
import { Sequential } from '../src/models/sequential.js';
import { squaredDifference } from '../src/ops/elementwise.js';
import { mean } from '../src/ops/statistics.js';
import { Generator, normal, randint, seed } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => setDevice(first));

const batchSize = 8;
const batches = 40;

function classifier(): Sequential {
  seed(6);
  const model = new Sequential([
    new Dense(7, { activation: 'elu', inputShape: [5] }),
    new Dense(3, { activation: 'softmax' }),
  ]);
  model.compile({ loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function data(): { x: Tensor; y: Tensor } {
  const generator = new Generator(2);
  const x = normal([batchSize * batches, 5], { generator });
  return { x, y: randint([batchSize * batches], { low: 0, high: 3, generator }) };
}

describe.each(devices)('evaluation on %s', (device) => {
  it('gives the means of what batches give one by one, bit by bit', async () => {
    setDevice(device);
    const model = classifier();
    const { x, y } = data();
    const sums = { loss: 0, accuracy: 0 };
    for (let i = 0; i < batches; i++) {
      const [from, to] = [i * batchSize, (i + 1) * batchSize];
      const logs = model.testOnBatch(x.slice([from, to]), y.slice([from, to]));
      sums.loss += logs['loss']! * batchSize;
      sums.accuracy += logs['accuracy']! * batchSize;
    }
    const samples = batchSize * batches;
    const expected = { loss: sums.loss / samples, accuracy: sums.accuracy / samples };
    expect(await model.evaluate(x, y, { batchSize })).toEqual(expected);
    const parts = Array.from({ length: batches }, (_, i) => ({
      x: x.slice([i * batchSize, (i + 1) * batchSize]),
      y: y.slice([i * batchSize, (i + 1) * batchSize]),
    }));
    expect(await model.evaluate(parts.values())).toEqual(expected);
  });

  it('counts metrics of the user, and the smaller last batch', async () => {
    setDevice(device);
    seed(6);
    const model = new Sequential([new Dense(2, { inputShape: [5] })]);
    const error = (y: Tensor, p: Tensor): Tensor => mean(squaredDifference(y, p), -1);
    const mine = new MeanMetric(error, { name: 'mine', direction: 'min' });
    model.compile({ loss: 'meanSquaredError', metrics: [mine] });
    const x = normal([27, 5], { generator: new Generator(3) });
    const y = normal([27, 2], { generator: new Generator(4) });
    const found = await model.evaluate(x, y, { batchSize });
    expect(found['mine']).toBeCloseTo(found['loss']!, 6);
    expect(model.testOnBatch(x, y)['mine']).toBeCloseTo(found['loss']!, 6);
  });

  it('says which label is out of range, and works after it', async () => {
    setDevice(device);
    const model = classifier();
    const { x, y } = data();
    const before = await model.evaluate(x, y, { batchSize });
    const labels = y.dataSync();
    labels[21] = 5;
    const wrong = model.evaluate(x, labels, { batchSize });
    await expect(wrong).rejects.toThrow(ValueError);
    await expect(model.evaluate(x, labels, { batchSize })).rejects.toThrow(/5/);
    expect(await model.evaluate(x, y, { batchSize })).toEqual(before);
  });
});

describe.each(devices.filter((each) => each.startsWith('cuda')))('evaluation on %s', (device) => {
  it('reads the device once for 32 batches', async () => {
    setDevice(device);
    const model = classifier();
    const { x, y } = data();
    await model.evaluate(x, y, { batchSize });
    const before = deviceStatistics()!;
    await model.evaluate(x, y, { batchSize });
    const after = deviceStatistics()!;
    const reads = Math.ceil(batches / 32);
    expect(after.copiesFromDevice.count - before.copiesFromDevice.count).toBe(reads);
    expect(after.waits - before.waits).toBe(reads);
    // The journal of 32 entries was given back; small constants wait for the collector.
    expect(after.memory.inUse - before.memory.inUse).toBeLessThan(32 * 8 * (4 + 3 * 4));
  });
});
