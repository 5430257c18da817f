/** Random streams: known answers, an independent Philox, accuracy, pinned values, statistics. */

import { describe, expect, it } from 'vitest';

import type { Distribution } from '../src/backends/backend.js';
import { exactLog, fillRandom, normalQuantile } from '../src/backends/random.js';
import { philoxBlock, philoxWords } from '../src/backends/random.js';

/** Philox 4x32-10 as the paper writes it, in big integers. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word >>> 0)) as [bigint, bigint, bigint, bigint]; // prettier-ignore
  let [k0, k1] = key.map((word) => BigInt(word >>> 0)) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [product0, product1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [
      (product1 >> 32n) ^ c1 ^ k0,
      product1 & mask,
      (product0 >> 32n) ^ c3 ^ k1,
      product0 & mask,
    ];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

function block(counter: readonly number[], key: readonly number[]): number[] {
  const words = new Uint32Array(4);
  const [c0, c1, c2, c3] = counter as [number, number, number, number];
  philoxBlock(words, 0, c0, c1, c2, c3, key[0]!, key[1]!);
  return [...words];
}

describe('Philox 4x32-10', () => {
  const ones = 0xffffffff;
  // The vectors published with Random123 (kat_vectors); the third is digits of pi.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ones, ones, ones, ones],
      [ones, ones],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('known answer of counter %j, key %j', (counter, key, wanted) => {
    expect(block(counter, key)).toEqual(wanted);
    expect(philox(counter, key)).toEqual(wanted);
  });

  it('agrees with arithmetic in big integers', () => {
    let state = 12345;
    const word = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
    for (let i = 0; i < 500; i++) {
      const [counter, key] = [
        [word(), word(), word(), word()],
        [word(), word()],
      ];
      expect(block(counter, key)).toEqual(philox(counter, key));
    }
  });

  it('counts blocks with a carry into the high word, and wraps at 2^64', () => {
    const words = new Uint32Array(12);
    philoxWords(words, 12, 7, 8, 0xfffffffe, 5);
    expect([...words.subarray(0, 4)]).toEqual(philox([0xfffffffe, 5, 0, 0], [7, 8]));
    expect([...words.subarray(8, 12)]).toEqual(philox([0, 6, 0, 0], [7, 8]));
    philoxWords(words, 8, 7, 8, 0xffffffff, 0xffffffff);
    expect([...words.subarray(4, 8)]).toEqual(philox([0, 0, 0, 0], [7, 8]));
  });

  it('takes keys and counters as signed or unsigned words', () => {
    expect(block([-1, -2, 3, 4], [-5, 6])).toEqual(block([0xffffffff, 0xfffffffe, 3, 4], [0xfffffffb, 6])); // prettier-ignore
  });
});

describe('the normal quantile', () => {
  it('has a logarithm within two roundings of Math.log', () => {
    for (let i = 0; i <= 33 * 64; i++) {
      const x = 2 ** (-i / 64) * (1 - 2 ** -40);
      if (x < 2 ** -33) continue;
      const wanted = Math.log(x);
      expect(Math.abs(exactLog(x) - wanted)).toBeLessThanOrEqual(2 ** -51 * Math.abs(wanted));
    }
  });

  // sqrt(2)·erfinv(2t), computed with forty digits.
  it.each([
    [0, 0], [2 ** -33, 2.918099372916623e-10], [0.001, 0.002506630899571764],
    [0.125, 0.31863936396437514], [-0.25, -0.6744897501960817], [0.375, 1.150349380376008],
    [0.42499, 1.4394608308216257], [0.425, 1.439531470938456], [0.4251, 1.4402382675279635],
    [0.45, 1.6448536269514729], [0.475, 1.9599639845400538], [-0.49, -2.3263478740408408],
    [0.499, 3.090232306167813], [-0.4999, -3.7190164854557084], [0.499999, 4.753424308828306],
    [0.5 - 2 ** -20, 4.7630010342678135], [0.5 - 2 ** -30, 6.009353565530744],
    [2 ** -32 - 0.5, -6.230260137989043], [0.5 - 2 ** -33, 6.3379577545537895],
  ])('of 1/2 + %f is %f', (t, wanted) => {
    expect(Math.abs(normalQuantile(t) - wanted)).toBeLessThanOrEqual(2 ** -51 * Math.abs(wanted));
  }); // prettier-ignore
});

/** Elements of the stream with key (1, 2) and counter (4, 3) as the first release drew them. */
describe('pinned values', () => {
  it.each([
    ['uniform', Float32Array, 0, 1, [0.9818933606147766, 0.38500720262527466, 0.33761173486709595, 0.016917049884796143, 0.3088783621788025, 0.5181171298027039]],
    ['uniform', Float64Array, 0, 1, [0.9818934022914618, 0.38500722544267774, 0.3376117553561926, 0.01691710762679577, 0.3088783957064152, 0.5181171367876232]],
    ['uniform', Int32Array, -500, 500, [481, -115, -163, -484, -192, 18]],
    ['normal', Float64Array, 0, 1, [2.094525486016169, -0.2923559935805818, -0.4189899038640617, -2.1220419494349048, -0.4990320697628088, 0.04542854833363316]],
    ['truncatedNormal', Float64Array, 0, 1, [1.7503047069723168, -0.2786950595260692, -0.3988538077606705, -1.7636257250291825, -0.47449220051167623, 0.04336021057595591]],
    ['bernoulli', Uint8Array, 0.5, 0, [0, 1, 1, 1, 1, 0]],
  ] as const)('%s in %o', (distribution, Type, p, q, wanted) => {
    const out = new Type(wanted.length);
    fillRandom(distribution, out, 1, 2, 3, 4, p, q);
    expect([...out]).toEqual(wanted);
  });
}); // prettier-ignore

