/** Gradient descent, with momentum or Nesterov's, and by signs (Lion). */

import { ValueError } from '../errors.js';
import { checkFlag } from '../values.js';
import { Optimizer } from './optimizer.js';
import { checkDecays } from './options.js';
import type { OptimizerOptions } from './options.js';

export interface SGDOptions extends OptimizerOptions {
  /** Share of the last step carried on, 0 to below 1. Default 0. */
  readonly momentum?: number;
  /** Look ahead along the momentum (Nesterov 1983). Default false. */
  readonly nesterov?: boolean;
}

/**
 * w −= rate · g; with momentum m ← momentum · m − rate · g, w += m; with nesterov
 * w += momentum · m − rate · g. Learning rate 0.01.
 */
export class SGD extends Optimizer {
  readonly nesterov: boolean;
  /** Whether its kernel has momentum. */
  readonly #carries: boolean;
  #momentum: number;

  constructor(options: SGDOptions = {}) {
    const { momentum = 0, nesterov = false } = options;
    super(momentum === 0 ? 'sgd' : nesterov ? 'nesterov' : 'momentum', 0.01, options);
    checkDecays(this.name, { momentum });
    this.#momentum = momentum;
    this.#carries = momentum !== 0;
    this.nesterov = checkFlag(nesterov, `${this.name}: nesterov`);
  }

  /** May be changed between steps, unless it was 0 at first. */
  get momentum(): number {
    return this.#momentum;
  }

  set momentum(momentum: number) {
    checkDecays(this.name, { momentum });
    if (momentum !== 0 && !this.#carries) {
      throw new ValueError(
        `${this.name}: it was made without momentum; make one with { momentum: ${momentum} }`,
      );
    }
    this.#momentum = momentum;
  }

  protected fill(hyper: Float64Array, rate: number): void {
    hyper[3] = rate;
    if (this.#carries) hyper[4] = this.#momentum;
  }

  protected ownConfig(): Record<string, unknown> {
    return { momentum: this.momentum, nesterov: this.nesterov };
  }
}

export interface LionOptions extends OptimizerOptions {
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.99. */
  readonly beta2?: number;
}

/** Sign of a momentum (Chen et al. 2023): w −= rate · sign(β1·m + (1−β1)·g). Learning rate 1e-3. */
export class Lion extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;

  constructor(options: LionOptions = {}) {
    super('lion', 1e-3, options);
    this.beta1 = options.beta1 ?? 0.9;
    this.beta2 = options.beta2 ?? 0.99;
    checkDecays(this.name, { beta1: this.beta1, beta2: this.beta2 });
  }

  protected fill(hyper: Float64Array, rate: number): void {
    hyper[3] = rate;
    hyper[4] = this.beta1;
    hyper[5] = this.beta2;
  }

  protected ownConfig(): Record<string, unknown> {
    return { beta1: this.beta1, beta2: this.beta2 };
  }
}
