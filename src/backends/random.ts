/**
 * Random numbers: the exact specification that every backend follows, and its JavaScript.
 *
 * Stream. Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3,
 * SC'11) with the key (key0, key1). Element i of an array is word i mod 4 of the block whose
 * 128-bit counter is (low(c), high(c), 0, 0), lowest word first, with the 64-bit
 * c = counter1 * 2^32 + counter0 + floor(i / 4), modulo 2^64.
 *
 * Distributions of a word w (0 ≤ w < 2^32) with parameters p, q. Everything is IEEE double, each
 * operation rounded once (no fused multiply-add), and the result is rounded once on store.
 *   u               = (w >>> 8) · 2^-24, which float32 holds exactly
 *   v               = w · 2^-32, all bits, for outputs that can hold them
 *   uniform         float32: p + u·(q − p);  float64: p + v·(q − p);
 *                   int32: p + floor(v·(q − p)), for integers p < q
 *   normal          p + q·N(t), t = (w + 0.5)·2^-32 − 0.5, N as {@link normalQuantile}
 *   truncatedNormal p + q·N(t·0.9544997361036416), the same t: within two deviations
 *   bernoulli       u < p ? 1 : 0
 *   dropout         u ≥ rate ? a·x + b : c, where a·x + b may be computed in x's own precision
 */

import type { Distribution, HostArray } from './backend.js';

/** Multipliers of the two halves of a block (Philox M4x32). */
const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
/** What the key words grow by each round: the golden ratio and sqrt(3) − 1, times 2^32. */
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16);
  const cross = Math.imul(aLow, bHigh) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/** One block of Philox 4x32-10: writes the four words of counter (c0, c1, c2, c3) at `at`. */
export function philoxBlock(
  words: Uint32Array,
  at: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
): void {
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2);
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 = (key0 + weyl0) | 0;
    key1 = (key1 + weyl1) | 0;
  }
  words[at] = c0;
  words[at + 1] = c1;
  words[at + 2] = c2;
  words[at + 3] = c3;
}

/**
 * The first `count` words of the stream (key0, key1) from the block of the 64-bit counter
 * (counter1, counter0). `words` has room for `count` rounded up to a multiple of four.
 */
export function philoxWords(
  words: Uint32Array,
  count: number,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): void {
  for (let at = 0; at < count; at += 4) {
    const low = (counter0 >>> 0) + at / 4;
    const high = counter1 + Math.floor(low / 2 ** 32);
    philoxBlock(words, at, low | 0, high | 0, 0, 0, key0 | 0, key1 | 0);
  }
}

const ln2 = 0.6931471805599453;
const sqrtHalf = 0.7071067811865476;

/**
 * Natural logarithm for 2^-33 ≤ x < 1, to about an ulp, of operations that every machine rounds
 * alike (Math.log is not). x is scaled by powers of two into [sqrt(1/2), sqrt(2)); there
 * log m = 2·atanh(s) with s = (m − 1)/(m + 1), |s| < 0.172, as s·(2 + 2s²/3 + … + 2s^22/23), whose
 * next term is below 2^-60 of the sum. The Horner form starts at the highest power.
 */
