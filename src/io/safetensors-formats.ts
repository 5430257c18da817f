/**
 * The element types of safetensors files: which of our dtypes each is read as, and how. Types we do
 * not compute with are widened where that is exact and refused where it is not.
 */

import type { DataTypes, DType } from '../backends/dtype.js';
import { typedArrayOn } from '../backends/dtype.js';
import { FileError } from '../errors.js';

interface FormatRow {
  readonly bytes: number;
  readonly dtype: DType;
  /** Converts elements; absent: the bytes are those of the dtype. */
  readonly convert?: (bytes: ArrayBuffer) => DataTypes[DType];
}

/** Exact in int32. */
const widened = (elements: ArrayLike<number>): Int32Array => Int32Array.from(elements);

export const formats = {
  F64: { bytes: 8, dtype: 'float64' },
  F32: { bytes: 4, dtype: 'float32' },
  F16: { bytes: 2, dtype: 'float32', convert: (bytes) => fromHalf(new Uint16Array(bytes)) },
  BF16: { bytes: 2, dtype: 'float32', convert: (bytes) => fromBrain(new Uint16Array(bytes)) },
  I64: { bytes: 8, dtype: 'int32', convert: (bytes) => narrowed(new BigInt64Array(bytes)) },
  I32: { bytes: 4, dtype: 'int32' },
  I16: { bytes: 2, dtype: 'int32', convert: (bytes) => widened(new Int16Array(bytes)) },
  I8: { bytes: 1, dtype: 'int32', convert: (bytes) => widened(new Int8Array(bytes)) },
  U64: { bytes: 8, dtype: 'int32', convert: (bytes) => narrowed(new BigUint64Array(bytes)) },
  U32: { bytes: 4, dtype: 'int32', convert: (bytes) => narrowed(new Uint32Array(bytes)) },
  U16: { bytes: 2, dtype: 'int32', convert: (bytes) => widened(new Uint16Array(bytes)) },
  U8: { bytes: 1, dtype: 'uint8' },
  BOOL: { bytes: 1, dtype: 'bool', convert: (bytes) => checkedBooleans(new Uint8Array(bytes)) },
} as const satisfies Record<string, FormatRow>;

/** An element type as it is called in the file. */
export type Format = keyof typeof formats;

export const isFormat = (name: string): name is Format => Object.hasOwn(formats, name);

/** The element type each dtype is written as. */
export const formatOf: Readonly<Record<DType, Format>> = {
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};

/** The elements of a tensor from its bytes. Throws FileError when our dtype cannot hold them. */
export function decodeElements(format: Format, bytes: ArrayBuffer): DataTypes[DType] {
  const row: FormatRow = formats[format];
  if (row.convert) return row.convert(bytes);
  return typedArrayOn(row.dtype, bytes, 0, bytes.byteLength / row.bytes);
}

/** IEEE half precision: 1 sign, 5 exponent, 10 fraction bits. */
function fromHalf(words: Uint16Array): Float32Array {
  return Float32Array.from(words, (word) => {
    const exponent = (word >> 10) & 31;
    const fraction = word & 1023;
    let size = NaN;
    if (exponent === 0) size = fraction * 2 ** -24;
    else if (exponent < 31) size = (1024 + fraction) * 2 ** (exponent - 25);
    else if (fraction === 0) size = Infinity;
    return word >> 15 ? -size : size;
  });
}

/** bfloat16: the upper half of a float32. */
function fromBrain(words: Uint16Array): Float32Array {
  const result = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) result[i] = words[i]! << 16;
  return new Float32Array(result.buffer);
}

function narrowed(elements: BigInt64Array | BigUint64Array | Uint32Array): Int32Array {
  const result = new Int32Array(elements.length);
  for (let i = 0; i < elements.length; i++) {
    const value = elements[i]!;
    if (value < -2147483648 || value > 2147483647) {
      throw new FileError(`holds ${value.toString()}, which int32 cannot`);
    }
    result[i] = Number(value);
  }
  return result;
}

function checkedBooleans(bytes: Uint8Array): Uint8Array {
  const wrong = bytes.find((byte) => byte > 1);
  if (wrong !== undefined) throw new FileError(`holds the byte ${wrong}; a boolean is 0 or 1`);
  return bytes;
}
