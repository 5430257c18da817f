/** Layers that change the shape only, or nothing. */

import { describe, ShapeError } from '../errors.js';
import { viewAs } from '../ops/copy.js';
import { broadcastTo, transpose } from '../ops/move.js';
import { checkInteger, showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';

function checkArray(layer: string, example: string, given: unknown): void {
  if (Array.isArray(given)) return;
  throw new ShapeError(`${layer}: expected an array, ${example} say, not ${describe(given)}`);
}

/** [batch, a, b, …] → [batch, a · b · …]. */
export class Flatten extends Layer {
  override call(x: Tensor): Tensor {
    return viewAs(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);
  }

  override outputShape(inputShape: Shape): Shape {
    return [sizeOf(inputShape)];
  }
}

/** Each sample under another shape of the same size; one size may be −1, worked out. */
export class Reshape extends Layer {
  static override readonly positional = ['targetShape'];
  readonly targetShape: Shape;

  constructor(targetShape: Shape, options: LayerOptions = {}) {
    super(options);
    checkArray('Reshape', '[4, -1]', targetShape);
    const sizes = targetShape.every((n) => Number.isInteger(n) && n >= -1);
    if (!sizes || targetShape.filter((n) => n === -1).length > 1) {
      throw new ShapeError(
        `Reshape: ${showShape(targetShape)} must be whole numbers, 0 or more, with at most one −1`,
      );
    }
    this.targetShape = [...targetShape];
  }

  override call(x: Tensor): Tensor {
    return viewAs(x, [x.shape[0]!, ...this.outputShape(x.shape.slice(1))]);
  }

  override outputShape(inputShape: Shape): Shape {
    const size = sizeOf(inputShape);
    const known = sizeOf(this.targetShape.filter((n) => n >= 0));
    const shape = this.targetShape.map((n) => (n < 0 ? size / known : n));
    if (sizeOf(shape) === size && shape.every(Number.isInteger)) return shape;
    throw new ShapeError(
      `layer ${this.name}: cannot reshape samples of ${showShape(inputShape)} to ` +
        showShape(this.targetShape),
    );
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), targetShape: [...this.targetShape] };
  }
}

/** Axes of each sample in another order: `new Permute([2, 1])` exchanges two; the batch stays. */
export class Permute extends Layer {
  static override readonly positional = ['dims'];
  /** Axis i of a result is axis dims[i] of the input, counted with the batch as 0. */
  readonly dims: readonly number[];

  constructor(dims: readonly number[], options: LayerOptions = {}) {
    super(options);
    checkArray('Permute', '[2, 1]', dims);
    this.dims = [...dims];
    const sorted = [...dims].sort((a, b) => a - b);
    if (sorted.some((axis, i) => axis !== i + 1)) {
      throw new ShapeError(
        `Permute: ${showShape(dims)} must hold each of 1 to ${dims.length} once; the batch, axis ` +
          '0, stays',
      );
    }
  }

  override call(x: Tensor): Tensor {
    return transpose(x, [0, ...this.dims]);
  }

  override outputShape(inputShape: Shape): Shape {
    if (inputShape.length === this.dims.length)
      return this.dims.map((axis) => inputShape[axis - 1]!);
    throw new ShapeError(
      `layer ${this.name}: ${showShape(this.dims)} orders ${this.dims.length} axes, the samples ` +
        `have shape ${showShape(inputShape)}`,
    );
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), dims: [...this.dims] };
  }
}

/** A vector several times over: [batch, features] → [batch, n, features]. */
export class RepeatVector extends Layer {
  static override readonly positional = ['n'];
  /** How many times, 1 or more. */
  readonly n: number;

  constructor(n: number, options: LayerOptions = {}) {
    super(options);
    this.n = checkInteger(n, 1, Infinity, 'RepeatVector: n');
  }

  override call(x: Tensor): Tensor {
    const batch = x.shape[0]!;
    const [n, features] = this.outputShape(x.shape.slice(1)) as readonly [number, number];
    return broadcastTo(viewAs(x, [batch, 1, features]), [batch, n, features]);
  }

  override outputShape(inputShape: Shape): Shape {
    if (inputShape.length === 1) return [this.n, inputShape[0]!];
    throw new ShapeError(
      `layer ${this.name}: RepeatVector takes samples of one axis, got ${showShape(inputShape)}`,
    );
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), n: this.n };
  }
}

/** Passes its input on: a place to look at, or to put another layer with `replace`. */
export class Identity extends Layer {
  override call(x: Tensor): Tensor {
    return x;
  }
}
