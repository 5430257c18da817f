/** Running an elementwise kernel on operands that broadcast. */

import type { DType } from '../backends/dtype.js';
import { broadcastStrides, mergeAxes, sameShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { empty } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { broadcastTo } from './broadcast.js';

/** Runs a kernel whose operands broadcast to `shape`, into a new tensor of `dtype`. */
export function runKernel<D extends DType>(
  kernel: number,
  shape: Shape,
  dtype: D,
  operands: readonly Tensor[],
  p: number,
  q: number,
): Tensor<D> {
  const first = operands[0]!;
  const out = empty(first.backend, shape, dtype);
  if (out.size === 0) return out;
  if (alike(operands, out.size)) {
    first.backend.map(
      kernel,
      out.buffer,
      first.buffer,
      operands[1]?.buffer ?? null,
      operands[2]?.buffer ?? null,
      operands[3]?.buffer ?? null,
      p,
      q,
    );
    return out;
  }
  const walk = broadcastWalk(shape, operands);
  if (!walk) {
    // More than three loops: spell one operand out and fold again.
    const at = operands.findIndex((each) => !sameShape(each.shape, shape));
    const spelled = operands.map((each, i) => (i === at ? broadcastTo(each, shape) : each));
    return runKernel(kernel, shape, dtype, spelled, p, q);
  }
  first.backend.mapStrided(
    kernel,
    out.buffer,
    first.buffer,
    operands[1]?.buffer ?? null,
    operands[2]?.buffer ?? null,
    operands[3]?.buffer ?? null,
    p,
    q,
    walk,
  );
  return out;
}

/** Whether every operand is read straight through or is a single value. */
function alike(operands: readonly Tensor[], size: number): boolean {
  for (const { size: own } of operands) if (own !== size && own !== 1) return false;
  return true;
}

/** The walk of `mapStrided`, or null when it needs more than three loops. */
function broadcastWalk(shape: Shape, operands: readonly Tensor[]): Int32Array | null {
  const folded = mergeAxes(
    shape,
    operands.map((each) => broadcastStrides(each.shape, shape)),
  );
  const loops = folded.sizes.length;
  if (loops > 3) return null;
  const walk = new Int32Array(15);
  for (let loop = 0; loop < 3; loop++) {
    const at = loop - (3 - loops);
    walk[loop] = at < 0 ? 1 : folded.sizes[at]!;
    for (let which = 0; which < operands.length; which++) {
      walk[3 + which * 3 + loop] = at < 0 ? 0 : folded.strides[which]![at]!;
    }
  }
  return walk;
}
