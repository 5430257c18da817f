/** Norms of gradients: one reduction each, and one read for all. */

import { reductions } from '../backends/backend.js';
import type { Buffer } from '../backends/backend.js';
import type { DType } from '../backends/dtype.js';
import { zeros } from '../tensor/create.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';

/** Room for one result per tensor. */
interface Scratch {
  readonly vector: Tensor;
  /** The vector's elements, as outputs of the reduction. */
  readonly parts: readonly Buffer[];
}

const sumSquares = reductions.indexOf('sumSquares');

/** Sums of squares, in memory used again for every call. */
export class Norms {
  readonly #scratch = new Map<DType, Scratch>();

  /** Σ x² of each tensor; all on one device. */
  squares(tensors: readonly Tensor[]): Float64Array {
    const result = new Float64Array(tensors.length);
    for (const dtype of new Set(tensors.map((tensor) => tensor.dtype))) {
      const { vector, parts } = this.#scratchFor(tensors, dtype);
      tensors.forEach((tensor, i) => {
        if (tensor.dtype !== dtype || tensor.size === 0) return;
        tensor.backend.reduce(sumSquares, parts[i]!, tensor.buffer, 1, tensor.size, 1);
      });
      const values = vector.dataSync();
      tensors.forEach((tensor, i) => {
        if (tensor.dtype === dtype && tensor.size > 0) result[i] = values[i]!;
      });
    }
    return result;
  }

  #scratchFor(tensors: readonly Tensor[], dtype: DType): Scratch {
    const { backend, device } = tensors[0]!;
    const before = this.#scratch.get(dtype);
    if (before && before.parts.length >= tensors.length && before.vector.backend === backend) {
      return before;
    }
    const vector: Tensor = Scope.release(zeros([tensors.length], { dtype, device }));
    const parts = tensors.map((_, i) => backend.view(vector.buffer, i, 1));
    const made = { vector, parts };
    this.#scratch.set(dtype, made);
    return made;
  }
}

/** √ of the sum of squares of all elements of all tensors (null ones left out). */
export function globalNorm(tensors: readonly (Tensor | null)[]): number {
  const present = tensors.filter((each) => each !== null);
  if (present.length === 0) return 0;
  return Math.sqrt(new Norms().squares(present).reduce((sum, each) => sum + each, 0));
}

/** What to multiply by so that a norm is at most `limit`. NaN stays NaN. */
export const clipScale = (norm: number, limit: number): number =>
  norm <= limit ? 1 : limit / norm;
