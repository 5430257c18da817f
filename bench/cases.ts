/** What is measured, by suite. */

import { availableParallelism } from 'node:os';

import type { ContestantName } from './contestants.js';
import type { Case, ExperimentFigure, MapOp } from './protocol.js';

export interface NamedCase {
  readonly name: string;
  readonly case: Case;
  /** Default: as many as the machine has cores. */
  readonly threads?: number;
  /** Run a process beside it that keeps one core busy. */
  readonly hog?: boolean;
  /** Where the case lies on a scaling curve. */
  readonly at?: number;
  /** Arithmetic of a repetition in GFLOP. */
  readonly gflop?: number;
  /** Memory that a repetition must read and write at least, in GB. */
  readonly gb?: number;
  /** GB that are touched again every repetition: decides which cache the traffic comes from. */
  readonly resident?: number;
  /** Default ms. */
  readonly unit?: Unit;
}

export type Unit = 'ms' | 'MB' | '%' | 'calls' | 'allocations';

export interface Suite {
  readonly title: string;
  readonly cases: readonly NamedCase[];
  /** Who is measured, in the table's order; those that were not chosen or are absent drop out. */
  readonly contestants: readonly ContestantName[];
  /**
   * Milliseconds to measure in, for every contestant, case and round, after a quarter of it to warm
   * up. V8 takes 0.1 s to compile what short cases run for good.
   */
  readonly budget: number;
  /** At most. */
  readonly rounds: number;
  /** Seconds that the suite may take; it then begins no further round. */
  readonly seconds: number;
  /** The cases of a short run; default: all. */
  readonly quick?: (each: NamedCase) => boolean;
  /** Who takes no part in a short run: compiling a step takes PyTorch half a minute. */
  readonly quickWithout?: readonly ContestantName[];
}

/** What the suites depend on. */
export interface Surroundings {
  /** The folder with CIFAR-10's binary files, or null. */
  readonly data: string | null;
  readonly quick: boolean;
}

const cores = availableParallelism();

interface Net {
  readonly batch: number;
  readonly depth?: number;
  readonly width?: number;
  readonly batchNorm?: boolean;
}

interface EpochOptions extends Pick<NamedCase, 'hog'> {
  readonly batchNorm?: boolean;
  /** Default: all of the suite's. */
  readonly images?: number;
}

/** A training step with its arithmetic and the traffic that no way of computing it avoids. */
function step(name: string, net: Net, more: Partial<NamedCase> = {}): NamedCase {
  const { batch, depth = 20, width = 100, batchNorm = false } = net;
  const weights = 3072 * width + (depth - 1) * width * width + width * 10;
  return {
    name,
    case: { kind: 'step', batch, depth, width, batchNorm },
    // Forward, and two products backward but for the first layer's input.
    gflop: (2 * batch * (3 * weights - 3072 * width)) / 1e9,
    // Nadam reads weight, gradient and two moments, and writes all but the gradient.
    gb: (28 * weights + 4 * batch * 3072) / 1e9,
    resident: (16 * weights) / 1e9,
    ...more,
  };
}

function product(m: number, n: number, k: number, transA = false, transB = false): NamedCase {
  return {
    name: `${m}x${k}${transA ? 'ᵀ' : ''} · ${k}x${n}${transB ? 'ᵀ' : ''}`,
    case: { kind: 'matmul', m, n, k, transA, transB },
    gflop: (2 * m * n * k) / 1e9,
    gb: (4 * (m * n + m * k + k * n)) / 1e9,
  };
}

const square = (n: number): NamedCase[] =>
  [false, true].flatMap((transA) =>
    [false, true].map((transB) => product(n, n, n, transA, transB)),
  );

/** Bytes read and written per element. */
const traffic: Readonly<Record<MapOp, number>> = {
  ...{ copy: 8, addScaled: 8, elu: 8, exp: 8, tanh: 8, log: 8, erf: 8, softmax: 8 },
  ...{ sum: 4, sumRows: 4, sumColumns: 4, max: 4 },
};
const mapNames: Partial<Record<MapOp, string>> = {
  addScaled: 'a*b+c',
  sumRows: 'sum of rows',
  sumColumns: 'sum of columns',
  softmax: 'softmax 4096x1000',
};
const elements = 4_096_000;

