/** Layers that only change the shape. */

import { ShapeError } from '../errors.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { viewAs } from '../ops/copy.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';

/** [batch, a, b, …] → [batch, a · b · …]. */
export class Flatten extends Layer {
  override call(x: Tensor): Tensor {
    const batch = x.shape[0]!;
    return viewAs(x, [batch, batch === 0 ? sizeOf(x.shape.slice(1)) : x.size / batch]);
  }

  override outputShape(inputShape: Shape): Shape {
    return [sizeOf(inputShape)];
  }
}

/** Each sample under another shape of the same size; one size may be −1, worked out. */
export class Reshape extends Layer {
  readonly targetShape: Shape;

  constructor(targetShape: Shape, options: LayerOptions = {}) {
    super(options);
    this.targetShape = [...targetShape];
  }

  override call(x: Tensor): Tensor {
    return viewAs(x, [x.shape[0]!, ...this.outputShape(x.shape.slice(1))]);
  }

  override outputShape(inputShape: Shape): Shape {
    const size = sizeOf(inputShape);
    const known = this.targetShape.reduce(
      (product, each) => (each < 0 ? product : product * each),
      1,
    );
    const shape = this.targetShape.map((each) => (each < 0 ? size / known : each));
    if (sizeOf(shape) !== size || shape.some((each) => !Number.isInteger(each))) {
      throw new ShapeError(
        `layer ${this.name}: cannot reshape samples of ${showShape(inputShape)} to ` +
          showShape(this.targetShape),
      );
    }
    return shape;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), targetShape: [...this.targetShape] };
  }
}
