/**
 * Cross-entropies between classes and probabilities or logits. Where probabilities come straight
 * from softmax or sigmoid they are computed on the logits; other probabilities are limited to
 * [1e-7, 1 − 1e-7] as in Keras.
 */

import { isFloat } from '../backends/dtype.js';
import { ShapeError } from '../errors.js';
import { cast } from '../ops/cast.js';
import { viewAs } from '../ops/copy.js';
import {
  add,
  affine,
  clip,
  exp,
  log,
  maximum,
  mul,
  neg,
  notEqual,
  pow,
  sigmoid,
  softplus,
  sub,
  where,
} from '../ops/elementwise.js';
import { oneHot } from '../ops/gather.js';
import { logitsOf } from '../ops/logits.js';
import { sum } from '../ops/reduce.js';
import { logSoftmax, softmaxCrossEntropy } from '../ops/softmax.js';
import { mean } from '../ops/statistics.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber, checkFlag, notNegative, share, whole } from '../values.js';
import { checkEach, Loss, targetsLike } from './loss.js';
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
    const { fromLogits = false, labelSmoothing = 0 } = options;
    this.fromLogits = checkFlag(fromLogits, `${this.name}: fromLogits`);
    this.labelSmoothing = checkNumber(labelSmoothing, `${this.name}: labelSmoothing`, share);
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

export interface SparseCategoricalCrossentropyOptions extends CrossentropyOptions {
  /**
   * A label, of a class or not (−1 or 255, say), whose samples have no loss and do not count in the
   * mean. Default: none.
   */
  readonly ignoreClass?: number | null;
}

/** −log p of the right class, with targets that are class numbers: [batch] or [batch, 1]. */
export class SparseCategoricalCrossentropy extends ManyClasses {
  readonly ignoreClass: number | null;

  constructor(options: SparseCategoricalCrossentropyOptions = {}) {
    super(options);
    this.ignoreClass = options.ignoreClass ?? null;
    if (this.ignoreClass !== null) {
      checkNumber(this.ignoreClass, `${this.name}: ignoreClass`, whole);
    }
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    this.checkClasses(yPred);
    const outer = yPred.shape.slice(0, -1);
    this.#checkLabels(yTrue, yPred, outer);
    const logits = this.logits(yPred);
    const [rows, classes] = logits.shape as [number, number];
    const labels = cast(viewAs(yTrue, [rows]), 'int32');
    if (this.ignoreClass === null) return viewAs(this.#values(labels, logits, classes), outer);
    // Rows that are ignored may hold anything, labels of no class and predictions of NaN included.
    const counts = notEqual(labels, this.ignoreClass);
    const kept = where(viewAs(counts, [rows, 1]), logits, 0);
    const values = this.#values(cast(where(counts, labels, 0), 'int32'), kept, classes);
    return viewAs(where(counts, values, 0), outer);
  }

  override checkTargets(yTrue: Tensor): void {
    if (!isFloat(yTrue.dtype)) return;
    const expected = 'a class number, 0, 1, 2, …. For numbers to be predicted use meanSquaredError';
    checkEach(yTrue, this.name, expected, Number.isInteger);
  }

  #values(labels: Tensor, logits: Tensor, classes: number): Tensor {
    const target =
      this.labelSmoothing === 0
        ? labels
        : this.smooth(cast(oneHot(labels, classes), logits.dtype), classes);
    return softmaxCrossEntropy(logits, target);
  }

  protected override counted(yTrue: Tensor, values: Tensor): Tensor | null {
    if (this.ignoreClass === null) return null;
    const labels = cast(viewAs(yTrue, values.shape), 'int32');
    return cast(notEqual(labels, this.ignoreClass), values.dtype);
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), ignoreClass: this.ignoreClass };
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

/** −y · log p − (1 − y) · log(1 − p), averaged over the last axis. Targets are from 0 to 1. */
export class BinaryCrossentropy extends Crossentropy {
  override checkTargets(yTrue: Tensor): void {
    const expected =
      '0 or 1, or a probability. For −1 and 1 use hinge, for more than two classes ' +
      'sparseCategoricalCrossentropy over as many outputs';
    checkEach(yTrue, this.name, expected, (target) => target >= 0 && target <= 1);
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    if (yPred.shape.at(-1) === 1 && logitsOf(yPred, 'softmax')) {
      throw new ShapeError(
        `${this.name}: the predictions are a softmax over a single output, which is always 1; ` +
          'give the last layer the activation sigmoid',
      );
    }
    const values = this.each(this.smooth(targetsLike(yTrue, yPred, this.name), 2), yPred);
    return values.rank < 2 ? values : mean(values, -1);
  }

