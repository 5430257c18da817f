/**
 * Searches the learning rate of exercise 1: trains each candidate for some epochs from the same
 * seed
 * and compares validation loss. `npm run cifar10:search -- --epochs 15`
 */

import { datasets, seed, setDevice, setThreads } from 'gradloom';

import { showLoading } from './loading.js';
import { exerciseNet } from './model.js';
import { options } from './options.js';

const candidates = [1e-5, 2e-5, 3e-5, 5e-5, 7e-5, 1e-4, 2e-4, 5e-4, 1e-3];

const { values } = options(process.argv.slice(2));
if (values.device) setDevice(values.device);
if (values.threads) setThreads(values.threads);
const { train, validation } = await datasets.cifar10({
  validation: 5000,
  onProgress: showLoading(),
});

console.log('rate     best epoch   val_loss   val_accuracy there');
for (const rate of candidates) {
  seed(values.seed);
  const { history } = await exerciseNet(rate).fit(train.x, train.y, {
    epochs: values.epochs,
    batchSize: values.batchSize,
    validationData: [validation.x, validation.y],
    verbose: 'silent',
  });
  const losses = history['val_loss']!;
  const best = losses.indexOf(Math.min(...losses));
  const accuracy = history['val_accuracy']![best]!;
  console.log(
    `${rate.toExponential(0).padEnd(9)}${String(best + 1).padStart(10)}` +
      `${losses[best]!.toFixed(4).padStart(11)}${accuracy.toFixed(4).padStart(21)}`,
  );
}
