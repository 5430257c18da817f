/** The net of exercise 1. */

import { layers, optimizers, Sequential } from 'gradloom';

/** 32 x 32 x 3 pixels → 20 x Dense(100, ELU), He initialization → softmax over 10 classes. */
export function exerciseNet(learningRate: number): Sequential {
  const model = new Sequential([
    new layers.Flatten({ inputShape: [32, 32, 3] }),
    ...Array.from(
      { length: 20 },
      () => new layers.Dense(100, { activation: 'elu', kernelInitializer: 'heNormal' }),
    ),
    new layers.Dense(10, { activation: 'softmax' }),
  ]);
  return model.compile({
    optimizer: new optimizers.Nadam({ learningRate }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}
