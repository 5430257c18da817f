/** Tensors that go with parameters: their averages, their gathered gradients. */

import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';

/** One tensor per parameter, made when first asked for; it outlives the scope of that step. */
export class Companions {
  readonly #tensors = new Map<Tensor, Tensor>();

  /** @param begin a parameter's tensor as it begins: of the parameter's shape, dtype and device */
  constructor(readonly begin: (parameter: Tensor) => Tensor) {}

  /** The tensor of a parameter, if it has been asked for. */
  get(parameter: Tensor): Tensor | undefined {
    return this.#tensors.get(parameter);
  }

  /** As {@link get}; begun when there is none. */
  of(parameter: Tensor): Tensor {
    let tensor = this.#tensors.get(parameter);
    if (!tensor) {
      tensor = Scope.release(this.begin(parameter));
      this.#tensors.set(parameter, tensor);
    }
    return tensor;
  }

  /** All there are. */
  values(): Iterable<Tensor> {
    return this.#tensors.values();
  }

  clear(): void {
    this.#tensors.clear();
  }
}
