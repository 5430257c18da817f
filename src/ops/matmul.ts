/** Matrix products. */

import { isFloat, promote } from '../backends/dtype.js';
import { track, tracks } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { broadcastShapes, sameShape, showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { empty, Tensor } from '../tensor/tensor.js';
import { broadcastTo, sumTo } from './broadcast.js';
import { cast } from './cast.js';
import { viewAs } from './copy.js';
import { checkSameDevice } from './elementwise.js';

export interface MatmulOptions {
  /** Read the left operand as its transpose: stored [..., k, m]. Default false. */
  readonly transposeA?: boolean;
  /** Read the right operand as its transpose: stored [..., n, k]. Default false. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product [..., m, k] · [..., k, n] → [..., m, n]; leading axes broadcast. A vector on the
 * left is a row, on the right a column, and its axis is dropped from the result, as in numpy.
 * Integers are multiplied as float32.
 */
export function matmul(left: TensorLike, right: TensorLike, options: MatmulOptions = {}): Tensor {
  const a = asTensor(left, right instanceof Tensor ? right : undefined);
  const b = asTensor(right, a);
  checkSameDevice('matmul', a, b);
  const common = promote(a.dtype, b.dtype);
  const dtype = isFloat(common) ? common : 'float32';
  const rowVector = a.rank === 1;
  const columnVector = b.rank === 1;
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(
      `matmul: operands need one axis or more, got ${showShape(a.shape)} × ${showShape(b.shape)}`,
    );
  }
  const x = cast(rowVector ? viewAs(a, [1, a.size]) : a, dtype);
  const y = cast(columnVector ? viewAs(b, [b.size, 1]) : b, dtype);
  const transA = !rowVector && (options.transposeA ?? false);
  const transB = !columnVector && (options.transposeB ?? false);
  const product = multiply(x, y, transA, transB, [a.shape, b.shape]);
  if (!rowVector && !columnVector) return product;
  const shape = [...product.shape];
  if (columnVector) shape.pop();
  if (rowVector) shape.splice(columnVector ? -1 : -2, 1);
  return viewAs(product, shape);
}

/** The product of two tensors of rank 2 or more, of one float dtype, on one device. */
function multiply(
  a: Tensor,
  b: Tensor,
  transA: boolean,
  transB: boolean,
  shown: readonly [Shape, Shape],
): Tensor {
  const m = a.shape[a.rank - (transA ? 1 : 2)]!;
  const k = a.shape[a.rank - (transA ? 2 : 1)]!;
  const inner = b.shape[b.rank - (transB ? 1 : 2)]!;
  const n = b.shape[b.rank - (transB ? 2 : 1)]!;
  if (k !== inner) {
    const mark = (transposed: boolean): string => (transposed ? 'ᵀ' : '');
    throw new ShapeError(
      `matmul: inner sizes differ: ${showShape(shown[0])}${mark(transA)} × ` +
        `${showShape(shown[1])}${mark(transB)} (${k} against ${inner})`,
    );
  }
  const batch = batchOf(a.shape, b.shape);
  const out = empty(a.backend, batch.length === 0 ? [m, n] : [...batch, m, n], a.dtype);
  run(out, spread(a, batch), spread(b, batch), m, n, k, transA, transB);
  if (!tracks(a, b)) return out;
  return track(out, 'matmul', [a, b], [a, b], (g) => [
    a.requiresGrad ? sumTo(gradientOfA(g, b, transA, transB), a.shape) : null,
    b.requiresGrad ? sumTo(gradientOfB(g, a, transA, transB), b.shape) : null,
  ]);
}

const bothOf = (a: Tensor, b: Tensor, transA: boolean, transB: boolean): Tensor =>
  multiply(a, b, transA, transB, [a.shape, b.shape]);

// With C = op(A)·op(B): dop(A) = G·op(B)ᵀ and dop(B) = op(A)ᵀ·G, transposed back where op was.
const gradientOfA = (g: Tensor, b: Tensor, transA: boolean, transB: boolean): Tensor =>
  transA ? bothOf(b, g, transB, true) : bothOf(g, b, false, !transB);
const gradientOfB = (g: Tensor, a: Tensor, transA: boolean, transB: boolean): Tensor =>
  transB ? bothOf(g, a, true, transA) : bothOf(a, g, !transA, false);

const noAxes: Shape = [];

/** The leading axes of a product. */
const batchOf = (a: Shape, b: Shape): Shape =>
  a.length === 2 && b.length === 2
    ? noAxes
    : broadcastShapes(a.slice(0, -2), b.slice(0, -2), 'matmul');

/** The operand with its leading axes spelled out, unless they are all there or all 1. */
function spread(x: Tensor, batch: Shape): Tensor {
  if (batch.length === 0) return x;
  const own = x.shape.slice(0, -2);
  if (sameShape(own, batch) || sizeOf(own) === 1) return x;
  return broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
}

function run(
  out: Tensor,
  a: Tensor,
  b: Tensor,
  m: number,
  n: number,
  k: number,
  transA: boolean,
  transB: boolean,
): void {
  if (out.size === 0) return;
  const batch = out.size / (m * n);
  const strideA = a.size === m * k ? 0 : m * k; // 0: one matrix for all
  const strideB = b.size === k * n ? 0 : k * n;
  // One right operand for all: the left matrices are one tall matrix.
  const tall = batch > 1 && strideB === 0 && strideA !== 0 && !transA;
  out.backend.matmul(
    out.buffer,
    a.buffer,
    b.buffer,
    tall ? 1 : batch,
    tall ? batch * m : m,
    n,
    k,
    tall ? 0 : strideA,
    tall ? 0 : strideB,
    transA,
    transB,
    false,
  );
}
