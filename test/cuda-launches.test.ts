/** What a training step asks of a CUDA device: launches, copies and waits, counted. */

import { afterEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import type { DeviceStatistics } from '../src/backends/backend.js';
import { device as currentDevice, deviceStatistics, setDevice } from '../src/backends/registry.js';
import { LambdaCallback } from '../src/callbacks/index.js';
import { Dense } from '../src/layers/index.js';
import { Sequential } from '../src/models/sequential.js';
import { Nadam } from '../src/optimizers/index.js';
import { Generator, normal, randint, seed } from '../src/tensor/random.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => setDevice(first));

const batchSize = 32;

/** Experiment 1's net, or one like it: inputs → layers × Dense(100, ELU) → 10 classes. */
function net(inputs: number, layers: number): Sequential {
  seed(3);
  const hidden = Array.from({ length: layers }, (_, i) => {
    const shape = i === 0 ? { inputShape: [inputs] } : {};
    return new Dense(100, { activation: 'elu', kernelInitializer: 'heNormal', ...shape });
  });
  const model = new Sequential([...hidden, new Dense(10, { activation: 'softmax' })]);
  model.compile({
    optimizer: new Nadam({ learningRate: 5e-5 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}

interface Watched {
  readonly before: DeviceStatistics;
  readonly after: DeviceStatistics;
}

/** Statistics of the device before and after every step of one epoch. */
async function watch(model: Sequential, inputs: number, steps: number): Promise<Watched[]> {
  const generator = new Generator(5);
  const x = normal([steps * batchSize, inputs], { generator });
  const y = randint([steps * batchSize], { low: 0, high: 10, generator });
  const seen: Watched[] = [];
  let before: DeviceStatistics;
  const look = new LambdaCallback({
    onTrainBatchBegin: () => void (before = deviceStatistics()!),
    onTrainBatchEnd: () => void seen.push({ before, after: deviceStatistics()! }),
  });
  await model.fit(x, y, { batchSize, verbose: 'silent', callbacks: [look] });
  return seen;
}

/** Launches of an unrecorded step, the second. */
async function launchesOf(inputs: number, layers: number): Promise<number> {
  const [, second] = await watch(net(inputs, layers), inputs, 2);
  return second!.after.launches - second!.before.launches;
}

it('devices that compute in the process have no statistics', () => {
  expect(deviceStatistics('js')).toBeNull();
});

describe.each(devices.filter((each) => each.startsWith('cuda')))('a step on %s', (device) => {
  /** Rows and labels of the batch, softmax and loss with gradients, update, note of results. */
  const constant = 12;
  /** The first layer's sums over many inputs are cut into parts, which are joined. */
  const joined = (inputs: number): number => (inputs >= 512 ? 1 : 0);

  it.each([
    [3072, 20],
    [48, 20],
    [48, 2],
  ])(
    'of %i inputs and %i hidden layers launches four kernels a layer at most, and a constant',
    async (inputs, layers) => {
      setDevice(device);
      const launches = await launchesOf(inputs, layers);
      expect(launches).toBeGreaterThan(3 * layers);
      // The first layer has no gradient of its input.
      expect(launches).toBeLessThanOrEqual(4 * (layers + 1) - 1 + constant + joined(inputs));
    },
    120_000,
  );

  it('asks the device for no memory after the first', async () => {
    setDevice(device);
    const steps = await watch(net(48, 2), 48, 3);
    const [, second, third] = steps.map(({ after }) => after.memory.requests);
    expect(third).toBe(second);
  });

  it('is one launch of a graph once it was captured', async () => {
    setDevice(device);
    const steps = await watch(net(48, 2), 48, 7);
    const figures = steps.map(({ before, after }) => ({
      launches: after.launches - before.launches,
      graphs: after.graphLaunches - before.graphLaunches,
      captures: after.captures - before.captures,
      copies: after.copiesToDevice.count - before.copiesToDevice.count,
    }));
    const whole = { launches: expect.any(Number) as number, graphs: 0, captures: 0 };
    // Two as written, one recorded, one run again as it was; then captured.
    expect(figures.slice(0, 4)).toEqual([0, 0, 0, 1].map((copies) => ({ ...whole, copies })));
    const one = { launches: 0, graphs: 1, captures: 0, copies: 1 };
    expect(figures.slice(4)).toEqual([{ ...one, captures: 1 }, one, one]);
  });

  it('is captured anew where the shape of batches changes', async () => {
    setDevice(device);
    const model = net(48, 1);
    const before = deviceStatistics()!.captures;
    await watch(model, 48, 6);
    const between = deviceStatistics()!.captures;
    await watch(model, 48, 6);
    expect([between - before, deviceStatistics()!.captures - between]).toEqual([1, 1]);
  });

  it('waits for nothing', async () => {
    setDevice(device);
    const steps = await watch(net(48, 2), 48, 6);
    for (const { before, after } of steps.slice(1)) {
      expect(after.waits).toBe(before.waits);
      expect(after.copiesFromDevice).toEqual(before.copiesFromDevice);
    }
  });
});