const map = (op: MapOp, n = elements): NamedCase => ({
  name: mapNames[op] ?? op,
  case: { kind: 'map', op, n },
  gb: (n * traffic[op]) / 1e9,
});

const tiny = (op: Extract<Case, { kind: 'tiny' }>['op']): NamedCase => ({
  name: `${op} of 4 elements`,
  case: { kind: 'tiny', op },
});

const figures: Readonly<Record<ExperimentFigure, readonly [string, Unit]>> = {
  peakMemory: ['peak memory', 'MB'],
  longestBlock: ['longest block of the event loop', 'ms'],
  allocations: ['device allocations of a step', 'allocations'],
  nativeCalls: ['native calls of a step', 'calls'],
  inputShare: ['input pipeline, share of a step', '%'],
};

const range = (values: readonly number[], make: (value: number) => NamedCase): NamedCase[] =>
  values.map((value) => ({ ...make(value), at: value }));

/** 1, 2, 4, … and all cores. */
const threadCounts = [...new Set([1, 2, 4, 8, 16, 32, 64].filter((n) => n < cores)), cores];

const nadamPeers = ['pytorch', 'pytorch-compiled', 'keras'] as const;

/** All suites, the most important first: a run that has to end early has measured those. */
export function suitesOf({ data, quick }: Surroundings): Readonly<Record<string, Suite>> {
  const samples = quick ? 6_400 : 45_000;
  const fewer = quick ? 6_400 : 16_000;
  const epoch = (
    name: string,
    { batchNorm = false, images = samples, ...more }: EpochOptions = {},
  ): NamedCase => {
    const { gflop, gb, resident } = step('', { batch: 32, batchNorm }) as Required<NamedCase>;
    const kind = { kind: 'epoch', batch: 32, batchNorm, samples: images, data } as const;
    return { name, case: kind, gflop, gb, resident, ...more };
  };
  return {
    epoch: {
      title:
        `A step of a whole shuffled CIFAR-10 epoch (${samples} images; ${fewer} in the second ` +
        'and third row) through fit',
      cases: [
        epoch('batch 32'),
        epoch('batch 32, batch norm', { batchNorm: true, images: fewer }),
        epoch('batch 32, a core hogged', { images: fewer, hog: true }),
      ],
      contestants: ['cpu', ...nadamPeers],
      budget: 0,
      rounds: 2,
      seconds: 140,
      quickWithout: ['pytorch-compiled'],
    },
    step: {
      title: 'Training step of experiment 1, the batch ready',
      cases: [
        ...[32, 256, 1024].map((batch) => step(`batch ${batch}`, { batch })),
        step('batch 32, batch norm', { batch: 32, batchNorm: true }),
      ],
      contestants: ['cpu', ...nadamPeers, 'pytorch-adam', 'tfjs-wasm', 'tfjs-node'],
      budget: 500,
      rounds: 5,
      seconds: 180,
      quickWithout: ['pytorch-compiled', 'keras', 'tfjs-wasm'],
    },
    small: {
      title: 'Matrix products of experiment 1',
      cases: [
        product(32, 100, 3072),
        product(3072, 100, 32, true),
        product(32, 100, 100),
        product(100, 100, 32, true),
        product(32, 100, 100, false, true),
        product(32, 10, 100),
      ],
      contestants: ['cpu', 'pytorch', 'tensorflow', 'numpy', 'tfjs-wasm', 'tfjs-node'],
      budget: 400,
      rounds: 5,
      seconds: 75,
    },
    matmul: {
      title: 'Square matrix products',
      cases: [...square(256), ...square(512), ...square(1024), ...square(2048)],
      contestants: ['cpu', 'pytorch', 'tensorflow', 'numpy', 'tfjs-node'],
      budget: 200,
      rounds: 5,
      seconds: 90,
      quick: ({ case: wanted }) => wanted.kind === 'matmul' && wanted.m <= 1024 && !wanted.transA,
    },
    map: {
      title: `Elementwise, reductions, softmax of ${elements / 1e6}M elements`,
      cases: (
        [
          ...['copy', 'addScaled', 'elu', 'exp', 'tanh', 'log', 'erf'],
          ...['sum', 'sumRows', 'sumColumns', 'max', 'softmax'],
        ] as MapOp[]
      ).map((op) => map(op)),
      contestants: ['cpu', 'pytorch', 'numpy', 'tfjs-wasm', 'tfjs-node', 'copy'],
      budget: 200,
      rounds: 5,
      seconds: 70,
    },
    tiny: {
      title: 'What a call costs',
      cases: [tiny('add'), tiny('exp'), tiny('sum'), tiny('matmul')],
      contestants: ['cpu', 'js', 'pytorch', 'tfjs-cpu', 'tfjs-node'],
      budget: 400,
      rounds: 5,
      seconds: 40,
    },
    js: {
      title: 'The js device (one thread, no native code)',
      cases: [
        product(256, 256, 256),
        product(512, 512, 512),
        product(32, 100, 3072),
        map('softmax'),
        ...(['elu', 'exp', 'tanh', 'addScaled', 'sum'] as const).map((op) => map(op)),
        step('training step, batch 32', { batch: 32 }),
      ].map((each) => ({ ...each, threads: 1 })),
      contestants: ['js', 'tfjs-cpu'],
      budget: 150,
      rounds: 3,
      seconds: 40,
      quick: ({ case: wanted }) =>
        wanted.kind !== 'matmul' || wanted.m === 256 || wanted.k === 3072,
    },
    startup: {
      title: 'A process that imports the library, adds two tensors and ends',
      cases: [
        { name: 'start-up', case: { kind: 'startup' } },
        { name: 'import and first operation', case: { kind: 'import' } },
      ],
      contestants: ['cpu', 'node', 'pytorch', 'keras', 'numpy', 'tfjs-cpu'],
      budget: 0,
      rounds: 4,
      seconds: 24,
    },
    experiment: {
      title: 'Experiment 1, batch 32',
      cases: (Object.keys(figures) as ExperimentFigure[]).map((figure) => ({
        name: figures[figure][0],
        // Shares need several epochs, of more images than caches hold.
        case: {
          ...{ kind: 'experiment', figure, data },
          samples: figure === 'inputShare' ? Math.min(samples, 20_000) : samples,
        },
        unit: figures[figure][1],
      })),
      contestants: ['cpu'],
      budget: 0,
      rounds: 3,
      seconds: 30,
    },
    ...scaling(quick),
  };
}

