/**
 * Whether the interpreter of PTX finds faults: plants one at a time into the code that nvcc made,
 * in a copy of the addon, computes with it and expects an error that says what is wrong. Texts are
 * replaced by others of the same length, so nothing is compiled again. See docs/cuda.md.
 *
 *     node --import tsx scripts/ptx-mutants.ts BUILD_FOLDER                   all faults
 *     node --import tsx scripts/ptx-mutants.ts BUILD_FOLDER --some 7 --seed X  so many of them
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { countOf, rotated } from './mutants/mutant.js';

interface Mutant {
  readonly fault: string;
  /** Of the kernel's mangled name. */
  readonly kernel: RegExp;
  /** The text that is replaced where it occurs first in the kernel; with `g`, everywhere. */
  readonly from: RegExp;
  readonly to: (found: string) => string;
  /** What the device, or the comparison with js, must say. */
  readonly says: RegExp;
}

const first = (text: string) => (): string => text;
const product = /matmulKernelIfLi2/;
const barrier = /bar\.sync 0;/;

const mutants: readonly Mutant[] = [
  {
    fault: 'no barrier between filling the strips and reading them',
    kernel: product,
    from: barrier,
    to: first(''),
    says: /matmulKernel.*shared memory, a race/s,
  },
  {
    fault: 'no barrier in the sort of a tile',
    kernel: /tileKernelIj/,
    from: barrier,
    to: first(''),
    says: /tileKernel.*(a race|never written)/s,
  },
  {
    fault: 'threads that leave before a barrier',
    kernel: /softmaxKernelILi256Ef/,
    from: /bra [^;]*;(?=[^:]*st\.shared[^:]*:\s*bar\.sync)/,
    to: first('exit;'),
    says: /softmaxKernel.*barrier that not all threads of the block reach/s,
  },
  {
    fault: 'an exchange that names half of the warp',
    kernel: /softmaxKernelILi32Ef/,
    from: /mov\.u32 (%r\d+), -1;/,
    to: (found) => found.replace(', -1', ', 15'),
    says: /softmaxKernel.*exchange that does not name its own lane/s,
  },
  {
    fault: 'an exchange with the wrong lane',
    kernel: /softmaxKernelILi32Ef/,
    from: /mov\.u32 (%r\d+), 16;/,
    to: (found) => found.replace('16;', '8;'),
    says: /wrong values: softmax/,
  },
  {
    fault: 'a length that is taken from another argument',
    kernel: /mapKernelINS0_5elu_yELi1Eff/,
    from: /ld\.param\.u64\s+%rd\d+, \[\S*_param_1\]/,
    to: (found) => found.replace('_param_1', '_param_0'),
    says: /mapKernel.*reads \d+ bytes of global memory, out of bounds/s,
  },
  {
    fault: 'rows read beyond the end of a factor',
    kernel: product,
    from: /ld\.param\.u64 %rd\d+, \[\S*_param_5\]/,
    to: (found) => found.replace('_param_5', '_param_3'),
    says: /out of bounds|never written|wrong values/,
  },
  {
    fault: 'results written where no array is',
    kernel: product,
    from: /st\.global\.f32 \[%rd\d+\]/g,
    to: (found) => found.replace(/%rd(\d)\d*/, (whole) => '64'.padEnd(whole.length)),
    says: /matmulKernel.*writes 4 bytes of global memory, out of bounds/s,
  },
  {
    fault: 'results that do not begin on their bounds',
    kernel: product,
    from: /st\.global\.f32 \[%rd\d+\+4\]/g,
    to: (found) => found.replace('+4', '+5'),
    says: /matmulKernel.*misaligned/s,
  },
  {
    fault: 'results of two threads in one place',
    kernel: product,
    from: /mov\.u32 %r\d+, %tid\.x;/,
    to: (found) => found.replace('%tid.x', '0'),
    says: /matmulKernel.*(a race|never written)/s,
  },
  {
    fault: 'every block does the work of the first',
    kernel: /mapKernelINS0_5elu_yELi1Eff/,
    from: /mov\.u32 %r\d+, %ctaid\.x;/,
    to: (found) => found.replace('%ctaid.x', '0'),
    says: /mapKernel.*a race: .*of another block/s,
  },
  {
    fault: 'another multiplier of the random numbers',
    kernel: /randomKernelINS1_7UniformIfEEf|randomKernel.*Uniform.*fEE/,
    from: /-766435501/,
    to: first('-766435502'),
    says: /wrong values: rand/,
  },
  {
    fault: 'an instruction that does not exist',
    kernel: /mapKernelINS0_5elu_yELi1Eff/,
    from: /fma\.rn\.f32/,
    to: first('fma.rq.f32'),
    says: /PTX line \d+, fma\.rq\.f32: this instruction is not supported/,
  },
  {
    fault: 'sums that begin with another number',
    kernel: /reduceKernel.*SumIfE.*EffE/,
    from: /add\.f64/,
    to: first('sub.f64'),
    says: /wrong values: sum/,
  },
];

