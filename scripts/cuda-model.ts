/**
 * A model of how long a training step takes on a GPU: arithmetic and traffic of every launch, the
 * published limits of GPUs, and what launching costs. A prediction, compared with no measurement.
 */

import { kernels, updateNames } from '../src/backends/kernels.js';

/** A kernel that was launched, with the sizes that DeviceStatistics has of it. */
export interface Launch {
  readonly kernel: string;
  readonly sizes: readonly number[];
  readonly count: number;
}

/** What a launch has to do. */
export interface Work {
  readonly flops: number;
  /** Read from and written to memory, every array once. */
  readonly bytes: number;
  /** Blocks that can work at once. */
  readonly blocks: number;
  /** Reads and writes of memory that wait for each other. */
  readonly chain: number;
}

export interface Gpu {
  readonly name: string;
  /** Multiply-adds in float32 count twice. */
  readonly flops: number;
  /** Bytes a second. */
  readonly bandwidth: number;
  readonly multiprocessors: number;
  /** Seconds until a read of memory is there. */
  readonly latency: number;
}

/**
 * Flops, bandwidth, multiprocessors: NVIDIA's white papers on the A100 (2020; the 80 GB card's data
 * sheet), H100 (2022), Ada (2022) and Turing (2018) architectures, and the T4's data sheet. Cycles
 * of latency: Luo et al., "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture via
 * Microbenchmarking" (2024); of the T4: Jia et al., "Dissecting the NVidia Turing T4 GPU via
 * Microbenchmarking" (2019).
 */
export const gpus: readonly Gpu[] = [
  gpu('A100 SXM 80 GB', 19.5, 2039, 108, 466.3 / 1.41),
  gpu('H100 SXM', 66.9, 3352, 132, 478.8 / 1.98),
  gpu('RTX 4090', 82.6, 1008, 128, 541.5 / 2.52),
  gpu('T4', 8.1, 320, 40, 616 / 1.59),
];

function gpu(
  name: string,
  teraflops: number,
  gigabytes: number,
  multiprocessors: number,
  nanoseconds: number,
): Gpu {
  const [flops, bandwidth, latency] = [1e12 * teraflops, 1e9 * gigabytes, 1e-9 * nanoseconds];
  return { name, flops, bandwidth, multiprocessors, latency };
}

/**
 * Seconds. `launch`: of the host for one kernel, in the middle of the 4 to 6 µs that are commonly
 * measured. The gaps between kernels of one stream and of one graph: A. Gray, "Getting Started with
 * CUDA Graphs" (NVIDIA, 2019), kernels of 2.9 µs every 3.8 and every 3.4 µs on a V100. `graph`, of
 * the host for a graph: "Constant Time Launch for Straight-Line CUDA Graphs" (NVIDIA, 2024).
 */
export const overheads = { launch: 5e-6, gap: 0.9e-6, graphGap: 0.5e-6, graph: 2.5e-6 };

// ---- the work of a launch ----------------------------------------------------------------------

const bytesOfFloat = 4;
const blockThreads = 256;
const mapsPerBlock = 4 * blockThreads;

/** Work on `n` elements of which each is read from or written to `arrays` arrays. */
function overElements(n: number, arrays: number, flops: number, perBlock = blockThreads): Work {
  const bytes = bytesOfFloat * arrays * n;
  return { flops: flops * n, bytes, blocks: Math.ceil(n / perBlock), chain: 2 };
}

/** Tiles of a product as native/cuda/matmul.cu chooses them; a strip has 1024 numbers. */
function ofProduct([batch = 1, m = 0, n = 0, k = 0]: readonly number[], splits: number): Work {
  const tilesOf = (width: number): number =>
    Math.ceil(m / width) * Math.ceil(n / width) * batch * splits;
  const width = [128, 64].find((each) => tilesOf(each) >= 128) ?? 32;
  const strips = Math.ceil(k / splits / (1024 / width));
  return {
    flops: 2 * batch * m * n * k,
    bytes: bytesOfFloat * batch * (m * k + k * n + splits * m * n),
    blocks: tilesOf(width),
    chain: strips + 1,
  };
}

/** Reads of a loop that do not wait for each other: as often as the compiler unrolls it. */
const readsAtOnce = 4;

type WorkOf = (sizes: readonly number[], splits: number) => Work;
const product = (sizes: readonly number[]): number => sizes.reduce((all, each) => all * each, 1);
const rowsOfWarps = ([rows = 0, columns = 0]: readonly number[], arrays: number): Work => ({
  ...overElements(rows * columns, arrays, 10),
  blocks: Math.ceil(rows / (blockThreads / 32)),
  chain: 3, // a row is read again for every pass over it
});

