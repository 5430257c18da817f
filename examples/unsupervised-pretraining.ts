/**
 * Unsupervised pre-training: with many samples but few labels, denoising autoencoders are trained
 * one on top of another to describe the samples, and their encoders become the lower layers of a
 * classifier. Beside it the same classifier is trained on the labels from scratch, for as many
 * steps.
 *
 *     npx tsx examples/unsupervised-pretraining.ts
 */

import { pathToFileURL } from 'node:url';

import { layers, optimizers, seed, Sequential } from 'gradloom';
import type { Tensor } from 'gradloom';

import { median, patterns, percent } from './patterns.js';

const quiet = { verbose: 'silent' } as const;
const classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const units = [64, 12];

const encoder = (outputs: number, inputs: number): layers.Dense =>
  new layers.Dense(outputs, {
    activation: 'elu',
    kernelInitializer: 'heNormal',
    inputShape: [inputs],
  });

/** Trains an encoder to keep what a decoder needs; returns it and what it makes of x. */
async function pretrain(
  outputs: number,
  x: Tensor,
): Promise<{ layer: layers.Dense; codes: Tensor }> {
  const inputs = x.shape[1]!;
  const layer = encoder(outputs, inputs);
  const autoencoder = new Sequential([
    new layers.GaussianNoise(1, { inputShape: [inputs] }),
    layer,
    new layers.Dense(inputs),
  ]);
  autoencoder.compile({ optimizer: new optimizers.Nadam(), loss: 'mse' });
  await autoencoder.fit(x, x, { ...quiet, epochs: 15 });
  return { layer, codes: await new Sequential([layer]).predict(x) };
}

/** Test accuracies of the classifier. */
export interface Pretraining {
  readonly scratch: number;
  readonly pretrained: number;
}

/** The whole story with data and first weights of one seed. */
export async function compare(chosen: number): Promise<Pretraining> {
  seed(chosen);
  const unlabelled = patterns(6000, classes, 10 * chosen + 5).x;
  const labelled = patterns(60, classes, 10 * chosen + 6);
  const test = patterns(2000, classes, 10 * chosen + 7);
  const withHead = (lower: readonly layers.Dense[]): Sequential =>
    new Sequential([...lower, new layers.Dense(classes.length, { activation: 'softmax' })]);
  const train = (model: Sequential, learningRate: number, epochs: number): Promise<unknown> =>
    model
      .compile({
        optimizer: new optimizers.Nadam({ learningRate }),
        loss: 'sparseCategoricalCrossentropy',
        metrics: ['accuracy'],
      })
      .fit(labelled.x, labelled.y, { ...quiet, epochs });
  const accuracy = async (model: Sequential): Promise<number> =>
    (await model.evaluate(test.x, test.y))['accuracy']!;

  const fresh = withHead(units.map((each, i) => encoder(each, units[i - 1] ?? 64)));
  await train(fresh, 1e-3, 250);

  const lower: layers.Dense[] = [];
  let codes: Tensor = unlabelled;
  for (const each of units) {
    const found = await pretrain(each, codes);
    lower.push(found.layer);
    codes = found.codes;
  }
  const model = withHead(lower);
  // The new head first: its random weights would spoil what the layers below have learned.
  for (const layer of lower) layer.trainable = false;
  await train(model, 5e-3, 150);
  for (const layer of lower) layer.trainable = true;
  await train(model, 1e-3, 100);
  return { scratch: await accuracy(fresh), pretrained: await accuracy(model) };
}

/** Runs it for several seeds and prints the medians. */
export async function main(seeds: readonly number[] = [1, 2, 3, 4, 5]): Promise<Pretraining> {
  const runs: Pretraining[] = [];
  for (const each of seeds) runs.push(await compare(each));
  const middle = (key: keyof Pretraining): number => median(runs.map((run) => run[key]));
  const result = { scratch: middle('scratch'), pretrained: middle('pretrained') };
  const list = (key: keyof Pretraining): string => runs.map((run) => percent(run[key])).join(', ');
  console.log(`60 labels, medians of ${runs.length} seeds (each):`);
  console.log(`from scratch ${percent(result.scratch)} (${list('scratch')})`);
  console.log(`pre-trained  ${percent(result.pretrained)} (${list('pretrained')})`);
  return result;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