/** Curves of a step's time against one size, beside the roofline. */
function scaling(quick: boolean): Readonly<Record<string, Suite>> {
  const curve = (
    title: string,
    cases: readonly NamedCase[],
    contestants: readonly ContestantName[] = ['cpu', 'pytorch'],
  ): Suite => ({ title, cases, contestants, budget: 150, rounds: 3, seconds: 16 });
  const batches = quick ? [1, 32, 1024] : [1, 4, 16, 32, 64, 128, 256, 512, 1024];
  const widths = quick ? [100, 1024] : [100, 256, 512, 1024, 2048, 4096];
  const depths = quick ? [1, 50] : [1, 2, 5, 10, 20, 50, 100, 200];
  return {
    'by-batch': curve(
      'Training step of experiment 1 by batch size',
      range(batches, (batch) => step(`batch ${batch}`, { batch })),
    ),
    'by-width': curve(
      'Training step of 5 layers by their width, batch 32',
      range(widths, (width) => step(`width ${width}`, { batch: 32, depth: 5, width })),
    ),
    'by-depth': curve(
      'Training step by depth, layers of 100, batch 32',
      range(depths, (depth) => step(`depth ${depth}`, { batch: 32, depth })),
    ),
    'by-threads': curve(
      'By threads',
      threadCounts.flatMap((threads) =>
        [
          product(1024, 1024, 1024),
          step('step, batch 32', { batch: 32 }),
          step('step, batch 1024', { batch: 1024 }),
        ].map((each) => ({
          ...each,
          threads,
          at: threads,
          name: `${each.name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        })),
      ),
    ),
  };
}
