/** Rates by the history of squared gradients: AdaGrad, Adadelta, RMSprop, as in Keras 3. */

import { checkFlag, checkNumber, checkNumbers, notNegative } from '../values.js';
import { Optimizer } from './optimizer.js';
import { checkDecays } from './options.js';
import type { OptimizerOptions } from './options.js';

export interface AdagradOptions extends OptimizerOptions {
  /** Where the sum of squares starts. Default 0.1. */
  readonly initialAccumulatorValue?: number;
  /** Inside the square root. Default 1e-7. */
  readonly epsilon?: number;
}

/** v += g²; w −= rate · g / √(v + ε) (Duchi et al. 2011). Learning rate 1e-3. */
export class Adagrad extends Optimizer {
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;

  constructor(options: AdagradOptions = {}) {
    super('adagrad', 1e-3, options);
    this.initialAccumulatorValue = options.initialAccumulatorValue ?? 0.1;
    this.epsilon = options.epsilon ?? 1e-7;
    const { initialAccumulatorValue, epsilon } = this;
    checkNumbers(this.name, { initialAccumulatorValue, epsilon }, notNegative);
  }

  protected override initial(): number {
    return this.initialAccumulatorValue;
  }

  protected fill(hyper: Float64Array, rate: number): void {
    hyper[3] = rate;
    hyper[4] = this.epsilon;
  }

  protected ownConfig(): Record<string, unknown> {
    return { initialAccumulatorValue: this.initialAccumulatorValue, epsilon: this.epsilon };
  }
}

export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of both averages. Default 0.95. */
  readonly rho?: number;
  /** Inside both square roots. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * Steps in the units of earlier steps (Zeiler 2012): Δ = −√(d + ε) · g / √(v + ε), w += rate · Δ,
 * d and v running means of Δ² and g². Learning rate 1e-3 as in Keras; the paper's is 1.
 */
export class Adadelta extends Optimizer {
  readonly rho: number;
  readonly epsilon: number;

  constructor(options: AdadeltaOptions = {}) {
    super('adadelta', 1e-3, options);
    this.rho = options.rho ?? 0.95;
    this.epsilon = options.epsilon ?? 1e-7;
    checkDecays(this.name, { rho: this.rho });
    checkNumber(this.epsilon, `${this.name}: epsilon`, notNegative);
  }

  protected fill(hyper: Float64Array, rate: number): void {
    hyper[3] = rate;
    hyper[4] = this.rho;
    hyper[5] = this.epsilon;
  }

  protected ownConfig(): Record<string, unknown> {
    return { rho: this.rho, epsilon: this.epsilon };
  }
}

export interface RMSpropOptions extends OptimizerOptions {
  /** Decay of the averages. Default 0.9. */
  readonly rho?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Inside the square root. Default 1e-7. */
  readonly epsilon?: number;
  /** Divide by the variance of the gradients instead of their mean square. Default false. */
  readonly centered?: boolean;
}

/**
 * v ← ρ·v + (1−ρ)·g²; m ← momentum · m + rate · g / √(v + ε); w −= m (Tieleman and Hinton 2012).
 * Learning rate 1e-3. PyTorch adds ε outside the root instead.
 */
export class RMSprop extends Optimizer {
  readonly rho: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly centered: boolean;

  constructor(options: RMSpropOptions = {}) {
    const { centered = false } = options;
    super(centered ? 'rmspropCentered' : 'rmsprop', 1e-3, options);
    this.rho = options.rho ?? 0.9;
    this.momentum = options.momentum ?? 0;
    this.epsilon = options.epsilon ?? 1e-7;
    this.centered = checkFlag(centered, `${this.name}: centered`);
    checkDecays(this.name, { rho: this.rho, momentum: this.momentum });
    checkNumber(this.epsilon, `${this.name}: epsilon`, notNegative);
  }

  protected fill(hyper: Float64Array, rate: number): void {
    hyper[3] = rate;
    hyper[4] = this.rho;
    hyper[5] = this.momentum;
    hyper[6] = this.epsilon;
  }

  protected ownConfig(): Record<string, unknown> {
    const { rho, momentum, epsilon, centered } = this;
    return { rho, momentum, epsilon, centered };
  }
}
