/** Monte-Carlo dropout and self-normalization: statistics of what is random. */

import { beforeEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { noGrad } from '../src/autograd/tape.js';
import { setDevice } from '../src/backends/registry.js';
import {
  AlphaDropout,
  BatchNormalization,
  Dense,
  Dropout,
  GaussianNoise,
  Layer,
  MCDropout,
  RReLU,
  SpatialDropout1D,
} from '../src/layers/index.js';
import { Sequential } from '../src/models/sequential.js';
import { ones, tensor } from '../src/tensor/create.js';
import { normal, seed } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

/** Mean and standard deviation of all values. */
function moments(x: Tensor): { mean: number; deviation: number } {
  const values = [...x.dataSync()];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(square / values.length) };
}

describe.each(devices)('Monte-Carlo prediction on %s', (device) => {
  beforeEach(() => {
    setDevice(device);
    seed(17);
  });

  it('has the mean and deviation that follow from the rate', async () => {
    const rate = 0.3;
    const model = new Sequential([
      new Dropout(rate, { inputShape: [20] }),
      new Dense(1, { useBias: false }),
    ]);
    const x = normal([5, 20]);
    const samples = 3000;
    const { mean, standardDeviation } = await model.predictMC(x, { samples });
    const kernel = model.weights[0]!.value.dataSync();
    const values = x.dataSync();
    for (let row = 0; row < 5; row++) {
      const terms = [...kernel].map((weight, i) => weight * values[20 * row + i]!);
      const sum = terms.reduce((a, b) => a + b, 0);
      const variance = terms.reduce((a, b) => a + b * b, 0) * (rate / (1 - rate));
      const deviation = Math.sqrt(variance);
      // Five standard errors of a mean and of a deviation.
      const error = (5 * deviation) / Math.sqrt(samples);
      expect(Math.abs(mean.dataSync()[row]! - sum)).toBeLessThan(error);
      expect(Math.abs(standardDeviation.dataSync()[row]! - deviation)).toBeLessThan(error);
    }
  });

  it('changes nothing of the model, and keeps batch normalization in inference', async () => {
    const model = new Sequential([
      new Dense(8, { activation: 'elu', inputShape: [4] }),
      new BatchNormalization(),
      new Dropout(0.5),
      new Dense(3, { activation: 'softmax' }),
    ]);
    const x = normal([10, 4]);
    for (let i = 0; i < 3; i++) model.apply(x, { training: true });
    const before = model.getWeights().map((weight) => weight.toArray());
    const single = await model.predict(x);
    const found = await model.predictMC(x, { samples: 2000 });
    expect(model.getWeights().map((weight) => weight.toArray())).toEqual(before);
    expect((await model.predict(x)).toArray()).toEqual(single.toArray());
    // Samples do not depend on what else is in the batch, as they would by its statistics.
    const alone = await model.predictMC(x.slice([0, 1]), { samples: 2000 });
    alone.mean.dataSync().forEach((value, i) => {
      expect(Math.abs(value - found.mean.dataSync()[i]!)).toBeLessThan(0.04);
    });
  });

  it('gives the entropy of the mean distribution, for one class and for several', async () => {
    /** Passes probabilities on. */
    class Identity extends Layer {
      call(x: Tensor): Tensor {
        return x;
      }
    }
    const model = new Sequential([new Identity()]);
    const several = await model.predictMC(
      tensor([
        [0.5, 0.5, 0],
        [0, 0, 1],
      ]),
      { samples: 3 },
    );
    expect(several.entropy!.shape).toEqual([2]);
    expect(several.entropy!.dataSync()[0]).toBeCloseTo(Math.log(2), 6);
    expect(several.entropy!.dataSync()[1]).toBeCloseTo(0, 6);
    const binary = await new Sequential([new Identity()]).predictMC(tensor([[0.25], [1]]));
    const expected = -(0.25 * Math.log(0.25) + 0.75 * Math.log(0.75));
    expect(binary.entropy!.dataSync()[0]).toBeCloseTo(expected, 6);
    expect(binary.entropy!.dataSync()[1]).toBeCloseTo(0, 6);
    const numbers = await new Sequential([new Identity()]).predictMC(tensor([[2, -1]]));
    expect(numbers.entropy).toBeNull();
  });

  it('is repeated by the seed, in any batches', async () => {
    const model = new Sequential([new Dropout(0.5, { inputShape: [6] }), new Dense(2)]);
    const x = normal([9, 6]);
    const run = async (): Promise<unknown> => {
      seed(3);
      return (await model.predictMC(x, { samples: 20, batchSize: 4 })).mean.toArray();
    };
    expect(await run()).toEqual(await run());
    expect((await model.predictMC(x, { batchSize: 4 })).standardDeviation.shape).toEqual([9, 2]);
    await expect(model.predictMC(x, { samples: 0 })).rejects.toThrow(/samples/);
  });

  it('every noisy layer acts in it', async () => {
    for (const layer of [new GaussianNoise(1), new RReLU(), new AlphaDropout(0.5)]) {
      const model = new Sequential([layer]);
      const { standardDeviation } = await model.predictMC(normal([4, 50]), { samples: 10 });
      expect(moments(standardDeviation).mean, layer.name).toBeGreaterThan(0.01);
    }
  });

  it('MCDropout samples in plain prediction', async () => {
    const model = new Sequential([new MCDropout(0.5, { inputShape: [100] })]);
    const x = ones([1, 100]);
    const [a, b] = [await model.predict(x), await model.predict(x)];
    expect(a.toArray()).not.toEqual(b.toArray());
  });
});

