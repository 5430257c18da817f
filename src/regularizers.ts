/** Penalties on parameters, added to the loss. As in Keras 3: no factor ½ anywhere. */

import { ShapeError } from './errors.js';
import { Catalog, rememberGiven } from './names.js';
import type { Configurable, Serialized } from './names.js';
import { abs, add, affine, div, maximum, mul, sqrt, square } from './ops/elementwise.js';
import { matmul } from './ops/matmul.js';
import { sum } from './ops/reduce.js';
import { eye } from './tensor/create.js';
import { showShape } from './tensor/shape.js';
import type { Tensor } from './tensor/tensor.js';
import { checkChoice, checkNumbers, notNegative } from './values.js';

export abstract class Regularizer implements Configurable {
  /** The penalty of a parameter, a scalar. */
  abstract call(w: Tensor): Tensor;
  /** What the constructor takes. */
  abstract config(): Record<string, unknown>;
}

const sumAbs = (w: Tensor, factor: number): Tensor => affine(sum(abs(w)), factor, 0);
const sumSquares = (w: Tensor, factor: number): Tensor => affine(sum(square(w)), factor, 0);

/** l1 · Σ|w|. Default 0.01. */
export class L1 extends Regularizer {
  readonly l1: number;

  constructor(options: number | { readonly l1?: number } = {}) {
    super();
    if (typeof options !== 'number') rememberGiven(this, options);
    this.l1 = typeof options === 'number' ? options : (options.l1 ?? 0.01);
    checkNumbers('L1', { l1: this.l1 }, notNegative);
  }

  call(w: Tensor): Tensor {
    return sumAbs(w, this.l1);
  }

  config(): Record<string, unknown> {
    return { l1: this.l1 };
  }
}

/** l2 · Σw². Default 0.01. */
export class L2 extends Regularizer {
  readonly l2: number;

  constructor(options: number | { readonly l2?: number } = {}) {
    super();
    if (typeof options !== 'number') rememberGiven(this, options);
    this.l2 = typeof options === 'number' ? options : (options.l2 ?? 0.01);
    checkNumbers('L2', { l2: this.l2 }, notNegative);
  }

  call(w: Tensor): Tensor {
    return sumSquares(w, this.l2);
  }

  config(): Record<string, unknown> {
    return { l2: this.l2 };
  }
}

/** l1 · Σ|w| + l2 · Σw². Both default 0; by name (`l1L2`), both are 0.01. */
export class L1L2 extends Regularizer {
  readonly l1: number;
  readonly l2: number;

  constructor(options: { readonly l1?: number; readonly l2?: number } = {}) {
    super();
    rememberGiven(this, options);
    this.l1 = options.l1 ?? 0;
    this.l2 = options.l2 ?? 0;
    checkNumbers('L1L2', { l1: this.l1, l2: this.l2 }, notNegative);
  }

  call(w: Tensor): Tensor {
    return add(sumAbs(w, this.l1), sumSquares(w, this.l2));
  }

  config(): Record<string, unknown> {
    return { l1: this.l1, l2: this.l2 };
  }
}

export interface OrthogonalOptions {
  /** Default 0.01. */
  readonly factor?: number;
  /** Which vectors are to be orthogonal. Default `rows`. */
  readonly mode?: 'rows' | 'columns';
}

/** factor · the mean |cosine| between different rows (or columns) of a matrix. */
export class Orthogonal extends Regularizer {
  readonly factor: number;
  readonly mode: 'rows' | 'columns';

  constructor(options: OrthogonalOptions = {}) {
    super();
    rememberGiven(this, options);
    this.factor = options.factor ?? 0.01;
    this.mode = checkChoice(options.mode ?? 'rows', 'Orthogonal: mode', ['rows', 'columns']);
    checkNumbers('Orthogonal', { factor: this.factor }, notNegative);
  }

  call(w: Tensor): Tensor {
    if (w.rank !== 2) {
      throw new ShapeError(`Orthogonal: needs a matrix, got shape ${showShape(w.shape)}`);
    }
    const along = this.mode === 'rows' ? 1 : 0;
    const count = w.shape[1 - along]!;
    const squares = sum(square(w), along, { keepDims: true });
    const unit = div(w, sqrt(maximum(squares, 1e-12)));
    const cosines = matmul(unit, unit, { [along === 1 ? 'transposeB' : 'transposeA']: true });
    const others = affine(eye(count, count, { dtype: w.dtype, device: w.device }), -1, 1);
    // Each pair stands there twice.
    const pairs = Math.max(1, count * (count - 1));
    return affine(sum(abs(mul(cosines, others))), this.factor / pairs, 0);
  }

  config(): Record<string, unknown> {
    return { factor: this.factor, mode: this.mode };
  }
}

const catalog = new Catalog<Regularizer>(
  'regularizer',
  { l1: L1, l2: L2, l1L2: L1L2, orthogonal: Orthogonal },
  { orthogonalRegularizer: 'orthogonal' },
);

export type RegularizerName = 'l1' | 'l2' | 'l1L2' | 'orthogonal';

/** What stands for one where one is asked for. */
export type RegularizerLike = RegularizerName | Regularizer | Serialized;

/** A regularizer from its name (factors 0.01), from `{ className, config }`, or itself. */
export function get(identifier: RegularizerLike): Regularizer {
  if (typeof identifier === 'string' && catalog.find(identifier) === L1L2) {
    return new L1L2({ l1: 0.01, l2: 0.01 });
  }
  return catalog.get(identifier);
}

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (regularizer: Regularizer): Serialized => catalog.serialize(regularizer);

/** Makes a class of your own known by name, for loading models saved with it. */
export const register = (own: new (...args: never[]) => Regularizer): void => catalog.register(own);
