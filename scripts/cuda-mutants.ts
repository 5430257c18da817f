/**
 * Whether the emulated CUDA device finds faults: plants one at a time into the sources, runs
 * native/test/cuda_faults.cc with them and expects the device to say what is wrong. Needs a build
 * with -DGRADLOOM_CUDA=EMULATED, whose objects it links.
 *
 *     node --import tsx scripts/cuda-mutants.ts BUILD_FOLDER [FILE]    (faults of one file only)
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { barrier, productMutants } from './cuda-mutants-products.js';
import type { Mutant } from './cuda-mutants-products.js';

const mutants: readonly Mutant[] = [
  {
    fault: 'no barrier between filling the strips and reading them',
    file: 'matmul.cu',
    from: `${barrier}\n    int now = 0;`,
    to: 'int now = 0;',
    says: /race: a thread/,
  },
  {
    fault: 'no barrier before the next strips are read',
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
    from: 'if (r >= m || c >= n) continue;\n        to.write',
    to: 'if (c >= n) continue;\n        to.write',
    says: /out of bounds: a write outside every array/,
  },
  {
    fault: 'a factor read beyond its last row',
    file: 'product.h',
    unit: 'matmul.cu',
    from: 'value[k] = k < left ? source[k] : From{}',
    to: 'value[k] = source[k]',
    says: /out of bounds: a read outside every array/,
  },
  {
    fault: 'a shared array read beyond its end',
    file: 'matmul.cu',
    from: 'stripsB[now + step], x',
    to: 'stripsB[now + step + 2 * Shape::depth], x',
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
    file: 'warp.h',
    unit: 'rows.cu',
    from: 'value = join(value, fromLane',
    to: 'if (threadIdx.x % 2 == 0) value = join(value, fromLane',
    says: /warp divergence/,
  },
  {
    fault: 'values taken from the device without waiting for it',
    file: 'machine.cu',
    from: 'done.fromDevice.add(bytes);\n  synchronize();',
    to: 'done.fromDevice.add(bytes);',
    says: /missing synchronisation/,
  },
  {
    fault: 'the host writing to memory of the device',
    file: 'move.cu',
    from: 'machine.write(first.data(), &found, sizeof(found));',
    to: '*first.data() = found;',
    says: /code of the host touches memory of the device/,
  },
  {
    fault: 'memory used after it was given back',
    file: 'matmul.cu',
    from: 'const Scratch<T> parts(batch * splits * m * n);',
    to: 'struct { T* at; T* data() const { return at; } } parts = {Scratch<T>(batch * splits * m * n).data()};',
    says: /use after free/,
  },
  {
    fault: 'a grid that is one block too small',
    file: 'matmul.cu',
    from: 'gridOf(size, Shape::width',
    to: 'gridOf({size.batch, size.m - Shape::width, size.n, size.k}, Shape::width',
    says: /wrong values: matmul/,
  },
  {
    fault: 'a grid of no blocks',
    file: 'normalize.cu',
    from: 'unsigned(ceilDiv(channels, columnsOfBlock))',
    to: 'unsigned(channels / columnsOfBlock)',
    says: /invalid configuration/,
  },
  {
    fault: 'more threads than a block may have',
    file: 'rows.cu',
    from: 'dim3(blockThreads), isLong ?',
    to: 'dim3(5 * blockThreads), isLong ?',
    says: /invalid configuration/,
  },
  {
    fault: 'a mask that leaves out half of the warp',
    file: 'warp.h',
    unit: 'rows.cu',
    from: 'everyLane = 0xffffffffu',
    to: 'everyLane = 0x0000ffffu',
    says: /warp divergence: an exchange must name every lane/,
  },
  {
    fault: 'vectors read where rows do not begin on their bounds',
    file: 'product.h',
    unit: 'matmul.cu',
    from: 'isAligned(at) && stride % pack == 0',
    to: 'isAligned(at)',
    says: /misaligned address/,
  },
  {
    fault: 'vectors read past the end of a factor',
    file: 'product.h',
    unit: 'matmul.cu',
    from: 'factor.packed && left >= each',
    to: 'factor.packed',
    says: /out of bounds: a read outside every array/,
  },
  {
    fault: 'products that begin with 0',
    file: 'reduce.cu',
    from: 'static __device__ State empty() { return 1; }',
    to: 'static __device__ State empty() { return 0; }',
    says: /wrong values: prod/,
  },
  {
    fault: 'conjunctions that begin with false',
    file: 'reduce.cu',
    from: 'static __device__ uint8_t empty() { return 1; }',
    to: 'static __device__ uint8_t empty() { return 0; }',
    says: /wrong values: all/,
  },
  {
    fault: 'the tail of a sum that is cut into parts left out',
    file: 'matmul.cu',
    from: 'begin + part < k ? begin + part : k;',
    to: 'begin + part < k ? begin + part : begin;',
    says: /wrong values: matmul/,
  },
  {
    fault: 'parts of a sum that are not all added',
    file: 'matmul.cu',
    from: 's < splits; s++) value',
    to: 's < splits - 1; s++) value',
    says: /wrong values: matmul/,
  },
  {
    fault: 'a kernel on a stream that nobody waits for',
    file: 'machine.cu',
    from: 'check(cudaMemsetAsync(memory, 0, bytes, streamOf(*this))',
    to: 'check(cudaMemsetAsync(memory, 0, bytes, nullptr)',
    says: /wrong stream/,
  },
  {
    fault: 'a copy to the device that is not made',
    file: 'machine.cu',
    from: 'if (staged != nullptr) std::memcpy(staged, source, part);\n    check(',
    to: 'if (at > 0) check(',
    says: /uninitialised read/,
  },
  {
    fault: 'pinned memory that is not filled before it is copied',
    file: 'machine.cu',
    from: 'if (staged != nullptr) std::memcpy(staged, source, part);',
    to: '',
    says: /wrong values/,
  },
  {
    fault: 'pinned memory used again before its copy is done',
    file: 'staging.cu',
    from: 'if (!next.used) return;',
    to: 'return;',
    says: /wrong values: copies through pinned memory/,
  },
  {
    fault: 'a missing wait of the work on a copy beside it',
    file: 'uploads.cu',
    from: 'queued(cudaStreamWaitEvent(work, event(slot.arrived), 0));',
    to: '',
    says: /wrong values: batches copied beside the work|uninitialised read/,
  },
  {
    fault: 'a place for copies overwritten while it is read',
    file: 'uploads.cu',
    from: 'queued(cudaStreamWaitEvent(copies, event(slot.taken), 0));',
    to: '',
    says: /wrong values: batches copied beside the work/,
  },
  {
    fault: 'pinned memory for a copy beside the work filled before it was read',
    file: 'uploads.cu',
    from: 'machine.check(cudaEventSynchronize(event(slot.arrived)), "waiting for a copy");',
    to: '',
    says: /wrong values: batches copied beside the work/,
  },
  {
    fault: 'memory asked of the device while a step is captured',
    file: 'repeated.cu',
    from: 'machine, *this, scratch);\n',
    to: 'machine, *this, scratch);\n  if (runs > 0) scratch.shelves.clear();\n',
    says: /capture violation: cudaMalloc/,
  },
  {
    fault: 'the host waiting while a step is captured',
    file: 'repeated.cu',
    from: '  bool whole = true;\n',
    to: '  bool whole = true;\n  machine.synchronize();\n',
    says: /not permitted when stream is capturing/,
  },
  {
    fault: 'work on the default stream while a step is captured',
    file: 'machine.cu',
    from: 'cudaMemcpyDeviceToDevice, streamOf(*this))',
    to: 'cudaMemcpyDeviceToDevice, repeated ? nullptr : streamOf(*this))',
    says: /wrong stream|capture violation: work on the default stream/,
  },
  {
    fault: 'scratch memory given back to the device while a step is captured',
    file: 'allocator.cc',
    from: 'if (reserve != nullptr) {\n    reserve->shelves[size].push_back(memory);\n    return;\n  }',
    to: 'if (reserve != nullptr) {\n    give(memory);\n    return;\n  }',
    says: /wrong values: repeated step/,
  },
  {
    fault: 'a captured step that is given no new numbers',
    file: 'repeated.cu',
    from: '  upload(place);\n  const',
    to: '  if (runs == 0) upload(place);\n  const',
    says: /wrong values: repeated step/,
  },
  {
    fault: 'random numbers that ignore where a captured step begins',
    file: 'random.cu',
    from: 'begin->counter + given.counter}',
    to: 'given.counter}',
    says: /wrong values: repeated step/,
  },
  {
    fault: 'an update that goes on after a label was refused',
    file: 'optimize.cu',
    from: 'if (anyRefused(refused)) return;',
    to: '',
    says: /wrong values: update after a refused label/,
  },
  {
    fault: 'a label out of range that nobody is told of',
    file: 'rows.cu',
    from: 'refuse(refused, at.row);',
    to: ';',
    says: /wrong values: refused label/,
  },
  ...productMutants,
];

const [build, only = ''] = process.argv.slice(2);
if (build === undefined) throw new Error('usage: scripts/cuda-mutants.ts BUILD_FOLDER [FILE]');
const chosen = mutants.filter(({ file }) => file.startsWith(only));
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
  // The mutant first: of functions that several objects have, the first is taken.
  const first = replacement === undefined ? [] : [replacement];
  compiler('-o', program, driver, ...first, ...rest, '-pthread', '-ldl');
  const { stdout, stderr, signal } = spawnSync(program, { encoding: 'utf8', timeout: 120_000 });
  return `${stdout}${stderr}${signal ?? ''}`.trim();
}

function outcomeOf(mutant: Mutant): string {
  const text = readFileSync(join(root, 'native', 'cuda', mutant.file), 'utf8');
  if (text.split(mutant.from).length !== 2) return 'the text to replace does not occur once';
  const { file, unit = file } = mutant;
  const planted = join(folder, 'cuda', file);
  const object = join(folder, 'mutant.o');
  mkdirSync(join(folder, 'cuda'), { recursive: true });
  writeFileSync(
    planted,
    text.replace(mutant.from, () => mutant.to),
  );
  const source = unit === file ? planted : join(root, 'native', 'cuda', unit);
  compiler('-I', folder, ...flags, '-fsanitize=thread', '-x', 'c++', '-c', source, '-o', object);
  rmSync(planted);
  return outcome(unit, object);
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
  for (const mutant of chosen) {
    const said = outcomeOf(mutant);
    report(mutant.says.test(said), mutant.fault, said);
  }
  console.log(`${chosen.length} faults planted, ${missed} missed`);
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
