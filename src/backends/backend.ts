/**
 * What a device must be able to do. One interface for `js`, `cpu` and `cuda`.
 *
 * Kernels write into given outputs. They never allocate results, broadcast by themselves, check
 * shapes or know gradients: callers (src/ops) do. Everything is contiguous and row-major; numbers
 * are passed positionally because that is what crossing into C++ is cheapest with.
 *
 * Sizes in comments: arrays in brackets, `[rows, columns]`. An output never overlaps an input
 * unless a kernel says it may.
 */

import type { DType } from './dtype.js';

/** Memory on a host device (`js`, `cpu`): a typed array of exactly the tensor's length. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Memory on another device. */
export interface DeviceArray {
  readonly dtype: DType;
  readonly length: number;
  readonly slot: number;
}

export type Buffer = HostArray | DeviceArray;

/** Reductions of the `reduce` kernel; the index is what is passed. */
export const reductions = [
  'sum', 'prod', 'max', 'min', 'any', 'all', 'argMax', 'argMin', 'sumSquares', 'sumAbs',
] as const; // prettier-ignore
export type Reduction = (typeof reductions)[number];

/** Distributions of the `random` kernel; the index is what is passed. */
export const distributions = ['uniform', 'normal', 'truncatedNormal', 'bernoulli'] as const;
export type Distribution = (typeof distributions)[number];

export interface Backend {
  /** `js`, `cpu`, `cuda`, `cuda:1`, … */
  readonly device: string;
  /** True when buffers are typed arrays that JavaScript can read in place. */
  readonly host: boolean;

  // ---- memory ----------------------------------------------------------------------------------
  /** Zero-filled memory for `size` elements. Throws MemoryError when there is not enough. */
  allocate(dtype: DType, size: number): Buffer;
  /** Gives memory back at once. On host devices the collector does it and this is empty. */
  release(buffer: Buffer): void;
  /** The part `[start, start + size)` of a buffer, sharing its memory. */
  view(buffer: Buffer, start: number, size: number): Buffer;
  /** Copies values in; `values.length` is the buffer's length, of the same dtype. */
  write(buffer: Buffer, values: HostArray): void;
  /** Values as a fresh typed array; waits for the device. */
  readSync(buffer: Buffer): HostArray;
  /** As readSync without blocking the event loop. */
  read(buffer: Buffer): Promise<HostArray>;

  // ---- elementwise -----------------------------------------------------------------------------
  /**
   * Elementwise kernel number `kernel` (see kernels.ts) on flat arrays. Operand arrays have the
   * output's length, or length 1 (a scalar for every element); unused ones are null. An operand may
   * be the output itself. `p`, `q`: the row's parameters. Dtypes: `float` rows float32/float64;
   * `number` rows also int32/uint8, all operands and output alike; `compare` rows any, output
   * uint8.
   * Integer division and modulo by zero give 0.
   */
  map(kernel: number, out: Buffer, x0: Buffer, x1: Buffer | null, x2: Buffer | null,
      x3: Buffer | null, p: number, q: number): void; // prettier-ignore
  /**
   * The same with broadcasting in up to three nested loops. `walk` holds the three loop counts and
   * then, for each of the four operands, its three strides in elements (0 repeats):
   * `[n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, …, d2]`, 15 numbers. The output is contiguous with
   * `n0 * n1 * n2` elements.
   */
  mapStrided(kernel: number, out: Buffer, x0: Buffer, x1: Buffer | null, x2: Buffer | null,
      x3: Buffer | null, p: number, q: number, walk: Int32Array): void; // prettier-ignore
  /** out[i] = condition[i] ? a[i] : b[i]; each operand full length or length 1; any dtype. */
  select(out: Buffer, condition: Buffer, a: Buffer, b: Buffer): void;
  /**
   * Converts between any two dtypes. To integers: truncation towards zero, saturating; NaN gives 0.
   * To bool (`toBool`, uint8 out): 1 where the value is not zero (NaN is not zero).
   */
  cast(out: Buffer, a: Buffer, toBool: boolean): void;
  fill(out: Buffer, value: number): void;

