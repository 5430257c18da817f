/**
 * Functions of one float32 argument from tables, for the `js` backend.
 *
 * The upper 16 bits of a float32 (sign, exponent, 7 bits of the mantissa) name an interval, and in
 * each the function is a quadratic polynomial of its argument, computed in double precision: right
 * to 0.6 units in float32's last place. That suits functions which run into straight lines on both
 * sides. An interval is fitted when an argument first falls into it, to the formula's float64 loop;
 * so a result depends on its argument alone. Where no polynomial is known, or none is good enough,
 * the coefficients are NaN. So are then the results, and so is their sum, which is how they are
 * found without a comparison per element.
 */

import type { FormulaName } from './formulas.js';
import { kernelNumber } from './kernels.js';
import { loadLoops } from './load-loops.js';

const saturating: readonly FormulaName[] = ['celu', 'elu', 'erf', 'selu', 'tanh'];
const tabulated = new Set(saturating.map((name) => kernelNumber(name)));

/** Low bits of a float32 that do not tell its interval. */
const dropped = 16;
const intervals = 2 ** (32 - dropped);

/** How many functions have their tables at once; with other parameters it is another function. */
const regions = 4;

/** Elements that are copied at once, for which V8 has some fixed costs. */
const block = 4096;

/**
 * Elements that the loop goes through at a call. V8 compiles what is called often as we want it; a
 * long loop it compiles within its first call, without the constants, or drops that and never
 * comes back.
 */
const stretch = 1024;

/** Largest error of a polynomial, relative to the function: a part of half a unit of float32. */
const tolerance = 2 ** -27;

/**
 * The tables, all regions of them, and a block of arguments with the loop that puts results in
 * their place. These arrays are constants of one function: V8 then has their addresses and lengths
 * in its code, and checks each index once. With arrays of the caller the loop takes twice as long,
 * so that copying to and fro pays.
 */
function createTables() {
  const square = new Float64Array(regions * intervals);
  const linear = new Float64Array(regions * intervals);
  const constant = new Float64Array(regions * intervals);
  const values = new Float32Array(block);
  const bits = new Int32Array(values.buffer);
  const shift = dropped;
  const mask = 2 * block - 1; // tells V8 that an index cannot overflow

  function result(i: number, base: number): number {
    const x = values[i]!;
    const k = (bits[i]! >>> shift) | base;
    const y = (square[k]! * x + linear[k]!) * x + constant[k]!;
    values[i] = y;
    return y;
  }

  /**
   * From a multiple of 4 to the next one past `to`: what lies there is nobody's. Returns NaN if one
   * of the results is. The sum would be waited for if it took them one by one.
   */
  function evaluate(from: number, to: number, base: number): number {
    const end = to & mask;
    let sum = 0;
    for (let i = from & mask; i < end; i += 4) {
      sum += result(i, base) + result(i + 1, base) + (result(i + 2, base) + result(i + 3, base));
    }
    return sum;
  }

  return { square, linear, constant, values, evaluate };
}

type Tables = ReturnType<typeof createTables>;

/** Made when first needed: they cost those who use other devices nothing. */
let tables: Tables | undefined;

/** A function with its parameters, and where its tables begin. */
interface Region {
  readonly kernel: number;
  readonly p: number;
  readonly q: number;
  readonly base: number;
}

const known: Region[] = [];
let oldest = 0;

function regionOf({ square }: Tables, kernel: number, p: number, q: number): Region {
  for (const each of known) {
    if (each.kernel === kernel && Object.is(each.p, p) && Object.is(each.q, q)) return each;
  }
  const region = { kernel, p, q, base: oldest * intervals };
  square.fill(NaN, region.base, region.base + intervals);
  known[oldest] = region;
  oldest = (oldest + 1) % regions;
  return region;
}

const walk = Int32Array.of(1, 1, 0, 0, 0, 1);

/** The function of each of the arguments, by the float64 loop. */
function exactly({ kernel, p, q }: Region, x: Float64Array): Float64Array {
  const y = new Float64Array(x.length);
  walk[2] = x.length;
  loadLoops().float64Loops[kernel]!(y, walk, p, q, x, x, x, x);
  return y;
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

function fromBits(bits: number): number {
  floatBits[0] = bits;
  return float[0]!;
}

/**
 * Finds the polynomial of interval `k`: through the Chebyshev points, or where the interval begins
 * at a zero, which has a sign, the line through its ends. Keeps it if it is good enough at the ends
 * and where such a polynomial's error is largest between them.
 */
function fit({ square, linear, constant }: Tables, region: Region, k: number): void {
  const near = fromBits(k << dropped);
  const far = fromBits((k << dropped) | (2 ** dropped - 1));
  const middle = (near + far) / 2;
  const half = (far - near) / 2;
  const outer = half * Math.sqrt(0.75);
  const x = [middle - outer, middle, middle + outer] as const;
  const checks = [near, middle - half / 2, middle + half / 2, far];
  const [f0, f1, f2, ...exact] = exactly(region, Float64Array.of(...x, ...checks)) as unknown as [
    ...[number, number, number],
    ...number[],
  ];
  let slope = (f1 - f0) / (x[1] - x[0]);
  let bend = ((f2 - f1) / (x[2] - x[1]) - slope) / (x[2] - x[0]);
  let start = f0 - slope * x[0] + bend * x[0] * x[1];
  slope -= bend * (x[0] + x[1]);
  if (near === 0) {
    [start, bend] = [exact[0]!, 0];
    slope = (exact[3]! - start) / far;
  }
  const error = (each: number, i: number): number =>
    Math.abs((bend * each + slope) * each + start - exact[i]!);
  if (!checks.every((each, i) => error(each, i) <= tolerance * Math.abs(exact[i]!))) return;
  const at = region.base + k;
  square[at] = bend;
  linear[at] = slope;
  constant[at] = start;
}

/** Puts right the results in the block for `x` that are NaN and should not be. */
function complete(made: Tables, region: Region, x: Float32Array): void {
  const { square, linear, constant, values } = made;
  for (let i = 0; i < x.length; i++) {
    const each = x[i]!;
    if (!Number.isNaN(values[i]) || Number.isNaN(each)) continue;
    float[0] = each;
    const k = floatBits[0]! >>> dropped;
    const at = region.base + k;
    if (Number.isNaN(square[at]) && Number.isFinite(each)) fit(made, region, k);
    const y = (square[at]! * each + linear[at]!) * each + constant[at]!;
    values[i] = Number.isNaN(y) ? exactly(region, Float64Array.of(each))[0]! : y;
  }
}

/** Whether a kernel is one of those that are taken from tables. */
export const isTabulated = (kernel: number): boolean => tabulated.has(kernel);

/** Writes such a kernel of `x` to `out`, which has as many elements; it may be the same array. */
export function mapTabulated(
  kernel: number,
  out: Float32Array,
  x: Float32Array,
  p: number,
  q: number,
): void {
  tables ??= createTables();
  const { values, evaluate } = tables;
  const region = regionOf(tables, kernel, p, q);
  for (let start = 0; start < x.length; start += block) {
    const part = x.subarray(start, start + block);
    values.set(part);
    let sum = 0;
    for (let from = 0; from < part.length; from += stretch) {
      sum += evaluate(from, Math.min(from + stretch, part.length), region.base);
    }
    if (Number.isNaN(sum)) complete(tables, region, part);
    out.set(part.length === block ? values : values.subarray(0, part.length), start);
  }
}