describe.each(devices)('noise on %s', (device) => {
  beforeEach(() => {
    setDevice(device);
    seed(23);
  });

  it('spatial dropout drops whole channels, each sample its own', () => {
    const y = new SpatialDropout1D(0.5).apply(ones([30, 7, 40]), { training: true });
    const values = y.toArray() as number[][][];
    const dropped = values.map((sample) => sample[0]!.map((value) => value === 0));
    values.forEach((sample, i) => {
      for (const row of sample) {
        expect(row).toEqual(dropped[i]!.map((gone) => (gone ? 0 : 2)));
      }
    });
    const share = dropped.flat().filter(Boolean).length / 1200;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.08);
    expect(dropped[0]).not.toEqual(dropped[1]);
  });

  it('random slopes: their range, their mean in inference', () => {
    const layer = new RReLU({ lower: 0.1, upper: 0.3 });
    const x = ones([100, 100]).neg();
    const values = layer.apply(x, { training: true }).dataSync();
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.3);
    expect(Math.max(...values)).toBeLessThanOrEqual(-0.1);
    expect(moments(layer.apply(x, { training: true })).mean).toBeCloseTo(-0.2, 2);
    expect(layer.apply(x).dataSync()[0]).toBeCloseTo(-0.2, 6);
  });

  /** Means and deviations behind each of 100 layers of 100 SELU units on standardized input. */
  function through(between: () => Layer | null): { mean: number; deviation: number }[] {
    const found: { mean: number; deviation: number }[] = [];
    noGrad(() => {
      let x: Tensor = normal([500, 100]);
      for (let i = 0; i < 100; i++) {
        const dense = new Dense(100, { activation: 'selu', kernelInitializer: 'lecunNormal' });
        x = dense.apply(x);
        x = between()?.apply(x, { training: true }) ?? x;
        found.push(moments(x));
      }
    });
    return found;
  }

  it('alpha dropout keeps mean and variance over 100 SELU layers; plain dropout does not', () => {
    const kept = [through(() => null), through(() => new AlphaDropout(0.1))];
    for (const layers of kept) {
      for (const { mean, deviation } of layers) {
        expect(Math.abs(mean)).toBeLessThan(0.35);
        expect(deviation).toBeGreaterThan(0.65);
        expect(deviation).toBeLessThan(1.35);
      }
    }
    const broken = through(() => new Dropout(0.5)).at(-1)!;
    const half = through(() => new AlphaDropout(0.5)).at(-1)!;
    expect(broken.deviation).toBeGreaterThan(10 * half.deviation);
  });
});
