/** Prints values the way numpy does: aligned columns, at most 4 or 8 decimals, long axes cut. */

import type { HostArray } from '../backends/backend.js';
import type { DType } from '../backends/dtype.js';
import { sizeOf } from './shape.js';
import type { Shape } from './shape.js';

const edgeItems = 3;
const threshold = 1000;
const lineWidth = 75;
const precision = 8;

/** numpy's `str(array)` for the dtypes there are. */
export function printTensor(values: HostArray, shape: Shape, dtype: DType): string {
  const size = sizeOf(shape);
  if (shape.length === 0) return formatter([values[0]!], dtype)(values[0]!);
  if (size === 0) return '[]';
  const cut = size > threshold;
  const format = formatter(shown(values, shape, cut), dtype);

  const print = (axis: number, from: number, count: number, indent: number): string => {
    if (axis === shape.length) return format(values[from]!);
    const extent = shape[axis]!;
    const step = count / extent;
    const parts = positions(extent, cut).map((i) =>
      i < 0 ? '...' : print(axis + 1, from + i * step, step, indent + 1),
    );
    const space = ' '.repeat(indent);
    if (axis === shape.length - 1) return `[${wrap(parts, indent)}]`;
    return `[${parts.join('\n'.repeat(shape.length - 1 - axis) + space)}]`;
  };
  return print(0, 0, size, 1);
}

/** Indices to print along one axis; −1 stands for the gap. */
function positions(extent: number, cut: boolean): number[] {
  if (!cut || extent <= 2 * edgeItems) return Array.from({ length: extent }, (_, i) => i);
  const tail = Array.from({ length: edgeItems }, (_, i) => extent - edgeItems + i);
  return [...Array.from({ length: edgeItems }, (_, i) => i), -1, ...tail];
}

/** The values that will be printed: they alone decide the format. */
function shown(values: HostArray, shape: Shape, cut: boolean): number[] {
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

function wrap(parts: readonly string[], indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && indent + line.length + 1 + part.length > lineWidth) {
      lines.push(line);
      line = part;
    } else line = line === '' ? part : `${line} ${part}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}

function formatter(list: readonly number[], dtype: DType): (value: number) => string {
  if (dtype === 'bool') {
    const width = list.length > 1 ? 5 : 0;
    return (value) => (value === 0 ? 'False' : 'True').padStart(width);
  }
  const text = dtype === 'float32' || dtype === 'float64' ? floatText(list, dtype) : String;
  const width = Math.max(...list.map((value) => text(value).length));
  return (value) => text(value).padStart(width);
}

function floatText(list: readonly number[], dtype: 'float32' | 'float64') {
  const finite = list.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const largest = finite.length > 0 ? Math.max(...finite) : 0;
  const smallest = finite.length > 0 ? Math.min(...finite) : 0;
  const special = (value: number): string | undefined => {
    if (Number.isNaN(value)) return 'nan';
    if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
    return undefined;
  };
  if (
    largest >= 1e8 ||
    (smallest > 0 && (smallest < 1e-4 || (largest / smallest > 1000 && largest >= 1e8)))
  ) {
    const digits = Math.max(...finite.map((value) => mantissaDigits(value, dtype)));
    return (value: number) => special(value) ?? exponent(value, digits);
  }
  const decimals = Math.max(0, ...finite.map((value) => decimalsOf(value, dtype)));
  const plain = (value: number): string => {
    const fixed = value.toFixed(decimals);
    return decimals === 0 ? `${fixed}.` : fixed;
  };
  return (value: number) => special(value) ?? plain(value);
}

/** The shortest text that reads back as the same float32 (or float64), at most `precision` digits. */
function shortest(value: number, dtype: 'float32' | 'float64', digits: number): string {
  const exact = dtype === 'float32' ? shortestFloat32(value) : value;
  const rounded = Number(exact.toPrecision(Math.max(1, digits)));
  return String(rounded);
}

/** The double whose decimal text is the shortest that rounds to this float32. */
export function shortestFloat32(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

function decimalsOf(value: number, dtype: 'float32' | 'float64'): number {
  const exact = dtype === 'float32' ? shortestFloat32(value) : value;
  const fixed = exact.toFixed(precision).replace(/0+$/, '');
  return fixed.length - fixed.indexOf('.') - 1;
}

function mantissaDigits(value: number, dtype: 'float32' | 'float64'): number {
  const [mantissa = ''] = Number(shortest(value, dtype, precision + 1))
    .toExponential()
    .split('e');
  return Math.max(0, mantissa.length - 2);
}

function exponent(value: number, digits: number): string {
  const [mantissa = '', power = '+0'] = value.toExponential(digits).split('e');
  const sign = power.startsWith('-') ? '-' : '+';
  const dot = digits === 0 ? '.' : '';
  return `${mantissa}${dot}e${sign}${power.slice(1).padStart(2, '0')}`;
}
