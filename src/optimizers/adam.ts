/**
 * Adam and its relatives. The corrections for the start of the averages depend on the step alone:
 * they are computed here in double and handed to the update rows as factors of the rate.
 */

import type { UpdateName } from '../backends/formulas.js';
import { checkFlag, checkNumber, notNegative } from '../values.js';
import { Optimizer } from './optimizer.js';
import { checkDecays } from './options.js';
import type { OptimizerOptions } from './options.js';

export interface MomentOptions extends OptimizerOptions {
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of their squares. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of that mean. Default 1e-7 (PyTorch's is 1e-8). */
  readonly epsilon?: number;
}

/** What the family has in common: two moments and an epsilon. */
abstract class MomentOptimizer extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;

  constructor(update: UpdateName, options: MomentOptions) {
    super(update, 1e-3, options);
    this.beta1 = options.beta1 ?? 0.9;
    this.beta2 = options.beta2 ?? 0.999;
    this.epsilon = options.epsilon ?? 1e-7;
    checkDecays(this.name, { beta1: this.beta1, beta2: this.beta2 });
    checkNumber(this.epsilon, `${this.name}: epsilon`, notNegative);
  }

  /** Writes beta1, beta2, epsilon, which end every row of the family. */
  protected fillMoments(hyper: Float64Array, from: number): void {
    hyper[from] = this.beta1;
    hyper[from + 1] = this.beta2;
    hyper[from + 2] = this.epsilon;
  }

  protected ownConfig(): Record<string, unknown> {
    return { beta1: this.beta1, beta2: this.beta2, epsilon: this.epsilon };
  }
}

export interface AdamOptions extends MomentOptions {
  /** Divide by the largest mean of squares so far (Reddi et al. 2018). Default false. */
  readonly amsgrad?: boolean;
}

/**
 * Kingma and Ba 2015, in the form of the paper's section 2 that Keras uses:
 * w −= rate · √(1−β2ᵗ)/(1−β1ᵗ) · m / (√v + ε). Learning rate 1e-3.
 */
export class Adam extends MomentOptimizer {
  readonly amsgrad: boolean;

  constructor(options: AdamOptions = {}) {
    const { amsgrad = false } = options;
    super(amsgrad ? 'amsgrad' : 'adam', options);
    this.amsgrad = checkFlag(amsgrad, `${this.name}: amsgrad`);
  }

  protected fill(hyper: Float64Array, rate: number, step: number): void {
    hyper[3] = (rate * Math.sqrt(1 - this.beta2 ** step)) / (1 - this.beta1 ** step);
    this.fillMoments(hyper, 4);
  }

  protected override ownConfig(): Record<string, unknown> {
    return { ...super.ownConfig(), amsgrad: this.amsgrad };
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), by default 0.004. */
export class AdamW extends Adam {
  constructor(options: AdamOptions = {}) {
    super({ weightDecay: 0.004, ...options });
  }
}

/** Adam by the largest gradient, u ← max(β2·u, |g|) (Kingma and Ba 2015). Learning rate 1e-3. */
export class Adamax extends MomentOptimizer {
  constructor(options: MomentOptions = {}) {
    super('adamax', options);
  }

  protected fill(hyper: Float64Array, rate: number, step: number): void {
    hyper[3] = rate / (1 - this.beta1 ** step);
    this.fillMoments(hyper, 4);
  }
}

export interface NadamOptions extends MomentOptions {
  /**
   * How fast the momentum schedule β1·(1 − ½·0.96^(t·momentumDecay)) rises. Default 1, as Keras 3;
   * 0.004 is what tf.keras (to 2.10) and PyTorch have.
   */
  readonly momentumDecay?: number;
}

/**
 * Adam with Nesterov's momentum (Dozat 2016). With uₜ the momentum schedule and Pₜ the product of
 * u₁ … uₜ: w −= rate · (uₜ₊₁·m/(1 − Pₜ·uₜ₊₁) + (1−uₜ)·g/(1−Pₜ)) / (√(v/(1−β2ᵗ)) + ε).
 * Learning rate 1e-3.
 */
export class Nadam extends MomentOptimizer {
  readonly momentumDecay: number;
  protected override readonly numbers = { momentumProduct: 1 };

  constructor(options: NadamOptions = {}) {
    super('nadam', options);
    const { momentumDecay = 1 } = options;
    this.momentumDecay = checkNumber(momentumDecay, `${this.name}: momentumDecay`, notNegative);
  }

  #momentum(step: number): number {
    return this.beta1 * (1 - 0.5 * 0.96 ** (step * this.momentumDecay));
  }

  protected override advance(step: number): void {
    this.numbers.momentumProduct *= this.#momentum(step);
  }

  protected fill(hyper: Float64Array, rate: number, step: number): void {
    const product = this.numbers.momentumProduct;
    const next = this.#momentum(step + 1);
    hyper[3] = (rate * next) / (1 - product * next);
    hyper[4] = (rate * (1 - this.#momentum(step))) / (1 - product);
    hyper[5] = 1 / (1 - this.beta2 ** step);
    this.fillMoments(hyper, 6);
  }

  protected override ownConfig(): Record<string, unknown> {
    return { ...super.ownConfig(), momentumDecay: this.momentumDecay };
  }
}
