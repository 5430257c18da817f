/** Losses between numbers. Each is the mean over the last axis; formulas as in Keras 3. */

import {
  abs,
  add,
  affine,
  div,
  greater,
  log,
  log1p,
  maximum,
  mul,
  neg,
  softplus,
  square,
  squaredDifference,
  sub,
  where,
} from '../ops/elementwise.js';
import { sum } from '../ops/reduce.js';
import { l2Normalize, mean } from '../ops/statistics.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber, positive } from '../values.js';
import { Loss, targetsLike } from './loss.js';
import type { LossOptions } from './loss.js';

/** Smallest divisor and logarithm, as in Keras. */
const epsilon = 1e-7;

/** A loss that is a function of target and prediction, averaged over the last axis. */
abstract class ElementwiseLoss extends Loss {
  /** The loss of each element. */
  protected abstract each(truth: Tensor, prediction: Tensor): Tensor;

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const values = this.each(targetsLike(yTrue, yPred, this.name), yPred);
    // A vector is one number per sample.
    return values.rank < 2 ? values : mean(values, -1);
  }
}

/** (y − p)². */
export class MeanSquaredError extends ElementwiseLoss {
  protected each(truth: Tensor, prediction: Tensor): Tensor {
    return squaredDifference(truth, prediction);
  }
}

/** |y − p|. */
export class MeanAbsoluteError extends ElementwiseLoss {
  protected each(truth: Tensor, prediction: Tensor): Tensor {
    return abs(sub(truth, prediction));
  }
}

/** 100 · |y − p| / max(|y|, 1e-7). */
export class MeanAbsolutePercentageError extends ElementwiseLoss {
  protected each(truth: Tensor, prediction: Tensor): Tensor {
    const ratio = div(sub(truth, prediction), maximum(abs(truth), epsilon));
    return affine(abs(ratio), 100, 0);
  }
}

/** (log(1 + y) − log(1 + p))², with y and p at least 1e-7. */
export class MeanSquaredLogarithmicError extends ElementwiseLoss {
  protected each(truth: Tensor, prediction: Tensor): Tensor {
    return squaredDifference(log1p(maximum(truth, epsilon)), log1p(maximum(prediction, epsilon)));
  }
}

export interface HuberOptions extends LossOptions {
  /** Where the parabola goes over into lines. Default 1. */
  readonly delta?: number;
}

/** ½e² for |e| ≤ delta, delta · |e| − ½delta² beyond (Huber 1964). */
export class Huber extends ElementwiseLoss {
  readonly delta: number;

  constructor(options: HuberOptions = {}) {
    super(options);
    this.delta = checkNumber(options.delta ?? 1, `${this.name}: delta`, positive);
  }

  protected each(truth: Tensor, prediction: Tensor): Tensor {
    const error = sub(prediction, truth);
    const size = abs(error);
    const line = affine(size, this.delta, -0.5 * this.delta * this.delta);
    return where(greater(size, this.delta), line, affine(square(error), 0.5, 0));
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), delta: this.delta };
  }
}

/** log(cosh(p − y)), computed as e + softplus(−2e) − log 2. */
export class LogCosh extends ElementwiseLoss {
  protected each(truth: Tensor, prediction: Tensor): Tensor {
    const error = sub(prediction, truth);
    return add(error, affine(softplus(affine(error, -2, 0)), 1, -Math.LN2));
  }
}

/** p − y · log(p + 1e-7): for counts. */
export class Poisson extends ElementwiseLoss {
  protected each(truth: Tensor, prediction: Tensor): Tensor {
    return sub(prediction, mul(truth, log(affine(prediction, 1, epsilon))));
  }
}

/** −cosine of the angle between the vectors along the last axis: −1 where they agree. */
export class CosineSimilarity extends Loss {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const truth = targetsLike(yTrue, yPred, this.name);
    return neg(sum(mul(l2Normalize(truth, -1), l2Normalize(yPred, -1)), -1));
  }
}
