/**
 * Exercise 1 of the chapter "Training Deep Neural Networks" on CIFAR-10: 20 hidden layers of 100
 * ELU neurons with He initialization, Nadam, early stopping on 5,000 held-back images.
 *
 *     npm run cifar10 -- --epochs 20 --seed 1
 */

import {
  callbacks,
  datasets,
  device,
  GradloomError,
  seed,
  setDevice,
  setThreads,
  threads,
} from 'gradloom';

import { drawCurves } from './chart.js';
import { exerciseNet } from './model.js';
import { options } from './options.js';
import { showLoading } from './loading.js';

async function main(): Promise<void> {
  const { values, help } = options(process.argv.slice(2));
  if (help) {
    process.stdout.write(help);
    return;
  }
  if (values.device) setDevice(values.device);
  if (values.threads) setThreads(values.threads);
  seed(values.seed);

  const interrupt = stopOnInterrupt();
  const data = await datasets.cifar10({
    validation: 5000,
    onProgress: showLoading(),
    signal: interrupt,
  });
  const [x, y] = [data.train.x, data.train.y].map((each) =>
    values.limit ? each.slice([0, Math.min(values.limit, each.shape[0]!)]) : each,
  ) as [typeof data.train.x, typeof data.train.y];

  const model = exerciseNet(values.learningRate);
  console.log(
    `${model.layers.length} layers, ${model.countParameters().toLocaleString('en')} parameters, ` +
      `${x.shape[0]!.toLocaleString('en')} images; device ${device()}, ${threads()} threads; ` +
      `Nadam ${values.learningRate}, batch ${values.batchSize}, seed ${values.seed}`,
  );

  const stopping = new callbacks.EarlyStopping({
    patience: values.patience,
    restoreBestWeights: true,
  });
  const began = performance.now();
  const { history, epochs } = await model.fit(x, y, {
    epochs: values.epochs,
    batchSize: values.batchSize,
    validationData: [data.validation.x, data.validation.y],
    callbacks: [stopping],
    signal: interrupt,
  });
  const seconds = (performance.now() - began) / 1000;

  if (interrupt.aborted) console.log('interrupted: going on with the best weights so far');
  const series = { loss: history['loss'] ?? [], val_loss: history['val_loss'] ?? [] };
  if (epochs.length > 1) console.log(drawCurves(series));
  const validation = await model.evaluate(data.validation.x, data.validation.y);
  const test = await model.evaluate(data.test.x, data.test.y);
  const show = (each: Record<string, number>): string =>
    `accuracy ${each['accuracy']!.toFixed(4)}, loss ${each['loss']!.toFixed(4)}`;
  const best = stopping.bestEpoch >= 0 ? `, best was epoch ${stopping.bestEpoch + 1}` : '';
  console.log(`trained ${epochs.length} epochs in ${seconds.toFixed(1)} s${best}`);
  console.log(`validation: ${show(validation)}`);
  console.log(`test:       ${show(test)}`);
  console.log(`peak memory of the process: ${(peakResident() / 1e6).toFixed(0)} MB`);
}

/** The first Ctrl-C ends training after the current step, the second ends the process. */
function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort();
    process.stderr.write('\nstopping after this step; Ctrl-C again to quit at once\n');
  });
  return controller.signal;
}

const peakResident = (): number => process.resourceUsage().maxRSS * 1024;

main().catch((error: unknown) => {
  // Our own errors say what to do; a stack would only bury it.
  if (error instanceof GradloomError) console.error(`${error.name}: ${error.message}`);
  else if ((error as Error).name === 'AbortError') console.error('stopped');
  else console.error(error);
  process.exitCode = 1;
});
