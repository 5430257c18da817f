/** Validation and checkpoints of averaged weights. */

import { ValueError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { Callback } from './callback.js';
import type { CallbackState } from './callback.js';

export interface SwapEMAWeightsOptions {
  /**
   * Keep the averages in place until the next epoch begins, so that later callbacks
   * (ModelCheckpoint) save them. Default false: only during validation.
   */
  readonly swapOnEpoch?: boolean;
}

/**
 * Puts the moving averages of an optimizer with `useEma` in place of the weights for validation,
 * and for good when training ends.
 */
export class SwapEMAWeights extends Callback {
  readonly #swapOnEpoch: boolean;
  #swapped = false;

  constructor(options: SwapEMAWeightsOptions = {}) {
    super();
    this.#swapOnEpoch = options.swapOnEpoch ?? false;
  }

  override onTrainBegin(): void {
    if (!this.model.optimizer.useEma) {
      throw new ValueError('SwapEMAWeights: make the optimizer with { useEma: true }');
    }
    this.#swapped = false;
  }

  override onEpochBegin(): void {
    this.#show(false);
  }

  override onValidationBegin(): void {
    this.#show(true);
  }

  override onValidationEnd(): void {
    this.#show(false);
  }

  override onEpochEnd(): void {
    if (this.#swapOnEpoch) this.#show(true);
  }

  override onTrainEnd(): void {
    this.#show(false);
    this.model.optimizer.overwriteWithAverages(this.#parameters());
  }

  override state(): CallbackState {
    return { values: { swapped: this.#swapped } };
  }

  override restore({ values }: CallbackState): void {
    this.#swapped = values['swapped'] as boolean;
  }

  #show(averages: boolean): void {
    if (averages === this.#swapped) return;
    this.model.optimizer.swapAverages(this.#parameters());
    this.#swapped = averages;
  }

  #parameters(): readonly Tensor[] {
    return this.model.trainableWeights.map((weight) => weight.value);
  }
}
