/** The table that exponentials of float32 are taken from: see scripts/emit-single.ts. */

/** Entries from one power of two to the next. */
export const parts = 64;

/** Largest |x| whose e^x is taken from the table: beyond, it is close to or off float32's range. */
export const reach = 87;

/** All entries: a power of two, for all |k| ≤ reach · parts / ln 2, so that `&` wraps k. */
export const entries = 2 ** Math.ceil(Math.log2((2 * reach * parts) / Math.LN2));

/** 2^(k / parts) for every k from -entries / 2 to entries / 2, at k & (entries - 1). */
export const powers: Float64Array = Float64Array.from(
  { length: entries },
  (_, k) => 2 ** ((k < entries / 2 ? k : k - entries) / parts),
);
