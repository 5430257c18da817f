/** The table that exponentials of float32 are taken from: see scripts/emit-single.ts. */

/** Entries to a power of two. */
export const parts = 64;

/** Largest |x| whose e^x is taken from the table: beyond, it is close to or off float32's range. */
export const reach = 87;

/** Where 2^0 stands. */
export const zero = Math.ceil((reach * parts) / Math.LN2);

/** 2^((k - zero) / parts) for every k from 0. */
export const powers: Float64Array = Float64Array.from(
  { length: 2 * zero + 1 },
  (_, k) => 2 ** ((k - zero) / parts),
);
