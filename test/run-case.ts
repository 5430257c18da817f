/** Running a case of the table on a device, and comparing tensors with plain arrays. */

import { dtypeOf, isFloat } from '../src/backends/dtype.js';
import type { DType, FloatDType } from '../src/backends/dtype.js';
import * as gradloom from '../src/index.js';
import { Tensor } from '../src/index.js';
import { close, exact } from './case.js';
import type { Bound, Case, Tolerance } from './case.js';
import { sizeOf } from './plain.js';
import type { Plain } from './plain.js';

export type Results = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;
type Operation = (...args: unknown[]) => Results;

/** Everything the package exports, by name. */
export const exported = gradloom as unknown as Readonly<Record<string, Operation | undefined>>;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** The array as its dtype rounds it. */
export function rounded(x: Plain, float: FloatDType): Plain & { readonly dtype: DType } {
  const dtype = x.dtype ?? float;
  const values = dtype === 'bool' ? x.values.map((each) => (each === 0 ? 0 : 1)) : x.values;
  return { shape: x.shape, values: Array.from(constructors[dtype].from(values)), dtype };
}

/** A tensor on a device from a plain array. */
export function toTensor(
  x: Plain,
  float: FloatDType,
  device: string,
  requiresGrad = false,
): Tensor {
  const dtype = x.dtype ?? float;
  const values = constructors[dtype].from(x.values);
  return gradloom.tensor(values, { shape: [...x.shape], dtype, device, requiresGrad });
}

export const toPlain = (x: Tensor): Plain & { readonly dtype: DType } => ({
  shape: x.shape,
  values: Array.from(x.dataSync()),
  dtype: x.dtype,
});

/** Dtypes a case runs in: both floats when it has a float input, else once. */
export function floatsOf(each: Case): readonly FloatDType[] {
  return each.inputs.some((x) => x.dtype === undefined) ? ['float32', 'float64'] : ['float32'];
}

/** Whether a position holds an input that the case differentiates. */
export const isVariable = (each: Case, which: number): boolean =>
  each.inputs[which]!.dtype === undefined && !each.constants?.includes(which);

/** Tensors for the inputs of a case. */
export function inputsOf(
  each: Case,
  float: FloatDType,
  device: string,
  requiresGrad = false,
): Tensor[] {
  return each.inputs.map((x, which) =>
    toTensor(x, float, device, requiresGrad && isVariable(each, which)),
  );
}

/** The arguments of the call. */
export const argumentsOf = (each: Case, inputs: readonly Tensor[]): readonly unknown[] =>
  each.args ? each.args(...inputs) : inputs;

/** Calls the operation; the results as a list. */
export function invoke(each: Case, inputs: readonly Tensor[]): readonly Tensor[] {
  const operation = exported[each.op];
  if (!operation) throw new Error(`the package exports no ${each.op}`);
  return listOf(operation(...argumentsOf(each, inputs)));
}

/** Results as a list: an operation may give a tensor, an array or an object of them. */
export const listOf = (result: Results): readonly Tensor[] =>
  result instanceof Tensor ? [result] : Object.values(result);

/** Those of the results that have gradients. */
export const differentiableOf = (each: Case, results: readonly Tensor[]): readonly Tensor[] =>
  results.filter((y, i) => isFloat(y.dtype) && (each.differentiable?.includes(i) ?? true));

/** The results a case states. */
export function expectedOf(each: Case, float: FloatDType): readonly Plain[] {
  const expected = each.expected(...each.inputs.map((x) => rounded(x, float)));
  return Array.isArray(expected) ? (expected as readonly Plain[]) : [expected as Plain];
}

/**
 * What is wrong with a result, or undefined. `float` is the dtype of arrays without one. Arrays
 * that are not float must be equal; floats within the tolerance. NaN equals NaN; the sign of 0 is
 * free.
 */
export function difference(
  actual: Tensor,
  expected: Plain,
  float: FloatDType,
  tolerance: Tolerance = close,
): string | undefined {
  const dtype = expected.dtype ?? float;
  if (actual.dtype !== dtype) return `dtype ${actual.dtype} instead of ${dtype}`;
  if (actual.shape.join() !== expected.shape.join()) {
    return `shape [${actual.shape.join(', ')}] instead of [${expected.shape.join(', ')}]`;
  }
  const want = rounded({ ...expected, dtype }, float).values;
  const have = actual.dataSync();
  const kind = dtypeOf(have);
  if (kind !== (dtype === 'bool' ? 'uint8' : dtype)) return `values in a ${have.constructor.name}`;
  if (have.length !== sizeOf(expected.shape)) return `${have.length} values`;
  const bound = (isFloat(dtype) ? tolerance : exact)[dtype === 'float64' ? 'float64' : 'float32'];
  const wrong = want.findIndex((value, i) => !fits(have[i]!, value, bound));
  if (wrong < 0) return undefined;
  const count = want.filter((value, i) => !fits(have[i]!, value, bound)).length;
  const error = Math.abs(have[wrong]! - want[wrong]!);
  return (
    `${count} of ${want.length} elements, the first at ${wrong}: ${have[wrong]} instead of ` +
    `${want[wrong]} (error ${error.toExponential(2)}, relative ` +
    `${(error / Math.abs(want[wrong]!)).toExponential(2)})`
  );
}

function fits(actual: number, expected: number, { relative, absolute }: Bound): boolean {
  if (actual === expected) return true;
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  if (!Number.isFinite(expected)) return false;
  return Math.abs(actual - expected) <= absolute + relative * Math.abs(expected);
}
