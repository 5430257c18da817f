/** The first steps of the exercise's net, on made-up images: every device takes the same ones. */

import { afterEach, describe, expect, it } from 'vitest';

import { LambdaCallback } from '../src/callbacks/index.js';
import { device as currentDevice, setDevice } from '../src/backends/registry.js';
import { Dense, Flatten } from '../src/layers/index.js';
import { Sequential } from '../src/models/sequential.js';
import { Nadam } from '../src/optimizers/index.js';
import { Generator, normal, randint, seed } from '../src/tensor/random.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => setDevice(first));

const steps = 12;
const batch = 32;

/** Losses of the steps, most of which are a recording's, and the loss after them. */
async function train(device: string): Promise<number[]> {
  setDevice(device);
  seed(42);
  const generator = new Generator(3);
  const x = normal([steps * batch, 32, 32, 3], { generator });
  const y = randint([steps * batch], { low: 0, high: 10, generator });
  const model = new Sequential([
    new Flatten({ inputShape: [32, 32, 3] }),
    ...Array.from(
      { length: 20 },
      () => new Dense(100, { activation: 'elu', kernelInitializer: 'heNormal' }),
    ),
    new Dense(10, { activation: 'softmax' }),
  ]);
  const loss = 'sparseCategoricalCrossentropy';
  model.compile({ optimizer: new Nadam({ learningRate: 5e-5 }), loss, metrics: ['accuracy'] });
  const losses: number[] = [];
  const callback = new LambdaCallback({
    onTrainBatchEnd: (_, logs) => void losses.push(logs['loss']!),
  });
  await model.fit(x, y, { batchSize: batch, epochs: 1, verbose: 'silent', callbacks: [callback] });
  losses.push((await model.evaluate(x, y))['loss']!);
  return losses;
}

describe.each(devices)('the exercise on %s', (device) => {
  it('takes the steps that js takes', { timeout: 300_000 }, async () => {
    const wanted = await train('js');
    const got = await train(device);
    expect(wanted).toHaveLength(steps + 1);
    expect(got).toHaveLength(steps + 1);
    wanted.forEach((loss, i) => expect(Math.abs(got[i]! - loss)).toBeLessThan(1e-3 * loss));
    expect(wanted.at(-1)!).toBeLessThan(wanted[0]!);
  });
});
