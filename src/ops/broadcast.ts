/** Broadcasting spelled out, and summation, which is its gradient (and the other way round). */

import { track, tracks } from '../autograd/tape.js';
import type { DType } from '../backends/dtype.js';
import { ShapeError } from '../errors.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  sameShape,
  showShape,
} from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { checkTensor, empty } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { copyStrided, viewAs } from './copy.js';
import { runReduction } from './reduction.js';

/** The tensor repeated to a larger shape, by numpy's rule. */
export function broadcastTo<D extends Tensor>(x: D, shape: Shape): D {
  checkTensor('broadcastTo', x);
  checkShape(shape, 'broadcastTo');
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape, 'broadcastTo'), shape)) {
    throw new ShapeError(
      `broadcastTo: shape ${showShape(x.shape)} does not broadcast to ${showShape(shape)}`,
    );
  }
  const out = empty(x.backend, [...shape], x.dtype) as D;
  if (out.size > 0) copyStrided(out, x, shape, broadcastStrides(x.shape, shape), 0);
  if (!tracks(x)) return out;
  return track(out, 'broadcastTo', [x], [], (g) => [sumTo(g, x.shape)]);
}

/** Sums a gradient over the axes along which a value of `shape` was repeated. */
export function sumTo(gradient: Tensor, shape: Shape): Tensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.rank - shape.length;
  const axes: number[] = [];
  gradient.shape.forEach((extent, axis) => {
    if (axis < lead || (shape[axis - lead] === 1 && extent !== 1)) axes.push(axis);
  });
  return viewAs(sumAxes(gradient, axes), shape);
}

/** Sum over sorted axes, kept at size 1. bool and uint8 are summed as int32. @internal */
export function sumAxes(x: Tensor, axes: readonly number[]): Tensor {
  const input: Tensor = x.dtype === 'bool' ? cast(x, 'int32') : x;
  if (axes.length === 0) return input;
  const dtype: DType = input.dtype === 'uint8' ? 'int32' : input.dtype;
  const out: Tensor = runReduction('sum', input, axes, dtype);
  if (!tracks(x)) return out;
  return track(out, 'sum', [x], [], (g) => [broadcastTo(g, x.shape)]);
}
