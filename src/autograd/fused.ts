/** Gradients of fused operations while gradients are being recorded. */

import type { Tensor } from '../tensor/tensor.js';
import { gradientsOf, isRecording, track, withRecording } from './tape.js';

/**
 * Gradients of a fused operation by way of its composed twin: the same value computed from
 * differentiable operations. Used when gradients themselves are recorded; a fused backward kernel,
 * where there is one, is used otherwise. The twin is given the inputs under new names that are
 * connected to them: the gradient stops there even where one input was computed from another, or
 * is the same tensor twice.
 */
export function gradientsByTwin(
  twin: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  gradient: Tensor,
): (Tensor | null)[] {
  const renamed = inputs.map((input) =>
    input.requiresGrad ? track(input.detach(), 'alias', [input], [], (each) => [each]) : input,
  );
  const value = withRecording(true, () => twin(...renamed));
  return gradientsOf(value, renamed, { gradient, createGraph: isRecording() }).map((found, i) =>
    inputs[i]!.requiresGrad ? found : null,
  );
}
