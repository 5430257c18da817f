/** Orthogonal matrices (Saxe et al. 2013). */

import { ShapeError } from '../errors.js';
import { normal } from '../tensor/random.js';
import { tensor } from '../tensor/create.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { InitializerTarget } from './initializer.js';
import { RandomInitializer } from './random.js';
import type { SeedOptions } from './random.js';

export interface OrthogonalOptions extends SeedOptions {
  /** Length of the vectors. Default 1. */
  readonly gain?: number;
}

/**
 * A matrix with orthonormal columns (rows, if there are fewer rows), evenly distributed among all
 * such matrices: the Q of the QR decomposition of a normal matrix, signs fixed so that R has a
 * positive diagonal. More axes than two: all but the last are taken together.
 */
export class Orthogonal extends RandomInitializer {
  readonly gain: number;

  constructor(options: OrthogonalOptions = {}) {
    super(options);
    this.gain = options.gain ?? 1;
  }

  /** Throws ShapeError for fewer than two axes. */
  call(shape: Shape, target: InitializerTarget = {}): Tensor {
    if (shape.length < 2) {
      throw new ShapeError(`Orthogonal: needs two axes or more, got shape ${showShape(shape)}`);
    }
    const rows = sizeOf(shape.slice(0, -1));
    const columns = shape.at(-1)!;
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
    // `count` vectors of `length` elements, one after the other.
    const draw = { ...this.drawing(target), dtype: 'float64' } as const;
    const vectors = normal([count, length], draw).dataSync();
    orthonormalize(vectors, count, length);
    const values = new Float64Array(rows * columns);
    for (let v = 0; v < count; v++) {
      for (let i = 0; i < length; i++) {
        const at = rows < columns ? v * columns + i : i * columns + v;
        values[at] = this.gain * vectors[v * length + i]!;
      }
    }
    return tensor(values, { ...target, dtype: target.dtype ?? 'float32', shape: [...shape] });
  }

  override config(): Record<string, unknown> {
    return { gain: this.gain, ...super.config() };
  }
}

/**
 * Gram and Schmidt, in place: each vector loses its part along the ones before it and gets
 * length 1. The signs are those of a QR with a positive diagonal. Twice over, which makes it as
 * exact as Householder's method ("twice is enough", Giraud et al. 2005).
 */
function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  const rowOf = (v: number): Float64Array => vectors.subarray(v * length, (v + 1) * length);
  for (let v = 0; v < count; v++) {
    const vector = rowOf(v);
    for (let pass = 0; pass < 2; pass++) {
      for (let u = 0; u < v; u++) subtract(vector, rowOf(u), dot(vector, rowOf(u)));
    }
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
