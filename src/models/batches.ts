/** Where training data comes from: tensors cut into batches, or an iterable of batches. */

import type { FloatDType } from '../backends/dtype.js';
import { ShapeError, ValueError } from '../errors.js';
import { noGrad } from '../autograd/tape.js';
import { cast } from '../ops/cast.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { defaultGenerator, permutationArray } from '../tensor/random.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import { empty, fromArray, Tensor } from '../tensor/tensor.js';

/** Inputs [batch, ...], targets and, optionally, a weight per sample [batch]. */
export interface Batch {
  readonly x: Tensor;
  readonly y: Tensor | null;
  readonly sampleWeight?: Tensor | null;
}

/** What an iterable of batches may yield. */
export type BatchLike =
  | Batch
  | { readonly x: TensorLike; readonly y?: TensorLike; readonly sampleWeight?: TensorLike }
  | readonly [x: TensorLike, y: TensorLike, sampleWeight?: TensorLike];

/** Batches to be iterated once per epoch. */
export type BatchIterable = Iterable<BatchLike> | AsyncIterable<BatchLike>;

/** Batches of tensors whose samples lie along the first axis. */
export class TensorBatches {
  readonly samples: number;
  readonly steps: number;
  #order: Tensor | null = null;
  readonly #one: Tensor;
  readonly #zero: Tensor;

  /**
   * x [samples, ...], y [samples, ...] or null, weights [samples] or null. Integer inputs become
   * `dtype` as they are batched; targets keep their dtype.
   */
  constructor(
    readonly x: Tensor,
    readonly y: Tensor | null,
    readonly sampleWeight: Tensor | null,
    readonly batchSize: number,
    readonly dtype: FloatDType,
  ) {
    this.samples = x.shape[0] ?? 0;
    for (const [what, other] of [
      ['y', y],
      ['sampleWeight', sampleWeight],
    ] as const) {
      if (other && other.shape[0] !== this.samples) {
        throw new ShapeError(
          `x has ${this.samples} samples (shape ${showShape(x.shape)}) and ${what} has ` +
            `${other.shape[0] ?? 'no axis'} (shape ${showShape(other.shape)}); they must be equal`,
        );
      }
    }
    if (x.rank === 0 || this.samples === 0) {
      throw new ValueError(`there are no samples: x has shape ${showShape(x.shape)}`);
    }
    this.steps = Math.ceil(this.samples / batchSize);
    this.#one = fromArray(Float32Array.of(1), [1], 'float32', x.backend);
    this.#zero = fromArray(Float32Array.of(0), [1], 'float32', x.backend);
  }

  /**
   * Puts the samples in the order that the default generator's seed and `epoch` decide: another
   * one every epoch, the same in every run. Uses the upper half of the seed's stream, which arrays
   * never reach, and does not move the generator.
   */
  shuffle(epoch: number): void {
    const { key } = defaultGenerator.state();
    const order = permutationArray(this.samples, key[0], key[1], 0, 2 ** 31 + epoch);
    if (this.#order) this.#order.assign(order);
    else this.#order = fromArray(order, [this.samples], 'int32', this.x.backend);
  }

  /** Batch number `step`; the last may be smaller. Call inside a scope. */
  batch(step: number): Batch {
    const start = step * this.batchSize;
    const count = Math.min(this.batchSize, this.samples - start);
    return {
      x: this.#inputs(start, count),
      y: this.y && this.#rows(this.y, start, count),
      sampleWeight: this.sampleWeight && this.#rows(this.sampleWeight, start, count),
    };
  }

  /** Rows converted to the model's dtype. */
  #inputs(start: number, count: number): Tensor {
    const { x } = this;
    if (!this.#order || x.dtype === this.dtype)
      return cast(this.#rows(x, start, count), this.dtype);
    const width = sizeOf(x.shape.slice(1));
    const out = empty(x.backend, [count, ...x.shape.slice(1)], this.dtype);
    if (out.size > 0) {
      const index = x.backend.view(this.#order.buffer, start, count);
      const { buffer: one } = this.#one;
      x.backend.loadRows(
        out.buffer,
        x.buffer,
        index,
        one,
        this.#zero.buffer,
        this.samples,
        count,
        width,
      );
    }
    return out;
  }

  /** Rows as they are: a view when in order, a gathered copy when shuffled. */
  #rows(tensor: Tensor, start: number, count: number): Tensor {
    const rest = tensor.shape.slice(1);
    const width = sizeOf(rest);
    if (!this.#order) {
      return new Tensor(
        tensor.storage,
        [count, ...rest],
        tensor.dtype,
        tensor.offset + start * width,
      );
    }
    const out: Tensor = empty(tensor.backend, [count, ...rest], tensor.dtype);
    if (out.size > 0) {
      const index = tensor.backend.view(this.#order.buffer, start, count);
      tensor.backend.gather(out.buffer, tensor.buffer, index, 1, this.samples, count, width);
    }
    return out;
  }
}

/** One batch of whatever form as tensors, inputs as `dtype`. */
export function asBatch(batch: BatchLike, dtype: FloatDType): Batch {
  const [x, y, weight] = Array.isArray(batch)
    ? (batch as readonly TensorLike[])
    : [(batch as Batch).x, (batch as Batch).y, (batch as Batch).sampleWeight];
  if (x === undefined) {
    throw new ValueError('a batch must be { x, y } or [x, y]; this one has no x');
  }
  return noGrad(() => ({
    x: cast(asTensor(x), dtype),
    y: y === undefined || y === null ? null : asTensor(y),
    sampleWeight: weight === undefined || weight === null ? null : asTensor(weight),
  }));
}
