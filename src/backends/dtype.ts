/** The five element types, their sizes and their typed arrays. */

import { DTypeError } from '../errors.js';

export interface DataTypes {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type DType = keyof DataTypes;
export type FloatDType = 'float32' | 'float64';

/** Dtype of float operations: a float dtype itself, float32 for the others. */
export type FloatOf<D extends DType> = D extends FloatDType ? D : 'float32';
/** Dtype of sums: a float dtype itself, int32 for the others. */
export type SumOf<D extends DType> = D extends FloatDType ? D : 'int32';

/** From the narrowest to the widest: the wider of two is their common type. */
export const dtypes: readonly DType[] = ['bool', 'uint8', 'int32', 'float32', 'float64'];

/** Bytes of one element. bool takes a byte holding 0 or 1. */
export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** A zero-filled typed array for a dtype. */
export function typedArray<D extends DType>(dtype: D, size: number): DataTypes[D] {
  return new constructors[dtype](size) as DataTypes[D];
}

/** A typed array of a dtype over given memory. */
export function typedArrayOn<D extends DType>(
  dtype: D,
  memory: ArrayBuffer,
  byteOffset: number,
  size: number,
): DataTypes[D] {
  return new constructors[dtype](memory, byteOffset, size) as DataTypes[D];
}

/** The dtype of a typed array (Uint8Array is uint8), or undefined for anything else. */
export function dtypeOf(value: unknown): Exclude<DType, 'bool'> | undefined {
  if (value instanceof Float32Array) return 'float32';
  if (value instanceof Float64Array) return 'float64';
  if (value instanceof Int32Array) return 'int32';
  if (value instanceof Uint8Array) return 'uint8';
  return undefined;
}

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || dtype === 'float64';
}

/** The wider of two dtypes: bool < uint8 < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return a === b || dtypes.indexOf(a) > dtypes.indexOf(b) ? a : b;
}

/** Throws DTypeError unless `value` is one of the five names. */
export function checkDType(value: unknown, where: string): DType {
  if (typeof value === 'string' && (dtypes as readonly string[]).includes(value)) {
    return value as DType;
  }
  throw new DTypeError(`${where}: dtype ${String(value)} is not one of ${dtypes.join(', ')}`);
}
