/** Making tensors from values. */

import type { DataTypes, DType, FloatDType } from '../backends/dtype.js';
import { checkDType, dtypeOf, isFloat, typedArray } from '../backends/dtype.js';
import { hostMemory } from '../backends/host-memory.js';
import { backendOf, defaultBackend } from '../backends/registry.js';
import type { Device } from '../backends/registry.js';
import { describe, DTypeError, ShapeError, ValueError } from '../errors.js';
import { checkInteger, checkShape, showShape, sizeOf } from './shape.js';
import type { Shape } from './shape.js';
import { checkTensor, empty, fromArray, Tensor } from './tensor.js';
import type { Nested } from './tensor.js';

export interface CreateOptions<D extends DType = DType> {
  /** Element type; default float32 (bool from booleans; a typed array keeps its own). */
  readonly dtype?: D;
  /** Where; default the default device. */
  readonly device?: Device;
  /** Record operations on it; default false. */
  readonly requiresGrad?: boolean;
}

/** Anything operations take in place of a tensor. */
export type TensorLike<D extends DType = DType> =
  Tensor<D> | Nested | Nested<boolean> | DataTypes[DType];

type DTypeFrom<V> = V extends Float64Array
  ? 'float64'
  : V extends Int32Array
    ? 'int32'
    : V extends Uint8Array
      ? 'uint8'
      : V extends boolean | readonly boolean[] | readonly (readonly boolean[])[]
        ? 'bool'
        : 'float32';

const backendFor = (options: CreateOptions | undefined) =>
  options?.device === undefined ? defaultBackend() : backendOf(options.device);

function finish<D extends DType>(result: Tensor<D>, options: CreateOptions | undefined): Tensor<D> {
  if (options?.requiresGrad) result.requiresGrad = true;
  return result;
}

/**
 * A tensor from a number, nested arrays, or a typed array (copied; give `shape` to fold it).
 * Throws ShapeError for ragged arrays, DTypeError for values that are not numbers.
 */
export function tensor<D extends DType>(
  values: TensorLike,
  options: CreateOptions<D> & { readonly dtype: D; readonly shape?: Shape },
): Tensor<D>;
export function tensor<const V extends TensorLike>(
  values: V,
  options?: CreateOptions & { readonly shape?: Shape },
): Tensor<DTypeFrom<V>>;
export function tensor(
  values: TensorLike,
  options?: CreateOptions & { readonly shape?: Shape },
): Tensor {
  const wanted = options?.dtype === undefined ? undefined : checkDType(options.dtype, 'tensor');
  if (values instanceof Tensor) {
    throw new DTypeError('tensor: got a tensor; use copy() for a copy or cast() for another dtype');
  }
  const own = dtypeOf(values);
  const shape = own ? [(values as DataTypes[DType]).length] : shapeOfNested(values as Nested);
  const target = options?.shape ? [...checkShape(options.shape, 'tensor')] : shape;
  if (sizeOf(target) !== sizeOf(shape)) {
    throw new ShapeError(
      `tensor: ${sizeOf(shape)} values do not fill shape ${showShape(target)} ` +
        `(${sizeOf(target)} elements)`,
    );
  }
  const dtype = wanted ?? own ?? (hasBoolean(values) ? 'bool' : 'float32');
  const flat = own
    ? convert(values as DataTypes[DType], dtype)
    : flatten(values as Nested, sizeOf(shape), dtype);
  return finish(fromArray(flat, target, dtype, backendFor(options)), options);
}

/** Deeper nesting is a mistake, such as an array that contains itself. */
const mostAxes = 64;

function shapeOfNested(values: Nested): number[] {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = (level as unknown[])[0]) {
    shape.push(level.length);
    if (shape.length > mostAxes) {
      throw new ShapeError(`tensor: arrays nested more than ${mostAxes} axes deep`);
    }
  }
  return shape;
}

function hasBoolean(values: unknown): boolean {
  let level = values;
  while (Array.isArray(level)) level = (level as unknown[])[0];
  return typeof level === 'boolean';
}

function flatten(values: Nested, size: number, dtype: DType): DataTypes[DType] {
  const shape = shapeOfNested(values);
  const flat = typedArray(dtype, size);
  let at = 0;
  const walk = (level: unknown, axis: number): void => {
    if (axis < shape.length) {
      if (!Array.isArray(level) || level.length !== shape[axis]) {
        throw new ShapeError(
          `tensor: ragged nested array: expected ${describe(new Array(shape[axis]))} at depth ` +
            `${axis + 1} (as in the first branch), got ${describe(level)}`,
        );
      }
      for (const each of level as unknown[]) walk(each, axis + 1);
      return;
    }
    flat[at++] = element(level, dtype);
  };
  walk(values, 0);
  return flat;
}

function element(value: unknown, dtype: DType, where = 'tensor'): number {
  if (Array.isArray(value)) {
    throw new ShapeError(
      'tensor: ragged nested array: an array where the first branch has a number',
    );
  }
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'number') {
    throw new DTypeError(`${where}: values must be numbers or booleans, got ${describe(value)}`);
  }
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  if (!isFloat(dtype)) checkWhole(value, dtype, where);
  return value;
}

