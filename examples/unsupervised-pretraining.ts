/**
 * Unsupervised pre-training: with many samples but few labels, autoencoders are trained one on top
 * of another to describe the samples, and their encoders become the lower layers of a classifier.
 *
 *     npx tsx examples/unsupervised-pretraining.ts
 */

import { layers, optimizers, seed, Sequential } from 'gradloom';
import type { Tensor } from 'gradloom';

import { patterns } from './patterns.js';

seed(7);
const quiet = { verbose: 'silent' } as const;
const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const unlabelled = patterns(6000, all, 1).x;
const labelled = patterns(100, all, 2);
const test = patterns(2000, all, 3);

const encoder = (units: number, inputs: number): layers.Dense =>
  new layers.Dense(units, {
    activation: 'elu',
    kernelInitializer: 'heNormal',
    inputShape: [inputs],
  });

/** Trains an encoder to keep what a decoder needs; returns it and what it makes of x. */
async function pretrain(units: number, x: Tensor): Promise<{ layer: layers.Dense; codes: Tensor }> {
  const layer = encoder(units, x.shape[1]!);
  const autoencoder = new Sequential([
    new layers.GaussianNoise(0.3, { inputShape: [x.shape[1]!] }),
    layer,
    new layers.Dense(x.shape[1]!),
  ]);
  autoencoder.compile({ optimizer: new optimizers.Nadam(), loss: 'mse' });
  const { history } = await autoencoder.fit(x, x, { ...quiet, epochs: 8 });
  console.log(`autoencoder of ${units} units: loss ${history['loss']!.at(-1)!.toFixed(3)}`);
  const codes = await new Sequential([layer]).predict(x);
  return { layer, codes };
}

/** A classifier on top of two layers, trained on the labelled samples. */
async function classify(lower: layers.Dense[], frozen: boolean): Promise<string> {
  const model = new Sequential([...lower, new layers.Dense(10, { activation: 'softmax' })]);
  const compile = (learningRate: number): Sequential =>
    model.compile({
      optimizer: new optimizers.Nadam({ learningRate }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
  if (frozen) {
    for (const layer of lower) layer.trainable = false;
    await compile(3e-3).fit(labelled.x, labelled.y, { ...quiet, epochs: 60 });
    for (const layer of lower) layer.trainable = true;
    await compile(1e-4).fit(labelled.x, labelled.y, { ...quiet, epochs: 20 });
  } else await compile(1e-3).fit(labelled.x, labelled.y, { ...quiet, epochs: 80 });
  const { accuracy } = await model.evaluate(test.x, test.y);
  return `${(100 * accuracy!).toFixed(1)} %`;
}

const first = await pretrain(32, unlabelled);
const second = await pretrain(12, first.codes);
console.log(
  `100 labels, from scratch: ${await classify([encoder(32, 64), encoder(12, 32)], false)}`,
);
console.log(`100 labels, pre-trained:  ${await classify([first.layer, second.layer], true)}`);
