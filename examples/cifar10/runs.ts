/** All runs that were asked for, one after another; what was finished earlier is not repeated. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { datasets } from 'gradloom';

import { drawCurves } from './chart.js';
import { comparisonTable, summarize } from './comparison.js';
import { experimentNamed } from './experiments.js';
import type { Experiment } from './experiments.js';
import type { Values } from './options.js';
import { reportOf } from './report/index.js';
import { epochsOf, RunFolder, writeJSON } from './results.js';
import type { Result } from './results.js';
import { askAgain, checkpointName, settingsOf, train } from './running.js';

/**
 * Runs every experiment with every seed, prints how they compare, and writes `results.json` and
 * `report.html`. When the signal is aborted the run at hand ends, and stays to be gone on with.
 */
export async function runAll(
  values: Values,
  data: datasets.Cifar10Datasets,
  signal: AbortSignal,
): Promise<Result[]> {
  await mkdir(values.out, { recursive: true });
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
  if (results.length === 0) return results;
  console.log(`\n${comparisonTable(summarize(results))}`);
  const report = join(values.out, 'report.html');
  await writeFile(report, reportOf(results, { ...data.test, classNames: data.classNames }));
  console.log(`the report: ${report}`);
  return results;
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

/** The result of one run: as it was found, or of training now. */
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
  if (epochsOf(result) > 1) console.log(drawCurves({ loss, val_loss }));
  show(result);
  return result;
}

function show(result: Result): void {
  const { bestEpoch, validation, test } = result;
  if (bestEpoch) console.log(`trained ${epochsOf(result)} epochs, weights of epoch ${bestEpoch}`);
  for (const [name, each] of Object.entries({ validation, test })) {
    const { accuracy, loss } = each;
    console.log(
      `${`${name}:`.padEnd(11)} accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(4)}`,
    );
  }
}