/** By the names that kernels are launched under. */
const table: Readonly<Record<string, WorkOf>> = {
  matmul: ofProduct,
  dense: ofProduct,
  'join splits': ([batch = 1, m = 0, n = 0, splits = 1]) =>
    overElements(batch * m * n, splits + 1, splits),
  'denseBackward bias': ([rows = 0, units = 0]) => ({
    ...overElements(rows * units, 3, 6),
    blocks: Math.ceil(units / 32) * Math.ceil(rows / 512),
    chain: 2 + Math.ceil(Math.min(rows, 512) / 8 / readsAtOnce),
  }),
  'denseBackward bias join': (sizes) => overElements(product(sizes), 2, 2),
  softmax: (sizes) => rowsOfWarps(sizes, 2),
  softmaxBackward: (sizes) => rowsOfWarps(sizes, 3),
  crossEntropy: (sizes) => rowsOfWarps(sizes, 2),
  scaleRows: (sizes) => overElements(product(sizes), 2, 2),
  loadRows: (sizes) => overElements(product(sizes), 2, 2, mapsPerBlock),
  gather: (sizes) => overElements(product(sizes), 2, 0),
  copy: (sizes) => overElements(product(sizes), 2, 0),
  fill: (sizes) => overElements(product(sizes), 1, 0, mapsPerBlock),
  cast: (sizes) => overElements(product(sizes), 2, 1, mapsPerBlock),
  note: ([count = 0, bytes = 0]) => overElements((count * bytes) / bytesOfFloat, 2, 0),
  reduce: ([outer = 0, n = 0, inner = 0]) => ({
    ...overElements(outer * n * inner, 1, 1),
    blocks: Math.max(1, Math.ceil((outer * inner) / blockThreads)),
  }),
};
for (const name of updateNames) {
  // Reads weight, gradient and two moments, and writes all but the gradient.
  const update: WorkOf = ([, blocks = 0]) =>
    overElements(blocks * mapsPerBlock, 7, 20, mapsPerBlock);
  Object.assign(table, { [name]: update });
}
for (const { name, operands } of kernels) {
  const map: WorkOf = (sizes) =>
    overElements(product(sizes), operands.length + 1, 10, mapsPerBlock);
  Object.assign(table, { [name.replace('.', '_')]: map });
}

/** What each launch of a step has to do. Throws for a kernel that the model does not know. */
export function worksOf(launches: readonly Launch[]): (Work & { readonly count: number })[] {
  const joins = launches.filter(({ kernel }) => kernel === 'join splits');
  return launches.map(({ kernel, sizes, count }) => {
    const workOf = table[kernel];
    if (!workOf)
      throw new Error(`the model knows no kernel "${kernel}": add its work to its table`);
    const join = joins.find((each) => each.sizes.slice(0, 3).join() === sizes.slice(0, 3).join());
    return { ...workOf(sizes, join?.sizes[3] ?? 1), count };
  });
}

// ---- predictions -------------------------------------------------------------------------------

export interface Prediction {
  readonly launches: number;
  readonly flops: number;
  readonly bytes: number;
  /** Seconds that kernels work; the others include launching them. */
  readonly kernels: number;
  readonly eager: number;
  readonly captured: number;
}

/** Seconds of one launch: the longest of arithmetic, traffic and waiting for memory. */
export function durationOf({ flops, bytes, blocks, chain }: Work, on: Gpu): number {
  const busy = Math.min(1, blocks / on.multiprocessors);
  return Math.max(flops / (busy * on.flops), bytes / on.bandwidth, chain * on.latency);
}

/** A step made of these launches, one by one or captured as a graph. */
export function predict(launches: readonly Launch[], on: Gpu): Prediction {
  const works = worksOf(launches);
  const sum = (of: (work: Work) => number): number =>
    works.reduce((all, work) => all + work.count * of(work), 0);
  const count = sum(() => 1);
  const duration = sum((work) => durationOf(work, on));
  return {
    launches: count,
    flops: sum(({ flops }) => flops),
    bytes: sum(({ bytes }) => bytes),
    kernels: duration,
    // The host launches while the device works: the slower of both counts.
    eager: Math.max(count * overheads.launch, duration + count * overheads.gap),
    captured: overheads.graph + duration + count * overheads.graphGap,
  };
}
