/** Initializers: the distributions they draw from, fans of every shape, seeds, errors. */

import { describe, expect, it } from 'vitest';

import { ShapeError, ValueError } from '../src/errors.js';
import * as initializers from '../src/initializers/index.js';
import { computeFans, VarianceScaling } from '../src/initializers/index.js';
import type { InitializerName } from '../src/initializers/index.js';
import { seed } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose } from './golden.js';
import { statisticsOf } from './statistics.js';

interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly kurtosis: number;
  /** Distance from the mean. */
  readonly largest: number;
}

function momentsOf(x: Tensor): Moments {
  const { mean, variance, kurtosis, smallest, largest } = statisticsOf(x.dataSync());
  return { mean, variance, kurtosis, largest: Math.max(mean - smallest, largest - mean) };
}

/** Kurtosis, and largest distance from the mean in standard deviations (null: no limit). */
const families = {
  uniform: { kurtosis: 1.8, limit: Math.sqrt(3) },
  normal: { kurtosis: 3, limit: null },
  // Of a standard normal cut at ±2, whose deviation is 0.87962566…
  truncated: { kurtosis: 2.3659, limit: 2 / 0.87962566103423978 },
} as const;

const fans = { fanIn: 300, fanOut: 200 };
const expected: readonly [InitializerName, keyof typeof families, number][] = [
  ['randomNormal', 'normal', 0.05 ** 2],
  ['truncatedNormal', 'truncated', (0.05 * 0.87962566103423978) ** 2],
  ['randomUniform', 'uniform', 0.1 ** 2 / 12],
  ['glorotUniform', 'uniform', 2 / (fans.fanIn + fans.fanOut)],
  ['glorotNormal', 'truncated', 2 / (fans.fanIn + fans.fanOut)],
  ['heUniform', 'uniform', 2 / fans.fanIn],
  ['heNormal', 'truncated', 2 / fans.fanIn],
  ['lecunUniform', 'uniform', 1 / fans.fanIn],
  ['lecunNormal', 'truncated', 1 / fans.fanIn],
  ['varianceScaling', 'truncated', 1 / fans.fanIn],
];

describe.each(devices)('initializers on %s', (device) => {
  it.each(expected)('%s is %s with variance %f', (name, family, variance) => {
    seed(1);
    const x = initializers.get(name).call([fans.fanIn, fans.fanOut], { device });
    expect([x.device, x.dtype, x.requiresGrad]).toEqual([device, 'float32', false]);
    const count = x.size;
    const { kurtosis, limit } = families[family];
    const got = momentsOf(x);
    const deviation = Math.sqrt(variance);
    // Five standard errors of each estimate: about one false alarm in a million.
    expect(Math.abs(got.mean)).toBeLessThan((5 * deviation) / Math.sqrt(count));
    const spread = Math.sqrt((kurtosis - 1) / count);
    expect(Math.abs(got.variance / variance - 1)).toBeLessThan(5 * spread);
    expect(Math.abs(got.kurtosis - kurtosis)).toBeLessThan(5 * Math.sqrt(24 / count));
    if (limit === null) expect(got.largest).toBeGreaterThan(3.5 * deviation);
    else {
      expect(got.largest).toBeLessThan(limit * deviation * 1.01);
      expect(got.largest).toBeGreaterThan(limit * deviation * 0.98);
    }
  });

  it('scales a convolution kernel by the connections of its window', () => {
    const x = initializers.get('heNormal').call([3, 3, 64, 32], { device });
    const { variance } = momentsOf(x);
    expect(Math.abs(variance / (2 / (9 * 64)) - 1)).toBeLessThan(0.05);
  });

  it('takes mean and spread as given', () => {
    const make = (className: string, config: Record<string, unknown>): Moments =>
      momentsOf(initializers.get({ className, config }).call([200, 200], { device }));
    const normal = make('RandomNormal', { mean: 3, stddev: 0.5, seed: 1 });
    expectClose([normal.mean, normal.variance], [3, 0.25], 0.02);
    const uniform = make('RandomUniform', { minval: 2, maxval: 4, seed: 1 });
    expectClose([uniform.mean, uniform.variance], [3, 4 / 12], 0.02);
    const scaled = { scale: 3, mode: 'fanOut', distribution: 'untruncatedNormal', seed: 1 };
    const wide = make('VarianceScaling', scaled);
    expectClose([wide.variance * 200, wide.kurtosis], [3, 3], 0.05);
  });

  it('fills with constants', () => {
    const values = (name: InitializerName, shape: number[]): unknown =>
      initializers.get(name).call(shape, { device, dtype: 'float64' }).toArray();
    expect(values('zeros', [2])).toEqual([0, 0]);
    expect(values('ones', [1, 2])).toEqual([[1, 1]]);
    expect(values('identity', [2, 3])).toEqual([[1, 0, 0], [0, 1, 0]]); // prettier-ignore
    const half = new initializers.Constant(0.5);
    expect(half.call([2], { device }).toArray()).toEqual([0.5, 0.5]);
    const twice = new initializers.Identity({ gain: 2 });
    expect(twice.call([2, 2], { device }).toArray()).toEqual([[2, 0], [0, 2]]); // prettier-ignore
  });

  it.each([[[40, 10]], [[10, 40]], [[20, 20]], [[3, 3, 4, 8]], [[1, 5]], [[100, 70]]])(
    'makes an orthogonal matrix of shape %j',
    (shape) => {
      const gain = 1.5;
      const orthogonal = new initializers.Orthogonal({ gain, seed: 3 });
      const x = orthogonal.call(shape, { device, dtype: 'float64' });
      expect(x.shape).toEqual(shape);
      const columns = shape.at(-1)!;
      const rows = x.size / columns;
      const values = x.dataSync();
      const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
      const element = (v: number, i: number): number =>
        values[rows < columns ? v * columns + i : i * columns + v]!;
      for (let a = 0; a < count; a++) {
        for (let b = 0; b <= a; b++) {
          let dot = 0;
          for (let i = 0; i < length; i++) dot += element(a, i) * element(b, i);
          expect(Math.abs(dot - (a === b ? gain * gain : 0))).toBeLessThan(1e-12);
        }
      }
    },
  );

  it('draws orthogonal matrices evenly: each element has mean 0 and variance 1 / length', () => {
    const orthogonal = new initializers.Orthogonal({ seed: 5 });
    const corner: number[] = [];
    for (let i = 0; i < 2000; i++) corner.push(orthogonal.call([3, 3], { device }).dataSync()[0]!);
    const mean = corner.reduce((a, b) => a + b, 0) / corner.length;
    const variance = corner.reduce((a, b) => a + b * b, 0) / corner.length;
    // The first coordinate of a random direction in space is uniform on [−1, 1].
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(1 / 3 / 2000));
    expect(Math.abs(variance - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / 2000));
  });

  it('repeats itself from a seed, and goes on in its stream', () => {
    for (const name of ['HeNormal', 'RandomUniform', 'Orthogonal']) {
      const make = (): initializers.Initializer =>
        initializers.get({ className: name, config: { seed: 11 } });
      const [one, other] = [make(), make()];
      const first = [...one.call([4, 5], { device }).dataSync()];
      expect([...other.call([4, 5], { device }).dataSync()], name).toEqual(first);
      expect([...one.call([4, 5], { device }).dataSync()], name).not.toEqual(first);
    }
    seed(9);
    const first = [...initializers.get('glorotUniform').call([3, 3], { device }).dataSync()];
    seed(9);
    const again = [...initializers.get('glorotUniform').call([3, 3], { device }).dataSync()];
    expect(again).toEqual(first);
  });

  it('has the same values on every device', () => {
    const make = (on: string): number[] => [
      ...new initializers.LecunNormal({ seed: 2 }).call([7, 9], { device: on }).dataSync(),
    ];
    expect(make(device)).toEqual(make('js'));
  });
});

