/**
 * Whether the emulated CUDA device finds faults: plants one at a time into the sources, runs
 * native/test/cuda_faults.cc with them and expects the device to say what is wrong, by its name.
 * Needs a build with -DGRADLOOM_CUDA=EMULATED, whose objects it links.
 *
 *     npx tsx scripts/cuda-mutants.ts BUILD_FOLDER                      all faults
 *     npx tsx scripts/cuda-mutants.ts BUILD_FOLDER --file cuda/move.cu  those of one file
 *     npx tsx scripts/cuda-mutants.ts BUILD_FOLDER --some 20 --seed X   so many, one of each kind
 */

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { mutants } from './mutants/all.js';
import { countOf, kindOf, planted, someOf, sourceOf } from './mutants/mutant.js';
import type { Mutant } from './mutants/mutant.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string', default: '' },
    some: { type: 'string', default: String(mutants.length) },
    seed: { type: 'string', default: '' },
  },
});
if (positionals[0] === undefined) throw new Error('Give the folder of an emulated build');
const build = resolve(positionals[0]);
const native = fileURLToPath(new URL('../native', import.meta.url));
/** The same one every time, so that a cache of compilations knows what it has seen. */
const folder = join(build, 'mutants');
const flags = [
  '-std=c++17', '-O1', '-w', '-ffp-contract=off', '-DGRADLOOM_CUDA_EMULATED', '-I', native,
]; // prettier-ignore

/** Standard output and error, and whether it ended well. */
function run(program: string, args: readonly string[]): Promise<[ended: boolean, said: string]> {
  return new Promise((done) => {
    execFile(program, args, { timeout: 120_000 }, (error, stdout, stderr) => {
      done([error === null, `${stdout}${stderr}${error?.signal ?? ''}`.trim()]);
    });
  });
}

const launcher = process.env['CMAKE_CXX_COMPILER_LAUNCHER'];
const compiler = [...(launcher ? [launcher] : []), process.env['CXX'] ?? 'g++'];

async function compile(...args: string[]): Promise<void> {
  const [ended, said] = await run(compiler[0]!, [...compiler.slice(1), ...args]);
  if (!ended) throw new Error(`the compiler failed: ${said}`);
}

/** Objects that cmake has made of a library. */
function objects(library: string): string[] {
  const at = join(build, 'CMakeFiles', `${library}.dir`);
  return (readdirSync(at, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.o'))
    .map((name) => join(at, name));
}

const drivers = ['cuda_faults', 'cuda_faults_host'];
const built = [...objects('cuda'), ...objects('emulator')];

/** What the tests print, with one object in another's place. */
async function outcome(program: string, replaced = '', replacement?: string): Promise<string> {
  const rest = built.filter((path) => basename(path) !== `${replaced}.o`);
  // The mutant first: of functions that several objects have, the first is taken.
  const first = replacement === undefined ? [] : [replacement];
  const tests = drivers.map((name) => join(folder, `${name}.o`));
  await compile('-o', program, ...tests, ...first, ...rest, '-pthread', '-ldl');
  const [, said] = await run(program, []);
  rmSync(program);
  return said;
}

async function outcomeOf(mutant: Mutant): Promise<string> {
  const text = planted(readFileSync(join(native, mutant.file), 'utf8'), mutant);
  if (text === null) return 'the text to replace does not occur once';
  const own = join(folder, String(mutants.indexOf(mutant)));
  const header = join(own, mutant.file);
  mkdirSync(dirname(header), { recursive: true });
  writeFileSync(header, text);
  const unit = sourceOf(mutant);
  const source = unit === mutant.file ? header : join(native, unit);
  const object = join(own, 'mutant.o');
  // Its headers before those that are as they were.
  await compile('-I', own, ...flags, '-fsanitize=thread', '-xc++', '-c', source, '-o', object);
  return outcome(join(own, 'program'), basename(unit), object);
}

let missed = 0;
function report(expected: string, said: string, fault: string): void {
  const found = said.includes(expected);
  if (!found) missed++;
  console.log(`${found ? 'found ' : 'MISSED'} ${fault}: ${said}`);
}

async function plantAll(chosen: readonly Mutant[]): Promise<void> {
  for (const name of drivers) {
    const source = join(native, 'test', `${name}.cc`);
    await compile(...flags, '-c', source, '-o', join(folder, `${name}.o`));
  }
  report('no fault', await outcome(join(folder, 'program')), 'nothing planted');
  const waiting = chosen.values();
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (const mutant of waiting) report(mutant.says, await outcomeOf(mutant), mutant.fault);
  });
  await Promise.all(workers);
  const kinds = new Set(chosen.map(kindOf));
  console.log(
    `${chosen.length} of ${mutants.length} faults planted, of ${kinds.size} kinds ` +
      `(${[...kinds].join(', ')}); ${missed} missed`,
  );
  process.exitCode = missed === 0 ? 0 : 1;
}

const ofFile = mutants.filter(({ file }) => file.startsWith(values.file));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
try {
  await plantAll(someOf(ofFile, countOf(values.some), values.seed));
} finally {
  rmSync(folder, { recursive: true });
}
