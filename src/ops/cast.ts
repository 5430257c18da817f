/** Changing the dtype. */

import { checkDType, isFloat } from '../backends/dtype.js';
import type { DType } from '../backends/dtype.js';
import { track, tracks } from '../autograd/tape.js';
import { checkTensor, empty } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The values in another dtype (the tensor itself when it has it already). To integers: truncated
 * towards zero, saturating, NaN gives 0. To bool: true where not zero. Differentiable between
 * floats.
 */
export function cast<D extends DType>(x: Tensor, dtype: D): Tensor<D> {
  checkTensor('cast', x);
  if (x.dtype === dtype) return x as Tensor<D>;
  checkDType(dtype, 'cast');
  const out = empty(x.backend, x.shape, dtype);
  if (out.size > 0) out.backend.cast(out.buffer, x.buffer, dtype === 'bool');
  if (!isFloat(dtype) || !tracks(x)) return out;
  return track(out, 'cast', [x], [], (g) => [cast(g, x.dtype)]);
}