  // ---- movement --------------------------------------------------------------------------------
  /**
   * Strided copy, any dtype: out[outOffset + Σ i_d·outStride_d] = a[aOffset + Σ i_d·aStride_d].
   * `walk` = [rank, sizes…, out strides…, a strides…]; rank 1 to 8; strides may be 0 (a) or
   * negative. Transpose, broadcast, slice, concat, pad, tile and flip are all this.
   */
  copy(out: Buffer, outOffset: number, a: Buffer, aOffset: number, walk: Int32Array): void;
  /**
   * out [outer, count, inner] = a [outer, n, inner] at index [count] (int32), any dtype.
   * Returns -1, or the position in `index` of the first value outside [0, n).
   */
  gather(out: Buffer, a: Buffer, index: Buffer, outer: number, n: number, count: number,
      inner: number): number; // prettier-ignore
  /**
   * out [outer, n, inner] += a [outer, count, inner] at index [count], in index order. As gather.
   */
  scatterAdd(out: Buffer, a: Buffer, index: Buffer, outer: number, n: number, count: number,
      inner: number): number; // prettier-ignore
  /** out[o, j, i] = a[o, index[o, j, i], i]; index and out are [outer, count, inner]. As gather. */
  takeAlong(out: Buffer, a: Buffer, index: Buffer, outer: number, n: number, count: number,
      inner: number): number; // prettier-ignore
  /** out[o, index[o, j, i], i] += a[o, j, i]; a and index are [outer, count, inner]. As gather. */
  putAlongAdd(out: Buffer, a: Buffer, index: Buffer, outer: number, n: number, count: number,
      inner: number): number; // prettier-ignore
  /**
   * Stable sort of each row of a [rows, n], keeping the first k: values [rows, k] and their
   * positions index [rows, k] (int32). NaN sorts last in either direction.
   */
  sort(values: Buffer, index: Buffer, a: Buffer, rows: number, n: number, k: number,
      descending: boolean): void; // prettier-ignore

  // ---- reductions ------------------------------------------------------------------------------
  /**
   * out [outer, inner] = reduction over the middle of a [outer, n, inner]. `any` and `all` give
   * uint8 from any dtype; argMax/argMin give int32, the first of equals, NaN counting as the
   * extreme; max and min propagate NaN. Integer sums and products wrap as int32; sums of uint8 go
   * to
   * an int32 output. n may be 0 for sum, prod, any, all only. Float sums are done in blocks
   * (pairwise or in double) so that the error does not grow with n.
   */
  reduce(reduction: number, out: Buffer, a: Buffer, outer: number, n: number,
      inner: number): void; // prettier-ignore
  /** Running sum along the middle of a [outer, n, inner]; backwards when `reverse`. */
  cumsum(out: Buffer, a: Buffer, outer: number, n: number, inner: number, reverse: boolean): void;

  // ---- matrices --------------------------------------------------------------------------------
  /**
   * For each of `batch` matrices: out [m, n] = A [m, k] · B [k, n] (+ out when `accumulate`).
   * With transA, A is stored [k, m]; with transB, B is stored [n, k]. Matrix t of A starts at
   * t * strideA (0 repeats one matrix), likewise B. float32 or float64, all alike. k may be 0.
   */
  matmul(out: Buffer, a: Buffer, b: Buffer, batch: number, m: number, n: number, k: number,
      strideA: number, strideB: number, transA: boolean, transB: boolean,
      accumulate: boolean): void; // prettier-ignore

