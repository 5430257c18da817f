/**
 * Whether the emulated CUDA device finds faults: plants one at a time into the sources, runs
 * native/test/cuda_faults.cc with them and expects the device to say what is wrong. Needs a build
 * with -DGRADLOOM_CUDA=EMULATED, whose objects it links.
 *
 *     node --import tsx scripts/cuda-mutants.ts BUILD_FOLDER
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Mutant {
  readonly fault: string;
  readonly file: string;
  /** The source that is compiled with it, where the file is a header. */
  readonly unit?: string;
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
    from: '"copying from the device");\n  synchronize();',
    to: '"copying from the device");',
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
    fault: 'factors of TF32 that were not converted',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'return wmma::__float_to_tf32(x);',
    to: 'return x + 1e-6f;',
    says: /a TF32 factor that was not converted/,
  },
  {
    fault: 'fragments read across instead of along',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'Fragment<wmma::matrix_a, wmma::col_major>',
    to: 'Fragment<wmma::matrix_a, wmma::row_major>',
    says: /uninitialised read of shared memory/,
  },
  {
    fault: 'half of a warp at a product of fragments',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'wmma::mma_sync(sum',
    to: 'if (threadIdx.x % 32 < 16) wmma::mma_sync(sum',
    says: /warp divergence/,
  },
  {
    fault: 'sums of fragments that begin with nothing',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'wmma::fill_fragment(sum[i][j], 0.0f)',
    to: 'static_cast<void>(0)',
    says: /sums that were never set/,
  },
  {
    fault: 'fragments that begin on no bound',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'stripA[step].at + row',
    to: 'stripA[step].at + row + 4',
    says: /misaligned address: a fragment/,
  },
  {
    fault: 'fragments whose columns are taken to be closer than they are',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'sizeof(typename Shape::Row) / sizeof(typename Shape::Stored)',
    to: 'Shape::width',
    says: /uninitialised read of shared memory/,
  },
  {
    fault: 'lanes of a warp that load different fragments',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'const int column = (warpX',
    to: 'const int column = (int(threadIdx.x % 2) + warpX',
    says: /name different matrices/,
  },
  {
    fault: 'no barrier before others finish the elements of fragments',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: `${barrier}\n#pragma unroll 1`,
    to: '\n#pragma unroll 1',
    says: /race: a thread reads/,
  },
  {
    fault: 'sums of fragments written across instead of along',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'wmma::mem_row_major',
    to: 'wmma::mem_col_major',
    says: /wrong values: tensor cores/,
  },
  {
    fault: 'parts of a sum on tensor cores that begin at the wrong place',
    file: 'tensor_cores.h',
    unit: 'tensor_cores.cu',
    from: 'begin = matrix % splits * part',
    to: 'begin = matrix / splits * part',
    says: /wrong values: tensor cores/,
  },
  {
    fault: 'a copy in 16 bits of the first matrix alone',
    file: 'tensor_cores.cu',
    from: '(count - 1) * factor.matrixStride + rows * columns',
    to: 'rows * columns',
    says: /use after free/,
  },
  {
    fault: 'a copy in 16 bits that goes on past its end',
    file: 'tensor_cores.cu',
    from: 'k < i + each && k < n',
    to: 'k < i + each',
    says: /out of bounds/,
  },
  {
    fault: 'threads beyond the last element of a small product',
    file: 'small.cu',
    from: 'p < size.k && valid',
    to: 'p < size.k',
    says: /out of bounds: a read outside every array/,
  },
  {
    fault: 'packs written where an array begins on no bound',
    file: 'elementwise.h',
    unit: 'map_float.cu',
    from: 'if (!isAligned(out, int(sizeof(R)) * packOf<R>())) return false;',
    to: '',
    says: /misaligned address/,
  },
  {
    fault: 'packs written past the last element',
    file: 'elementwise.h',
    unit: 'map_float.cu',
    from: 'if (packed && of.count == mapsPerThread)',
    to: 'if (packed)',
    says: /out of bounds: a write/,
  },
  {
    fault: 'lanes joined that belong to different sums',
    file: 'reduce.cu',
    from: 'joinLanes(state, cut.columns',
    to: 'joinLanes(state, 1',
    says: /wrong values: sum/,
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
  for (const mutant of mutants) {
    const said = outcomeOf(mutant);
    report(mutant.says.test(said), mutant.fault, said);
  }
  console.log(`${mutants.length} faults planted, ${missed} missed`);
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
