/** The net of the exercise, and CIFAR-10 to train it on. */

import {
  callbacks,
  datasets,
  Generator,
  layers,
  optimizers,
  randint,
  seed,
  Sequential,
} from 'gradloom';
import type { Layer, Tensor } from 'gradloom';

export interface Shape {
  readonly depth: number;
  readonly width: number;
  readonly batchNorm?: boolean;
  /** Layers before the first Dense. */
  readonly first?: readonly Layer[];
}

/** depth x Dense(width, ELU, He) → 10, compiled with Nadam and accuracy. */
export function net({ depth, width, batchNorm = false, first = [] }: Shape): Sequential {
  seed(1);
  const hidden = Array.from({ length: depth }, () => [
    ...(batchNorm ? [new layers.BatchNormalization()] : []),
    new layers.Dense(width, { activation: 'elu', kernelInitializer: 'heNormal' }),
  ]).flat();
  const output = new layers.Dense(10, { activation: 'softmax' });
  return new Sequential([...first, ...hidden, output]).compile({
    optimizer: new optimizers.Nadam({ learningRate: 5e-5 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

export interface Images {
  readonly x: Tensor<'uint8'>;
  readonly y: Tensor<'uint8'>;
}

/** Training images; random ones where the dataset is not in the cache. */
export async function images(samples: number, cached: boolean): Promise<Images> {
  if (cached) {
    const { train } = await datasets.cifar10({ sources: [], validation: 5000 });
    const x = train.x.slice([0, samples]).reshape([samples, 3072]);
    return { x, y: train.y.slice([0, samples]) };
  }
  const [pixels, labels] = [new Generator(1), new Generator(2)];
  return {
    x: randint([samples, 3072], { high: 256, generator: pixels }).cast('uint8'),
    y: randint([samples], { high: 10, generator: labels }).cast('uint8'),
  };
}

/** Brings every pixel to mean 0 and deviation 1 over the images; their first layer. */
export const standardization = (x: Tensor): Layer => new layers.Normalization().adapt(x);

/** What a user hands to fit besides the data. */
export const usualCallbacks = (): callbacks.Callback[] => [
  new callbacks.EarlyStopping({ monitor: 'loss', patience: 20 }),
  new callbacks.TerminateOnNaN(),
];
