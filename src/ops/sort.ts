/** Order along an axis. NaN comes last in either direction; equal values keep their order. */

import type { DType } from '../backends/dtype.js';
import { tracks } from '../autograd/tape.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxis, checkInteger } from '../tensor/shape.js';
import { empty } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { trackTaken } from './gather.js';
import { swapAxes } from './move.js';

export interface SortOptions {
  /** Largest first. Default false. */
  readonly descending?: boolean;
}

/** Values and where along the axis they were. */
export interface Sorted<D extends DType = DType> {
  readonly values: Tensor<D>;
  readonly indices: Tensor<'int32'>;
}

/** The values in order along an axis (default the last). */
export function sort<D extends DType>(
  x: TensorLike<D>,
  axis = -1,
  options: SortOptions = {},
): Tensor<D> {
  const input = asTensor(x);
  const at = checkAxis(axis, input.rank, 'sort');
  return ordered(input, at, input.shape[at]!, options.descending ?? false).values;
}

/** The positions that put the values in order along an axis (default the last). */
export function argsort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor<'int32'> {
  const input = asTensor(x).detach();
  const at = checkAxis(axis, input.rank, 'argsort');
  return ordered(input, at, input.shape[at]!, options.descending ?? false).indices;
}

export interface TopKOptions {
  /** Default the last. */
  readonly axis?: number;
  /** Largest first (true, the default), or smallest first. */
  readonly largest?: boolean;
}

/**
 * The k largest values along an axis in descending order, and their positions. Throws ValueError
 * when k is more than the axis has.
 */
export function topK<D extends DType>(
  x: TensorLike<D>,
  k: number,
  options: TopKOptions = {},
): Sorted<D> {
  const input = asTensor(x);
  const at = checkAxis(options.axis ?? -1, input.rank, 'topK');
  checkInteger(k, 0, input.shape[at]!, `topK: k for an axis of ${input.shape[at]!}`);
  return ordered(input, at, k, options.largest ?? true);
}

/** The first k of an order. */
function ordered<D extends DType>(
  x: Tensor<D>,
  axis: number,
  k: number,
  descending: boolean,
): Sorted<D> {
  if (axis !== x.rank - 1) {
    const { values, indices } = ordered(swapAxes(x, axis, -1), x.rank - 1, k, descending);
    return { values: swapAxes(values, axis, -1), indices: swapAxes(indices, axis, -1) };
  }
  const n = x.shape[axis]!;
  const shape = [...x.shape.slice(0, axis), k];
  const values = empty(x.backend, shape, x.dtype);
  const indices = empty(x.backend, shape, 'int32');
  if (values.size > 0) {
    x.backend.sort(values.buffer, indices.buffer, x.buffer, x.size / n, n, k, descending);
  }
  return { values: tracks(x) ? trackTaken(values, x, indices, axis) : values, indices };
}
