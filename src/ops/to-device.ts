/** Moving tensors between devices. */

import { track, tracks } from '../autograd/tape.js';
import type { DType } from '../backends/dtype.js';
import type { Device } from '../backends/registry.js';
import { onDevice } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The same values on another device (the tensor itself when it is there already). Differentiable:
 * the gradient comes back to the device of x.
 */
export function toDevice<D extends DType>(x: Tensor<D>, device: Device): Tensor<D> {
  const out = onDevice(x, device);
  if (out === x || !tracks(x)) return out;
  return track(out, 'to', [x], [], (g) => [toDevice(g, x.device)]);
}
