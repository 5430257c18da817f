/** Gradients of fused operations while gradients are being recorded. */

import type { Tensor } from '../tensor/tensor.js';
import { gradientsOf, withRecording } from './tape.js';

/**
 * Gradients of a fused operation by way of its composed twin: the same value computed from
 * differentiable operations. Used when gradients themselves are recorded; a fused backward kernel is
 * used otherwise. The twin runs on the very inputs, so the result is connected to them.
 */
export function gradientsByTwin(
  twin: () => Tensor,
  inputs: readonly Tensor[],
  gradient: Tensor,
): (Tensor | null)[] {
  const value = withRecording(true, twin);
  const wanted = inputs.filter((input) => input.requiresGrad);
  const found = gradientsOf(value, wanted, { gradient, createGraph: true });
  let at = 0;
  return inputs.map((input) => (input.requiresGrad ? (found[at++] ?? null) : null));
}
