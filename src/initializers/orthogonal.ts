/** Orthogonal matrices (Saxe et al. 2013). */

import { ShapeError } from '../errors.js';
import { cast } from '../ops/cast.js';
import { affine, sub } from '../ops/elementwise.js';
import { matmul } from '../ops/matmul.js';
import { reshape, transpose } from '../ops/move.js';
import { slice } from '../ops/slice.js';
import { normal } from '../tensor/random.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { InitializerTarget } from './initializer.js';
import { checkNumber } from '../values.js';
import { RandomInitializer } from './random.js';
import type { SeedOptions } from './random.js';

export interface OrthogonalOptions extends SeedOptions {
  /** Length of the vectors. Default 1. */
  readonly gain?: number;
}

/**
 * A matrix with orthonormal columns (rows, if there are fewer rows), evenly distributed among all
 * such matrices: the Q of the QR decomposition of a normal matrix, signs fixed so that R has a
 * positive diagonal. More axes than two: all but the last are taken together. On different devices
 * the values are equal up to rounding.
 */
export class Orthogonal extends RandomInitializer {
  readonly gain: number;

  constructor(options: OrthogonalOptions = {}) {
    super(options);
    this.gain = checkNumber(options.gain ?? 1, 'Orthogonal: gain');
  }

  /** Throws ShapeError for fewer than two axes. */
  call(shape: Shape, target: InitializerTarget = {}): Tensor {
    if (shape.length < 2) {
      throw new ShapeError(`Orthogonal: needs two axes or more, got shape ${showShape(shape)}`);
    }
    const rows = sizeOf(shape.slice(0, -1));
    const columns = shape.at(-1)!;
    const wide = rows < columns;
    const [count, length] = wide ? [rows, columns] : [columns, rows];
    const vectors = normal([count, length], { ...this.drawing(target), dtype: 'float64' });
    orthonormalize(vectors);
    const scaled = affine(wide ? vectors : transpose(vectors), this.gain, 0);
    return reshape(cast(scaled, target.dtype ?? 'float32'), shape);
  }

  override config(): Record<string, unknown> {
    return { gain: this.gain, ...super.config() };
  }
}

/** Vectors treated one by one; what they share with all before them goes in matrix products. */
const blockSize = 32;

/**
 * Gram and Schmidt, in place, on rows [count, length]: each vector loses its part along the ones
 * before it and gets length 1. The signs are those of a QR with a positive diagonal. Everything
 * happens twice, which makes it as exact as Householder's method ("twice is enough", Giraud et al.
 * 2005).
 */
function orthonormalize(vectors: Tensor): void {
  const [count, length] = vectors.shape as [number, number];
  for (let start = 0; start < count; start += blockSize) {
    const block = slice(vectors, [start, start + blockSize]);
    for (let pass = 0; pass < 2; pass++) {
      if (start > 0) {
        const before = slice(vectors, [0, start]);
        block.assign(sub(block, matmul(matmul(block, before, { transposeB: true }), before)));
      }
      const values = block.dataSync() as Float64Array;
      orthonormalizeRows(values, block.shape[0]!, length);
      block.assign(values);
    }
  }
}

function orthonormalizeRows(values: Float64Array, count: number, length: number): void {
  const row = (v: number): Float64Array => values.subarray(v * length, (v + 1) * length);
  for (let v = 0; v < count; v++) {
    const vector = row(v);
    for (let u = 0; u < v; u++) subtract(vector, row(u), dot(vector, row(u)));
    const scale = 1 / Math.sqrt(dot(vector, vector));
    for (let i = 0; i < length; i++) vector[i] = vector[i]! * scale;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a −= factor · b. */
function subtract(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] = a[i]! - factor * b[i]!;
}
