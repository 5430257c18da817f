/**
 * Rows of data on their way into a float tensor. They are loaded when somebody first wants the
 * tensor's values: who wants them standardized takes them from here, and has them gathered,
 * converted and standardized in one pass over memory.
 */

import type { Buffer } from '../backends/backend.js';
import type { FloatDType } from '../backends/dtype.js';
import { sizeOf } from './shape.js';
import type { Filling } from './storage.js';
import { empty } from './tensor.js';
import type { Tensor } from './tensor.js';

export class Rows implements Filling {
  readonly #data: Tensor;
  readonly #index: Tensor | null;
  readonly count: number;
  /** Elements of a row. */
  readonly width: number;

  /**
   * @param data [n, ...], of any dtype
   * @param index int32 [count], numbers of rows; null: all, in order
   * @param dtype what the rows become
   */
  constructor(
    data: Tensor,
    index: Tensor | null,
    readonly dtype: FloatDType,
  ) {
    this.#data = data;
    this.#index = index;
    this.count = (index ?? data).shape[0]!;
    this.width = sizeOf(data.shape.slice(1));
  }

  /** A tensor [count, ...] of these rows, which are loaded when its values are wanted. */
  tensor(): Tensor {
    const { shape, backend } = this.#data;
    const out = empty(backend, [this.count, ...shape.slice(1)], this.dtype);
    if (out.size > 0) out.storage.filling = this;
    return out;
  }

  fill(out: Buffer): void {
    const { backend, buffer, dtype, shape } = this.#data;
    if (!this.#index || dtype !== this.dtype) this.load(out, null, null);
    else backend.gather(out, buffer, this.#index.buffer, 1, shape[0]!, this.count, this.width);
  }

  /** out [count, width] = (rows − center) · scale; see loadRows in backend.ts. */
  load(out: Buffer, center: Buffer | null, scale: Buffer | null): void {
    const { backend, buffer, shape } = this.#data;
    const index = this.#index?.buffer ?? null;
    backend.loadRows(out, buffer, index, center, scale, shape[0]!, this.count, this.width);
  }

  /** The rows that all of a tensor is yet to be filled with, one for each of its samples. */
  static behind(x: Tensor): Rows | null {
    const { filling, size } = x.storage;
    if (!(filling instanceof Rows) || x.size !== size) return null;
    return x.shape[0] === filling.count ? filling : null;
  }
}
