/** Generators: what moves them, saving and restoring; and how the numbers are spread. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  alphaDropout, bernoulli, defaultGenerator, device as currentDevice, dropout, Generator, ones,
  permutation, rand, randint, randn, seed, setDevice, truncatedNormal, ValueError,
} from '../src/index.js'; // prettier-ignore
import type { Tensor } from '../src/index.js';
import { permutationArray } from '../src/tensor/random.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => setDevice(first));

describe('Generator', () => {
  it('gives the same numbers for the same seed, and others for others', () => {
    const draw = (value: number) => rand([5], { generator: new Generator(value) }).toArray();
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    // Both halves of the seed count.
    expect(draw(2 ** 32 + 7)).not.toEqual(draw(7));
  });

  it('moves one step for every four elements begun', () => {
    const generator = new Generator(1);
    const counter = () => generator.state().counter[0];
    rand([4], { generator });
    expect(counter()).toBe(1);
    randn([5], { generator });
    expect(counter()).toBe(3);
    bernoulli([], { generator });
    expect(counter()).toBe(4);
    rand([0], { generator });
    expect(counter()).toBe(4);
    permutation(9, { generator });
    expect(counter()).toBe(7);
    dropout(ones([8]), 0.5, { generator });
    expect(counter()).toBe(9);
  });

  it('carries into the upper half of the counter', () => {
    const generator = new Generator(1).restore({ key: [1, 0], counter: [2 ** 32 - 1, 5] });
    const crossing = rand([8], { generator }).toArray() as number[];
    expect(generator.state().counter).toEqual([1, 6]);
    const above = generator.restore({ key: [1, 0], counter: [0, 6] });
    expect(rand([4], { generator: above }).toArray()).toEqual(crossing.slice(4));
    generator.restore({ key: [1, 0], counter: [2 ** 32 - 1, 2 ** 32 - 1] });
    rand([1], { generator });
    expect(generator.state().counter).toEqual([0, 0]);
  });

  it('goes on from a saved state, also through JSON', () => {
    const generator = new Generator(3);
    randn([10], { generator });
    const saved = JSON.stringify(generator.state());
    const next = randn([10], { generator }).toArray();
    expect(randn([10], { generator }).toArray()).not.toEqual(next);
    generator.restore(JSON.parse(saved) as ReturnType<Generator['state']>);
    expect(randn([10], { generator }).toArray()).toEqual(next);
  });

  it('clones at its position; a fork has numbers of its own', () => {
    const generator = new Generator(3);
    rand([3], { generator });
    const clone = generator.clone();
    const fork = clone.fork();
    expect(clone.state().counter[0]).toBe(generator.state().counter[0] + 1);
    const again = generator.fork();
    const numbers = rand([4], { generator: fork }).toArray();
    expect(rand([4], { generator: again }).toArray()).toEqual(numbers);
    expect(rand([4], { generator: clone }).toArray()).not.toEqual(numbers);
    expect(generator.fork().state().key).not.toEqual(again.state().key);
  });

  it.each([
    null,
    {},
    { key: [0, 0] },
    { key: [0, 0], counter: [0] },
    { key: [0, -1], counter: [0, 0] },
    { key: [0, 0.5], counter: [0, 0] },
    { key: [0, 2 ** 32], counter: [0, 0] },
    { key: ['0', 0], counter: [0, 0] },
  ])('refuses %j as a state', (state) => {
    const restore = () => new Generator(0).restore(state as never);
    expect(restore).toThrow(ValueError);
    expect(restore).toThrow(/counter: \[low, high\]/);
  });

  it.each([-1, 0.5, NaN, 2 ** 53, '1'])('refuses %j as a seed', (value) => {
    expect(() => new Generator(value as number)).toThrow(/seed/);
    expect(() => seed(value as number)).toThrow(ValueError);
  });
});

describe('the default generator', () => {
  it('is what seed() seeds', () => {
    seed(42);
    const numbers = rand([3]).toArray();
    expect(rand([3]).toArray()).not.toEqual(numbers);
    seed(42);
    expect(rand([3]).toArray()).toEqual(numbers);
    expect(rand([3], { generator: new Generator(42) }).toArray()).toEqual(numbers);
    expect(defaultGenerator.state().counter[0]).toBe(1);
  });

  it('is left alone when another one is given', () => {
    const before = defaultGenerator.state();
    rand([3], { generator: new Generator(1) });
    expect(defaultGenerator.state()).toEqual(before);
  });

  it('starts differently every time', () => {
    expect(new Generator().state().key).not.toEqual(new Generator().state().key);
  });
});

describe.each(devices)('distributions on %s', (device) => {
  beforeEach(() => {
    setDevice(device);
    seed(11);
  });

  const count = 100_000;
  const moments = (x: Tensor) => ({
    mean: x.mean().item(),
    std: x.std().item(),
  });
  /** Five standard errors of a mean of that many values. */
  const within = (std: number) => (5 * std) / Math.sqrt(count);

  it('uniform: mean, deviation and range', () => {
    const x = rand([count], { low: -1, high: 3 });
    expect(Math.abs(moments(x).mean - 1)).toBeLessThan(within(4 / Math.sqrt(12)));
    expect(moments(x).std).toBeCloseTo(4 / Math.sqrt(12), 2);
    expect(x.min().item()).toBeGreaterThanOrEqual(-1);
    expect(x.max().item()).toBeLessThan(3);
  });

  it('normal: mean, deviation and tails', () => {
    const x = randn([count], { mean: 2, std: 3 });
    expect(Math.abs(moments(x).mean - 2)).toBeLessThan(within(3));
    expect(moments(x).std).toBeCloseTo(3, 1);
    const beyond = x.sub(2).abs().greater(6).mean().item();
    expect(beyond).toBeCloseTo(0.0455, 2);
    expect(x.isFinite().all().item()).toBe(true);
  });

  it('truncated normal: within two deviations, as spread as documented', () => {
    const x = truncatedNormal([count], { std: 2 });
    expect(x.abs().max().item()).toBeLessThanOrEqual(4);
    expect(moments(x).std / 2).toBeCloseTo(0.8796, 2);
  });

  it('bernoulli and randint: every value as often as it should be', () => {
    expect(bernoulli([count], { probability: 0.2 }).mean().item()).toBeCloseTo(0.2, 2);
    const dice = randint([count], { low: 1, high: 7 });
    for (let face = 1; face <= 6; face++) {
      expect(dice.equal(face).mean().item()).toBeCloseTo(1 / 6, 2);
    }
  });

  it('alphaDropout keeps mean 0 and variance 1', () => {
    const x = alphaDropout(randn([count]), 0.3);
    expect(Math.abs(moments(x).mean)).toBeLessThan(0.02);
    expect(moments(x).std).toBeCloseTo(1, 1);
  });

  it('dropout drops the same in the backward pass', () => {
    const x = ones([1000], { requiresGrad: true });
    const y = dropout(x, 0.4);
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual(y.toArray());
    expect(y.equal(0).mean().item()).toBeCloseTo(0.4, 1);
  });
});

describe('permutationArray', () => {
  it('holds every number once, in an order that key and counter decide', () => {
    const order = permutationArray(45_000, 5, 1);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from(order.keys()));
    expect(permutationArray(45_000, 5, 1)).toEqual(order);
    expect(permutationArray(45_000, 5, 2)).not.toEqual(order);
    expect(permutationArray(45_000, 5, 1, 1)).not.toEqual(order);
  });

  it('puts every number in every place equally often', () => {
    const size = 5;
    const seen = new Int32Array(size * size);
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      permutationArray(size, i, 9).forEach((value, place) => seen[place * size + value]!++);
    }
    const expected = rounds / size;
    const error = 5 * Math.sqrt(expected * (1 - 1 / size));
    for (const times of seen) expect(Math.abs(times - expected)).toBeLessThan(error);
  });

  it.each([0, 1, 2, 3])('of %i numbers', (count) => {
    expect([...permutationArray(count, 1)].sort()).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
  });
});
