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

  constructor(readonly settings: GroupSettings) {}

  add(parameter: Tensor, gradient: Tensor, slots: readonly Tensor[]): void {
    this.tensors.push(parameter);
    this.gradientTensors.push(gradient);
    this.parameters.push(parameter.buffer);
    this.gradients.push(gradient.buffer);
    for (let s = 0; s < slots.length; s++) this.states.push(slots[s]!.buffer);
  }

  clear(): void {
    this.tensors.length = this.gradientTensors.length = 0;
    this.parameters.length = this.gradients.length = this.states.length = 0;
  }
}

/** Sorts the parameters that have gradients into their batches. */
export function gather(
  parameters: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
  batchOf: (parameter: Tensor) => Batch,
  slotsOf: (parameter: Tensor) => readonly Tensor[],
): Batch[] {
  const batches: Batch[] = [];
  for (let i = 0; i < parameters.length; i++) {
    const gradient = gradients[i];
    if (!gradient) continue;
    const parameter = parameters[i]!;
    const batch = batchOf(parameter);
    if (!batches.includes(batch)) {
      batch.clear();
      batches.push(batch);
    }
    batch.add(parameter, gradient, slotsOf(parameter));
  }
  return batches;
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
