/**
 * Layers placed on one another before there is data: what functional models are made from. Nothing
 * is computed here; a symbolic tensor only remembers which layer gives it, and from what.
 */

import type { Shape } from '../tensor/shape.js';
import type { Layer } from './layer.js';

let calls = 0;

/** One place of a layer in a model: a shared layer has several. */
export class SymbolicCall {
  /** Later calls have greater numbers; a call comes after those that give its inputs. */
  readonly order = ++calls;
  readonly outputs: readonly SymbolicTensor[];

  constructor(
    readonly layer: Layer,
    readonly inputs: readonly SymbolicTensor[],
    shapes: readonly Shape[],
  ) {
    this.outputs = shapes.map((shape, index) => new SymbolicTensor(shape, this, index));
  }
}

/** What a layer will give, once there is data. */
export class SymbolicTensor {
  constructor(
    /** Shape of one sample. */
    readonly shape: Shape,
    /** The call that gives it. */
    readonly call: SymbolicCall,
    /** Which of the call's outputs it is. */
    readonly index: number,
  ) {}
}