  // ---- fused pieces (float32 and float64) ------------------------------------------------------
  /**
   * out [rows, units] = activation(x [rows, features] · w [features, units] + bias [units]).
   * `activation`: number of a one-argument `.y` kernel, or -1 for none; p, q its parameters. When
   * `pre` [rows, units] is given the value before the activation is written there.
   */
  dense(out: Buffer, pre: Buffer | null, x: Buffer, w: Buffer, bias: Buffer | null, rows: number,
      units: number, features: number, activation: number, p: number, q: number): void; // prettier-ignore
  /**
   * Backward of dense. `derivative`: number of the activation's `.da` kernel, or -1. From g
   * [rows, units], y and (where the derivative reads `a`) pre, computes dz = g * activation' into
   * scratch [rows, units] (may be g itself; when derivative is -1 scratch is not used), then
   * dw [features, units] = xᵀ·dz, db [units] = column sums, dx [rows, features] = dz·wᵀ. Any of dx,
   * dw, db may be null. With `accumulate`, dw and db are added to.
   */
  denseBackward(dx: Buffer | null, dw: Buffer | null, db: Buffer | null, scratch: Buffer, g: Buffer,
      x: Buffer, w: Buffer, y: Buffer, pre: Buffer | null, rows: number, units: number,
      features: number, derivative: number, p: number, q: number, accumulate: boolean): void; // prettier-ignore
  /** out = softmax of each row of a [rows, columns], or its logarithm. out may be a. */
  softmax(out: Buffer, a: Buffer, rows: number, columns: number, logarithm: boolean): void;
  /** Gradient of softmax (or log-softmax) from g and the output y, all [rows, columns]. */
  softmaxBackward(out: Buffer, g: Buffer, y: Buffer, rows: number, columns: number,
      logarithm: boolean): void; // prettier-ignore
  /**
   * Cross-entropy of softmax(logits [rows, classes]) with target: int32 labels [rows], or
   * probabilities [rows, classes] of the logits' dtype. Writes loss [rows] and, when not null,
   * difference [rows, classes] = Σtarget · softmax − target, the gradient for unit upstream.
   * Returns -1, or the first row whose label is outside [0, classes).
   */
  crossEntropy(loss: Buffer, difference: Buffer | null, logits: Buffer, target: Buffer,
      rows: number, classes: number): number; // prettier-ignore
  /** out [rows, columns] = a [rows, columns] * scale [rows] * factor. out may be a. */
  scaleRows(out: Buffer, a: Buffer, scale: Buffer, rows: number, columns: number,
      factor: number): void; // prettier-ignore
  /**
   * Batch normalization of x [rows, channels] with its own statistics: writes mean, inverse =
   * 1 / sqrt(biased variance + epsilon) and variance, each [channels], and out = (x - mean) *
   * inverse * gamma + beta. gamma and beta may be null (1 and 0).
   */
  batchNorm(out: Buffer, mean: Buffer, inverse: Buffer, variance: Buffer, x: Buffer,
      gamma: Buffer | null, beta: Buffer | null, rows: number, channels: number,
      epsilon: number): void; // prettier-ignore
  /** Backward of batchNorm: dx [rows, channels], dgamma and dbeta [channels] (each may be null). */
  batchNormBackward(dx: Buffer | null, dgamma: Buffer | null, dbeta: Buffer | null, g: Buffer,
      x: Buffer, mean: Buffer, inverse: Buffer, gamma: Buffer | null, rows: number,
      channels: number): void; // prettier-ignore

  // ---- randomness (see random.ts for how elements and counters match) --------------------------
  /**
   * Fills out with element 0, 1, … of the stream (key0, key1) whose first block has the 64-bit
   * counter (counter1, counter0). uniform: p + u·(q - p) in [p, q); normal: mean p, deviation q;
   * truncatedNormal: the same within 2 deviations; bernoulli: 1 with probability p. All arithmetic
   * in double with one rounding on store, so that every device gives the same bits.
   * Any dtype may be the output of bernoulli; uniform into int32 gives floor.
   */
  random(distribution: number, out: Buffer, key0: number, key1: number, counter0: number,
      counter1: number, p: number, q: number): void; // prettier-ignore
  /**
   * out[i] = u_i ≥ rate ? a·x[i] + b : c, u_i the uniform element i of the stream. Dropout is
   * (1/(1-rate), 0, 0); alpha dropout and the backward passes are other values of a, b, c.
   * out may be x.
   */
  dropout(out: Buffer, x: Buffer, rate: number, a: number, b: number, c: number, key0: number,
      key1: number, counter0: number, counter1: number): void; // prettier-ignore

