/** Layers of several inputs. */

import { ShapeError, ValueError } from '../errors.js';
import { viewAs } from '../ops/copy.js';
import { add, affine, maximum, minimum, mul, sub } from '../ops/elementwise.js';
import { concat } from '../ops/move.js';
import { broadcastShapes, checkAxis, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber, whole } from '../values.js';
import { Layer } from './layer.js';
import type { CallContext, LayerOptions } from './layer.js';

/** A layer of two or more inputs: a subclass writes `merge` instead of `call`. */
export abstract class MergeLayer extends Layer {
  /** The result for batches of samples, one per input. */
  abstract merge(inputs: readonly Tensor[], context: CallContext): Tensor;

  override call(x: Tensor, context: CallContext): Tensor {
    return this.merge([x], context);
  }

  override applyAll(
    inputs: readonly Tensor[],
    context: CallContext = { training: false },
  ): Tensor[] {
    if (!this.built) {
      const shapes = inputs.map((each) => each.shape.slice(1));
      this.outputShapes(...shapes);
      this.ensureBuilt(...shapes);
    }
    return [this.finish(this.merge(inputs, context), context)];
  }

  override outputShapes(...inputShapes: Shape[]): readonly Shape[] {
    if (inputShapes.length >= 2) return [this.outputShape(...inputShapes)];
    throw new ValueError(
      `layer ${this.name}: ${this.constructor.name} takes two inputs or more, got ` +
        `${inputShapes.length}; place it with on([a, b])`,
    );
  }

  /** Default: the shape all broadcast to. */
  override outputShape(...inputShapes: Shape[]): Shape {
    return inputShapes.reduce((a, b) => broadcastShapes(a, b, `layer ${this.name}`));
  }
}

/** A merge that takes its inputs two at a time. */
abstract class Pairwise extends MergeLayer {
  protected abstract pair(a: Tensor, b: Tensor): Tensor;

  override merge(inputs: readonly Tensor[]): Tensor {
    const rank = Math.max(...inputs.map((each) => each.rank));
    return inputs.map((each) => withRank(each, rank)).reduce((a, b) => this.pair(a, b));
  }
}

/** Samples of fewer axes get axes of size 1 in front, behind the batch axis. */
function withRank(x: Tensor, rank: number): Tensor {
  if (x.rank === rank) return x;
  const ones = new Array<number>(rank - x.rank).fill(1);
  return viewAs(x, [x.shape[0]!, ...ones, ...x.shape.slice(1)]);
}

/** The sum of its inputs, which broadcast. */
export class Add extends Pairwise {
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return add(a, b);
  }
}

/** The product of its inputs, which broadcast. */
export class Multiply extends Pairwise {
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return mul(a, b);
  }
}

/** The mean of its inputs, which broadcast. */
export class Average extends Add {
  override merge(inputs: readonly Tensor[]): Tensor {
    return affine(super.merge(inputs), 1 / inputs.length, 0);
  }
}

/** The greatest of its inputs, element by element. */
export class Maximum extends Pairwise {
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return maximum(a, b);
  }
}

/** The smallest of its inputs, element by element. */
export class Minimum extends Pairwise {
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return minimum(a, b);
  }
}

/** The first of its two inputs minus the second. */
export class Subtract extends Pairwise {
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return sub(a, b);
  }

  override outputShape(...inputShapes: Shape[]): Shape {
    if (inputShapes.length === 2) return super.outputShape(...inputShapes);
    throw new ValueError(
      `layer ${this.name}: Subtract takes exactly two inputs, got ${inputShapes.length}`,
    );
  }
}

export interface ConcatenateOptions extends LayerOptions {
  /** Axis along which they are joined, the batch being axis 0. Default the last. */
  readonly axis?: number;
}

/** Its inputs one after another along an axis. */
export class Concatenate extends MergeLayer {
  readonly axis: number;

  constructor(options: ConcatenateOptions = {}) {
    super(options);
    this.axis = checkNumber(options.axis ?? -1, 'Concatenate: axis', whole);
  }

  override merge(inputs: readonly Tensor[]): Tensor {
    return concat(inputs, this.axis);
  }

  override outputShape(...inputShapes: Shape[]): Shape {
    const first = inputShapes[0]!;
    const where = `layer ${this.name}: axis`;
    const along = checkAxis(this.axis, first.length + 1, where) - 1;
    if (along < 0) {
      throw new ShapeError(`${where} 0 is the batch; join along another`);
    }
    for (const shape of inputShapes) {
      const fits =
        shape.length === first.length && shape.every((n, i) => i === along || n === first[i]);
      if (fits) continue;
      throw new ShapeError(
        `layer ${this.name}: samples of ${inputShapes.map(showShape).join(', ')} cannot be joined ` +
          `along axis ${this.axis}; they may differ in that axis only`,
      );
    }
    const total = inputShapes.reduce((sum, shape) => sum + shape[along]!, 0);
    return first.map((n, i) => (i === along ? total : n));
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), axis: this.axis };
  }
}
