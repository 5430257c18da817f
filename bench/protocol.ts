/**
 * What the benchmark and its contestants say to each other. A contestant is a process that writes a
 * line of JSON when it is ready, then answers every line of its input (a request) with one line.
 */

/** Elementwise operations, reductions and softmax. */
export type MapOp =
  | 'copy' | 'addScaled' | 'elu' | 'exp' | 'tanh' | 'log' | 'erf'
  | 'sum' | 'sumRows' | 'sumColumns' | 'max' | 'softmax'; // prettier-ignore

/** Kernels of other families: over rows of 1000, or with a weight [1000, 100]. */
export type FamilyOp =
  | 'transpose' | 'cumsum' | 'sort' | 'topK' | 'gather' | 'scatterAdd' | 'batchNorm'
  | 'batchNormGradients' | 'dropout' | 'normal' | 'crossEntropyGradients' | 'dense'
  | 'denseGradients'; // prettier-ignore

/** What is to be measured. Sizes are elements, values float32. */
export type Case =
  /** A training step: 3072 → depth x Dense(width, ELU) → 10, cross-entropy, Nadam; ready batch. */
  | {
      readonly kind: 'step';
      readonly batch: number;
      readonly depth: number;
      readonly width: number;
      /** Batch normalization before every hidden Dense. */
      readonly batchNorm: boolean;
    }
  /**
   * A step within a shuffled epoch over real images (uint8) through the plain training loop, with
   * its metrics and callbacks. `samples` images are taken; CIFAR-10's files lie in `data`, and
   * without them the pixels are random.
   */
  | {
      readonly kind: 'epoch';
      readonly batch: number;
      /** Of the net; default 20 layers of 100. */
      readonly depth?: number;
      readonly width?: number;
      /** Batch normalization before every hidden Dense; default false. */
      readonly batchNorm?: boolean;
      readonly samples: number;
      readonly data: string | null;
    }
  /** [m, k] · [k, n]; an operand that is transposed is stored so. */
  | {
      readonly kind: 'matmul';
      readonly m: number;
      readonly n: number;
      readonly k: number;
      readonly transA: boolean;
      readonly transB: boolean;
    }
  /** Over `n` elements; of rows of 1000 where there are rows. */
  | { readonly kind: 'map'; readonly op: MapOp; readonly n: number }
  /** Over `n` elements in rows of 1000. */
  | { readonly kind: 'family'; readonly op: FamilyOp; readonly n: number }
  /** An operation on four elements: what a call costs. */
  | { readonly kind: 'tiny'; readonly op: 'add' | 'exp' | 'sum' | 'matmul' }
  /** Experiment 1 in a process of its own, and one figure of it. */
  | {
      readonly kind: 'experiment';
      readonly figure: ExperimentFigure;
      readonly samples: number;
      readonly data: string | null;
    }
  /** A program that imports the library, adds two tensors and ends. Timed from outside. */
  | { readonly kind: 'startup' }
  /** Import of the library and its first operation, timed by such a program itself. */
  | { readonly kind: 'import' };

export type ExperimentFigure =
  'peakMemory' | 'longestBlock' | 'allocations' | 'nativeCalls' | 'inputShare';

export interface Request {
  readonly case: Case;
  /** Spend about so many milliseconds, after a warm-up. */
  readonly budget: number;
  /** Threads to compute with. */
  readonly threads: number;
}

export interface Answer {
  /** In the case's unit, which is milliseconds per repetition unless the case says otherwise. */
  readonly value?: number;
  readonly error?: string;
}

/** The first line of a contestant. */
export interface Hello {
  /** Name, version, device. */
  readonly version?: string;
  readonly error?: string;
}