export function exactLog(x: number): number {
  let m = x;
  let exponent = 0;
  if (m < 2 ** -16) {
    m *= 2 ** 16;
    exponent -= 16;
  }
  if (m < 2 ** -8) {
    m *= 2 ** 8;
    exponent -= 8;
  }
  if (m < 2 ** -4) {
    m *= 2 ** 4;
    exponent -= 4;
  }
  if (m < 2 ** -2) {
    m *= 2 ** 2;
    exponent -= 2;
  }
  if (m < 0.5) {
    m *= 2;
    exponent -= 1;
  }
  if (m < 0.5) {
    m *= 2;
    exponent -= 1;
  }
  if (m < sqrtHalf) {
    m *= 2;
    exponent -= 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum = 2 / 23;
  sum = sum * z + 2 / 21;
  sum = sum * z + 2 / 19;
  sum = sum * z + 2 / 17;
  sum = sum * z + 2 / 15;
  sum = sum * z + 2 / 13;
  sum = sum * z + 2 / 11;
  sum = sum * z + 2 / 9;
  sum = sum * z + 2 / 7;
  sum = sum * z + 2 / 5;
  sum = sum * z + 2 / 3;
  sum = sum * z + 2;
  return exponent * ln2 + s * sum;
}

/**
 * The standard normal's quantile at probability 1/2 + t, for |t| ≤ 1/2 − 2^-33: Wichura's PPND16
 * (Algorithm AS 241, Applied Statistics 37, 1988, 477-484), relative error about 1e-16. Its third
 * region, probabilities below e^-25, cannot occur: 2^-33 is the smallest one here.
 */
export function normalQuantile(t: number): number {
  const distance = t < 0 ? -t : t;
  if (distance <= 0.425) {
    const r = 0.180625 - t * t; // 0.425² − t²
    let above = 2.509080928730122673e3;
    above = above * r + 3.343057558358812811e4;
    above = above * r + 6.726577092700870085e4;
    above = above * r + 4.592195393154987146e4;
    above = above * r + 1.373169376550946113e4;
    above = above * r + 1.971590950306551443e3;
    above = above * r + 1.331416678917843775e2;
    above = above * r + 3.387132872796366608;
    let below = 5.226495278852854561e3;
    below = below * r + 2.872908573572194267e4;
    below = below * r + 3.930789580009271061e4;
    below = below * r + 2.121379430158659587e4;
    below = below * r + 5.394196021424751108e3;
    below = below * r + 6.871870074920579083e2;
    below = below * r + 4.231333070160091125e1;
    below = below * r + 1;
    return (t * above) / below;
  }
  const r = Math.sqrt(-exactLog(0.5 - distance)) - 1.6;
  let above = 7.7454501427834140764e-4;
  above = above * r + 2.27238449892691845833e-2;
  above = above * r + 2.4178072517745061177e-1;
  above = above * r + 1.27045825245236838258;
  above = above * r + 3.64784832476320460504;
  above = above * r + 5.7694972214606914055;
  above = above * r + 4.6303378461565452959;
  above = above * r + 1.42343711074968357734;
  let below = 1.05075007164441684324e-9;
  below = below * r + 5.475938084995344946e-4;
  below = below * r + 1.51986665636164571966e-2;
  below = below * r + 1.4810397642748007459e-1;
  below = below * r + 6.8976733498510000455e-1;
  below = below * r + 1.6763848301838038494;
  below = below * r + 2.05319162663775882187;
  below = below * r + 1;
  const value = above / below;
  return t < 0 ? -value : value;
}

/** Probability of lying within two deviations of the mean, Φ(2) − Φ(−2) = erf(sqrt(2)). */
const withinTwo = 0.9544997361036416;

type Transform = (values: Float64Array, words: Uint32Array, p: number, q: number) => void;

const uniform: Transform = (values, words, p, q) => {
  for (let i = 0; i < values.length; i++) values[i] = p + (words[i]! >>> 8) * 2 ** -24 * (q - p);
};

const uniformFine: Transform = (values, words, p, q) => {
  for (let i = 0; i < values.length; i++) values[i] = p + words[i]! * 2 ** -32 * (q - p);
};

const uniformInteger: Transform = (values, words, p, q) => {
  for (let i = 0; i < values.length; i++) {
    values[i] = p + Math.floor(words[i]! * 2 ** -32 * (q - p));
  }
};

const normal: Transform = (values, words, p, q) => {
  for (let i = 0; i < values.length; i++) {
    values[i] = p + q * normalQuantile((words[i]! + 0.5) * 2 ** -32 - 0.5);
  }
};

const truncatedNormal: Transform = (values, words, p, q) => {
  for (let i = 0; i < values.length; i++) {
    values[i] = p + q * normalQuantile(((words[i]! + 0.5) * 2 ** -32 - 0.5) * withinTwo);
  }
};

const bernoulli: Transform = (values, words, p) => {
  for (let i = 0; i < values.length; i++) values[i] = (words[i]! >>> 8) * 2 ** -24 < p ? 1 : 0;
};

function transformFor(distribution: Distribution, out: HostArray): Transform {
  switch (distribution) {
    case 'uniform':
      if (out instanceof Int32Array) return uniformInteger;
      return out instanceof Float32Array ? uniform : uniformFine;
    case 'normal':
      return normal;
    case 'truncatedNormal':
      return truncatedNormal;
    case 'bernoulli':
      return bernoulli;
    default:
      return distribution satisfies never;
  }
}

/** Words made at a time: small enough for the first-level cache. */
const chunkSize = 1024;
const words = new Uint32Array(chunkSize);
const values = new Float64Array(chunkSize);

/** Words of elements start … start + count of a stream into `words`. */
function chunkWords(
  start: number,
  count: number,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): void {
  const low = (counter0 >>> 0) + start / 4;
  philoxWords(words, count, key0, key1, low % 2 ** 32, counter1 + Math.floor(low / 2 ** 32));
}

/** Fills `out`, whatever its dtype, with the elements of a stream (see the head of this file). */
export function fillRandom(
  distribution: Distribution,
  out: HostArray,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  p: number,
  q: number,
): void {
  const transform = transformFor(distribution, out);
  for (let start = 0; start < out.length; start += chunkSize) {
    const count = Math.min(chunkSize, out.length - start);
    chunkWords(start, count, key0, key1, counter0, counter1);
    const chunk = count === chunkSize ? values : values.subarray(0, count);
    transform(chunk, words, p, q);
    out.set(chunk, start);
  }
}

/** See `dropout` in backend.ts and the head of this file. */
export function dropout(
  out: HostArray,
  x: HostArray,
  rate: number,
  a: number,
  b: number,
  c: number,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): void {
  for (let start = 0; start < out.length; start += chunkSize) {
    const count = Math.min(chunkSize, out.length - start);
    chunkWords(start, count, key0, key1, counter0, counter1);
    for (let i = 0; i < count; i++) {
      const kept = (words[i]! >>> 8) * 2 ** -24 >= rate;
      out[start + i] = kept ? a * x[start + i]! + b : c;
    }
  }
}
