/**
 * The exercise of the chapter "Training Deep Neural Networks" on CIFAR-10: nets of 20 hidden layers
 * of 100 neurons, their learning rates, normalization, dropout and schedules compared.
 *
 *     npm run cifar10                                      the first one: ELU and He initialization
 *     npm run cifar10 -- --experiment all --seeds 1,2,3    all of them, with medians
 */

import { device, GradloomError, setDevice, setThreads, threads } from 'gradloom';

import { loadData } from './loading.js';
import { options } from './options.js';
import { runAll } from './runs.js';

async function main(): Promise<void> {
  const { values, help } = options(process.argv.slice(2));
  if (help) {
    process.stdout.write(help);
    return;
  }
  if (values.device) setDevice(values.device);
  if (values.threads) setThreads(values.threads);
  const signal = stopOnInterrupt();
  const data = await loadData(values.limit, signal);
  const images = data.train.x.shape[0]!.toLocaleString('en');
  console.log(`${images} training images; device ${device()}, ${threads()} threads`);

  await runAll(values, data, signal);
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
