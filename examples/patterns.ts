/** Synthetic data of the examples: classes of noisy 64-number patterns that are made alike. */

import { Generator, normal, randint, tensor } from 'gradloom';
import type { Tensor } from 'gradloom';

export interface Patterns {
  /** [samples, 64] */
  readonly x: Tensor;
  /** [samples], places in the list of classes. */
  readonly y: Tensor;
}

const size = 64;
const causes = 6;
const classes = 20;
/** Each class comes in so many kinds, which lie anywhere: a few labels do not tell them all. */
const kinds = 3;

/**
 * Samples of some of twenty classes. Every class is a few points in a space of six hidden causes,
 * which one nonlinear picture-maker, the same for all classes, turns into 64 numbers with noise on
 * them: what is learned of it from some classes, or without labels, helps with others. Equal seeds
 * give equal samples.
 */
export function patterns(samples: number, of: readonly number[], seed: number): Patterns {
  const maker = new Generator(1000);
  const centers = normal([classes * kinds, causes], { generator: maker });
  const inner = normal([causes, 32], { std: 1.2, generator: maker });
  const outer = normal([32, size], { std: 0.4, generator: maker });
  const own = new Generator(seed);
  const picks = randint([samples], { high: of.length, generator: own }).dataSync();
  const kind = randint([samples], { high: kinds, generator: own }).dataSync();
  const rows = Int32Array.from(picks, (pick, i) => of[pick]! * kinds + kind[i]!);
  const hidden = centers
    .gather(tensor(rows))
    .add(normal([samples, causes], { std: 0.2, generator: own }));
  const clean = hidden.matmul(inner).tanh().matmul(outer);
  const noise = normal([samples, size], { std: 1.2, generator: own });
  return { x: clean.add(noise), y: tensor(Int32Array.from(picks)) };
}

/** The middle one of several numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A share as a percentage. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
