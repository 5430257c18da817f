/**
 * Cross-entropies between classes and probabilities or logits. Where probabilities come straight
 * from softmax or sigmoid they are computed on the logits; other probabilities are limited to
 * [1e-7, 1 − 1e-7] as in Keras.
 */

import { ShapeError, ValueError } from '../errors.js';
import { cast } from '../ops/cast.js';
import { viewAs } from '../ops/copy.js';
import { add, affine, clip, log, mul, neg, softplus, sub } from '../ops/elementwise.js';
import { oneHot } from '../ops/gather.js';
import { logitsOf } from '../ops/logits.js';
import { softmaxCrossEntropy } from '../ops/softmax.js';
import { mean } from '../ops/statistics.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Loss, targetsLike } from './loss.js';
import type { LossOptions } from './loss.js';

/** Probabilities are kept this far from 0 and 1. */
const epsilon = 1e-7;

export interface CrossentropyOptions extends LossOptions {
  /** Predictions are logits instead of probabilities. Default false. */
  readonly fromLogits?: boolean;
  /** Share of each target that is spread over all classes evenly. Default 0. */
  readonly labelSmoothing?: number;
}

abstract class Crossentropy extends Loss {
  readonly fromLogits: boolean;
  readonly labelSmoothing: number;

  constructor(options: CrossentropyOptions = {}) {
    super(options);
    this.fromLogits = options.fromLogits ?? false;
    this.labelSmoothing = options.labelSmoothing ?? 0;
    if (!(this.labelSmoothing >= 0 && this.labelSmoothing <= 1)) {
      throw new ValueError(
        `${this.name}: labelSmoothing must be from 0 to 1, not ${this.labelSmoothing}`,
      );
    }
  }

  /** y · (1 − s) + s / classes. */
  protected smooth(truth: Tensor, classes: number): Tensor {
    const s = this.labelSmoothing;
    return s === 0 ? truth : affine(truth, 1 - s, s / classes);
  }

  override config(): Record<string, unknown> {
    return {
      ...super.config(),
      fromLogits: this.fromLogits,
      labelSmoothing: this.labelSmoothing,
    };
  }
}

/** What several classes have in common: predictions [batch, …, classes]. */
abstract class ManyClasses extends Crossentropy {
  /** Logits whose softmax the predictions are (whatever they add up to), [rows, classes]. */
  protected logits(yPred: Tensor): Tensor {
    const logits = this.fromLogits ? yPred : logitsOf(yPred, 'softmax');
    const classes = yPred.shape.at(-1)!;
    const rows = classes === 0 ? 0 : yPred.size / classes;
    // softmax(log p) is p / Σ p.
    return viewAs(logits ?? log(clip(yPred, epsilon, 1 - epsilon)), [rows, classes]);
  }

  /** Throws unless there are classes to choose from. */
  protected checkClasses(yPred: Tensor): void {
    if (yPred.rank >= 2 && yPred.shape.at(-1)! > 1) return;
    throw new ShapeError(
      `${this.name}: predictions have shape ${showShape(yPred.shape)}; expected [batch, classes] ` +
        'with 2 classes or more. For one output per sample use binaryCrossentropy',
    );
  }
}

/** −Σ y · log p, with targets one-hot or probabilities, of the shape of the predictions. */
export class CategoricalCrossentropy extends ManyClasses {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    this.checkClasses(yPred);
    const truth = targetsLike(yTrue, yPred, this.name);
    const logits = this.logits(yPred);
    const values = softmaxCrossEntropy(
      logits,
      viewAs(this.smooth(truth, logits.shape[1]!), logits.shape),
    );
    return viewAs(values, yPred.shape.slice(0, -1));
  }
}

/** −log p of the right class, with targets that are class numbers: [batch] or [batch, 1]. */
export class SparseCategoricalCrossentropy extends ManyClasses {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    this.checkClasses(yPred);
    const outer = yPred.shape.slice(0, -1);
    this.#checkLabels(yTrue, yPred, outer);
    const logits = this.logits(yPred);
    const [rows, classes] = logits.shape as [number, number];
    const labels = cast(viewAs(yTrue, [rows]), 'int32');
    const target =
      this.labelSmoothing === 0
        ? labels
        : this.smooth(cast(oneHot(labels, classes), logits.dtype), classes);
    return viewAs(softmaxCrossEntropy(logits, target), outer);
  }

  #checkLabels(yTrue: Tensor, yPred: Tensor, outer: Shape): void {
    const { shape } = yTrue;
    if (sameShape(shape, outer) || sameShape(shape, [...outer, 1])) return;
    const hint = sameShape(shape, yPred.shape)
      ? '. Are the targets one-hot? Then use categoricalCrossentropy'
      : '';
    throw new ShapeError(
      `${this.name}: targets ${showShape(shape)} do not fit predictions ` +
        `${showShape(yPred.shape)}; expected one class number per sample, ${showShape(outer)} or ` +
        `${showShape([...outer, 1])}${hint}`,
    );
  }
}

/** −y · log p − (1 − y) · log(1 − p), averaged over the last axis. */
export class BinaryCrossentropy extends Crossentropy {
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const truth = this.smooth(targetsLike(yTrue, yPred, this.name), 2);
    const logits = this.fromLogits ? yPred : logitsOf(yPred, 'sigmoid');
    const values = logits ? onLogits(truth, logits) : onProbabilities(truth, yPred);
    return values.rank < 2 ? values : mean(values, -1);
  }
}

/** softplus(x) − x · y. */
const onLogits = (truth: Tensor, logits: Tensor): Tensor =>
  sub(softplus(logits), mul(logits, truth));

function onProbabilities(truth: Tensor, yPred: Tensor): Tensor {
  const p = clip(yPred, epsilon, 1 - epsilon);
  const others = mul(affine(truth, -1, 1), log(affine(p, -1, 1)));
  return neg(add(mul(truth, log(p)), others));
}
