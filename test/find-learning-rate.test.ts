/** The learning-rate search: what it finds, what it draws, and that it leaves nothing behind. */

import {
  defaultGenerator,
  findLearningRate,
  GradloomError,
  layers,
  optimizers,
  RateCurve,
  schedules,
  seed,
  Sequential,
  tensor,
  ValueError,
} from 'gradloom';
import type { Tensor } from 'gradloom';
import { beforeEach, describe, expect, test } from 'vitest';

beforeEach(() => {
  seed(1);
});

/** y = x · w: with squared error a valley whose steepness is known. */
function linear(): { x: Tensor; y: Tensor } {
  const x = Float32Array.from({ length: 640 }, (_, i) => Math.sin(i * i + i / 3));
  const y = Float32Array.from(
    { length: 160 },
    (_, i) => x[4 * i]! - 2 * x[4 * i + 1]! + 0.5 * x[4 * i + 2]! + 3 * x[4 * i + 3]!,
  );
  return { x: tensor(x, { shape: [160, 4] }), y: tensor(y, { shape: [160, 1] }) };
}

function model(optimizer: optimizers.Optimizer = new optimizers.SGD()): Sequential {
  return new Sequential([
    new layers.Dense(1, { inputShape: [4] }),
    new layers.BatchNormalization({ trainable: false }),
  ]).compile({ optimizer, loss: 'mse', metrics: ['mae'] });
}

const bits = (each: Sequential): unknown => each.getWeights().map((one) => one.toArray());

describe('the search', () => {
  test('finds where training becomes unstable, and suggests less', async () => {
    const { x, y } = linear();
    const curve = await findLearningRate(model(), x, y, { batchSize: 16, minRate: 1e-4 });
    // Gradient descent on this valley diverges from 2 / (greatest curvature) on, a little above 1.
    expect(curve.lowest).toBeGreaterThan(0.1);
    expect(curve.lowest).toBeLessThan(3);
    expect(curve.suggestion).toBeLessThan(curve.lowest);
    expect(curve.highest).toBeGreaterThan(curve.lowest);
    expect(curve.highest).toBeLessThan(4);
    expect(curve.steepest).toBeLessThan(curve.lowest);
    expect(curve.rates[0]).toBe(1e-4);
    expect(curve.rates.length).toBe(curve.losses.length);
    for (let i = 1; i < curve.rates.length; i++) {
      expect(curve.rates[i]! / curve.rates[i - 1]!).toBeCloseTo(1e5 ** (1 / 199), 10);
    }
    // It ended when the loss grew, not at the last rate.
    expect(curve.rates.length).toBeLessThan(200);
    const trained = model(new optimizers.SGD({ learningRate: curve.suggestion }));
    const { history } = await trained.fit(x, y, { epochs: 30, batchSize: 16, verbose: 'silent' });
    expect(history['loss']!.at(-1)).toBeLessThan(0.05 * history['loss']![0]!);
  });

  test('losses are those of single steps', async () => {
    const { x, y } = linear();
    const options = { batchSize: 160, steps: 5, minRate: 0.01, maxRate: 0.02 };
    const searched = model();
    const curve = await findLearningRate(searched, x, y, options);
    const losses = curve.rates.map((rate) => {
      searched.optimizer.learningRate = rate;
      return searched.trainOnBatch(x, y)['loss']!;
    });
    curve.losses.forEach((loss, i) => expect(loss / losses[i]!).toBeCloseTo(1, 6));
  });

  test('leaves model, optimizer, epochs and random numbers as they were', async () => {
    const { x, y } = linear();
    const searched = new Sequential([
      new layers.Dense(8, { inputShape: [4] }),
      new layers.BatchNormalization(),
      new layers.Dropout(0.5),
      new layers.Dense(1),
    ]).compile({ optimizer: 'nadam', loss: 'mse', metrics: ['mae'] });
    await searched.fit(x, y, { epochs: 2, verbose: 'silent' });
    const { compiled, optimizer } = searched;
    const state = (): unknown => {
      const { numbers, tensors } = optimizer.state(searched.weights.map(({ value }) => value));
      return [numbers, Object.values(tensors).map((each) => each.toArray())];
    };
    const before = [bits(searched), state(), defaultGenerator.state(), searched.epochsSeen];
    await findLearningRate(searched, x, y, { steps: 20 });
    expect([bits(searched), state(), defaultGenerator.state(), searched.epochsSeen]).toEqual(
      before,
    );
    expect(searched.optimizer).toBe(optimizer);
    expect(searched.compiled).toEqual(compiled);
    expect(searched.compiled.goals[0]!.metrics[0]!.metric).toBe(
      compiled.goals[0]!.metrics[0]!.metric,
    );
  });

  test('works when the rate follows a schedule, and over an iterable', async () => {
    const { x, y } = linear();
    const learningRate = new schedules.CosineDecay({ initialLearningRate: 1, decaySteps: 9 });
    const searched = model(new optimizers.Adam({ learningRate }));
    const batches = new Set(
      [0, 1, 2].map((i) => ({ x: x.slice([i, i + 8]), y: y.slice([i, i + 8]) })),
    );
    const curve = await findLearningRate(searched, batches, { steps: 10, divergence: 1e9 });
    expect(curve.rates.length).toBe(10);
    expect(curve.rates.at(-1)).toBeCloseTo(10, 9);
    expect(searched.optimizer.schedule).toBe(learningRate);
  });

  test('repeats itself with the same seed', async () => {
    const { x, y } = linear();
    const searched = model();
    const [first, second] = [
      await findLearningRate(searched, x, y),
      await findLearningRate(searched, x, y),
    ];
    expect(second.losses).toEqual(first.losses);
  });

  test('refuses what cannot be', async () => {
    const { x, y } = linear();
    for (const wrong of [
      { steps: 1 },
      { minRate: 0 },
      { minRate: 1, maxRate: 0.1 },
      { maxRate: Infinity },
      { divergence: 1 },
    ]) {
      await expect(findLearningRate(model(), x, y, wrong)).rejects.toThrow(ValueError);
    }
    await expect(findLearningRate(new Sequential(), x, y)).rejects.toThrow(/not compiled/);
    const infinite = x.mul(Infinity);
    await expect(findLearningRate(model(), infinite, y)).rejects.toThrow(GradloomError);
    await expect(findLearningRate(model(), infinite, y)).rejects.toThrow(/not finite even with/);
    const signal = AbortSignal.abort(new Error('enough'));
    const searched = model();
    const before = bits(searched);
    await expect(findLearningRate(searched, x, y, { signal })).rejects.toThrow('enough');
    expect(bits(searched)).toEqual(before);
    const unbuilt = new Sequential([new layers.Dense(1)]).compile({ loss: 'mse' });
    const batches = new Set([{ x, y }]);
    await expect(findLearningRate(unbuilt, batches)).rejects.toThrow(/not built.*inputShape/);
  });
});

