/** The fused dense layer: product, bias and activation in one pass, forward and backward. */

import { formulas } from '../backends/formulas.js';
import type { Formula, FormulaName } from '../backends/formulas.js';
import { kernelNumber, kernels } from '../backends/kernels.js';
import { gradientsByTwin } from '../autograd/fused.js';
import { isRecording, track, tracks } from '../autograd/tape.js';
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import { checkTensor, empty, emptyLike } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { viewAs } from './copy.js';
import { add, checkFloat, checkSameDevice, unaryOp } from './elementwise.js';
import { matmul } from './matmul.js';

/** An activation that a formula row computes, with its parameters. */
export interface FusedActivation {
  readonly name: FormulaName;
  readonly p?: number;
  readonly q?: number;
}

/** Whether a row can be fused: one argument, differentiable. */
export function isFusable(name: string): name is FormulaName {
  const row = (formulas as Readonly<Record<string, Formula>>)[name];
  return row?.args === 'a' && row.kind === 'float' && row.da !== undefined;
}

/**
 * activation(x · w + bias). x [..., features], w [features, units], bias [units] or null; the
 * result is [..., units]. All of one float dtype on one device. `activation` null means none.
 * Throws ShapeError, DTypeError, DeviceError.
 */
export function dense(
  x: Tensor,
  w: Tensor,
  bias: Tensor | null = null,
  activation: FusedActivation | null = null,
): Tensor {
  check(x, w, bias, activation);
  const [features, units] = w.shape as [number, number];
  const rows = sizeOf(x.shape.slice(0, -1));
  const { p = 0, q = 0 } = activation ?? {};
  const value = activation ? kernelNumber(activation.name) : -1;
  const derivative = activation ? kernelNumber(activation.name, 'da') : -1;
  const tracked = tracks(x, w, bias);
  // Most derivatives need only the output; for the others the value before the activation is kept.
  const needsPre = tracked && derivative >= 0 && kernels[derivative]!.operands.includes('a');

  const y = empty(x.backend, [...x.shape.slice(0, -1), units], x.dtype);
  const pre = needsPre ? emptyLike(y) : null;
  if (y.size > 0) {
    x.backend.dense(
      y.buffer,
      pre?.buffer ?? null,
      x.buffer,
      w.buffer,
      bias?.buffer ?? null,
      rows,
      units,
      features,
      value,
      p,
      q,
    );
  }
  if (!tracked) return y;
  const inputs = bias ? [x, w, bias] : [x, w];
  const saved = pre ? [x, w, y, pre] : [x, w, y];
  return track(y, 'dense', inputs, saved, (g) => {
    if (isRecording()) {
      return gradientsByTwin((...each) => composed(each, activation), inputs, g);
    }
    const dx = x.requiresGrad ? emptyLike(x) : null;
    const dw = w.requiresGrad ? emptyLike(w) : null;
    const db = bias?.requiresGrad ? emptyLike(bias) : null;
    const scratch = derivative >= 0 ? emptyLike(y) : g;
    x.backend.denseBackward(
      dx?.buffer ?? null,
      dw?.buffer ?? null,
      db?.buffer ?? null,
      scratch.buffer,
      g.buffer,
      x.buffer,
      w.buffer,
      y.buffer,
      pre?.buffer ?? null,
      rows,
      units,
      features,
      derivative,
      p,
      q,
      false,
    );
    return bias ? [dx, dw, db] : [dx, dw];
  });
}

/** The composed twin: the same value from differentiable operations. */
function composed(inputs: readonly Tensor[], activation: FusedActivation | null): Tensor {
  const [x, w, bias] = inputs as [Tensor, Tensor, Tensor?];
  const product = x.rank === 1 ? matmul(viewAs(x, [1, x.size]), w) : matmul(x, w);
  const flat = x.rank === 1 ? viewAs(product, [w.shape[1]!]) : product;
  const shifted = bias ? add(flat, bias) : flat;
  return activation ? unaryOp(activation.name, shifted, activation.p, activation.q) : shifted;
}

function check(
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  activation: FusedActivation | null,
): void {
  for (const each of bias ? [x, w, bias] : [x, w]) checkTensor('dense', each);
  if (w.rank !== 2 || x.rank < 1 || x.shape.at(-1) !== w.shape[0]) {
    throw new ShapeError(
      `dense: input ${showShape(x.shape)} does not fit weights ${showShape(w.shape)}; expected ` +
        `[..., features] and [features, units]`,
    );
  }
  if (bias && (bias.rank !== 1 || bias.size !== w.shape[1])) {
    throw new ShapeError(
      `dense: bias ${showShape(bias.shape)} does not fit weights ${showShape(w.shape)}; expected ` +
        `[${w.shape[1]}]`,
    );
  }
  checkFloat('dense', x);
  if (x.dtype !== w.dtype || (bias && bias.dtype !== x.dtype)) {
    const third = bias ? ` and ${bias.dtype}` : '';
    throw new DTypeError(
      `dense: input, weights and bias need one dtype, got ${x.dtype}, ${w.dtype}${third}; ` +
        'use cast()',
    );
  }
  checkSameDevice('dense', x, w);
  if (bias) checkSameDevice('dense', x, bias);
  if (activation && !isFusable(activation.name)) {
    throw new ValueError(`dense: ${String(activation.name)} is not an activation of one argument`);
  }
}
