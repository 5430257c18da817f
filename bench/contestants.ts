/** Who is measured, and how each is started. A peer that is not installed is reported absent. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Contestant } from './contestant.js';
import type { Command } from './contestant.js';
import type { Case } from './protocol.js';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
/** Our own contestants run as compiled JavaScript, as users run them: tsconfig.contestants.json. */
export const compiled = here('../build/bench');

const python = process.env['GRADLOOM_BENCH_PYTHON'] ?? 'python3';
export const ours = (device: string): Command => ({
  command: [process.execPath, `${compiled}/contestants/gradloom.js`],
  environment: { GRADLOOM_DEVICE: device },
});
const inPython = (file: string, variant = ''): Command => ({
  command: [python, here(`contestants/${file}`)],
  environment: { GRADLOOM_BENCH_VARIANT: variant },
});
const tfjs = (variant: string): Command => ({
  command: [process.execPath, here('contestants/tfjs.mjs')],
  environment: { GRADLOOM_BENCH_VARIANT: variant },
});

interface Entry {
  readonly how: Command;
  /** How tables call it. */
  readonly label: string;
  /** Whether it is a peer rather than gradloom. */
  readonly peer: boolean;
  /** What it can be asked. */
  readonly kinds: readonly Case['kind'][];
  /** Whether its training step uses another optimizer than Nadam, a simpler one. */
  readonly otherOptimizer?: boolean;
  /** Milliseconds for which its threads look for more work, and keep a core busy. Default 15. */
  readonly spins?: number;
  /** The program of the start-up case. */
  readonly startup?: readonly string[];
  /** The program of the import case: says the milliseconds. */
  readonly import?: readonly string[];
}

/** Its OpenMP threads were seen to spin for 12 ms. */
const pytorchSpins = 30;
const main = ['step', 'epoch', 'matmul', 'map', 'tiny', 'family'] as const;
const program = (file: string, ...rest: string[]): string[] => [
  process.execPath,
  here(`contestants/${file}`),
  ...rest,
];

const table = {
  cpu: {
    how: ours('cpu'),
    label: 'gradloom cpu',
    peer: false,
    kinds: [...main, 'experiment', 'startup', 'import'],
    startup: [process.execPath, `${compiled}/contestants/first-op.js`],
    import: [process.execPath, `${compiled}/contestants/import-time.js`],
  },
  js: {
    how: ours('js'),
    label: 'gradloom js',
    peer: false,
    kinds: ['step', 'matmul', 'map', 'tiny'],
  },
  cuda: {
    how: ours('cuda'),
    label: 'gradloom cuda',
    peer: false,
    kinds: main,
  },
  'pytorch-cuda': {
    how: inPython('pytorch.py', 'cuda'),
    label: 'PyTorch on CUDA (cuBLAS)',
    peer: true,
    kinds: main,
  },
  'pytorch-cuda-compiled': {
    how: inPython('pytorch.py', 'cuda-compiled'),
    label: 'PyTorch in CUDA graphs',
    peer: true,
    kinds: ['step', 'epoch'],
  },
  pytorch: {
    how: inPython('pytorch.py', 'eager'),
    label: 'PyTorch, NAdam foreach',
    peer: true,
    kinds: [...main, 'startup'],
    spins: pytorchSpins,
    startup: [python, '-c', 'import torch; torch.ones(4).add(1).tolist()'],
  },
  'pytorch-adam': {
    how: inPython('pytorch.py', 'adam'),
    label: 'PyTorch, fused Adam',
    peer: true,
    kinds: ['step', 'epoch'],
    spins: pytorchSpins,
    otherOptimizer: true,
  },
  'pytorch-compiled': {
    how: inPython('pytorch.py', 'compiled'),
    label: 'PyTorch compiled, NAdam',
    peer: true,
    kinds: ['step', 'epoch'],
    spins: pytorchSpins,
  },
  keras: {
    how: inPython('keras_xla.py'),
    label: 'Keras XLA, Nadam',
    peer: true,
    kinds: ['step', 'epoch', 'startup'],
    startup: [python, '-c', 'import keras; keras.ops.add(keras.ops.ones(4), 1)'],
  },
  tensorflow: {
    how: inPython('keras_xla.py'),
    label: 'TensorFlow',
    peer: true,
    kinds: ['matmul'],
  },
  numpy: {
    how: inPython('numpy_blas.py'),
    label: 'numpy',
    peer: true,
    kinds: ['matmul', 'map', 'startup'],
    spins: 130, // OpenBLAS: 2^28 cycles, 110 ms where that was seen
    startup: [python, '-c', 'import numpy; numpy.ones(4) + 1'],
  },
  copy: {
    how: { command: program('copy.mjs') },
    label: 'copy in C',
    peer: true,
    kinds: ['map'],
  },
  'tfjs-cpu': {
    how: tfjs('cpu'),
    label: 'TensorFlow.js cpu',
    peer: true,
    kinds: ['step', 'matmul', 'map', 'tiny', 'startup', 'import'],
    otherOptimizer: true,
    startup: program('tfjs.mjs', 'first-op'),
    import: program('tfjs.mjs', 'import-time'),
  },
  'tfjs-wasm': {
    how: tfjs('wasm'),
    label: 'TensorFlow.js wasm',
    peer: true,
    kinds: ['step', 'matmul', 'map', 'tiny'],
    otherOptimizer: true,
  },
  'tfjs-node': {
    how: tfjs('node'),
    label: 'TensorFlow.js node',
    peer: true,
    kinds: ['step', 'matmul', 'map', 'tiny'],
    otherOptimizer: true,
  },
  node: {
    how: { command: [] },
    label: 'Node.js alone',
    peer: false,
    kinds: ['startup'],
    startup: [process.execPath, '-e', '0'],
  },
} as const satisfies Record<string, Entry>;

export type ContestantName = keyof typeof table;
export const contestantNames = Object.keys(table) as ContestantName[];
export const entryOf = (name: ContestantName): Entry => table[name];
export const peerNames = contestantNames.filter((name) => entryOf(name).peer);
export const isPeer = (name: string): boolean => (peerNames as string[]).includes(name);
export const labelOf = (name: string): string =>
  name in table ? entryOf(name as ContestantName).label : name;

export function contestantOf(name: ContestantName): Contestant {
  return new Contestant(name, entryOf(name).how);
}

/** Throws, saying what to do, when our own contestants have not been compiled. */
export function checkCompiled(): void {
  if (existsSync(`${compiled}/contestants/gradloom.js`)) return;
  throw new Error('the contestants are not compiled; run `npm run bench`, which does it');
}
