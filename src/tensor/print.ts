/** Prints values exactly as numpy 2 prints arrays, with its standard options. */

import type { HostArray } from '../backends/backend.js';
import type { DType, FloatDType } from '../backends/dtype.js';
import { sizeOf } from './shape.js';
import type { Shape } from './shape.js';

/** Most digits behind the point. */
const precision = 8;
/** Larger arrays are cut, keeping this many items at each end of every axis. */
const threshold = 1000;
const edgeItems = 3;
const lineWidth = 75;

/** numpy's `str(array)`. */
export function printTensor(values: HostArray, shape: Shape, dtype: DType): string {
  const size = sizeOf(shape);
  if (shape.length === 0) return printScalar(values[0]!, dtype);
  if (size === 0) return '[]';
  const cut = size > threshold;
  const format = formatter(shownValues(values, shape, cut), dtype);

  const print = (axis: number, from: number, count: number): string => {
    const indent = ' '.repeat(axis + 1);
    const step = count / shape[axis]!;
    const places = positions(shape[axis]!, cut);
    if (axis === shape.length - 1) {
      const words = places.map((i) => (i < 0 ? '...' : format(values[from + i]!)));
      return `[${fill(words, indent, lineWidth - axis - 1)}]`;
    }
    const parts = places.map((i) => (i < 0 ? '...' : print(axis + 1, from + i * step, step)));
    return `[${parts.join('\n'.repeat(shape.length - 1 - axis) + indent)}]`;
  };
  return print(0, 0, size);
}

/** Indices to print along one axis; −1 stands for the gap. */
function positions(extent: number, cut: boolean): number[] {
  const gap = cut && extent > 2 * edgeItems;
  const list: number[] = [];
  for (let i = 0; i < extent; i++) {
    if (gap && i === edgeItems) {
      list.push(-1);
      i = extent - edgeItems;
    }
    list.push(i);
  }
  return list;
}

/** The values that will be printed: they alone decide the format. */
function shownValues(values: HostArray, shape: Shape, cut: boolean): number[] {
  const list: number[] = [];
  const walk = (axis: number, from: number, count: number): void => {
    if (axis === shape.length) {
      list.push(values[from]!);
      return;
    }
    const step = count / shape[axis]!;
    for (const i of positions(shape[axis]!, cut)) if (i >= 0) walk(axis + 1, from + i * step, step);
  };
  walk(0, 0, sizeOf(shape));
  return list;
}

/** Words in lines of at most `width` characters, the first of which continues one so indented. */
function fill(words: readonly string[], indent: string, width: number): string {
  let text = '';
  let line = indent;
  for (const word of words) {
    if (line.length + word.length > width && line.length > indent.length) {
      text += `${line.trimEnd()}\n`;
      line = indent;
    }
    line += `${word} `;
  }
  return (text + line).slice(indent.length, -1);
}

// ---- numbers ------------------------------------------------------------------------------------

type Format = (value: number) => string;

/** One format for all of the values, so that they align. */
function formatter(values: readonly number[], dtype: DType): Format {
  if (dtype === 'bool') return (value) => (value === 0 ? 'False' : ' True');
  if (dtype === 'float32' || dtype === 'float64') return floatFormatter(values, dtype);
  const width = Math.max(...values.map((value) => String(value).length));
  return (value) => String(value).padStart(width);
}

function printScalar(value: number, dtype: DType): string {
  if (dtype === 'bool') return value === 0 ? 'False' : 'True';
  if (dtype !== 'float32' && dtype !== 'float64') return String(value);
  if (!Number.isFinite(value)) return notFinite(value);
  const size = Math.abs(value);
  const decimal = shortest(value, dtype);
  if (size === 0 || (size >= 1e-4 && size < (dtype === 'float32' ? 1e6 : 1e16))) {
    return positional(decimal).replace(/\.$/, '.0');
  }
  return scientific(decimal, decimal.digits.length, 2).replace('.e', 'e');
}

