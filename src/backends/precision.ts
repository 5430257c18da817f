/** Names of what float32 matrix products may be computed in; registry.ts sets and gives them. */

import { describe, ValueError } from '../errors.js';

/**
 * What the factors of float32 products are rounded to: none; TF32, with the range of float32 and 10
 * bits after the point; 16 bits, of IEEE 754 or bfloat16. Sums are of float32 whatever it is. The
 * index is what devices are told.
 */
export const precisions = ['float32', 'tf32', 'float16', 'bfloat16'] as const;
export type Precision = (typeof precisions)[number];

/** The index of a precision. Throws ValueError for what is none. */
export function precisionNumber(given: unknown, from: string): number {
  const number = precisions.indexOf(given as Precision);
  if (number >= 0) return number;
  throw new ValueError(
    `${from}: ${describe(given)} is no precision; expected one of ${precisions.join(', ')}`,
  );
}
