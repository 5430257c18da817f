/** What models take as data: one tensor, or one per input or output. */

import type { DType } from '../backends/dtype.js';
import { ValueError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { byName, isPlainObject } from './structure.js';
import type { Structure } from './structure.js';

/**
 * Data of a model: tensors, arrays or typed arrays with samples along the first axis. A model of
 * several inputs (outputs) takes an array of them in order, or an object by name.
 */
export type Data = Structure<TensorLike>;

/** What a model expects at one input. */
export interface InputSpec {
  readonly name: string;
  /** What data is converted to as it is batched. */
  readonly dtype: DType;
}

/** Where data goes in and comes out of a model. */
export interface Ports {
  readonly inputSpecs: readonly InputSpec[];
  readonly outputNames: readonly string[];
}

/** Data as one tensor per name; undefined where an object names none. */
export function tensorsOf(
  data: Data,
  names: readonly string[],
  what: string,
): (Tensor | undefined)[] {
  return listOf(data, names, what).map((each) => (each === undefined ? undefined : asTensor(each)));
}

function listOf(
  data: Data,
  names: readonly string[],
  what: string,
): readonly (TensorLike | undefined)[] {
  if (isPlainObject(data)) return byName(data as Record<string, TensorLike>, names, what);
  // Nested arrays of numbers may be the data of one place; arrays of tensors never are.
  const isList = Array.isArray(data) && (names.length > 1 || (data as unknown[]).some(isWhole));
  if (!isList && names.length === 1) return [data as TensorLike];
  const list = isList ? (data as readonly TensorLike[]) : [];
  if (list.length === names.length) return list;
  throw new ValueError(
    `${what}: the model has ${names.length} of these (${names.join(', ')}); give ` +
      (names.length === 1 ? 'one tensor' : 'an array in this order, or an object by name') +
      (isList ? `, not an array of ${list.length}` : ''),
  );
}

const isWhole = (value: unknown): boolean => value instanceof Tensor || ArrayBuffer.isView(value);

/** Weights of samples per output: one for all, or one for each as {@link Data} says. */
export function weightsOf(weights: Data, names: readonly string[]): (Tensor | null)[] {
  const each =
    Array.isArray(weights) && (weights as unknown[]).some((one) => typeof one !== 'number');
  if (each || isPlainObject(weights)) {
    return tensorsOf(weights, names, 'sampleWeight').map((one) => one ?? null);
  }
  const shared = asTensor(weights as TensorLike);
  return names.map(() => shared);
}
