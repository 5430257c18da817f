/** Synthetic data of the examples: classes of noisy 64-number patterns that are made alike. */

import { Generator, normal, randint, tensor } from 'gradloom';
import type { Tensor } from 'gradloom';

export interface Patterns {
  /** [samples, 64] */
  readonly x: Tensor;
  /** [samples], class numbers. */
  readonly y: Tensor;
}

const size = 64;
const causes = 6;
const classes = 10;

/**
 * Samples of some of ten classes. Every class is a point in a space of six hidden causes, which one
 * nonlinear picture-maker, the same for all classes, turns into 64 numbers: what is learned of it
 * from some classes helps with others. Equal seeds give equal samples.
 */
export function patterns(samples: number, of: readonly number[], seed: number): Patterns {
  const maker = new Generator(1000);
  const centers = normal([classes, causes], { generator: maker });
  const inner = normal([causes, 32], { std: 1.2, generator: maker });
  const outer = normal([32, size], { std: 0.4, generator: maker });
  const own = new Generator(seed);
  const picks = randint([samples], { high: of.length, generator: own }).dataSync();
  const labels = Int32Array.from(picks, (pick) => of[pick]!);
  const hidden = centers
    .gather(tensor(labels))
    .add(normal([samples, causes], { std: 0.35, generator: own }));
  const clean = hidden.matmul(inner).tanh().matmul(outer);
  const noise = normal([samples, size], { std: 0.8, generator: own });
  return { x: clean.add(noise), y: tensor(Int32Array.from(picks)) };
}