  // ---- training --------------------------------------------------------------------------------
  /**
   * One optimizer update of every parameter: number `update` (see kernels.ts). `states` holds, for
   * parameter i and state variable s, states[i * count + s]. Arrays of one parameter are of equal
   * length and dtype. `hyper`: values in the order of hyperNames().
   */
  update(update: number, parameters: readonly Buffer[], gradients: readonly Buffer[],
      states: readonly Buffer[], hyper: Float64Array): void; // prettier-ignore
  /**
   * out [count, width] = (data rows at index [count] (int32), converted, − center) · scale; center
   * and scale have both length 1 or both width, or are both null: converted only. data is uint8,
   * int32, float32 or float64, [n, width]; out is float32 or float64. An index of null takes the
   * first count rows in order. Returns as gather.
   */
  loadRows(out: Buffer, data: Buffer, index: Buffer | null, center: Buffer | null,
      scale: Buffer | null, n: number, count: number, width: number): number; // prettier-ignore

  // ---- without waiting: on devices that compute apart from the host ----------------------------
  /**
   * Until called with null, functions that return a position return -1 at once. What they refuse
   * is noted in `word`, int32 [2], both -1 until then; kernels go on with zeros in its place; and
   * `update` changes nothing any more.
   */
  deferChecks?(word: Buffer | null): void;
  /**
   * Writes entry number place[0] of a journal (uint8): the bytes of `sources`, each from a multiple
   * of eight on.
   */
  note?(journal: Buffer, place: Float64Array, sources: readonly Buffer[]): void;

  // ---- recording: on devices that gain by it ---------------------------------------------------
  /**
   * From now on every call of the functions above, those of memory apart, is also kept, until
   * finishRecording. Random numbers count from the place given.
   */
  startRecording?(key0: number, key1: number, counter0: number, counter1: number): void;
  /** The number of the program recorded; -1 when it drew random numbers from several streams. */
  finishRecording?(): number;
  /**
   * Makes the calls of a program again, random numbers from another place. Returns -1, or the
   * number of a call that returned another number than -1 and was the last. Throws when the memory
   * of an array was given away.
   */
  replay?(program: number, key0: number, key1: number, counter0: number, counter1: number): number;
  /** Ends the use of a program. */
  forget?(program: number): void;

  // ---- precision: on devices that have more than one for products of float32 matrices ----------
  /** Allows one of `precisions` (precision.ts), by its number, to the products of this thread. */
  allowPrecision?(precision: number): void;
  /** The number of the one in use: the one allowed where the hardware has it, else 0. */
  precision?(): number;

  // ---- the machine -----------------------------------------------------------------------------
  /** Threads in use. */
  threads(): number;
  /** Sets the number of threads, 1 to 256; results do not depend on it. `js` accepts only 1. */
  setThreads(count: number): void;
  /** One line for `gradloom info`: instruction set, caches, model. */
  describe(): string;
  /** Most bytes to take of the device's memory; on devices with memory of their own. */
  setMemoryLimit?(bytes: number): void;
  /**
   * Measures the device's time from here to where what it gives is called, which resolves to
   * milliseconds; on devices that compute apart from the host.
   */
  startTimer?(): () => Promise<number>;
  /** What it was asked to do; on devices that compute apart from the host. */
  statistics?(): DeviceStatistics;
}

/** Copies of one kind. */
export interface CopyStatistics {
  readonly count: number;
  readonly bytes: number;
}

/** What a CUDA device was asked to do since the process began. */
export interface DeviceStatistics {
  /** Kernels launched one by one. */
  readonly launches: number;
  /** The same by kernel and by the sizes it worked on. */
  readonly kernels: readonly {
    readonly kernel: string;
    readonly sizes: readonly number[];
    readonly count: number;
  }[];
  /** Launches of captured training steps, each of many kernels, and how many were captured. */
  readonly graphLaunches: number;
  readonly captures: number;
  /** Fills of memory with zeros. */
  readonly fills: number;
  /** How often the host waited for the device. */
  readonly waits: number;
  readonly copiesToDevice: CopyStatistics;
  readonly copiesFromDevice: CopyStatistics;
  readonly copiesOnDevice: CopyStatistics;
  /** Of those to the device the parts, of 64 KiB to 4 MiB, that overlap with its work. */
  readonly copiesBesideWork: CopyStatistics;
  readonly memory: {
    /** Bytes handed out, bytes kept to be handed out again, most bytes handed out at once. */
    readonly inUse: number;
    readonly cached: number;
    readonly peak: number;
    /** How often the device was asked for memory, and how often its cache was. */
    readonly requests: number;
    readonly allocations: number;
  };
}