function notFinite(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

/** Plain decimals, or powers of ten for very large, very small or very different values. */
function floatFormatter(values: readonly number[], dtype: FloatDType): Format {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.filter((value) => value !== 0).map(Math.abs);
  const largest = Math.max(...sizes);
  const smallest = Math.min(...sizes);
  const [tooLarge, round] = dtype === 'float32' ? [1e6, Math.fround] : [1e8, Number];
  const powers = largest >= tooLarge || smallest < round(1e-4) || round(largest / smallest) > 1000;

  const format = powers ? powersFormat(finite, dtype) : plainFormat(finite, dtype);
  const text = (value: number): string =>
    Number.isFinite(value) ? format(value) : notFinite(value);
  const width = Math.max(...values.map((value) => text(value).length));
  return (value) => text(value).padStart(width);
}

function plainFormat(finite: readonly number[], dtype: FloatDType): Format {
  const decimal = (value: number): Decimal => {
    const short = shortest(value, dtype);
    return decimalsOf(short) <= precision ? short : rounded(value, short.exponent + 1 + precision);
  };
  const decimals = Math.max(...finite.map((value) => decimalsOf(decimal(value))));
  return (value) => {
    const short = decimal(value);
    return positional(short) + ' '.repeat(decimals - decimalsOf(short));
  };
}

function powersFormat(finite: readonly number[], dtype: FloatDType): Format {
  const decimal = (value: number, count: number): Decimal => {
    const short = shortest(value, dtype);
    return short.digits.length <= count ? short : rounded(value, count);
  };
  const all = finite.map((value) => decimal(value, precision + 1));
  const count = Math.max(...all.map(({ digits }) => digits.length));
  const width = Math.max(2, ...all.map(({ exponent }) => String(Math.abs(exponent)).length));
  return (value) => {
    // Shorter ones are filled up with digits of the exact value, not with zeros.
    const short = decimal(value, count);
    return scientific(short.digits.length < count ? rounded(value, count) : short, count, width);
  };
}

// ---- decimal digits -----------------------------------------------------------------------------

/** sign · d.ddd · 10^exponent, without zeros at the end. */
interface Decimal {
  readonly sign: '' | '-';
  readonly digits: string;
  readonly exponent: number;
}

function decimalFrom(value: number, text: string): Decimal {
  const [mantissa = '', exponent = ''] = text.split('e');
  const digits = mantissa.replace(/[-.]/g, '').replace(/0+$/, '');
  const negative = value < 0 || Object.is(value, -0);
  return { sign: negative ? '-' : '', digits: digits || '0', exponent: Number(exponent) };
}

/** The fewest digits that read back as the same value, and of these the nearest. */
function shortest(value: number, dtype: FloatDType): Decimal {
  if (dtype === 'float64' || value === 0) return decimalFrom(value, value.toExponential());
  const same = (text: string): boolean => Math.fround(Number(text)) === value;
  for (let count = 1; count < 9; count++) {
    const nearest = value.toExponential(count - 1);
    if (same(nearest)) return rounded(value, count);
    // Above a power of two float32 are wider apart than below: where the nearest decimal below it
    // is another float32, the next one above it may still be this one.
    const [mantissa = '', exponent = ''] = nearest.split('e');
    const digits = String(Math.abs(Number(mantissa.replace('.', ''))) + 1);
    const next = `${value < 0 ? '-' : ''}${digits}e${Number(exponent) - count + 1}`;
    if (same(next)) return decimalFrom(value, Number(next).toExponential());
  }
  return rounded(value, 9);
}

/** Rounded to so many digits; ties to the even digit, where JavaScript's own rounding goes up. */
function rounded(value: number, count: number): Decimal {
  const exact = decimalFrom(value, value.toExponential(100));
  const kept = exact.digits.slice(0, count);
  const tie = exact.digits.slice(count) === '5';
  const even = Number(kept.at(-1)) % 2 === 0;
  return tie && even
    ? { ...exact, digits: kept.replace(/0+$/, '') }
    : decimalFrom(value, value.toExponential(count - 1));
}

/** Digits behind the point when written without a power of ten. */
function decimalsOf({ digits, exponent }: Decimal): number {
  return Math.max(0, digits.length - 1 - exponent);
}

function positional({ sign, digits, exponent }: Decimal): string {
  const all = '0'.repeat(Math.max(0, -exponent)) + digits.padEnd(exponent + 1, '0');
  const whole = Math.max(1, exponent + 1);
  return `${sign}${all.slice(0, whole)}.${all.slice(whole)}`;
}

function scientific({ sign, digits, exponent }: Decimal, count: number, width: number): string {
  const power = String(Math.abs(exponent)).padStart(width, '0');
  const fraction = digits.slice(1).padEnd(count - 1, '0');
  return `${sign}${digits[0]!}.${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
}
