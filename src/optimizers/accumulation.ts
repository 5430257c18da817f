/** Gradients of several steps gathered into one update. */

import { updateNames } from '../backends/kernels.js';
import { full } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { Companions } from './companions.js';

const sgd = updateNames.indexOf('sgd');

/** The mean of the gradients of every so many steps. */
export class Accumulation {
  readonly #means = new Companions(({ shape, dtype, device }) => full(shape, 0, { dtype, device }));
  readonly #hyper: Float64Array;
  /** Steps whose gradients wait for an update. */
  pending = 0;

  /** @param every steps between updates */
  constructor(readonly every: number) {
    // The SGD row with a rate below 0: mean += g / every.
    this.#hyper = Float64Array.of(1, Infinity, 0, -1 / every);
  }

  /** Adds the gradients of a step; true when it is the last one before an update. */
  add(parameters: readonly Tensor[], gradients: readonly (Tensor | null)[]): boolean {
    const given = parameters.filter((_, i) => gradients[i]);
    const means = given.map((parameter) => this.of(parameter).buffer);
    const values = gradients.flatMap((gradient) => gradient?.buffer ?? []);
    given[0]!.backend.update(sgd, means, values, [], this.#hyper);
    if (this.pending + 1 === this.every) return true;
    this.pending++;
    return false;
  }

  /** The mean of a parameter's gradients so far, if it had any. */
  get(parameter: Tensor): Tensor | undefined {
    return this.#means.get(parameter);
  }

  /** As {@link get}; begun at 0 when there is none. */
  of(parameter: Tensor): Tensor {
    return this.#means.of(parameter);
  }

  /** Begins anew after an update. */
  reset(): void {
    this.pending = 0;
    for (const mean of this.#means.values()) mean.backend.fill(mean.buffer, 0);
  }

  clear(): void {
    this.pending = 0;
    this.#means.clear();
  }
}
