/** Medians, their spread, and how sure a difference is. */

export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = sort(values);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** Half the distance between the quartiles, relative to the median. */
export function spread(values: readonly number[]): number {
  const sorted = sort(values);
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / median(values);
}

/** Linear interpolation between the values of a sorted list. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

const sort = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/**
 * The probability that two samples of one distribution differ in rank at least so much: the
 * two-sided test of Mann and Whitney. Exact up to `exactLimit` pairs, the normal approximation with
 * its corrections for ties and continuity beyond.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  let u = 0;
  for (const x of a) for (const y of b) u += y > x ? 1 : y === x ? 0.5 : 0;
  const pairs = a.length * b.length;
  const extreme = Math.max(u, pairs - u);
  if (pairs <= exactLimit) return Math.min(1, 2 * upperTail(a.length, b.length, extreme));
  const n = a.length + b.length;
  const ties = tieSizes([...a, ...b]).reduce((sum, t) => sum + (t ** 3 - t), 0);
  const deviation = Math.sqrt((pairs / 12) * (n + 1 - ties / (n * (n - 1))));
  return deviation === 0 ? 1 : Math.min(1, 2 * normalTail((extreme - pairs / 2 - 0.5) / deviation));
}

const exactLimit = 400;

/** P(U ≥ u) for samples of n and m without ties, by counting all orders. */
function upperTail(n: number, m: number, u: number): number {
  // counts[i][s]: ways in which i values of the one sample, among those of the other, give U = s.
  const size = n * m + 1;
  const counts = Array.from({ length: n + 1 }, () => new Float64Array(size));
  counts[0]![0] = 1;
  for (let j = 1; j <= n + m; j++) {
    for (let i = Math.min(j, n); i >= 1; i--) {
      const above = j - i; // values of the other sample that this one exceeds
      if (above > m) continue;
      const [from, to] = [counts[i - 1]!, counts[i]!];
      for (let s = size - 1; s >= above; s--) to[s]! += from[s - above]!;
    }
  }
  const all = counts[n]!.reduce((sum, each) => sum + each, 0);
  let upper = 0;
  for (let s = Math.ceil(u); s < size; s++) upper += counts[n]![s]!;
  return upper / all;
}

function tieSizes(values: readonly number[]): number[] {
  const sizes = new Map<number, number>();
  for (const each of values) sizes.set(each, (sizes.get(each) ?? 0) + 1);
  return [...sizes.values()];
}

/** P(Z ≥ z) of the standard normal, to 1e-7 (Abramowitz and Stegun 26.2.17). */
function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = series.reduceRight((rest, each) => (rest + each) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/**
 * The interval in which the ratio of medians, after / before, lies with 95 % confidence, by drawing
 * both samples again many times (the percentile bootstrap). Draws are the same in every run.
 */
export function ratioInterval(
  before: readonly number[],
  after: readonly number[],
  draws = 2000,
): readonly [low: number, high: number] {
  const random = generator(1);
  const again = (values: readonly number[]): number[] =>
    values.map(() => values[Math.floor(random() * values.length)]!);
  const ratios = sort(
    Array.from({ length: draws }, () => median(again(after)) / median(again(before))),
  );
  return [quantile(ratios, 0.025), quantile(ratios, 0.975)];
}

/** Uniform numbers in [0, 1): mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
