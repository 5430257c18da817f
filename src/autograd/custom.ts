/** Operations of the user's own, with a gradient of their own. */

import { GradientError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { isRecording, noGrad, track } from './tape.js';

/** What forward leaves for backward. */
export interface CustomContext {
  /** Tensors backward reads; they are checked for having stayed as they were. */
  save(...tensors: Tensor[]): void;
  /** The saved tensors, in order. */
  readonly saved: readonly Tensor[];
}

export interface CustomOp<A extends unknown[]> {
  /** Shown in errors. */
  readonly name: string;
  /** Computes the result; not recorded. Must return a tensor of its own, not one of the inputs. */
  forward(context: CustomContext, ...args: A): Tensor;
  /**
   * From the gradient of the result, the gradients of the tensor arguments, in order (null for
   * none). Written with gradloom operations it can be differentiated again.
   */
  backward(context: CustomContext, gradient: Tensor): readonly (Tensor | null)[];
}

/**
 * Makes a differentiable function of a forward and a backward computation.
 *
 * ```ts
 * const cube = customOp<[Tensor]>({
 *   name: 'cube',
 *   forward: (context, x) => { context.save(x); return x.mul(x).mul(x); },
 *   backward: ({ saved: [x] }, g) => [g.mul(x.square()).mul(3)],
 * });
 * ```
 */
export function customOp<A extends unknown[]>(op: CustomOp<A>): (...args: A) => Tensor {
  return (...args) => {
    const saved: Tensor[] = [];
    const context: CustomContext = { saved, save: (...tensors) => void saved.push(...tensors) };
    const inputs = args.filter((each): each is Tensor & A[number] => each instanceof Tensor);
    let result = noGrad(() => op.forward(context, ...args));
    if (!isRecording() || !inputs.some((each) => each.requiresGrad)) return result;
    if (inputs.some((each) => each === result)) result = result.detach();
    return track(result, op.name, inputs, saved, (gradient) => {
      const gradients = op.backward(context, gradient);
      if (gradients.length !== inputs.length) {
        throw new GradientError(
          `${op.name}: backward returned ${gradients.length} gradients for ${inputs.length} ` +
            'tensor arguments',
        );
      }
      return gradients;
    });
  };
}
