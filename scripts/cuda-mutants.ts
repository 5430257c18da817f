/**
 * Whether the emulated CUDA device finds faults: plants one at a time into the sources, runs
 * native/test/cuda_faults.cc with them and expects the device to say what is wrong. Needs a build
 * with -DGRADLOOM_CUDA=EMULATED, whose objects it links.
 *
 *     node --import tsx scripts/cuda-mutants.ts BUILD_FOLDER
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Mutant {
  readonly fault: string;
  readonly file: string;
  /** Text that occurs once in the file, and what takes its place. */
  readonly from: string;
  readonly to: string;
  /** What the device must say. */
  readonly says: RegExp;
}

const barrier = '__syncthreads();';
const mutants: readonly Mutant[] = [
  {
    fault: 'no barrier between filling the strips and reading them',
    file: 'matmul.cu',
    from: `${barrier}\n      const int steps`,
    to: 'const int steps',
    says: /race: a thread|uninitialised read of shared memory/,
  },
  {
    fault: 'no barrier before the strips are filled again',
    file: 'matmul.cu',
    from: `${barrier}\n    }\n#pragma`,
    to: '}\n#pragma',
    says: /race: a thread/,
  },
  {
    fault: 'two blocks write one result',
    file: 'normalize.cu',
    from: 'parts[blockIdx.y * channels + c] = sums[t]',
    to: 'parts[c] = sums[t]',
    says: /race: two threads write/,
  },
  {
    fault: 'a plain write where threads compete',
    file: 'move.cu',
    from: 'atomicMin(first, static_cast<unsigned long long>(i))',
    to: '*first = i',
    says: /race: two threads write/,
  },
  {
    fault: 'a result written beyond the last row',
    file: 'matmul.cu',
    from: 'if (r >= m || c >= n) continue;',
    to: 'if (c >= n) continue;',
    says: /out of bounds: a write outside every array/,
  },
  {
    fault: 'a factor read beyond its last row',
    file: 'matmul.cu',
    from: 'first + r < rows && from + c < columns',
    to: 'from + c < columns',
    says: /out of bounds: a read outside every array/,
  },
  {
    fault: 'a shared array read beyond its end',
    file: 'matmul.cu',
    from: 'fromB[j] = stripB[step]',
    to: 'fromB[j] = stripB[step + depth]',
    says: /out of bounds: a read past a shared array/,
  },
  {
    fault: 'a shared array that only one warp fills',
    file: 'rows.cu',
    from: 'if (threadIdx.x % warpThreads == 0) shared',
    to: 'if (threadIdx.x == 0) shared',
    says: /uninitialised read of shared memory/,
  },
  {
    fault: 'memory of the device that nobody has written',
    file: 'move.cu',
    from: 'machine.write(first.data(), &found, sizeof(found));',
    to: '',
    says: /uninitialised read/,
  },
  {
    fault: 'threads that return before a barrier',
    file: 'sort.cu',
    from: `${barrier}\n  for (int64_t run = firstRun`,
    to: `if (t > 99) return;\n  ${barrier}\n  for (int64_t run = firstRun`,
    says: /barrier divergence/,
  },
  {
    fault: 'an exchange that half of a warp takes part in',
    file: 'rows.cu',
    from: 'value = join(value, __shfl_xor_sync',
    to: 'if (threadIdx.x % 2 == 0) value = join(value, __shfl_xor_sync',
    says: /warp divergence/,
  },
  {
    fault: 'values taken from the device without waiting for it',
    file: 'machine.cu',
    from: '"copying from the device");\n  synchronize();',
    to: '"copying from the device");',
    says: /missing synchronisation/,
  },
  {
    fault: 'the host writing to memory of the device',
    file: 'optimize.cu',
    from: 'Machine::current().write(table.data(), all.data(), all.size() * sizeof(Parameter<T>));',
    to: 'table.data()[0] = all[0];',
    says: /code of the host touches memory of the device/,
  },
];

const build = process.argv[2];
if (build === undefined) throw new Error('usage: scripts/cuda-mutants.ts BUILD_FOLDER');
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gradloom-mutants-'));
const flags = [
  '-std=c++17', '-O1', '-w', '-ffp-contract=off', '-DGRADLOOM_CUDA_EMULATED', '-I',
  join(root, 'native'),
]; // prettier-ignore

function compiler(...args: string[]): void {
  const { status, stderr } = spawnSync(process.env['CXX'] ?? 'g++', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the compiler failed: ${stderr}`);
}

/** Objects that cmake has made of a library. */
function objects(library: string): string[] {
  const at = join(build!, 'CMakeFiles', `${library}.dir`);
  return (readdirSync(at, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.o'))
    .map((name) => join(at, name));
}

const driver = join(folder, 'driver.o');
const built = [...objects('cuda'), ...objects('emulator')];

/** Runs the driver with one object in another's place; what it prints. */
function outcome(replaced?: string, replacement?: string): string {
  const program = join(folder, 'program');
  const rest = built.filter((path) => basename(path) !== `${replaced}.o`);
  compiler('-o', program, driver, ...rest, ...(replacement ? [replacement] : []), '-pthread');
  const { stdout, stderr, signal } = spawnSync(program, { encoding: 'utf8', timeout: 120_000 });
  return `${stdout}${stderr}${signal ?? ''}`.trim();
}

function outcomeOf(mutant: Mutant): string {
  const text = readFileSync(join(root, 'native', 'cuda', mutant.file), 'utf8');
  if (text.split(mutant.from).length !== 2) return 'the text to replace does not occur once';
  const source = join(folder, mutant.file);
  const object = join(folder, 'mutant.o');
  writeFileSync(
    source,
    text.replace(mutant.from, () => mutant.to),
  );
  compiler(...flags, '-fsanitize=thread', '-x', 'c++', '-c', source, '-o', object);
  return outcome(mutant.file, object);
}

try {
  compiler(...flags, '-c', join(root, 'native', 'test', 'cuda_faults.cc'), '-o', driver);
  let missed = 0;
  const report = (found: boolean, fault: string, said: string): void => {
    if (!found) missed++;
    console.log(`${found ? 'found ' : 'MISSED'} ${fault}: ${said}`);
  };
  const unchanged = outcome();
  report(unchanged === 'no fault', 'nothing planted', unchanged);
  for (const mutant of mutants) {
    const said = outcomeOf(mutant);
    report(mutant.says.test(said), mutant.fault, said);
  }
  console.log(`${mutants.length} faults planted, ${missed} missed`);
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
