/**
 * Everything that can be tested on a GPU, in one command, with one report (Markdown and JSON):
 *
 *     npm run test:cuda                                all suites on the first GPU
 *     npm run test:cuda -- --device cuda:1             on another
 *     npm run test:cuda -- --device cuda-emulated      on the emulated one: tries this script
 *     npm run test:cuda -- --suites conformance,gradients --out FOLDER
 *     npm run test:cuda -- --alone                     not on js and cpu too, which npm test has
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { describeEnvironment, isEmulated, prepare, root, sanitizer } from './cuda-environment.js';
import type { Environment } from './cuda-environment.js';

interface Options {
  readonly device: string;
  /** Names of test files; empty: all that run on devices. */
  readonly suites: readonly string[];
  readonly out: string;
  readonly alone: boolean;
}

export interface Outcome {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'absent';
  readonly seconds: number;
  /** What was found, or why it is absent. */
  readonly text: string;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      device: { type: 'string', default: 'cuda' },
      suites: { type: 'string', default: '' },
      out: { type: 'string', default: join(root, 'runs', 'cuda') },
      alone: { type: 'boolean', default: false },
    },
  });
  const suites = values.suites.split(',').filter((name) => name !== '');
  const known = deviceSuites();
  for (const name of suites) {
    if (!known.includes(name)) {
      throw new Error(
        `there is no suite "${name}" that runs on devices; there are ${known.join(', ')}`,
      );
    }
  }
  return {
    device: values.device,
    suites: suites.length > 0 ? suites : known,
    out: resolve(values.out),
    alone: values.alone,
  };
}

/** Test files whose tests run on every device. */
function deviceSuites(): string[] {
  const folder = join(root, 'test');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => readFileSync(join(folder, name), 'utf8').includes("from './devices.js'"))
    .map((name) => name.replace('.test.ts', ''));
}

interface Command {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs one check; its output is shown and the end of it kept. */
function check({ name, command, environment = {} }: Command): Outcome {
  console.log(`== ${name}: ${command.join(' ')}`);
  const began = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...environment },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const lines = `${stdout}\n${stderr}`.trim().split('\n');
  const failed = status !== 0;
  const text = lines.slice(failed ? -60 : -12).join('\n');
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  console.log(
    `${text}\n== ${name}: ${failed ? `FAILED (${signal ?? `exit ${status ?? '?'}`})` : 'passed'}\n`,
  );
  return { name, result: failed ? 'failed' : 'passed', seconds, text };
}

const vitest = [process.execPath, join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run'];

/** The suites on the device, on those it is compared with, and proof that each ran on each. */
function runSuites({ device, suites, out, alone }: Options): Outcome[] {
  const report = join(out, 'vitest.json');
  const devices = alone ? device : `js,cpu,${device}`;
  const files = suites.map((name) => `test/${name}.test.ts`);
  const flags = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  const tests = check({
    name: `suites on ${devices}`,
    command: [...vitest, ...flags, ...files],
    environment: { GRADLOOM_TEST_DEVICES: devices },
  });
  const reader = [process.execPath, '.ci/suites.mjs', report, devices, ...suites];
  return [tests, check({ name: 'every suite ran on every device', command: reader })];
}

/** Out of bounds, races, reads of what was never written, barriers: what each tool looks for. */
const sanitizerTools = ['memcheck', 'racecheck', 'initcheck', 'synccheck'];

/** The suites that launch every kernel, under NVIDIA's checks. */
function runSanitizer({ device }: Options): Outcome[] {
  const program = sanitizer();
  if (program === undefined) {
    const text = 'compute-sanitizer is not on the PATH; it comes with the CUDA toolkit';
    return [{ name: 'compute-sanitizer', result: 'absent', seconds: 0, text }];
  }
  return sanitizerTools.map((tool) =>
    check({
      name: `compute-sanitizer ${tool}`,
      command: [
        program,
        ...['--tool', tool, '--target-processes', 'all', '--error-exitcode', '86'],
        ...[...vitest, '--reporter=dot', 'test/cuda-backend.test.ts'],
      ],
      // Every kernel once is enough: checked kernels are ten to a hundred times slower.
      environment: { GRADLOOM_TEST_DEVICES: `js,${device}` },
    }),
  );
}

/** What the file holds, where it was built for GPUs that exist. */
function runBinary({ device, addon }: Environment): Outcome[] {
  if (isEmulated(device)) {
    const text = 'an emulated device has no code of a GPU';
    return [{ name: 'images in the addon', result: 'absent', seconds: 0, text }];
  }
  const program = ['--import', 'tsx', 'scripts/cuda-binary.ts', addon, 'Static'];
  return [check({ name: 'images in the addon', command: [process.execPath, ...program] })];
}

function markdownOf(environment: Environment, outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    ({ name, result, seconds, text }) =>
      `| ${name} | ${result}${result === 'absent' ? `: ${text}` : ''} | ${seconds} s |`,
  );
  const details = outcomes
    .filter(({ result }) => result !== 'absent')
    .flatMap(({ name, text }) => [`## ${name}`, '', '```', text, '```', '']);
  return [
    `# Tests on ${environment.device}`,
    '',
    ...[new Date().toISOString(), '', ...describeEnvironment(environment), ''],
    ...['| Check | Result | Time |', '| --- | --- | ---: |', ...rows, '', ...details],
  ].join('\n');
}

function main(args: readonly string[]): void {
  const options = readOptions(args);
  const environment = prepare(options.device);
  mkdirSync(options.out, { recursive: true });
  console.log(`${describeEnvironment(environment).join('\n')}\n`);
  const outcomes = [...runBinary(environment), ...runSuites(options), ...runSanitizer(options)];
  const report = { format: 1, date: new Date().toISOString(), environment, outcomes };
  writeFileSync(join(options.out, 'test.json'), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(options.out, 'test.md'), markdownOf(environment, outcomes));
  for (const { name, result, seconds } of outcomes) {
    console.log(`${name.padEnd(44)} ${result.padEnd(8)} ${seconds} s`);
  }
  console.log(`report: ${join(options.out, 'test.md')}`);
  process.exitCode = outcomes.some(({ result }) => result === 'failed') ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
