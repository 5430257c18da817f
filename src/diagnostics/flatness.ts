/** Where activation functions are flat: there hardly any gradient comes through. */

import type { Activation } from '../activations.js';
import type { Layer } from '../layers/index.js';

/** Results of an activation at which its slope is (almost) zero. */
export interface Flatness {
  /** At or below it the function is off, as ReLU is; null when it never is. */
  readonly off: number | null;
  /** Outside these bounds the function is saturated; null when it never is. */
  readonly saturated: readonly [low: number, high: number] | null;
}

const seluLimit = 1.7580993408473766;

type Parameters = Readonly<Record<string, number>>;

/** By name: a function may be off, saturated, both or neither. Slopes there are below 0.02. */
const table: Readonly<Record<string, (p: Parameters) => Flatness>> = {
  relu: (p) => ({
    off: p['negativeSlope'] === 0 ? 0 : null,
    saturated: p['maxValue'] === Infinity ? null : [-Infinity, p['maxValue']! - 1e-6],
  }),
  relu6: () => ({ off: 0, saturated: [-Infinity, 6 - 1e-6] }),
  sigmoid: () => ({ off: null, saturated: [0.01, 0.99] }),
  hardSigmoid: () => ({ off: null, saturated: [1e-6, 1 - 1e-6] }),
  tanh: () => ({ off: null, saturated: [-0.99, 0.99] }),
  softsign: () => ({ off: null, saturated: [-0.9, 0.9] }),
  elu: (p) => ({ off: null, saturated: [-0.99 * p['alpha']!, Infinity] }),
  celu: (p) => ({ off: null, saturated: [-0.99 * p['alpha']!, Infinity] }),
  selu: () => ({ off: null, saturated: [-0.99 * seluLimit, Infinity] }),
};

/** The activation function a layer ends with, if it has one. */
export function activationOf(layer: Layer): Activation | null {
  const { activation } = layer as { readonly activation?: Activation };
  return activation && activation.name !== 'linear' ? activation : null;
}

/** Where a layer's results are flat; null when it has no activation that ever is. */
export function flatnessOf(layer: Layer): Flatness | null {
  const activation = activationOf(layer);
  return activation ? (table[activation.name]?.(activation.params) ?? null) : null;
}