function checkWhole(value: number, dtype: DType, where: string): void {
  const [low, high] = dtype === 'uint8' ? [0, 255] : [-2147483648, 2147483647];
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new ValueError(
      `${where}: ${value} is not a whole number from ${low} to ${high} (${dtype})`,
    );
  }
}

function convert(values: DataTypes[DType], dtype: DType): DataTypes[DType] {
  const own = dtypeOf(values)!;
  const result = typedArray(dtype, values.length);
  if (own === dtype || isFloat(dtype)) result.set(values);
  else for (let i = 0; i < values.length; i++) result[i] = element(values[i], dtype);
  return result;
}

/** @internal The tensor itself, or a constant made from a number, arrays or a typed array. */
export function asTensor<D extends DType>(value: TensorLike<D>, like?: Tensor): Tensor<D> {
  if (value instanceof Tensor) return value;
  return tensor(value, like ? { device: like.device } : undefined) as Tensor as Tensor<D>;
}

/** A tensor of one value repeated. */
export function full<D extends DType = 'float32'>(
  shape: Shape,
  value: number | boolean,
  options?: CreateOptions<D>,
): Tensor<D> {
  const dtype = (options?.dtype === undefined ? 'float32' : checkDType(options.dtype, 'full')) as D;
  const result = empty(backendFor(options), [...checkShape(shape, 'full')], dtype);
  result.backend.fill(result.buffer, element(value, dtype, 'full'));
  return finish(result, options);
}

/** Zeros. */
export function zeros<D extends DType = 'float32'>(
  shape: Shape,
  options?: CreateOptions<D>,
): Tensor<D> {
  return full(shape, 0, options);
}

/** Ones. */
export function ones<D extends DType = 'float32'>(
  shape: Shape,
  options?: CreateOptions<D>,
): Tensor<D> {
  return full(shape, 1, options);
}

/** Zeros of another tensor's shape, dtype and device. */
export function zerosLike<D extends DType>(like: Tensor<D>): Tensor<D> {
  checkTensor('zerosLike', like);
  return full(like.shape, 0, { dtype: like.dtype, device: like.device });
}

/** Ones of another tensor's shape, dtype and device. */
export function onesLike<D extends DType>(like: Tensor<D>): Tensor<D> {
  checkTensor('onesLike', like);
  return full(like.shape, 1, { dtype: like.dtype, device: like.device });
}

/** The identity [rows, columns] (columns defaults to rows), ones on the diagonal `offset`. */
export function eye<D extends DType = 'float32'>(
  rows: number,
  columns: number = rows,
  options?: CreateOptions<D> & { readonly offset?: number },
): Tensor<D> {
  checkInteger(rows, 0, Infinity, 'eye: rows');
  checkInteger(columns, 0, Infinity, 'eye: columns');
  const dtype = (options?.dtype ?? 'float32') as D;
  const offset = checkInteger(options?.offset ?? 0, -Infinity, Infinity, 'eye: offset');
  const values = newArray(dtype, rows * columns, 'eye');
  for (let row = Math.max(0, -offset); row < rows && row + offset < columns; row++) {
    values[row * columns + row + offset] = 1;
  }
  return finish(fromArray(values, [rows, columns], dtype, backendFor(options)), options);
}

/** start, start + step, … below stop (above, for a negative step); `arange(n)` counts from 0. */
export function arange<D extends DType = 'float32'>(
  start: number,
  stop?: number,
  step = 1,
  options?: CreateOptions<D>,
): Tensor<D> {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new ValueError(
      `arange: needs finite bounds and a step other than 0, got ${from}, ${to}, ${step}`,
    );
  }
  const dtype = (options?.dtype ?? 'float32') as D;
  const values = newArray(dtype, Math.max(0, Math.ceil((to - from) / step)), 'arange');
  for (let i = 0; i < values.length; i++) values[i] = element(from + i * step, dtype, 'arange');
  return finish(fromArray(values, [values.length], dtype, backendFor(options)), options);
}

/** `count` evenly spaced values from start to stop, both included; of a float dtype. */
export function linspace<D extends FloatDType = 'float32'>(
  start: number,
  stop: number,
  count: number,
  options?: CreateOptions<D>,
): Tensor<D> {
  checkInteger(count, 0, Infinity, 'linspace: count');
  if (!Number.isFinite(start) || !Number.isFinite(stop)) {
    throw new ValueError(`linspace: needs finite ends, got ${start} and ${stop}`);
  }
  const dtype = (options?.dtype ?? 'float32') as D;
  if (!isFloat(checkDType(dtype, 'linspace'))) {
    throw new DTypeError(`linspace: dtype must be float32 or float64, not ${dtype}; see arange()`);
  }
  const values = newArray(dtype, count, 'linspace');
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  for (let i = 0; i < count; i++) values[i] = i === count - 1 && i > 0 ? stop : start + i * step;
  return finish(fromArray(values, [count], dtype, backendFor(options)), options);
}

/** An array to fill, or a MemoryError. */
function newArray<D extends DType>(dtype: D, size: number, where: string): DataTypes[D] {
  return hostMemory.allocate(checkDType(dtype, where), size) as DataTypes[D];
}
