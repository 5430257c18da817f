/**
 * Measures gradloom beside its peers: every contestant that can run here, taking turns; medians
 * with their spread, the targets, the limits of the machine.
 *
 *     npm run bench                                     everything, in a quarter of an hour
 *     npm run bench -- --quick --only step,matmul       a short run of two suites
 *     npm run bench -- --compare old.json               what changed
 *     npm run bench -- --markdown                       and write the tables of the documentation
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { cacheDirectory } from '../src/data/cache-directory.js';
import { suitesOf } from './cases.js';
import type { Suite } from './cases.js';
import { compareText } from './compare.js';
import { checkCompiled, contestantOf, labelOf } from './contestants.js';
import type { ContestantName } from './contestants.js';
import type { Contestant } from './contestant.js';
import { Cores } from './cores.js';
import { writeDocumentation } from './markdown.js';
import { measureSuite } from './measure.js';
import { helpText, readOptions, usualMinutes } from './options.js';
import type { Options } from './options.js';
import { busyShare, busyWarning, freeText, loadReport, saveReport, thisMachine } from './report.js';
import type { Report, Result } from './report.js';
import { compileRoofline, measureRoofline } from './roofline.js';
import type { Roofline } from './roofline.js';
import { suiteTable } from './table.js';
import { targetRows, targetTable } from './targets.js';

type Suites = Readonly<Record<string, Suite>>;

/** The folder of CIFAR-10's files, if the dataset has been fetched. */
function cachedData(): string | null {
  const folder = join(cacheDirectory(), 'cifar10');
  return existsSync(join(folder, 'data_batch_5.bin')) ? folder : null;
}

/** One moving line on a terminal; elsewhere, where a line per case would be noise, none. */
function progress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${message.slice(0, 100)}`);
}

const clearLine = (): void => progress('');

/** Share of a run that may be spent on waiting for free cores and measuring again. */
const spareShare = 0.35;

/** What needs a C compiler: the limits of the machine, and who watches its cores. */
async function knowMachine(
  options: Options,
): Promise<{ readonly roofline: Report['roofline']; readonly cores: Cores | null }> {
  let program: string;
  let roofline: Roofline;
  try {
    program = await compileRoofline();
    roofline = await measureRoofline(program, options.quick ? 0.1 : 0.3);
  } catch (error) {
    return { roofline: { reason: (error as Error).message.split('\n')[0]! }, cores: null };
  }
  const cores = Cores.watchedBy(program, spareShare * 60_000 * options.minutes);
  await cores.learn();
  return { roofline, cores };
}

/** Runs the suites, keeping what is known in the file all the time. */
async function measure(options: Options, suites: Suites): Promise<Report> {
  checkCompiled();
  const began = Date.now();
  const busy = await busyShare();
  const warning = busyWarning(busy);
  if (warning) console.error(`warning: ${warning}`);
  progress('limits of the machine');
  const { roofline, cores } = await knowMachine(options);
  const all = options.contestants.map((name) => [name, contestantOf(name)] as const);
  const contestants = new Map<ContestantName, Contestant>(all);
  const found = new Map<string, readonly Result[]>();
  const report = (): Report => ({
    format: 1,
    date: new Date().toISOString().slice(0, 10),
    quick: options.quick,
    busy,
    ...(cores && { free: cores.freeShare }),
    realData: cachedData() !== null,
    machine: thisMachine(),
    versions: Object.fromEntries(
      all.filter(([, each]) => each.version).map(([name, each]) => [name, each.version]),
    ),
    absent: Object.fromEntries(
      all.flatMap(([name, each]) => (each.absent === undefined ? [] : [[name, each.absent]])),
    ),
    roofline,
    results: [...found.values()].flat(),
    seconds: Math.round((Date.now() - began) / 1000),
  });
  const endAll = (): void => {
    cores?.end();
    contestants.forEach((each) => each.end());
  };
  const interrupted = (): void => {
    endAll();
    clearLine();
    console.error(`interrupted; what was measured is in ${options.out}`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    for (const key of options.suites) {
      if (!process.stderr.isTTY) console.error(`${key} …`);
      const results = await measureSuite(key, suites[key]!, {
        contestants,
        cores,
        quick: options.quick,
        rounds: options.rounds,
        patience: options.minutes / usualMinutes(options.quick),
        deadline: began + 60_000 * options.minutes,
        progress,
        found: (partial) => {
          found.set(key, partial);
          saveReport(options.out, report());
        },
      });
      found.set(key, results);
      clearLine();
      console.log(suiteTable(key, suites[key]!, report()));
    }
  } finally {
    endAll();
  }
  return report();
}

function showMachine(report: Report): void {
  const { machine, versions, absent, roofline, seconds, busy } = report;
  const { processor, cores, memoryGB, system, node } = machine;
  console.log(`${processor}, ${cores} cores, ${memoryGB} GB, ${system}, Node.js ${node}`);
  for (const [name, version] of Object.entries(versions)) {
    console.log(`  ${labelOf(name).padEnd(26)}${version}`);
  }
  for (const [name, reason] of Object.entries(absent)) {
    console.log(`  ${labelOf(name).padEnd(26)}absent: ${reason}`);
  }
  if ('reason' in roofline) console.log(`  limits of the machine: absent: ${roofline.reason}`);
  const warning = busyWarning(busy);
  const said = [warning, freeText(report)].filter((each) => each !== undefined);
  console.log(`${[`measured in ${seconds} s`, ...said].join('; ')}\n`);
}

async function main(): Promise<void> {
  const surroundings = { data: cachedData(), quick: process.argv.includes('--quick') };
  const suites = suitesOf(surroundings);
  const options = readOptions(process.argv.slice(2), Object.keys(suites));
  if (options.help) {
    process.stdout.write(helpText(Object.keys(suites)));
    return;
  }
  // Read before measuring: a wrong path should not cost a whole run.
  const before = options.compare === undefined ? undefined : loadReport(options.compare);
  const report = options.from ? loadReport(options.from) : await measure(options, suites);
  if (!options.from) saveReport(options.out, report);
  const shown = suitesOf({ ...surroundings, quick: report.quick });
  if (options.from) {
    for (const [key, suite] of Object.entries(shown)) {
      if (report.results.some((each) => each.suite === key)) {
        console.log(suiteTable(key, suite, report));
      }
    }
  }
  showMachine(report);
  console.log(targetTable(targetRows(report, shown)));
  if (!options.from) console.log(`\nresults: ${options.out}`);
  if (before) console.log(`\n${compareText(before, report)}`);
  if (options.markdown) console.log(await writeDocumentation(report, shown));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error: unknown) => {
    clearLine();
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
