/**
 * Transfer learning: a net trained on six classes is reused for four others of which there are only
 * a few samples. Its lower layers are copied and frozen under a new head, then unfrozen for a few
 * gentle steps.
 *
 *     npx tsx examples/transfer-learning.ts
 */

import { layers, optimizers, seed, Sequential } from 'gradloom';

import { patterns } from './patterns.js';

seed(42);
const quiet = { verbose: 'silent' } as const;

/** A net for a number of classes: four hidden layers and a head. */
function netOf(classes: number): Sequential {
  return new Sequential([
    new layers.Dense(100, { activation: 'elu', kernelInitializer: 'heNormal', inputShape: [64] }),
    ...Array.from(
      { length: 3 },
      () => new layers.Dense(50, { activation: 'elu', kernelInitializer: 'heNormal' }),
    ),
    new layers.Dense(classes, { activation: 'softmax' }),
  ]);
}

const compile = (model: Sequential, learningRate: number): Sequential =>
  model.compile({
    optimizer: new optimizers.Nadam({ learningRate }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });

// Task A: six classes with plenty of samples.
const many = patterns(6000, [0, 1, 2, 3, 4, 5], 1);
const modelA = compile(netOf(6), 1e-3);
await modelA.fit(many.x, many.y, { ...quiet, epochs: 8 });

// Task B: four other classes, 40 samples in all.
const few = patterns(40, [6, 7, 8, 9], 2);
const test = patterns(2000, [6, 7, 8, 9], 3);
const accuracy = async (model: Sequential): Promise<string> => {
  const { accuracy: share } = await model.evaluate(test.x, test.y);
  return `${(100 * share!).toFixed(1)} %`;
};

const scratch = compile(netOf(4), 1e-3);
await scratch.fit(few.x, few.y, { ...quiet, epochs: 60, batchSize: 16 });
console.log(`from scratch:               ${await accuracy(scratch)}`);

// A copy, so that training it leaves model A alone; sharing modelA.layers would not.
const modelB = modelA.clone();
modelB.pop();
modelB.add(new layers.Dense(4, { activation: 'softmax', name: 'new_head' }));
for (const layer of modelB.layers.slice(0, -1)) layer.trainable = false;
compile(modelB, 3e-3);
await modelB.fit(few.x, few.y, { ...quiet, epochs: 60, batchSize: 16 });
console.log(`lower layers reused, frozen: ${await accuracy(modelB)}`);

// Freezing and unfreezing take effect at the next step; a lower rate keeps what was learned.
for (const layer of modelB.layers) layer.trainable = true;
modelB.optimizer.learningRate = 1e-4;
await modelB.fit(few.x, few.y, { ...quiet, epochs: 30, batchSize: 16 });
console.log(`then unfrozen, fine-tuned:   ${await accuracy(modelB)}`);