  /** The loss of each element. */
  protected each(truth: Tensor, yPred: Tensor): Tensor {
    const logits = this.fromLogits ? yPred : logitsOf(yPred, 'sigmoid');
    return logits ? onLogits(truth, logits) : onProbabilities(truth, yPred);
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

// ---- focal losses -------------------------------------------------------------------------------

export interface FocalOptions extends CrossentropyOptions {
  /** Factor of the loss (binary: of class 1 where classes are balanced). Default 0.25. */
  readonly alpha?: number;
  /** How much less samples count the surer the prediction is; 0: not at all. Default 2. */
  readonly gamma?: number;
}

/** (1 − p)^γ for p of the right class. Kept from 0, where powers below 1 have no slope. */
const focus = (miss: Tensor, gamma: number): Tensor => pow(maximum(miss, epsilon), gamma);

/**
 * −Σ y · α · (1 − p)^γ · log p: cross-entropy in which samples that are predicted well count less
 * (Lin et al. 2017). Targets one-hot or probabilities, of the shape of the
 * predictions, [batch, …, classes]; throws ShapeError for others, and for a single class.
 */
export class CategoricalFocalCrossentropy extends ManyClasses {
  readonly alpha: number;
  readonly gamma: number;

  constructor(options: FocalOptions = {}) {
    super(options);
    this.alpha = checkNumber(options.alpha ?? 0.25, `${this.name}: alpha`, notNegative);
    this.gamma = checkNumber(options.gamma ?? 2, `${this.name}: gamma`, notNegative);
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    this.checkClasses(yPred);
    const truth = targetsLike(yTrue, yPred, this.name);
    const classes = yPred.shape.at(-1)!;
    const logP = viewAs(logSoftmax(this.logits(yPred)), yPred.shape);
    const miss = affine(exp(logP), -1, 1);
    const values = mul(mul(this.smooth(truth, classes), logP), focus(miss, this.gamma));
    return affine(sum(values, -1), -this.alpha, 0);
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), alpha: this.alpha, gamma: this.gamma };
  }
}

export interface BinaryFocalOptions extends FocalOptions {
  /** Weigh class 1 by alpha and class 0 by 1 − alpha. Default false: alpha has no effect. */
  readonly applyClassBalancing?: boolean;
}

/**
 * Binary cross-entropy times (1 − p)^γ, p the probability of the right class (Lin et al. 2017);
 * averaged over the last axis. Targets and predictions have one shape, [batch, …, n]; throws
 * ShapeError for others.
 */
export class BinaryFocalCrossentropy extends BinaryCrossentropy {
  readonly alpha: number;
  readonly gamma: number;
  readonly applyClassBalancing: boolean;

  constructor(options: BinaryFocalOptions = {}) {
    super(options);
    this.alpha = checkNumber(options.alpha ?? 0.25, `${this.name}: alpha`, share);
    this.gamma = checkNumber(options.gamma ?? 2, `${this.name}: gamma`, notNegative);
    const { applyClassBalancing = false } = options;
    this.applyClassBalancing = checkFlag(applyClassBalancing, `${this.name}: applyClassBalancing`);
  }

  protected override each(truth: Tensor, yPred: Tensor): Tensor {
    const p = this.fromLogits ? sigmoid(yPred) : yPred;
    // 1 − (y · p + (1 − y) · (1 − p)).
    const miss = sub(add(truth, p), affine(mul(truth, p), 2, 0));
    const values = mul(focus(miss, this.gamma), super.each(truth, yPred));
    if (!this.applyClassBalancing) return values;
    return mul(values, affine(truth, 2 * this.alpha - 1, 1 - this.alpha));
  }

  override config(): Record<string, unknown> {
    const { alpha, gamma, applyClassBalancing } = this;
    return { ...super.config(), alpha, gamma, applyClassBalancing };
  }
}
