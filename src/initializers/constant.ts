/** Initializers without chance. */

import { ShapeError } from '../errors.js';
import { eye, full } from '../tensor/create.js';
import { showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { affine } from '../ops/elementwise.js';
import { checkNumber } from '../values.js';
import { Initializer } from './initializer.js';
import type { InitializerTarget } from './initializer.js';

/** Every value the same. Default 0. */
export class Constant extends Initializer {
  readonly value: number;

  /** `new Constant(0.5)` or `new Constant({ value: 0.5 })`. */
  constructor(options: number | { readonly value?: number } = {}) {
    super(typeof options === 'number' ? {} : options);
    const value = typeof options === 'number' ? options : (options.value ?? 0);
    this.value = checkNumber(value, 'Constant: value', { infinite: true });
  }

  call(shape: Shape, target?: InitializerTarget): Tensor {
    return full(shape, this.value, target);
  }

  config(): Record<string, unknown> {
    return { value: this.value };
  }
}

/** Every value 0. */
export class Zeros extends Initializer {
  call(shape: Shape, target?: InitializerTarget): Tensor {
    return full(shape, 0, target);
  }

  config(): Record<string, unknown> {
    return {};
  }
}

/** Every value 1. */
export class Ones extends Initializer {
  call(shape: Shape, target?: InitializerTarget): Tensor {
    return full(shape, 1, target);
  }

  config(): Record<string, unknown> {
    return {};
  }
}

/** A matrix of zeros with `gain` on the diagonal. Default gain 1. */
export class Identity extends Initializer {
  readonly gain: number;

  constructor(options: { readonly gain?: number } = {}) {
    super(options);
    this.gain = checkNumber(options.gain ?? 1, 'Identity: gain');
  }

  /** Throws ShapeError for other than two axes. */
  call(shape: Shape, target?: InitializerTarget): Tensor {
    if (shape.length !== 2) {
      throw new ShapeError(`Identity: needs two axes, got shape ${showShape(shape)}`);
    }
    const identity = eye(shape[0]!, shape[1], target);
    return this.gain === 1 ? identity : affine(identity, this.gain, 0);
  }

  config(): Record<string, unknown> {
    return { gain: this.gain };
  }
}
