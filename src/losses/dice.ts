/** Overlap of what is predicted with what is there: for masks of images. */

import { ShapeError } from '../errors.js';
import { add, affine, div, mul } from '../ops/elementwise.js';
import { sum } from '../ops/reduce.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkEachNumber, whole } from '../values.js';
import { Loss, targetsLike } from './loss.js';
import type { LossOptions } from './loss.js';

export interface DiceOptions extends LossOptions {
  /** Axes summed over; all but the first give a loss per sample. Default null: all axes. */
  readonly axis?: number | readonly number[] | null;
}

/**
 * 1 − 2 · Σ y · p / (Σ y + Σ p + 1e-7): Keras 3's, after Milletari et al. 2016 (V-Net).
 * Targets and predictions have one shape, [batch, …]. The sums go over all of it, which gives one
 * figure for the batch, unless `axis` is given. Throws ShapeError for other shapes, and for sample
 * weights where there is only one figure.
 */
export class Dice extends Loss {
  readonly axis: number | readonly number[] | null;

  constructor(options: DiceOptions = {}) {
    super(options);
    this.axis = options.axis ?? null;
    checkEachNumber(this.axis ?? [], `${this.name}: axis`, whole);
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const truth = targetsLike(yTrue, yPred, this.name);
    const total = (x: Tensor): Tensor => sum(x, this.axis ?? undefined);
    const both = affine(total(truth), 1, 1e-7);
    return affine(div(total(mul(truth, yPred)), add(total(yPred), both)), -2, 1);
  }

  override compute(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor | null): Tensor {
    if (sampleWeight && this.axis === null) {
      throw new ShapeError(
        `${this.name}: samples cannot be weighed in one figure of the whole batch; give axis, ` +
          'all axes but the first',
      );
    }
    return super.compute(yTrue, yPred, sampleWeight);
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), axis: this.axis };
  }
}