describe('the curve', () => {
  const rates = Array.from({ length: 101 }, (_, i) => 10 ** (i / 20 - 5));
  // Flat, then falling, lowest at 1e-2 (point 60), then rising fast.
  const losses = rates.map((_, i) =>
    i < 20 ? 2 : i <= 60 ? 2 - (i - 20) / 25 : 0.4 + (i - 60) ** 2 / 20,
  );

  test('finds the lowest and the steepest point', () => {
    const curve = new RateCurve(rates, losses);
    expect(Math.abs(Math.log10(curve.lowest) + 2)).toBeLessThan(0.2);
    expect(curve.steepest).toBeGreaterThan(10 ** -4);
    expect(curve.steepest).toBeLessThan(curve.lowest);
    // Nine tenths of the fall are done at point 56, all of it is undone at point 66.
    expect(Math.abs(Math.log10(curve.suggestion) + 2.2)).toBeLessThan(0.2);
    expect(Math.abs(Math.log10(curve.highest) + 1.7)).toBeLessThan(0.2);
  });

  test('noise does not carry the lowest point away', () => {
    const noisy = losses.map((loss, i) => loss + 0.1 * Math.sin(i * i * 1.7));
    const curve = new RateCurve(rates, noisy);
    expect(Math.abs(Math.log10(curve.lowest) + 2)).toBeLessThan(0.3);
  });

  test('in a wide valley the suggestion is where it begins, whatever the noise', () => {
    const wide = rates.map((_, i) => (i < 20 ? 2 : i <= 40 ? 2 - (i - 20) / 20 : 1));
    for (let phase = 1; phase <= 8; phase++) {
      const noisy = wide.map((loss, i) => loss + 0.05 * Math.sin(i * i * phase * 1.7));
      const { suggestion } = new RateCurve(rates, noisy);
      expect(Math.abs(Math.log10(suggestion) + 3.1), `noise ${phase}`).toBeLessThan(0.2);
    }
  });

  test('a loss that never comes back up leaves the last rate as the highest', () => {
    const falling = rates.map((_, i) => 2 - i / 100);
    expect(new RateCurve(rates, falling).highest).toBe(1);
  });

  test('is drawn in characters', () => {
    const text = String(new RateCurve(rates, losses));
    const lines = text.split('\n');
    expect(lines).toHaveLength(15);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(text).toContain('●');
    expect(lines[13]).toMatch(/^ +1e-5 +1e\+0$/);
    expect(lines[14]).toMatch(/lowest at \S+e-\d, suggested ▲ \S+e-\d, at most \S+e-\d$/);
    expect(lines[12]!.indexOf('▲')).toBeGreaterThan(10);
    // The curve's lowest row is marked under the lowest point.
    const at = lines[11]!.lastIndexOf('●') - 10;
    expect(Math.abs(at - 0.6 * 59)).toBeLessThan(4);
  });

  test('is drawn as SVG that a parser accepts', () => {
    const svg = new RateCurve(rates, losses).toSVG();
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const open: string[] = [];
    for (const [, closing, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!selfClosing) open.push(name!);
    }
    expect(open).toEqual([]);
    expect([...svg.matchAll(/<polyline/g)]).toHaveLength(2);
    for (const power of [-5, -4, -3, -2, -1, 0]) expect(svg).toContain(`>1e${power}</text>`);
  });

  test('one point, and losses all equal, are drawn too', () => {
    for (const curve of [new RateCurve([0.1], [2]), new RateCurve([0.1, 1], [2, 2])]) {
      expect(curve.toSVG()).not.toMatch(/NaN|undefined/);
      expect(String(curve)).not.toMatch(/NaN|undefined/);
    }
  });
});
