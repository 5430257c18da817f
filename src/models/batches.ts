/** Where training data comes from: tensors cut into batches, or an iterable of batches. */

import type { DType } from '../backends/dtype.js';
import { isFloat } from '../backends/dtype.js';
import { ShapeError, ValueError } from '../errors.js';
import { noGrad } from '../autograd/tape.js';
import { cast } from '../ops/cast.js';
import { defaultGenerator, permutationArray } from '../tensor/random.js';
import { Rows } from '../tensor/rows.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Storage } from '../tensor/storage.js';
import { empty, fromArray, Tensor } from '../tensor/tensor.js';
import { tensorsOf, weightsOf } from './data.js';
import type { Data, Ports } from './data.js';

/** One batch: inputs [batch, ...], and per output its targets and weights of samples [batch]. */
export interface Batch {
  readonly inputs: readonly Tensor[];
  readonly targets: readonly (Tensor | null)[];
  readonly weights: readonly (Tensor | null)[];
}

/** Shapes of one sample of each input. */
export const sampleShapes = ({ inputs }: Batch): Shape[] =>
  inputs.map((each) => each.shape.slice(1));

/** What an iterable of batches may yield. */
export type BatchLike =
  | { readonly x: Data; readonly y?: Data | null; readonly sampleWeight?: Data | null }
  | readonly [x: Data, y?: Data | null, sampleWeight?: Data | null | undefined];

/** Batches to be iterated once per epoch. */
export type BatchIterable = Iterable<BatchLike> | AsyncIterable<BatchLike>;

/** Batches of tensors whose samples lie along the first axis. */
export class TensorBatches {
  readonly samples: number;
  readonly steps: number;
  #order: Tensor | null = null;
  /** Numbers of the rows of the selected batch, when they are shuffled; rewritten for each. */
  #index: Tensor | null = null;
  #start = 0;
  #count = 0;
  /** Memory of selected batches that is filled by the index as it is now. */
  #unread: Storage[] = [];
  readonly #dtypes: readonly DType[];

  /**
   * Samples of every tensor lie along its first axis. Inputs become the model's dtypes as they are
   * batched; targets keep theirs.
   */
  constructor(
    readonly all: Batch,
    readonly batchSize: number,
    ports: Ports,
  ) {
    const first = all.inputs[0]!;
    this.samples = first.shape[0] ?? 0;
    this.#dtypes = ports.inputSpecs.map((each) => each.dtype);
    checkSamples(all, this.samples);
    this.steps = Math.ceil(this.samples / batchSize);
  }

  /** Samples [from, to) as batches of their own, sharing memory. */
  part(from: number, to: number, batchSize: number, ports: Ports): TensorBatches {
    const { inputs, targets, weights } = this.all;
    const cut = (each: Tensor): Tensor => view(each, from, to - from);
    const optional = (each: Tensor | null): Tensor | null => each && cut(each);
    const all = {
      inputs: inputs.map(cut),
      targets: targets.map(optional),
      weights: weights.map(optional),
    };
    return new TensorBatches(all, batchSize, ports);
  }

