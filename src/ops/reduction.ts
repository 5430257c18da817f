/** Running a reduction kernel over any axes. */

import { reductions } from '../backends/backend.js';
import type { Reduction } from '../backends/backend.js';
import type { DType } from '../backends/dtype.js';
import { stridesOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { empty } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { copyStrided, viewAs } from './copy.js';

/** Shape with the reduced axes at size 1. */
export function keptShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
}

/**
 * Runs a reduction over sorted axes; the result keeps them at size 1. Not recorded. Axes that are
 * not neighbours are brought together by a transposing copy first.
 */
export function runReduction<D extends DType>(
  reduction: Reduction,
  x: Tensor,
  axes: readonly number[],
  dtype: D,
): Tensor<D> {
  const out = empty(x.backend, keptShape(x.shape, axes), dtype);
  if (out.size === 0) return out;
  const first = axes[0] ?? 0;
  const neighbours = axes.every((axis, i) => axis === first + i);
  const number = reductions.indexOf(reduction);
  let n = 1;
  for (const axis of axes) n *= x.shape[axis]!;
  if (neighbours) {
    let outer = 1;
    for (let axis = 0; axis < first; axis++) outer *= x.shape[axis]!;
    x.backend.reduce(number, out.buffer, x.buffer, outer, n, out.size / outer);
  } else {
    const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
    const strides = stridesOf(x.shape);
    const turned = empty(
      x.backend,
      order.map((axis) => x.shape[axis]!),
      x.dtype,
    );
    copyStrided(
      turned,
      x,
      turned.shape,
      order.map((axis) => strides[axis]!),
      0,
    );
    x.backend.reduce(number, out.buffer, turned.buffer, out.size, n, 1);
  }
  return out;
}

/** The result of a kept reduction under its final shape. @internal */
export function dropAxes(kept: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  if (keepDims) return kept;
  return viewAs(
    kept,
    kept.shape.filter((_, axis) => !axes.includes(axis)),
  );
}
