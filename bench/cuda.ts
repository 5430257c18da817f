/**
 * Measures gradloom on a GPU beside PyTorch, whose products are cuBLAS's, and beside its own cpu
 * device: every family of kernels, a training step eager and captured, an epoch. One report, as
 * Markdown and as JSON:
 *
 *     npm run bench:cuda                               the first GPU
 *     npm run bench:cuda -- --device cuda-emulated     small sizes on the emulated one: tries this
 *     npm run bench:cuda -- --only step --minutes 5 --out FOLDER
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { describeEnvironment, isEmulated, prepare, root } from '../scripts/cuda-environment.js';
import type { Environment } from '../scripts/cuda-environment.js';
import type { NamedCase, Suite } from './cases.js';
import { checkCompiled, contestantOf, ours } from './contestants.js';
import type { ContestantName } from './contestants.js';
import { Contestant } from './contestant.js';
import { measureSuite } from './measure.js';
import type { FamilyOp, MapOp } from './protocol.js';
import { busyShare, saveReport, thisMachine } from './report.js';
import type { Report, Result } from './report.js';
import { suiteTable } from './table.js';

type Suites = Readonly<Record<string, Suite>>;

const maps: readonly MapOp[] = [
  ...(['copy', 'addScaled', 'elu', 'exp', 'tanh', 'log', 'erf'] as const),
  ...(['sum', 'sumRows', 'sumColumns', 'max', 'softmax'] as const),
];
const families: readonly FamilyOp[] = [
  ...(['transpose', 'cumsum', 'sort', 'topK', 'gather', 'scatterAdd', 'batchNorm'] as const),
  ...(['batchNormGradients', 'dropout', 'normal', 'crossEntropyGradients', 'dense'] as const),
  'denseGradients',
];

const product = (m: number, n: number, k: number, transA = false, transB = false): NamedCase => ({
  name: `matmul ${m}x${k}${transA ? 'ᵀ' : ''} · ${k}x${n}${transB ? 'ᵀ' : ''}`,
  case: { kind: 'matmul', m, n, k, transA, transB },
});

/** All ways of transposition; of the first layer, forward and backward. */
const productsOf = (emulated: boolean, squares: readonly number[]): NamedCase[] => [
  ...squares.flatMap((n) => [product(n, n, n), product(n, n, n, true)]),
  ...squares.map((n) => product(n, n, n, false, true)),
  ...(emulated ? [] : [product(32, 100, 3072), product(3072, 100, 32, true)]),
];

/** Those of the exercise; far smaller on an emulated device: that takes far longer. */
const sizesOf = (emulated: boolean) =>
  emulated
    ? { squares: [32], elements: 2000, batches: [4], depth: 1, width: 16, batchesOfEpoch: 4 }
    : {
        ...{ squares: [256, 1024, 4096], elements: 4_096_000, batches: [32, 256, 1024] },
        ...{ depth: 20, width: 100, batchesOfEpoch: 200 },
      };

/** What is measured. */
export function suitesOf(emulated: boolean): Suites {
  const { squares, elements, batches, depth, width, batchesOfEpoch } = sizesOf(emulated);
  const batchNorm = false;
  const suite = (
    title: string,
    cases: readonly NamedCase[],
    contestants: readonly ContestantName[] = ['cuda', 'cpu', 'pytorch-cuda'],
  ): Suite => ({ title, cases, contestants, budget: emulated ? 10 : 300, rounds: 5, seconds: 120 });
  const trained = ['cuda', 'cpu', 'pytorch-cuda', 'pytorch-cuda-compiled'] as const;
  return {
    step: suite(
      'Training step of experiment 1, made as written (eager)',
      batches.map((batch) => ({
        name: `step, batch ${batch}`,
        case: { kind: 'step', batch, depth, width, batchNorm },
      })),
      trained,
    ),
    epoch: suite(
      'A step within an epoch through fit, recorded and captured where the device can',
      batches.map((batch) => ({
        name: `epoch, batch ${batch}`,
        case: { kind: 'epoch', batch, depth, width, samples: batch * batchesOfEpoch, data: null },
      })),
      trained,
    ),
    matmul: suite('Matrix products', productsOf(emulated, squares)),
    map: suite(
      `Elementwise, reductions, softmax of ${elements} elements`,
      maps.map((op) => ({ name: op, case: { kind: 'map', op, n: elements } })),
    ),
    family: suite(
      `Other kernels, on ${elements} elements in rows of 1000`,
      families.map((op) => ({ name: op, case: { kind: 'family', op, n: elements } })),
    ),
    tiny: suite(
      'What a call costs, on four elements',
      (['add', 'exp', 'sum', 'matmul'] as const).map((op) => ({
        name: `${op} of 4 elements`,
        case: { kind: 'tiny', op },
      })),
    ),
  };
}