describe('statistics of a million draws', () => {
  const n = 1_000_000;
  const draw = (distribution: Distribution, p: number, q: number): Float64Array => {
    const out = new Float64Array(n);
    fillRandom(distribution, out, 2024, 7, 0, 0, p, q);
    return out;
  };
  const moment = (values: Float64Array, f: (value: number) => number): number =>
    values.reduce((sum, value) => sum + f(value), 0) / values.length;
  /** Largest distance between the empirical distribution and the wanted one. */
  const distance = (values: Float64Array, cdf: (value: number) => number): number =>
    values.sort().reduce((largest, value, i) => Math.max(largest, Math.abs(cdf(value) - i / n)), 0);
  /** Φ by the series φ(x)·Σ x^(2k+1)/(2k+1)!!. */
  const normalCdf = (x: number): number => {
    let term = x;
    let sum = x;
    for (let k = 1; k < 100; k++) sum += term *= (x * x) / (2 * k + 1);
    return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  };
  /** Kolmogorov's bound for a probability of one in ten thousand. */
  const bound = 2.23 / Math.sqrt(n);

  it('uniform', () => {
    const values = draw('uniform', -2, 3);
    expect(moment(values, (value) => value)).toBeCloseTo(0.5, 2);
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(-2);
    expect(values.every((value) => value >= -2 && value < 3)).toBe(true);
    expect(distance(values, (value) => (value + 2) / 5)).toBeLessThan(bound);
  });

  it('normal', () => {
    const values = draw('normal', 1, 2);
    const standard = values.map((value) => (value - 1) / 2);
    expect(moment(standard, (value) => value)).toBeCloseTo(0, 2);
    expect(moment(standard, (value) => value ** 2)).toBeCloseTo(1, 2);
    expect(moment(standard, (value) => value ** 3)).toBeCloseTo(0, 1);
    expect(moment(standard, (value) => value ** 4)).toBeCloseTo(3, 1);
    expect(distance(standard, normalCdf)).toBeLessThan(bound);
  });

  it('truncated normal', () => {
    const values = draw('truncatedNormal', 0, 1);
    expect(values.every((value) => Math.abs(value) <= 2)).toBe(true);
    const [low, width] = [normalCdf(-2), normalCdf(2) - normalCdf(-2)];
    expect(distance(values, (value) => (normalCdf(value) - low) / width)).toBeLessThan(bound);
  });

  it('bernoulli', () => {
    expect(moment(draw('bernoulli', 0.3, 0), (value) => value)).toBeCloseTo(0.3, 2);
    expect(moment(draw('bernoulli', 0, 0), (value) => value)).toBe(0);
    expect(moment(draw('bernoulli', 1, 0), (value) => value)).toBe(1);
  });

  it('neighbouring elements and streams are uncorrelated', () => {
    const values = draw('uniform', -1, 1);
    const other = new Float64Array(n);
    fillRandom('uniform', other, 2025, 7, 0, 0, -1, 1);
    for (const shift of [1, 2, 4]) {
      const product = values.reduce((sum, value, i) => sum + value * (values[i + shift] ?? 0), 0);
      expect(Math.abs(product / n)).toBeLessThan(0.002);
    }
    const product = values.reduce((sum, value, i) => sum + value * other[i]!, 0);
    expect(Math.abs(product / n)).toBeLessThan(0.002);
  });

  it('integers cover their range evenly', () => {
    const out = new Int32Array(n);
    fillRandom('uniform', out, 3, 4, 0, 0, -3, 4);
    const counts = new Array<number>(7).fill(0);
    out.forEach((value) => counts[value + 3]!++);
    for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(1500);
    const wide = new Int32Array(n);
    fillRandom('uniform', wide, 3, 4, 0, 0, -(2 ** 31), 2 ** 31);
    expect(new Set(wide.subarray(0, 1000).map((value) => value & 0xff)).size).toBeGreaterThan(200);
  });
});
