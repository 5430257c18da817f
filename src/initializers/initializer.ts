/** What an initializer is: a rule for the first values of a parameter. */

import type { FloatDType } from '../backends/dtype.js';
import type { Device } from '../backends/registry.js';
import { rememberGiven } from '../names.js';
import type { Configurable } from '../names.js';
import { sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Where and as what the values are wanted. */
export interface InitializerTarget {
  /** Default float32. */
  readonly dtype?: FloatDType;
  /** Default the default device. */
  readonly device?: Device;
}

export abstract class Initializer implements Configurable {
  constructor(options: object = {}) {
    rememberGiven(this, options);
  }

  /** New values of this shape. Throws ShapeError where the rule needs another rank. */
  abstract call(shape: Shape, target?: InitializerTarget): Tensor;
  /** What the constructor takes. */
  abstract config(): Record<string, unknown>;
}

/**
 * Connections into and out of one unit. A vector of n: n and n; [in, out]; a convolution kernel
 * [...window, in, out]: each times the size of the window. A scalar: 1 and 1.
 */
export function computeFans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 };
  const window = sizeOf(shape.slice(0, -2));
  return { fanIn: shape.at(-2)! * window, fanOut: shape.at(-1)! * window };
}