describe('initializers', () => {
  it('read fans from shapes as Keras does', () => {
    const cases: readonly [number[], number, number][] = [
      [[], 1, 1],
      [[7], 7, 7],
      [[3, 4], 3, 4],
      [[5, 3, 4], 15, 20],
      [[3, 3, 16, 32], 144, 288],
      [[2, 3, 4, 5, 6], 120, 144],
    ];
    for (const [shape, fanIn, fanOut] of cases) {
      expect(computeFans(shape), String(shape)).toEqual({ fanIn, fanOut });
    }
  });

  it('are found by every name and made again from their config', () => {
    for (const name of ['he_normal', 'HeNormal', 'heNormal'] as InitializerName[]) {
      expect(initializers.get(name)).toBeInstanceOf(initializers.HeNormal);
    }
    expect(initializers.get('normal' as 'ones')).toBeInstanceOf(initializers.RandomNormal);
    const given = new VarianceScaling({ scale: 3, mode: 'fanAvg', seed: 4 });
    const text = JSON.stringify(initializers.serialize(given));
    const again = initializers.get(JSON.parse(text) as ReturnType<typeof initializers.serialize>);
    expect(again.config()).toEqual(given.config());
    expect([...again.call([3, 3]).dataSync()]).toEqual([...given.call([3, 3]).dataSync()]);
    expect(initializers.get(given)).toBe(given);
    expect(initializers.serialize(new initializers.HeNormal({ seed: 1 }))).toEqual({
      className: 'HeNormal',
      config: { seed: 1 },
    });
  });

  it('refuse unknown names with the nearest, and shapes that do not fit', () => {
    const unknown = (): unknown => initializers.get('heNorml' as 'heNormal');
    expect(unknown).toThrow(ValueError);
    expect(unknown).toThrow(/"heNorml"\. Did you mean "heNormal"\? Known: zeros, ones/);
    expect(() => initializers.get('orthogonal').call([3])).toThrow(ShapeError);
    expect(() => initializers.get('identity').call([3])).toThrow(/needs two axes/);
    expect(() => new VarianceScaling({ scale: 0 })).toThrow(
      /scale must be a number greater than 0/,
    );
    expect(() => new VarianceScaling({ mode: 'fan_in' as 'fanIn' })).toThrow(
      /fanIn, fanOut, fanAvg/,
    );
  });

  it('can be written by the user and registered', () => {
    class Checkered extends initializers.Initializer {
      call(shape: readonly number[], target?: initializers.InitializerTarget): Tensor {
        return new initializers.RandomUniform({ seed: 1 }).call(shape, target);
      }
      config(): Record<string, unknown> {
        return {};
      }
    }
    initializers.register(Checkered);
    const saved = initializers.serialize(new Checkered());
    expect(initializers.get(saved)).toBeInstanceOf(Checkered);
    expect(() => initializers.register(Checkered)).toThrow(/is there already/);
  });
});