  /**
   * Puts the samples in the order that the default generator's seed and `epoch` decide: another
   * one every epoch, the same in every run. Uses the upper half of the seed's stream, which arrays
   * never reach, and does not move the generator.
   */
  shuffle(epoch: number): void {
    const { key } = defaultGenerator.state();
    const order = permutationArray(this.samples, key[0], key[1], 0, 2 ** 31 + epoch);
    const { backend } = this.all.inputs[0]!;
    if (this.#order) this.#order.assign(order);
    else this.#order = fromArray(order, [this.samples], 'int32', backend);
    const most = Math.min(this.batchSize, this.samples);
    this.#index ??= fromArray(new Int32Array(most), [most], 'int32', backend);
  }

  /** Whether the samples were put in another order than they lie in. */
  get isShuffled(): boolean {
    return this.#order !== null;
  }

  /** How many samples batch number `step` has. */
  sizeOf(step: number): number {
    return Math.min(this.batchSize, this.samples - step * this.batchSize);
  }

  /** Batch number `step`; the last may be smaller. Call inside a scope. */
  batch(step: number): Batch {
    this.select(step);
    return this.selected();
  }

  /**
   * Makes `step` the selected batch. Shuffled batches of one size are made by the same kernel calls
   * from the same arrays, whichever is selected.
   */
  select(step: number): void {
    // Whoever kept a batch keeps its values.
    for (const storage of this.#unread) storage.fill();
    this.#unread = [];
    this.#start = step * this.batchSize;
    this.#count = this.sizeOf(step);
    if (!this.#order) return;
    const { backend, buffer } = this.#order;
    const index = this.#index!.buffer;
    if (!backend.host) {
      backend.copy(index, 0, buffer, this.#start, Int32Array.of(1, this.#count, 1, 1));
      return;
    }
    // Without a kernel, so that a recording of kernels does not select this one again.
    const [order, rows] = [buffer as Int32Array, index as Int32Array];
    for (let i = 0; i < this.#count; i++) rows[i] = order[this.#start + i]!;
  }

  /** The selected batch. Call inside a scope. */
  selected(): Batch {
    const start = this.#start;
    const count = this.#count;
    const rows = (each: Tensor | null): Tensor | null => each && this.#rows(each, start, count);
    const { inputs, targets, weights } = this.all;
    return {
      inputs: inputs.map((each, i) => this.#inputs(each, i, start, count)),
      targets: targets.map(rows),
      weights: weights.map(rows),
    };
  }

  /** Rows as what the model takes; conversion waits until their values are wanted. */
  #inputs(x: Tensor, which: number, start: number, count: number): Tensor {
    const dtype = this.#dtypes[which]!;
    if (!isFloat(dtype)) return cast(this.#rows(x, start, count), dtype);
    if (this.#order) return this.#pending(new Rows(x, this.#indexOf(count), dtype));
    const rows = view(x, start, count);
    return x.dtype === dtype ? rows : this.#pending(new Rows(rows, null, dtype));
  }

  #pending(rows: Rows): Tensor {
    const made = rows.tensor();
    this.#unread.push(made.storage);
    return made;
  }

  #indexOf(count: number): Tensor {
    const index = this.#index!;
    return count === index.size ? index : view(index, 0, count);
  }

  /** Rows as they are: a view when in order, a gathered copy when shuffled. */
  #rows(tensor: Tensor, start: number, count: number): Tensor {
    if (!this.#order) return view(tensor, start, count);
    const rest = tensor.shape.slice(1);
    const out: Tensor = empty(tensor.backend, [count, ...rest], tensor.dtype);
    if (out.size > 0) {
      const index = this.#indexOf(count).buffer;
      const width = sizeOf(rest);
      tensor.backend.gather(out.buffer, tensor.buffer, index, 1, this.samples, count, width);
    }
    return out;
  }
}

/** `count` samples from `start` on, sharing memory. */
function view(tensor: Tensor, start: number, count: number): Tensor {
  const rest = tensor.shape.slice(1);
  const offset = tensor.offset + start * sizeOf(rest);
  return new Tensor(tensor.storage, [count, ...rest], tensor.dtype, offset);
}

function checkSamples({ inputs, targets, weights }: Batch, samples: number): void {
  const first = inputs[0]!;
  const others = [
    ...inputs.map((each) => ['another input', each] as const),
    ...targets.map((each) => ['y', each] as const),
    ...weights.map((each) => ['sampleWeight', each] as const),
  ];
  for (const [what, other] of others) {
    if (other === null || (other.rank > 0 && other.shape[0] === samples)) continue;
    throw new ShapeError(
      `x has ${samples} samples (shape ${showShape(first.shape)}) and ${what} has ` +
        `${other.shape[0] ?? 'no axis'} (shape ${showShape(other.shape)}); the first axes must be ` +
        'equal',
    );
  }
  if (first.rank === 0 || samples === 0) {
    throw new ValueError(`there are no samples: x has shape ${showShape(first.shape)}`);
  }
}

/** Data of whatever form as a batch, dtypes as given. */
export function gathered(
  x: Data,
  y: Data | null | undefined,
  sampleWeight: Data | null | undefined,
  ports: Ports,
): Batch {
  const inputNames = ports.inputSpecs.map((each) => each.name);
  const names = ports.outputNames;
  const nothing = names.map(() => null);
  const inputs = tensorsOf(x, inputNames, 'x').map((each, i) => {
    if (each) return each;
    throw new ValueError(`x: there is nothing for the input "${inputNames[i]!}"`);
  });
  return {
    inputs,
    targets: y ? tensorsOf(y, names, 'y').map((each) => each ?? null) : nothing,
    weights: sampleWeight ? weightsOf(sampleWeight, names) : nothing,
  };
}

/** One batch of an iterable as tensors, inputs converted to what the model takes. */
export function asBatch(batch: BatchLike, ports: Ports): Batch {
  const [x, y, weight] = isList(batch) ? batch : [batch.x, batch.y, batch.sampleWeight];
  if ((x as unknown) === undefined) {
    throw new ValueError('a batch must be { x, y } or [x, y]; this one has no x');
  }
  return noGrad(() => {
    const given = gathered(x, y, weight, ports);
    const inputs = given.inputs.map((each, i) => cast(each, ports.inputSpecs[i]!.dtype));
    return { ...given, inputs };
  });
}

const isList = (batch: BatchLike): batch is Extract<BatchLike, readonly unknown[]> =>
  Array.isArray(batch);
