/** The numbers that products may be computed with, rounded as the hardware does. */

import type { Precision } from '../src/backends/precision.js';

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** A float32 number with some of its last bits cut off after something was added to them. */
function cut(x: number, last: number, added: (bits: number) => number): number {
  floats[0] = x;
  if (!Number.isFinite(x)) return x;
  bits[0] = (bits[0]! + added(bits[0]!)) & ~(2 ** last - 1);
  return floats[0];
}

/** Of 11 significant bits, multiples of 2^-24, up to 65504; to the nearest, ties to even. */
function half(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const unit = 2 ** (exponent - 10);
  const scaled = x / unit; // exact
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  const value = rounded * unit;
  return Math.abs(value) >= 65536 ? Math.sign(x) * Infinity : value;
}

/** What a factor becomes. */
export const rounded: Readonly<Record<Precision, (x: number) => number>> = {
  float32: (x) => x,
  // cvt.rna: to the nearest, ties away from zero.
  tf32: (x) => cut(x, 13, () => 0x1000),
  float16: half,
  // To the nearest, ties to even.
  bfloat16: (x) => cut(x, 16, (b) => 0x7fff + ((b >>> 16) & 1)),
};
