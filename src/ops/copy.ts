/** Moving elements as they are: another shape over the same memory, strided copies. */

import { track, tracks } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import { mergeAxes, sameShape, stridesOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** The same elements under another shape of the same size; shares memory. */
export function viewAs<D extends Tensor>(x: D, shape: Shape): D {
  if (sameShape(x.shape, shape)) return x;
  const out = new Tensor(x.storage, shape, x.dtype, x.offset) as D;
  if (!tracks(x)) return out;
  return track(out, 'reshape', [x], [], (g) => [viewAs(g, x.shape)]);
}

/** out[i] = x at `strides` from `offset`, for i over `shape`; out is contiguous. @internal */
export function copyStrided(
  out: Tensor,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset: number,
): void {
  copyBetween(out, 0, stridesOf(shape), x, offset, strides, shape);
}

/** Strided to strided copy; merges axes first. @internal */
export function copyBetween(
  out: Tensor,
  outOffset: number,
  outStrides: readonly number[],
  x: Tensor,
  offset: number,
  strides: readonly number[],
  shape: Shape,
): void {
  if (shape.includes(0)) return;
  const folded = mergeAxes(shape, [outStrides, strides]);
  const rank = folded.sizes.length;
  if (rank > 8) {
    throw new ShapeError(`tensors of more than 8 axes that do not merge cannot be copied`);
  }
  const walk =
    rank === 0
      ? Int32Array.of(1, 1, 1, 1)
      : Int32Array.of(rank, ...folded.sizes, ...folded.strides[0]!, ...folded.strides[1]!);
  out.backend.copy(out.buffer, outOffset, x.buffer, offset, walk);
}
