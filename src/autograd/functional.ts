/** Gradients of functions: `grad(f)` and `valueAndGrad(f)`, which nest. */

import { GradientError } from '../errors.js';
import { onesLike } from '../tensor/create.js';
import { showShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { gradientsOf, isRecording, leavesBehind, track, tracks, withRecording } from './tape.js';

/** What one can differentiate with respect to: a tensor, or tensors in an array or an object. */
export type Differentiable = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Gradients, in the same structure as the argument. */
export type GradientOf<P> = P extends Tensor
  ? Tensor
  : P extends readonly Tensor[]
    ? { -readonly [K in keyof P]: Tensor }
    : { -readonly [K in keyof P]: Tensor };

let depth = 0;

/**
 * The function that gives the gradient of a scalar-valued `f` with respect to its first argument:
 * a tensor, or an array or object of tensors. Further arguments are passed on. `grad(grad(f))` is
 * the second derivative. Gradients are zero where `f` does not depend on the argument.
 *
 * The result can be differentiated again with respect to whatever requires gradients: the argument,
 * or other tensors that `f` uses (a gradient penalty on a model's weights, say). That costs time
 * and memory; call it in `noGrad` where only the numbers matter.
 */
export function grad<P extends Differentiable, R extends unknown[]>(
  f: (argument: P, ...rest: R) => Tensor,
): (argument: P, ...rest: R) => GradientOf<P> {
  const both = valueAndGrad(f);
  return (argument, ...rest) => both(argument, ...rest).gradient;
}

/** As {@link grad}, giving the value of `f` as well. */
export function valueAndGrad<P extends Differentiable, R extends unknown[]>(
  f: (argument: P, ...rest: R) => Tensor,
): (argument: P, ...rest: R) => { value: Tensor; gradient: GradientOf<P> } {
  return (argument, ...rest) => {
    depth++;
    try {
      return differentiate(f, argument, rest, isRecording());
    } finally {
      depth--;
    }
  };
}

function differentiate<P extends Differentiable, R extends unknown[]>(
  f: (argument: P, ...rest: R) => Tensor,
  argument: P,
  rest: R,
  recording: boolean,
): { value: Tensor; gradient: GradientOf<P> } {
  const sources = leavesOf(argument);
  const nested = recording && (depth > 1 || sources.some((source) => source.requiresGrad));
  const aliases = sources.map((source) => alias(source, nested));
  const value = withRecording(true, () => f(rebuild(argument, aliases) as P, ...rest));
  if (!(value instanceof Tensor) || value.size !== 1) {
    const got = value instanceof Tensor ? `shape ${showShape(value.shape)}` : typeof value;
    throw new GradientError(`grad: the function must return a scalar tensor, it returned ${got}`);
  }
  const others = (): boolean => [...leavesBehind(value)].some((leaf) => !aliases.includes(leaf));
  const outer = nested || (recording && others());
  const found = value.requiresGrad
    ? gradientsOf(value, aliases, { createGraph: outer, gradient: onesLike(value) })
    : [];
  const gradients = sources.map((source, i) => found[i] ?? zerosLikeOf(source));
  return {
    value: outer ? value : value.detach(),
    gradient: rebuild(argument, gradients) as GradientOf<P>,
  };
}

function zerosLikeOf(source: Tensor): Tensor {
  const result = onesLike(source);
  result.backend.fill(result.buffer, 0);
  return result;
}

/** A new name for a tensor, so that derivatives stop here; still connected to an outer graph. */
function alias(source: Tensor, outer: boolean): Tensor {
  const result = source.detach();
  if (outer && tracks(source)) {
    return track(result, 'alias', [source], [], (gradient) => [gradient]);
  }
  result.requiresGrad = true;
  return result;
}

function leavesOf(argument: Differentiable): Tensor[] {
  if (argument instanceof Tensor) return [argument];
  return Object.values(argument as Record<string, Tensor>);
}

function rebuild(argument: Differentiable, leaves: readonly Tensor[]): unknown {
  if (argument instanceof Tensor) return leaves[0];
  if (Array.isArray(argument)) return leaves;
  return Object.fromEntries(Object.keys(argument).map((key, i) => [key, leaves[i]]));
}