interface Options {
  readonly device: string;
  readonly only: readonly string[];
  readonly minutes: number;
  readonly out: string;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      device: { type: 'string', default: 'cuda' },
      only: { type: 'string' },
      minutes: { type: 'string', default: '15' },
      out: { type: 'string', default: join(root, 'runs', 'cuda') },
    },
  });
  const { device, out } = values;
  const known = Object.keys(suitesOf(false));
  const only = values.only?.split(',') ?? known;
  const wrong = only.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`there is no suite "${wrong}": ${known.join(', ')}`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes must be above 0: got "${values.minutes}"`);
  return { device, only, minutes, out: resolve(out) };
}

/** Runs the suites; a report as that of `npm run bench`. */
async function measure({ device, only, minutes }: Options, emulated: boolean): Promise<Report> {
  const began = Date.now();
  const busy = await busyShare();
  const suites = suitesOf(emulated);
  const names = [...new Set(Object.values(suites).flatMap((suite) => suite.contestants))];
  const contestants = new Map(names.map((name) => [name, contestantOf(name)] as const));
  contestants.set('cuda', new Contestant('cuda', ours(device)));
  const results: Result[] = [];
  try {
    for (const key of only) {
      console.log(`${key} …`);
      const found = await measureSuite(key, suites[key]!, {
        cores: null,
        ...{ contestants, quick: false, rounds: emulated ? 1 : undefined },
        patience: 1,
        deadline: began + 60_000 * minutes,
        progress: () => undefined,
        found: () => undefined,
      });
      results.push(...found);
    }
  } finally {
    for (const each of contestants.values()) each.end();
  }
  const all = [...contestants];
  return {
    ...{ format: 1, date: new Date().toISOString().slice(0, 10), quick: false, busy },
    ...{ realData: false, machine: thisMachine(), results },
    versions: Object.fromEntries(all.map(([name, { version }]) => [name, version])),
    absent: Object.fromEntries(
      all.flatMap(([name, { absent }]) => (absent === undefined ? [] : [[name, absent]])),
    ),
    roofline: { reason: 'see the prediction in docs/cuda.md' },
    seconds: Math.round((Date.now() - began) / 1000),
  };
}

function markdownOf(environment: Environment, report: Report): string {
  const suites = suitesOf(isEmulated(environment.device));
  const measured = Object.entries(suites).filter(([key]) =>
    report.results.some(({ suite }) => suite === key),
  );
  const note = isEmulated(environment.device)
    ? ['The device is emulated: these times say nothing of a GPU.', '']
    : [];
  const absent = Object.entries(report.absent).map(
    ([name, reason]) => `- absent: ${name}: ${reason}`,
  );
  return [
    `# Times on ${environment.device}`,
    '',
    ...[report.date, '', ...note, ...describeEnvironment(environment), ...absent, ''],
    ...measured.map(([key, suite]) => suiteTable(key, suite, report)),
  ].join('\n');
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  const environment = prepare(options.device);
  checkCompiled();
  const report = await measure(options, isEmulated(options.device));
  mkdirSync(options.out, { recursive: true });
  saveReport(join(options.out, 'bench.json'), report);
  const text = markdownOf(environment, report);
  writeFileSync(join(options.out, 'bench.md'), text);
  console.log(`${text}\nreport: ${join(options.out, 'bench.md')}`);
  // A peer may be absent; what gradloom itself cannot do is a failure.
  const broken = report.results.filter(
    ({ contestant, error }) => ['cuda', 'cpu'].includes(contestant) && error !== undefined,
  );
  for (const { name, contestant, error } of broken)
    console.error(`${contestant} ${name}: ${error!}`);
  process.exitCode = broken.length > 0 || report.results.length === 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
