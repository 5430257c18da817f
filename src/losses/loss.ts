/** What a loss is, and how values of samples become one number. */

import { ShapeError, ValueError } from '../errors.js';
import { rememberGiven } from '../names.js';
import type { Configurable } from '../names.js';
import { cast } from '../ops/cast.js';
import { viewAs } from '../ops/copy.js';
import { affine, div, equal, mul, where } from '../ops/elementwise.js';
import { sum } from '../ops/reduce.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { checkTensor } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkChoice, checkText } from '../values.js';

/**
 * How values of samples become one: their (weighted) sum divided by their number, their sum, their
 * weighted sum divided by the sum of weights, or all of them as they are.
 */
export type Reduction = 'sumOverBatchSize' | 'sum' | 'meanWithSampleWeight' | 'none';

export interface LossOptions {
  /** Default `sumOverBatchSize`: the mean. */
  readonly reduction?: Reduction;
  /** Default: the class's name in camelCase. */
  readonly name?: string;
}

const reductions: readonly Reduction[] = [
  'sumOverBatchSize',
  'sum',
  'meanWithSampleWeight',
  'none',
];

export abstract class Loss implements Configurable {
  readonly name: string;
  readonly reduction: Reduction;

  constructor(options: LossOptions = {}) {
    rememberGiven(this, options);
    const own = this.constructor.name;
    const name = options.name ?? own.charAt(0).toLowerCase() + own.slice(1);
    this.name = checkText(name, `${own}: name`);
    const { reduction = 'sumOverBatchSize' } = options;
    this.reduction = checkChoice(reduction, `${this.name}: reduction`, reductions);
  }

  /**
   * The loss of each sample: yPred [batch, …, n] gives [batch, …]. Throws ShapeError when yTrue
   * does not fit.
   */
  abstract call(yTrue: Tensor, yPred: Tensor): Tensor;

  /** Told all targets before they are trained on: throws ValueError where they make no sense. */
  checkTargets?(yTrue: Tensor): void;

  /**
   * The loss to minimize, a scalar (unless the reduction is `none`). sampleWeight: [batch], or any
   * leading part of the shape of {@link call}'s result.
   */
  compute(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor | null): Tensor {
    const values = this.call(yTrue, yPred);
    checkTensor(`the result of the loss ${this.name}`, values);
    const weights = sampleWeight ? weightsLike(sampleWeight, values, this.name) : null;
    const weighted = weights ? mul(values, weights) : values;
    const counted = this.counted?.(yTrue, values) ?? null;
    return counted ? this.#masked(weighted, weights, counted) : this.#reduce(weighted, weights);
  }

  /**
   * 1 for values of {@link call} that count and 0 for those left out of means, in their shape;
   * null, as without this method, when all count. Those left out are 0.
   */
  protected counted?(yTrue: Tensor, values: Tensor): Tensor | null;

  /** As Keras: a mean is over the values that count, and 0 when there are none. */
  #masked(values: Tensor, weights: Tensor | null, counted: Tensor): Tensor {
    if (this.reduction === 'none') return values;
    const total: Tensor = sum(values);
    if (this.reduction === 'sum') return total;
    const byWeight = this.reduction === 'meanWithSampleWeight' && weights !== null;
    const number: Tensor = sum(byWeight ? mul(counted, weights) : counted);
    return div(total, where(equal(number, 0), 1, number));
  }

  #reduce(values: Tensor, weights: Tensor | null): Tensor {
    if (this.reduction === 'none') return values;
    const total: Tensor = sum(values);
    if (this.reduction === 'sum') return total;
    if (this.reduction === 'meanWithSampleWeight' && weights) {
      const repeats = values.size / Math.max(1, weights.size);
      return div(total, affine(sum(weights), repeats, 0));
    }
    return affine(total, 1 / Math.max(1, values.size), 0);
  }

  /** What the constructor takes. */
  config(): Record<string, unknown> {
    return { name: this.name, reduction: this.reduction };
  }
}

/**
 * Throws ValueError for the first target that is not allowed; `expected` says what is.
 * @internal
 */
export function checkEach(
  yTrue: Tensor,
  loss: string,
  expected: string,
  isAllowed: (target: number) => boolean,
): void {
  const values = yTrue.dataSync();
  const at = values.findIndex((value) => !isAllowed(value));
  if (at < 0) return;
  const sample = Math.floor((at * (yTrue.shape[0] ?? 1)) / values.length);
  throw new ValueError(
    `${loss}: the target of sample ${sample} is ${values[at]}; expected ${expected}`,
  );
}

/** Weights of samples in a shape that broadcasts to the values of the samples. @internal */
export function weightsLike(weights: Tensor, values: Tensor, where: string): Tensor {
  let shape = weights.shape;
  // [batch, 1] for values of [batch], as columns of a table come.
  if (shape.length > values.rank && shape.at(-1) === 1) shape = shape.slice(0, -1);
  const fits = shape.length <= values.rank && shape.every((n, i) => n === values.shape[i]);
  if (!fits) {
    throw new ShapeError(
      `${where}: sample weights ${showShape(weights.shape)} do not fit losses of samples ` +
        `${showShape(values.shape)}; expected one weight per sample, [${values.shape[0] ?? ''}]`,
    );
  }
  const column = [...shape, ...Array.from({ length: values.rank - shape.length }, () => 1)];
  return viewAs(cast(weights, values.dtype), column);
}

/**
 * Targets with the shape and dtype of predictions. A missing or an extra last axis of size 1 is
 * put right. Throws ShapeError otherwise: silent broadcasting hides mistakes. @internal
 */
export function targetsLike(yTrue: Tensor, yPred: Tensor, where: string): Tensor {
  const truth = cast(yTrue, yPred.dtype);
  if (sameShape(truth.shape, yPred.shape)) return truth;
  if (withoutLast(truth.shape, yPred.shape) || withoutLast(yPred.shape, truth.shape)) {
    return viewAs(truth, yPred.shape);
  }
  throw new ShapeError(
    `${where}: targets ${showShape(yTrue.shape)} do not fit predictions ` +
      `${showShape(yPred.shape)}; both need one shape${hint(yTrue, yPred)}`,
  );
}

/** Whether `long` is `short` and a last axis of size 1. */
const withoutLast = (short: Shape, long: Shape): boolean =>
  long.at(-1) === 1 && sameShape(short, long.slice(0, -1));

function hint(yTrue: Tensor, yPred: Tensor): string {
  const labels = yTrue.rank === 1 || (yTrue.rank === 2 && yTrue.shape[1] === 1);
  return labels && yPred.rank === 2 && yPred.shape[1]! > 1 && yTrue.shape[0] === yPred.shape[0]
    ? '. Are the targets class numbers? Then use sparseCategoricalCrossentropy'
    : '';
}
