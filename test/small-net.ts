/** A small classifier and data for it, for tests of what is said and thrown. */

import { layers, randn, Sequential, tensor } from 'gradloom';

/** [12, 4] */
export const x = randn([12, 4]);
/** Class numbers 0 to 2 of the samples of `x`. */
export const y = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));

/** Not compiled. */
export function net(): Sequential {
  return new Sequential([
    new layers.Dense(5, { activation: 'relu', inputShape: [4] }),
    new layers.Dense(3, { activation: 'softmax' }),
  ]);
}

export const compiled = (): Sequential =>
  net().compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