const self = fileURLToPath(import.meta.url);

/** Computes on `cuda` what the planted faults touch, and compares it with `js`. */
async function compute(): Promise<string> {
  const { rand, randn, seed, setDevice } = await import('../src/index.js');
  const computations = {
    matmul: () => randn([70, 40]).matmul(randn([40, 50])),
    softmax: () => randn([9, 45]).softmax(),
    'long softmax': () => randn([3, 4000]).softmax(),
    elu: () => randn([41, 128]).elu(),
    sum: () => randn([30, 50]).sum(),
    sort: () => randn([700]).sort(),
    rand: () => rand([1000]),
  };
  for (const [name, body] of Object.entries(computations)) {
    const [wanted, got] = ['js', 'cuda'].map((device) => {
      setDevice(device);
      seed(7);
      return body().dataSync();
    });
    const far = wanted!.findIndex((value, i) => !(Math.abs(value - got![i]!) <= 1e-4));
    if (far >= 0) return `wrong values: ${name}, element ${far}: ${got![far]}, not ${wanted![far]}`;
  }
  return 'no fault';
}

/** The addon with one text replaced, as bytes; null if the text does not occur. */
function mutated(addon: string, mutant: Mutant): string | null {
  for (const entry of addon.matchAll(/\.entry (\S+)\([^]*?\n\}\n/g)) {
    if (!mutant.kernel.test(entry[1]!)) continue;
    const body = entry[0].replace(mutant.from, (found) => mutant.to(found).padEnd(found.length));
    if (body === entry[0]) continue;
    if (body.length !== entry[0].length) return null;
    return addon.slice(0, entry.index) + body + addon.slice(entry.index + body.length);
  }
  return null;
}

function outcome(addon: string, library: string): string {
  const { stdout, stderr, signal } = spawnSync(
    process.execPath,
    ['--import', 'tsx', self, '--compute'],
    {
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...process.env, GRADLOOM_ADDON: addon, LD_LIBRARY_PATH: library },
    },
  );
  return `${stdout}${stderr}${signal ?? ''}`.trim();
}

function plantAll(build: string, chosen: readonly Mutant[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'gradloom-ptx-'));
  try {
    const addon = join(folder, 'gradloom.node');
    const original = readFileSync(join(build, 'gradloom.node'), 'latin1');
    let missed = 0;
    const report = (text: string | null, fault: string, says: RegExp): void => {
      let said = 'the text to replace does not occur';
      if (text !== null) {
        writeFileSync(addon, text, 'latin1');
        said = outcome(addon, join(build, 'ptx'));
      }
      if (!says.test(said)) missed++;
      console.log(`${says.test(said) ? 'found ' : 'MISSED'} ${fault}: ${said.split('\n')[0]}`);
    };
    report(original, 'nothing planted', /^no fault$/);
    for (const mutant of chosen) report(mutated(original, mutant), mutant.fault, mutant.says);
    console.log(`${chosen.length} of ${mutants.length} faults planted, ${missed} missed`);
    return missed;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    some: { type: 'string', default: String(mutants.length) },
    seed: { type: 'string', default: '' },
    compute: { type: 'boolean', default: false }, // in the process that has a fault
  },
});
if (values.compute) {
  console.log(await compute().catch((error: unknown) => String(error)));
} else {
  if (positionals[0] === undefined) throw new Error('Give the folder of a build with nvcc');
  const chosen = rotated(mutants, values.seed).slice(0, countOf(values.some));
  process.exitCode = plantAll(resolve(positionals[0]), chosen) === 0 ? 0 : 1;
}
