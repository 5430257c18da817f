/**
 * Searches the learning rate of an experiment: trains each candidate for some epochs from the same
 * seed and compares validation loss. The finder gives the neighbourhood in seconds, this the rate.
 *
 *     npm run cifar10:search -- --experiment selu --epochs 15
 */

import { findLearningRate, seed, setDevice, setThreads } from 'gradloom';
import type { datasets } from 'gradloom';

import { netOf, recipeOf } from './experiments.js';
import type { Recipe } from './experiments.js';
import { loadData } from './loading.js';
import { options } from './options.js';
import type { Values } from './options.js';

/** What each candidate is of the rate that the experiment has. */
const factors = [0.1, 0.2, 0.4, 0.7, 1, 1.4, 2, 4, 10];

async function searchRate(
  recipe: Recipe,
  values: Values,
  { train, validation }: datasets.Cifar10Datasets,
): Promise<void> {
  const batchSize = values.batchSize ?? recipe.batchSize;
  const net = (rate: number) => {
    seed(values.seeds[0]!);
    return netOf(recipe, rate, train.x);
  };
  console.log(`${(await findLearningRate(net(1), train.x, train.y, { batchSize })).toString()}\n`);
  console.log('rate     best epoch   val_loss   val_accuracy there');
  for (const factor of factors) {
    const rate = Number((factor * (values.learningRate ?? recipe.learningRate)).toPrecision(2));
    const { history } = await net(rate).fit(train.x, train.y, {
      batchSize,
      epochs: values.epochs ?? Math.min(15, recipe.epochs),
      validationData: validation,
      verbose: 'silent',
      callbacks: recipe.schedule ? [recipe.schedule(rate)] : [],
    });
    const losses = history['val_loss']!;
    const best = losses.indexOf(Math.min(...losses.filter(Number.isFinite)));
    if (best < 0) {
      console.log(`${rate.toExponential().padEnd(9)}  diverges`);
      continue;
    }
    const accuracy = history['val_accuracy']![best]!;
    console.log(
      `${rate.toExponential().padEnd(9)}${String(best + 1).padStart(10)}` +
        `${losses[best]!.toFixed(4).padStart(11)}${accuracy.toFixed(4).padStart(21)}`,
    );
  }
}

const { values, help } = options(process.argv.slice(2));
if (help) process.stdout.write(help);
else {
  if (values.device) setDevice(values.device);
  if (values.threads) setThreads(values.threads);
  const data = await loadData(values.limit);
  for (const experiment of values.experiments) {
    console.log(`\n${experiment.name}: ${experiment.about}`);
    await searchRate(recipeOf(experiment), values, data);
  }
}
