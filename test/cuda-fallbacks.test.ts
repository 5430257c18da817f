/** Training on a CUDA runtime that cannot do everything: the same numbers, by plainer means. */

import { afterEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { deviceStatistics, device as currentDevice, setDevice } from '../src/backends/registry.js';
import { Dense, Dropout } from '../src/layers/index.js';
import { Sequential } from '../src/models/sequential.js';
import { Generator, normal, randint, seed } from '../src/tensor/random.js';
import { devices } from './devices.js';

const lacks = 'GRADLOOM_EMULATED_LACKS';
const first = currentDevice();
afterEach(() => {
  setDevice(first);
  Reflect.deleteProperty(process.env, lacks);
});

/** Trains two epochs of six steps; weights, history, and launches of graphs. */
async function train(): Promise<{ found: unknown; graphs: number }> {
  seed(4);
  const generator = new Generator(9);
  const x = normal([48, 6], { generator });
  const y = randint([48], { low: 0, high: 3, generator });
  const model = new Sequential([
    new Dense(9, { activation: 'elu', inputShape: [6] }),
    new Dropout(0.3),
    new Dense(3, { activation: 'softmax' }),
  ]);
  model.compile({ loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const before = deviceStatistics()?.graphLaunches ?? 0;
  const { history } = await model.fit(x, y, { epochs: 2, batchSize: 8, verbose: 'silent' });
  const weights = model.weights.map((weight) => weight.value.dataSync());
  const graphs = (deviceStatistics()?.graphLaunches ?? 0) - before;
  return { found: { history, weights }, graphs };
}

it('training without a device of its own launches no graphs', async () => {
  setDevice('js');
  expect((await train()).graphs).toBe(0);
});

describe.each(devices.filter((each) => each === 'cuda-emulated'))('%s', (device) => {
  // Before all else: pinned memory is asked for once, with the first copy.
  it('without graphs, pinned memory and events trains to the same bits', async () => {
    setDevice(device);
    process.env[lacks] = 'graphs,pinned,events';
    const plain = await train();
    expect(plain.graphs).toBe(0);
    Reflect.deleteProperty(process.env, lacks);
    const whole = await train();
    expect(whole.graphs).toBeGreaterThan(0);
    expect(whole.found).toEqual(plain.found);
  });
});
