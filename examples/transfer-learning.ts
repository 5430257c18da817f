/**
 * Transfer learning: a net trained on sixteen classes is reused for four others of which there are
 * only a few samples. Its lower layers are copied and frozen under new upper ones, then unfrozen
 * and trained gently. Beside it a net of the same size is trained on the few samples from scratch,
 * for as many steps.
 *
 *     npx tsx examples/transfer-learning.ts
 */

import { pathToFileURL } from 'node:url';

import { layers, optimizers, seed, Sequential } from 'gradloom';

import { median, patterns, percent } from './patterns.js';

const quiet = { verbose: 'silent' } as const;
const known = Array.from({ length: 16 }, (_, i) => i);
const others = [16, 17, 18, 19];

const hidden = (units: number, name: string): layers.Dense =>
  new layers.Dense(units, { activation: 'elu', kernelInitializer: 'heNormal', name });

/** A net for a number of classes: four hidden layers and a head. */
const netOf = (classes: number): Sequential =>
  new Sequential([
    new layers.Input([64]),
    hidden(100, 'first'),
    hidden(50, 'second'),
    hidden(50, 'third'),
    hidden(50, 'fourth'),
    new layers.Dense(classes, { activation: 'softmax', name: 'head' }),
  ]);

const compile = (model: Sequential, learningRate = 1e-3): Sequential =>
  model.compile({
    optimizer: new optimizers.Nadam({ learningRate }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });

/** Test accuracies on the four classes. */
export interface Transfer {
  readonly scratch: number;
  /** With the lower layers frozen. */
  readonly frozen: number;
  /** After all of it was trained. */
  readonly tuned: number;
}

/** The whole story with data and first weights of one seed. */
export async function transfer(chosen: number): Promise<Transfer> {
  seed(chosen);
  // Task A: sixteen classes with plenty of samples.
  const many = patterns(6000, known, 10 * chosen + 1);
  const modelA = compile(netOf(known.length));
  await modelA.fit(many.x, many.y, { ...quiet, epochs: 10 });

  // Task B: four other classes, 48 samples in all.
  const few = patterns(48, others, 10 * chosen + 2);
  const test = patterns(2000, others, 10 * chosen + 3);
  const train = (model: Sequential, epochs: number): Promise<unknown> =>
    model.fit(few.x, few.y, { ...quiet, epochs, batchSize: 16 });
  const accuracy = async (model: Sequential): Promise<number> =>
    (await model.evaluate(test.x, test.y))['accuracy']!;

  const fresh = compile(netOf(others.length));
  await train(fresh, 80);
  const scratch = await accuracy(fresh);

  // A copy, so that training it leaves model A alone; sharing modelA.layers would not. The upper
  // layers know most of task A and least of what B has in common with it.
  const modelB = modelA.clone();
  modelB.pop();
  modelB.replace('fourth', hidden(50, 'new_fourth'));
  modelB.add(new layers.Dense(others.length, { activation: 'softmax', name: 'new_head' }));
  const reused = ['first', 'second', 'third'].map((name) => modelB.getLayer(name));
  for (const layer of reused) layer.trainable = false;
  compile(modelB);
  await train(modelB, 40);
  const frozen = await accuracy(modelB);

  // Freezing and unfreezing take effect at the next step; a lower rate keeps what was learned.
  for (const layer of reused) layer.trainable = true;
  modelB.optimizer.learningRate = 3e-4;
  await train(modelB, 40);
  return { scratch, frozen, tuned: await accuracy(modelB) };
}

/** Runs it for several seeds and prints the medians. */
export async function main(seeds: readonly number[] = [1, 2, 3, 4, 5]): Promise<Transfer> {
  const runs: Transfer[] = [];
  for (const each of seeds) runs.push(await transfer(each));
  const middle = (key: keyof Transfer): number => median(runs.map((run) => run[key]));
  const result = { scratch: middle('scratch'), frozen: middle('frozen'), tuned: middle('tuned') };
  const list = (key: keyof Transfer): string => runs.map((run) => percent(run[key])).join(', ');
  console.log(`48 samples of 4 classes, medians of ${runs.length} seeds (each):`);
  console.log(`from scratch                ${percent(result.scratch)} (${list('scratch')})`);
  console.log(`lower layers reused, frozen ${percent(result.frozen)} (${list('frozen')})`);
  console.log(`then unfrozen, fine-tuned   ${percent(result.tuned)} (${list('tuned')})`);
  return result;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
