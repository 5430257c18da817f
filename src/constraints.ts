/** Conditions that parameters are brought back to after each step. Formulas as in Keras 3. */

import { noGrad } from './autograd/tape.js';
import { Catalog, rememberGiven } from './names.js';
import type { Configurable, Serialized } from './names.js';
import { add, affine, clip, div, maximum, mul } from './ops/elementwise.js';
import { norm } from './ops/statistics.js';
import type { Tensor } from './tensor/tensor.js';
import { checkEachNumber, checkNumber, notNegative, share, whole } from './values.js';

/** Which axes hold one vector: for a kernel [in, out], 0 is the weights into a unit. */
export type ConstraintAxis = number | readonly number[];

/** Throws ValueError unless an axis, or each of several, is a whole number. */
function checkAxis(axis: ConstraintAxis, constraint: string): ConstraintAxis {
  checkEachNumber(axis, `${constraint}: axis`, whole);
  return axis;
}

export abstract class Constraint implements Configurable {
  constructor(options: object = {}) {
    rememberGiven(this, options);
  }

  /** The nearest allowed value, a new tensor. Not recorded. */
  protected abstract project(w: Tensor): Tensor;
  /** What the constructor takes. */
  abstract config(): Record<string, unknown>;

  /** Changes the parameter in place. */
  apply(w: Tensor): void {
    noGrad(() => w.assign(this.project(w)));
  }
}

const smallest = 1e-7;

/** Lengths of the vectors along the axes, kept at size 1. */
const lengths = (w: Tensor, axis: ConstraintAxis): Tensor => norm(w, axis, { keepDims: true });

/** w · wanted / (1e-7 + length). */
const rescale = (w: Tensor, wanted: Tensor, length: Tensor): Tensor =>
  mul(w, div(wanted, affine(length, 1, smallest)));

export interface MaxNormOptions {
  /** Default 2. */
  readonly maxValue?: number;
  /** Default 0. */
  readonly axis?: ConstraintAxis;
}

/** Shortens vectors that are longer than maxValue. */
export class MaxNorm extends Constraint {
  readonly maxValue: number;
  readonly axis: ConstraintAxis;

  /** `new MaxNorm(1)` or `new MaxNorm({ maxValue: 1, axis: 0 })`. */
  constructor(options: number | MaxNormOptions = {}) {
    super(typeof options === 'number' ? {} : options);
    const { maxValue = 2, axis = 0 } =
      typeof options === 'number' ? { maxValue: options } : options;
    this.maxValue = checkNumber(maxValue, 'MaxNorm: maxValue', notNegative);
    this.axis = checkAxis(axis, 'MaxNorm');
  }

  protected project(w: Tensor): Tensor {
    const length = lengths(w, this.axis);
    return rescale(w, clip(length, 0, this.maxValue), length);
  }

  config(): Record<string, unknown> {
    return { maxValue: this.maxValue, axis: this.axis };
  }
}

/** Negative weights become 0. */
export class NonNeg extends Constraint {
  protected project(w: Tensor): Tensor {
    return maximum(w, 0);
  }

  config(): Record<string, unknown> {
    return {};
  }
}

/** Gives vectors the length 1. */
export class UnitNorm extends Constraint {
  readonly axis: ConstraintAxis;

  constructor(options: { readonly axis?: ConstraintAxis } = {}) {
    super(options);
    this.axis = checkAxis(options.axis ?? 0, 'UnitNorm');
  }

  protected project(w: Tensor): Tensor {
    return div(w, affine(lengths(w, this.axis), 1, smallest));
  }

  config(): Record<string, unknown> {
    return { axis: this.axis };
  }
}

export interface MinMaxNormOptions {
  /** Default 0. */
  readonly minValue?: number;
  /** Default 1. */
  readonly maxValue?: number;
  /** How far towards the range each time, 0 to 1. Default 1: all the way. */
  readonly rate?: number;
  /** Default 0. */
  readonly axis?: ConstraintAxis;
}

/** Brings the length of vectors into [minValue, maxValue]. */
export class MinMaxNorm extends Constraint {
  readonly minValue: number;
  readonly maxValue: number;
  readonly rate: number;
  readonly axis: ConstraintAxis;

  constructor(options: MinMaxNormOptions = {}) {
    super(options);
    const { minValue = 0, maxValue = 1, rate = 1, axis = 0 } = options;
    this.minValue = checkNumber(minValue, 'MinMaxNorm: minValue', notNegative);
    this.maxValue = checkNumber(maxValue, 'MinMaxNorm: maxValue', { min: minValue });
    this.rate = checkNumber(rate, 'MinMaxNorm: rate', share);
    this.axis = checkAxis(axis, 'MinMaxNorm');
  }

  protected project(w: Tensor): Tensor {
    const length = lengths(w, this.axis);
    const within = affine(clip(length, this.minValue, this.maxValue), this.rate, 0);
    return rescale(w, add(within, affine(length, 1 - this.rate, 0)), length);
  }

  config(): Record<string, unknown> {
    const { minValue, maxValue, rate, axis } = this;
    return { minValue, maxValue, rate, axis };
  }
}

const classes = {
  maxNorm: MaxNorm,
  nonNeg: NonNeg,
  unitNorm: UnitNorm,
  minMaxNorm: MinMaxNorm,
} as const;

export type ConstraintName = keyof typeof classes;

/** What stands for one where one is asked for. */
export type ConstraintLike = ConstraintName | Constraint | Serialized;

const catalog = new Catalog<Constraint>('constraint', classes);

/** A constraint from its name with its defaults, from `{ className, config }`, or itself. */
export const get = (identifier: ConstraintLike): Constraint => catalog.get(identifier);

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (constraint: Constraint): Serialized => catalog.serialize(constraint);

/** Makes a class of your own known by name, for loading models saved with it. */
export const register = (own: new (...args: never[]) => Constraint): void => catalog.register(own);
