/** The hinge family and the Kullback-Leibler divergence; formulas as in Keras 3. */

import { add, affine, clip, div, equal, log, logicalOr, maximum } from '../ops/elementwise.js';
import { mul, square } from '../ops/elementwise.js';
import { all, max, sum } from '../ops/reduce.js';
import { mean } from '../ops/statistics.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkEach, Loss, targetsLike } from './loss.js';

/** max(1 − y · p, 0) with targets −1 and 1; targets 0 and 1 are taken as those. */
function margins(yTrue: Tensor, yPred: Tensor, where: string): Tensor {
  const truth = targetsLike(yTrue, yPred, where);
  const isBinary = all(logicalOr(equal(truth, 0), equal(truth, 1))).item();
  const signs = isBinary ? affine(truth, 2, -1) : truth;
  return maximum(affine(mul(signs, yPred), -1, 1), 0);
}

/** What both have in common: targets. */
abstract class MarginLoss extends Loss {
  override checkTargets(yTrue: Tensor): void {
    const expected =
      '−1 or 1, or 0 or 1. For class numbers and one output per class use categoricalHinge with ' +
      'one-hot targets';
    checkEach(yTrue, this.name, expected, (target) => target === 0 || Math.abs(target) === 1);
  }
}

const meanLast = (values: Tensor): Tensor => (values.rank < 2 ? values : mean(values, -1));

/** max(1 − y · p, 0), averaged over the last axis; targets −1 and 1, or 0 and 1. */
export class Hinge extends MarginLoss {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanLast(margins(yTrue, yPred, this.name));
  }
}

/** max(1 − y · p, 0)², averaged over the last axis; targets −1 and 1, or 0 and 1. */
export class SquaredHinge extends MarginLoss {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanLast(square(margins(yTrue, yPred, this.name)));
  }
}

/** max(0, 1 + the best wrong class − the right one), with one-hot targets. */
export class CategoricalHinge extends Loss {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const truth = targetsLike(yTrue, yPred, this.name);
    const right = sum(mul(truth, yPred), -1);
    const wrong = max(mul(affine(truth, -1, 1), yPred), -1);
    return maximum(add(affine(right, -1, 1), wrong), 0);
  }
}

/** Σ y · log(y / p) over the last axis, with y and p limited to [1e-7, 1]. */
export class KLDivergence extends Loss {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const truth = clip(targetsLike(yTrue, yPred, this.name), 1e-7, 1);
    return sum(mul(truth, log(div(truth, clip(yPred, 1e-7, 1)))), -1);
  }
}
