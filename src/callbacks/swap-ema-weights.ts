/** Validation and checkpoints of averaged weights. */

import { ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { checkFlag } from '../values.js';
import { Callback } from './callback.js';

export interface SwapEMAWeightsOptions {
  /**
   * Keep the averages in place until the next epoch begins, so that later callbacks
   * (ModelCheckpoint) save them. Default false: only during validation.
   */
  readonly swapOnEpoch?: boolean;
}

const known: readonly (keyof SwapEMAWeightsOptions)[] = ['swapOnEpoch'];

/**
 * Puts the moving averages of an optimizer with `useEma` in place of the weights for validation.
 * (For good they take their place when `fit` ends, with or without this callback.)
 */
export class SwapEMAWeights extends Callback {
  readonly #swapOnEpoch: boolean;

  constructor(options: SwapEMAWeightsOptions = {}) {
    super();
    checkOptionNames('SwapEMAWeights', options, known);
    this.#swapOnEpoch = checkFlag(options.swapOnEpoch ?? false, 'SwapEMAWeights: swapOnEpoch');
  }

  override onTrainBegin(): void {
    if (!this.model.optimizer.useEma) {
      throw new ValueError('SwapEMAWeights: make the optimizer with { useEma: true }');
    }
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

  #show(averages: boolean): void {
    const parameters = this.model.trainableWeights.map((weight) => weight.value);
    this.model.optimizer.showAverages(parameters, averages);
  }
}
