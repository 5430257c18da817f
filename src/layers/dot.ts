/** Products of two inputs along an axis, and vectors of length 1. */

import { ShapeError, ValueError } from '../errors.js';
import { viewAs } from '../ops/copy.js';
import { matmul } from '../ops/matmul.js';
import { transpose } from '../ops/move.js';
import { l2Normalize } from '../ops/statistics.js';
import { checkAxes, checkAxis, showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkEachNumber, checkFlag, whole } from '../values.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';
import { MergeLayer } from './merging.js';

export interface UnitNormalizationOptions extends LayerOptions {
  /** Axis or axes of the vectors, the batch being axis 0. Default the last. */
  readonly axis?: number | readonly number[];
}

/** Each sample's vectors divided by their length, so that they have length 1; same shape. */
export class UnitNormalization extends Layer {
  readonly axis: number | readonly number[];

  constructor(options: UnitNormalizationOptions = {}) {
    super(options);
    this.axis = options.axis ?? -1;
    checkEachNumber(this.axis, 'UnitNormalization: axis', whole);
  }

  override call(x: Tensor): Tensor {
    return l2Normalize(x, this.#axes(x.rank));
  }

  override outputShape(inputShape: Shape): Shape {
    this.#axes(inputShape.length + 1);
    return inputShape;
  }

  #axes(rank: number): readonly number[] {
    const axes = checkAxes(this.axis, rank, `layer ${this.name}: axis`);
    if (!axes.includes(0)) return axes;
    throw new ShapeError(`layer ${this.name}: axis 0 is the batch; vectors lie along others`);
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), axis: this.axis };
  }
}

export interface DotOptions extends LayerOptions {
  /**
   * Divide the vectors by their length first: the result is the cosine of their angle. Default
   * false.
   */
  readonly normalize?: boolean;
}

/**
 * Products of the vectors of two inputs, summed along one axis of each (the batch is axis 0):
 * [batch, n] and [batch, n] give [batch, 1], matrices [batch, a, n] and [batch, b, n] along axis 2
 * give [batch, a, b].
 */
export class Dot extends MergeLayer {
  static override readonly positional = ['axes'];
  /** One for both inputs, or one each. */
  readonly axes: number | readonly [number, number];
  readonly normalize: boolean;

  constructor(axes: number | readonly [number, number], options: DotOptions = {}) {
    super(options);
    const given: unknown = axes;
    if (Array.isArray(given) && given.length !== 2) {
      throw new ValueError(`Dot: axes must be one for both inputs, or two, not ${given.length}`);
    }
    checkEachNumber(axes, 'Dot: axes', whole);
    this.axes = axes;
    this.normalize = checkFlag(options.normalize ?? false, 'Dot: normalize');
  }

  override merge(inputs: readonly Tensor[]): Tensor {
    const shapes = inputs.map((each) => each.shape.slice(1));
    const [a, b] = this.#axesOf(shapes).map((axis, i) => this.#rows(inputs[i]!, axis));
    const product = matmul(a!, b!, { transposeB: true });
    return viewAs(product, [product.shape[0]!, ...this.outputShape(...shapes)]);
  }

  /** [batch, vectors, n] for the vectors along an axis. */
  #rows(x: Tensor, axis: number): Tensor {
    const vectors = this.normalize ? l2Normalize(x, axis) : x;
    const others = [...x.shape.keys()].filter((each) => each !== axis);
    const last = transpose(vectors, [...others, axis]);
    const [batch, ...rest] = last.shape.slice(0, -1);
    return viewAs(last, [batch!, sizeOf(rest), x.shape[axis]!]);
  }

  #axesOf(shapes: readonly Shape[]): number[] {
    return shapes.map((shape, i) => {
      const axis = typeof this.axes === 'number' ? this.axes : this.axes[i]!;
      const found = checkAxis(axis, shape.length + 1, `layer ${this.name}: axes`);
      if (found > 0) return found;
      throw new ShapeError(`layer ${this.name}: axis 0 is the batch; vectors lie along others`);
    });
  }

  override outputShape(...inputShapes: Shape[]): Shape {
    if (inputShapes.length !== 2) {
      throw new ValueError(
        `layer ${this.name}: Dot takes exactly two inputs, got ${inputShapes.length}`,
      );
    }
    const axes = this.#axesOf(inputShapes);
    const sizes = inputShapes.map((shape, i) => shape[axes[i]! - 1]!);
    if (sizes[0] !== sizes[1]) {
      throw new ShapeError(
        `layer ${this.name}: samples of ${inputShapes.map(showShape).join(' and ')} have vectors ` +
          `of ${sizes.join(' and ')} values along axes ${axes.join(' and ')}`,
      );
    }
    const left = inputShapes.flatMap((shape, i) => shape.filter((_, k) => k !== axes[i]! - 1));
    return left.length === 0 ? [1] : left;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), axes: this.axes, normalize: this.normalize };
  }
}
