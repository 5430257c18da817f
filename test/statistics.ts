/** Samples against samples: whether two could be draws from one distribution. */

import { expect } from 'vitest';

/** What the scripts in test/golden keep of a sample. */
export interface Statistics {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
  /** Fourth central moment over the squared variance; 0 for constants. */
  readonly kurtosis: number;
  readonly smallest: number;
  readonly largest: number;
}

export function statisticsOf(values: ArrayLike<number>): Statistics {
  const about = (power: number, from: number): number => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += (values[i]! - from) ** power;
    return sum / values.length;
  };
  const mean = about(1, 0);
  const variance = about(2, mean);
  let [smallest, largest] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    smallest = Math.min(smallest, values[i]!);
    largest = Math.max(largest, values[i]!);
  }
  const kurtosis = variance > 0 ? about(4, mean) / variance ** 2 : 0;
  return { count: values.length, mean, variance, kurtosis, smallest, largest };
}

/**
 * Expects moments within five standard errors of their difference, about one false alarm in a
 * million, and the same bounds.
 * @param draws independent values in each sample, where they are fewer than `count`
 */
export function expectSameDistribution(
  got: Statistics,
  wanted: Statistics,
  draws = wanted.count,
): void {
  const deviation = Math.sqrt(wanted.variance);
  const near = (key: 'mean' | 'variance' | 'kurtosis', error: number, floor = 1e-6): void => {
    const allowed = 5 * error * Math.sqrt(2 / draws) + floor * Math.max(1, Math.abs(wanted[key]));
    const text = `${key} ${got[key]} is not ${wanted[key]} ± ${allowed}`;
    expect(Math.abs(got[key] - wanted[key]), text).toBeLessThanOrEqual(allowed);
  };
  near('mean', deviation);
  if (deviation < 1e-6) {
    // A constant: Keras and we alike.
    expect(got.variance).toBeLessThan(1e-12);
    return;
  }
  near('variance', wanted.variance * Math.sqrt(wanted.kurtosis - 1), 1e-9);
  // Its own error grows with the eighth moment; this is that of a normal distribution, or more.
  near('kurtosis', Math.sqrt(24) * Math.max(1, wanted.kurtosis / 3) ** 2);
  // Light tails end at a bound, which large samples come close to.
  const bounded = wanted.kurtosis < 2.6;
  const margin = deviation * (bounded ? 0.02 : 1.2);
  for (const key of ['smallest', 'largest'] as const) {
    const text = `${key} ${got[key]} is not ${wanted[key]} ± ${margin}`;
    expect(Math.abs(got[key] - wanted[key]), text).toBeLessThanOrEqual(margin);
  }
}
