/** Parameters and gradients of a step, checked and sorted for the backend's update call. */

import type { Buffer } from '../backends/backend.js';
import { GradientError, ShapeError, ValueError } from '../errors.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GroupSettings } from './options.js';

/** Parameters updated with the same hyper-parameters, and their buffers. Used again every step. */
export class Batch {
  readonly tensors: Tensor[] = [];
  readonly gradientTensors: Tensor[] = [];
  readonly parameters: Buffer[] = [];
  readonly gradients: Buffer[] = [];
  readonly states: Buffer[] = [];
  /** Hyper-parameters of the step. */
  readonly hyper: Float64Array;
  #count = 0;

  /** @param hypers how many hyper-parameters the update has */
  constructor(
    readonly settings: GroupSettings,
    hypers: number,
  ) {
    this.hyper = new Float64Array(hypers);
  }

  /** Begins a step. Lists are written over, not emptied: growing them again costs more. */
  begin(): void {
    this.#count = 0;
  }

  add(parameter: Tensor, gradient: Tensor, slots: readonly Tensor[]): void {
    const at = this.#count++;
    this.tensors[at] = parameter;
    this.gradientTensors[at] = gradient;
    this.parameters[at] = parameter.buffer;
    this.gradients[at] = gradient.buffer;
    const first = at * slots.length;
    for (let s = 0; s < slots.length; s++) this.states[first + s] = slots[s]!.buffer;
  }

  /** Ends the adding: lists are as long as there are parameters, `slots` states each. */
  seal(slots: number): void {
    const count = this.#count;
    if (this.tensors.length === count) return;
    this.tensors.length = this.gradientTensors.length = count;
    this.parameters.length = this.gradients.length = count;
    this.states.length = count * slots;
  }
}

/** Throws unless there is a gradient, and each fits its parameter. */
export function checkGradients(
  name: string,
  parameters: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): void {
  if (parameters.length !== gradients.length) {
    throw new ValueError(
      `${name}: ${parameters.length} parameters and ${gradients.length} gradients`,
    );
  }
  let found = false;
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i]!;
    const gradient = gradients[i];
    if (!gradient) continue;
    found = true;
    const fits =
      parameter.dtype === gradient.dtype &&
      parameter.backend === gradient.backend &&
      parameter.backend === parameters[0]!.backend &&
      sameShape(parameter.shape, gradient.shape);
    if (!fits) {
      throw new ShapeError(
        `${name}: parameter ${i} is ${show(parameter)} and its gradient ${show(gradient)}; all ` +
          'must be on one device, and alike in pairs',
      );
    }
  }
  if (!found) {
    throw new GradientError(
      `${name}: none of ${parameters.length} parameters has a gradient; call backward() on a loss ` +
        'that depends on them first',
    );
  }
}

/** Shape, dtype and device, for messages. */
export const show = (each: Tensor): string =>
  `${showShape(each.shape)} ${each.dtype} on ${each.device}`;
