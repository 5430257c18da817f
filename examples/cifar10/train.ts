/**
 * The exercise of the chapter "Training Deep Neural Networks" on CIFAR-10: nets of 20 hidden layers
 * of 100 neurons, their learning rates, normalization, dropout and schedules compared.
 *
 *     npm run cifar10                                      the first one: ELU and He initialization
 *     npm run cifar10 -- --experiment all --seeds 1,2,3    all of them, with medians
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { datasets, device, GradloomError, setDevice, setThreads, threads } from 'gradloom';

import { drawCurves } from './chart.js';
import { comparisonTable, summarize } from './comparison.js';
import { experimentNamed } from './experiments.js';
import type { Experiment } from './experiments.js';
import { showLoading } from './loading.js';
import { options } from './options.js';
import type { Values } from './options.js';
import { reportOf } from './report/index.js';
import { RunFolder, writeJSON } from './results.js';
import type { Result } from './results.js';
import { askAgain, checkpointName, settingsOf, train } from './running.js';

async function main(): Promise<void> {
  const { values, help } = options(process.argv.slice(2));
  if (help) {
    process.stdout.write(help);
    return;
  }
  if (values.device) setDevice(values.device);
  if (values.threads) setThreads(values.threads);
  const signal = stopOnInterrupt();
  const data = await load(values, signal);
  const images = data.train.x.shape[0]!.toLocaleString('en');
  console.log(`${images} training images; device ${device()}, ${threads()} threads`);

  const results: Result[] = [];
  for (const each of planned(values)) {
    const result = await runOrReuse(each, values, data, signal);
    if (signal.aborted) {
      console.log('interrupted: the same command goes on from here');
      break;
    }
    results.push(result);
    await writeJSON(join(values.out, 'results.json'), results);
  }
  if (results.length > 0) {
    console.log(`\n${comparisonTable(summarize(results))}`);
    const report = join(values.out, 'report.html');
    const images = { ...data.test, classNames: data.classNames };
    await writeFile(report, reportOf(results, images));
    console.log(`the report: ${report}`);
  }
  console.log(`peak memory of the process: ${(peakResident() / 1e6).toFixed(0)} MB`);
}

/** The data, only so many training images of it as are wanted. */
async function load(values: Values, signal: AbortSignal): Promise<datasets.Cifar10Datasets> {
  await mkdir(values.out, { recursive: true });
  const onProgress = showLoading();
  const data = await datasets.cifar10({ validation: 5000, onProgress, signal });
  const { x, y } = data.train;
  const limit = Math.min(values.limit ?? Infinity, x.shape[0]!);
  return { ...data, train: { x: x.slice([0, limit]), y: y.slice([0, limit]) } };
}

/** One run: an experiment with a seed. */
interface Planned {
  readonly experiment: Experiment;
  readonly seed: number;
}

/** Seed by seed: an early end leaves a whole comparison. Nets that are asked again come first. */
function planned({ experiments, seeds }: Values): Planned[] {
  const wanted = experiments.flatMap((each) =>
    typeof each.recipe === 'string' ? [experimentNamed(each.recipe), each] : [each],
  );
  return seeds.flatMap((seed) => [...new Set(wanted)].map((experiment) => ({ experiment, seed })));
}

async function runOrReuse(
  { experiment, seed }: Planned,
  values: Values,
  data: datasets.Cifar10Datasets,
  signal: AbortSignal,
): Promise<Result> {
  const folderOf = (of: Experiment): RunFolder =>
    new RunFolder(
      join(values.out, `${of.name}-${seed}${values.suffix}`),
      settingsOf(of, seed, values, data),
    );
  const folder = folderOf(experiment);
  console.log(`\n${experiment.name}, seed ${seed}: ${experiment.about} (${folder.path})`);
  const earlier = values.again ? null : await folder.result();
  if (earlier) {
    console.log('finished earlier; --again trains it once more');
    show(earlier);
    return earlier;
  }
  await folder.prepare(values.again);
  const { recipe } = experiment;
  const result =
    typeof recipe === 'string'
      ? await askAgain(
          folderOf(experimentNamed(recipe)).file(checkpointName),
          folder.settings,
          data,
        )
      : await train(recipe, folder, data, signal);
  if (!signal.aborted) await folder.finish(result);
  const { loss = [], val_loss = [] } = result.history;
  if (loss.length > 1) console.log(drawCurves({ loss, val_loss }));
  show(result);
  return result;
}

function show({ bestEpoch, history, validation, test }: Result): void {
  if (bestEpoch) {
    const epochs = history['loss']?.length ?? 0;
    console.log(`trained ${epochs} epochs, weights of epoch ${bestEpoch}`);
  }
  for (const [name, each] of Object.entries({ validation, test })) {
    const { accuracy, loss } = each;
    console.log(
      `${`${name}:`.padEnd(11)} accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(4)}`,
    );
  }
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
