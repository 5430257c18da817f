/** Bringing samples to a common scale by known numbers. */

import { track, tracks } from '../autograd/tape.js';
import { isFloat, promote } from '../backends/dtype.js';
import { ShapeError } from '../errors.js';
import { Rows } from '../tensor/rows.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import { empty } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { viewAs } from './copy.js';
import { checkSameDevice, mul } from './elementwise.js';

/**
 * (x − center) · scale for x [samples, ...] of any dtype; center and scale, of equal size, are one
 * number each or one for every value of a sample, and have no gradients. Samples of x that were not
 * loaded yet are, in the same pass. Throws ShapeError, DeviceError.
 * @internal
 */
export function standardize(x: Tensor, center: Tensor, scale: Tensor): Tensor {
  checkSameDevice('standardize', x, center);
  const [count = 1, ...sample] = x.shape;
  const width = sizeOf(sample);
  if (center.size !== scale.size || (center.size !== 1 && center.size !== width)) {
    throw new ShapeError(
      `standardize: ${center.size} centers and ${scale.size} scales for samples of shape ` +
        showShape(sample),
    );
  }
  const common = promote(x.dtype, center.dtype);
  const dtype = isFloat(common) ? common : 'float32';
  const [from, by] = [cast(center, dtype), cast(scale, dtype)];
  const out = empty(x.backend, x.shape, dtype);
  if (out.size === 0) return out;
  const rows = Rows.behind(x);
  if (rows?.dtype === dtype) rows.load(out.buffer, from.buffer, by.buffer);
  else {
    const given = [from.buffer, by.buffer] as const;
    x.backend.loadRows(out.buffer, x.buffer, null, ...given, count, count, width);
  }
  if (!tracks(x)) return out;
  const factor = by.size === 1 ? by : viewAs(by, sample);
  return track(out, 'standardize', [x], [factor], (g) => [cast(mul(g, factor), x.dtype)]);
}
