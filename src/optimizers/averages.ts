/** Exponential moving averages of parameters. */

import { updateNames } from '../backends/kernels.js';
import type { Tensor } from '../tensor/tensor.js';
import { Companions } from './companions.js';

const sgd = updateNames.indexOf('sgd');

/** The averages of some parameters, each starting at the parameter's value. */
export class Averages {
  readonly #averages = new Companions((parameter) => parameter.copy());
  readonly #hyper: Float64Array;
  #shown = false;

  /** @param momentum share of the old average kept at each update */
  constructor(momentum: number) {
    // The SGD row with the parameter for its gradient: a −= (1 − μ)·a, then a += (1 − μ)·w.
    const share = 1 - momentum;
    this.#hyper = Float64Array.of(1, Infinity, share, -share);
  }

  /** The average of a parameter, if it has one. */
  get(parameter: Tensor): Tensor | undefined {
    return this.#averages.get(parameter);
  }

  /** The average of a parameter, begun at its value now if it has none. */
  of(parameter: Tensor): Tensor {
    return this.#averages.of(parameter);
  }

  /** Brings the averages up to date, in one call; all on one device. */
  update(parameters: readonly Tensor[]): void {
    const averages = parameters.map((parameter) => this.of(parameter).buffer);
    const values = parameters.map((parameter) => parameter.buffer);
    parameters[0]!.backend.update(sgd, averages, values, [], this.#hyper);
  }

  /** Whether averages stand in place of the parameters, and the parameters are kept here. */
  get shown(): boolean {
    return this.#shown;
  }

  /** Says where they stand, after a state was restored. */
  set shown(shown: boolean) {
    this.#shown = shown;
  }

  /** Exchanges parameters and averages, unless they stand so already. */
  show(parameters: readonly Tensor[], shown: boolean): void {
    if (shown === this.#shown) return;
    this.#shown = shown;
    for (const parameter of parameters) {
      const average = this.#averages.get(parameter);
      if (!average) continue;
      const values = parameter.copy();
      parameter.assign(average);
      average.assign(values);
      values.dispose();
    }
  }

  /** Puts the averages in place of the parameters, for good. */
  overwrite(parameters: readonly Tensor[]): void {
    this.show(parameters, false);
    for (const parameter of parameters) {
      const average = this.#averages.get(parameter);
      if (average) parameter.assign(average);
    }
  }

  clear(): void {
    this.#averages.clear();
    this.#shown = false;
  }
}
