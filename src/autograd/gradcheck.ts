/** Checks gradients against differences of values: for our operations and for users' own. */

import { fillRandom } from '../backends/random.js';
import { describe, DTypeError, GradientError } from '../errors.js';
import { zerosLike } from '../tensor/create.js';
import { sameShape, showShape, stridesOf } from '../tensor/shape.js';
import { fromArray, Tensor } from '../tensor/tensor.js';
import { gradientsOf, isRecording, noGrad, withRecording } from './tape.js';

/** A function of tensors with one or several tensors as its result. */
export type Checkable = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

export interface GradcheckOptions {
  /** Step of the differences, times max(1, |x|). Default 1e-5, near the cube root of 2^-53. */
  readonly epsilon?: number;
  /** Absolute part of the tolerance. Default 1e-7. */
  readonly atol?: number;
  /** Part of the tolerance relative to the difference. Default 1e-5. */
  readonly rtol?: number;
  /** Seed of the random weights that outputs are summed with. Default 0. */
  readonly seed?: number;
}

/** One element whose gradient was compared. */
interface Comparison {
  readonly input: number;
  readonly element: number;
  readonly analytic: number;
  readonly numeric: number;
  readonly error: number;
}

/**
 * Compares the gradient that `backward` gives for `f` with central differences, for every element
 * of every float64 input; inputs of other dtypes are passed on as they are. Outputs must be
 * float64; they are summed with random weights, so that a wrong element cannot hide behind another.
 * `f` must be deterministic, and smooth near the inputs (no kinks within `epsilon`). The inputs are
 * not touched. Costs two evaluations per element: keep shapes small.
 *
 * Returns the largest absolute error. Throws GradientError with a table of the worst elements when
 * |gradient − difference| > atol + rtol · |difference|; DTypeError when nothing is float64.
 */
export function gradcheck(
  f: Checkable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): number {
  return check('gradcheck', f, inputs, options);
}

/**
 * Compares gradients of gradients with central differences of gradients: {@link gradcheck} of the
 * function that maps the inputs, and gradients of the outputs, to the gradients of the inputs.
 */
export function gradgradcheck(
  f: Checkable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): number {
  const outputs = valuesOf('gradgradcheck', f, inputs);
  // Another seed than that of the weights the gradients will be summed with.
  const upstream = randomWeights(outputs, (options.seed ?? 0) + 0x1000000);
  const seeds = upstream.map((values, i) =>
    fromArray(values, outputs[i]!.shape, 'float64', outputs[i]!.backend),
  );
  return check('gradgradcheck', gradientOf(f, inputs.length), [...inputs, ...seeds], options);
}

/**
 * The function from (inputs, gradients of the outputs) to the gradients of the float64 inputs,
 * zeros for those without. Where the result is to be differentiated the gradients are recorded;
 * else they are those of a plain backward pass, which the recorded ones are thereby held to.
 */
function gradientOf(f: Checkable, count: number): Checkable {
  return (...args) => {
    const outer = isRecording();
    return withRecording(true, () => {
      const inputs = args.slice(0, count).map((x) => (outer || !isFloat64(x) ? x : leaf(x)));
      const wanted = inputs.filter(isFloat64);
      const outputs = listOf('gradgradcheck', f(...inputs));
      const gradients = outputs.flatMap((output, i) => {
        if (!output.requiresGrad) return wanted.map(() => null);
        const gradient = args[count + i]!;
        return gradientsOf(output, wanted, { gradient, createGraph: outer, retainGraph: true });
      });
      const found = gradients.map((each, i) => each ?? zerosLike(wanted[i % wanted.length]!));
      return outer ? found : found.map((each) => each.detach());
    });
  };
}

function check(
  name: string,
  f: Checkable,
  inputs: readonly Tensor[],
  options: GradcheckOptions,
): number {
  const { epsilon = 1e-5, atol = 1e-7, rtol = 1e-5, seed = 0 } = options;
  checkInputs(name, inputs);
  const first = valuesOf(name, f, inputs);
  checkDeterministic(name, first, valuesOf(name, f, inputs));
  const weights = randomWeights(first, seed);
  const analytic = analyticGradients(name, f, inputs, weights);
  const numeric = (input: number): Float64Array =>
    differences(name, f, inputs, input, weights, epsilon);

  const all: Comparison[] = [];
  inputs.forEach((tensor, input) => {
    if (!isFloat64(tensor)) return;
    numeric(input).forEach((difference, element) => {
      const gradient = analytic[input]![element]!;
      const error = Math.abs(gradient - difference);
      all.push({ input, element, analytic: gradient, numeric: difference, error });
    });
  });
  const wrong = all.filter((each) => !(each.error <= atol + rtol * Math.abs(each.numeric)));
  if (wrong.length > 0) throw new GradientError(report(name, inputs, wrong, all, atol, rtol));
  return all.reduce((worst, each) => Math.max(worst, each.error), 0);
}

// ---- the two gradients ------------------------------------------------------------------------

/** Gradients of the weighted sum of outputs by backward passes; zeros for an unused input. */
function analyticGradients(
  name: string,
  f: Checkable,
  inputs: readonly Tensor[],
  weights: readonly Float64Array[],
): Float64Array[] {
  const leaves = inputs.map((x) => (isFloat64(x) ? leaf(x) : x));
  const wanted = leaves.filter(isFloat64);
  const outputs = withRecording(true, () => listOf(name, f(...leaves)));
  const sums = inputs.map((x) => new Float64Array(x.size));
  outputs.forEach((output, i) => {
    if (!output.requiresGrad) return;
    const gradient = fromArray(weights[i]!.slice(), output.shape, 'float64', output.backend);
    // Outputs may share a part of the graph.
    const found = gradientsOf(output, wanted, { gradient, retainGraph: true });
    wanted.forEach((each, which) => {
      const sum = sums[leaves.indexOf(each)]!;
      found[which]?.dataSync().forEach((value, element) => (sum[element]! += value));
    });
  });
  return sums;
}

/** Central differences of the weighted sum of outputs, for every element of one input. */
function differences(
  name: string,
  f: Checkable,
  inputs: readonly Tensor[],
  input: number,
  weights: readonly Float64Array[],
  epsilon: number,
): Float64Array {
  const tensor = inputs[input]!;
  const values = tensor.dataSync() as Float64Array;
  const moved = (element: number, value: number): readonly Tensor[] => {
    const copy = values.slice();
    copy[element] = value;
    const changed = fromArray(copy, tensor.shape, 'float64', tensor.backend);
    return valuesOf(
      name,
      f,
      inputs.map((x, i) => (i === input ? changed : x)),
    );
  };
  return values.map((value, element) => {
    const step = epsilon * Math.max(1, Math.abs(value));
    const above = value + step;
    const below = value - step;
    return weightedDifference(moved(element, above), moved(element, below), weights) /
      (above - below); // prettier-ignore
  });
}

/** Σ weight · (a − b): subtracted before summing, so that unrelated outputs cancel exactly. */
function weightedDifference(
  a: readonly Tensor[],
  b: readonly Tensor[],
  weights: readonly Float64Array[],
): number {
  let sum = 0;
  a.forEach((tensor, which) => {
    const high = tensor.dataSync();
    const low = b[which]!.dataSync();
    // Equal infinities have no difference; NaN stays NaN.
    for (let i = 0; i < high.length; i++) {
      if (high[i] !== low[i]) sum += weights[which]![i]! * (high[i]! - low[i]!);
    }
  });
  return sum;
}

// ---- inputs and outputs -----------------------------------------------------------------------

const isFloat64 = (x: Tensor): boolean => x.dtype === 'float64';

/** A leaf of its own with the same values. */
function leaf(x: Tensor): Tensor {
  const result = x.detach();
  result.requiresGrad = true;
  return result;
}

/** Weights in ±[0.5, 1): away from zero, so that every output counts. */
function randomWeights(outputs: readonly Tensor[], seed: number): Float64Array[] {
  return outputs.map((output, which) => {
    const weights = new Float64Array(output.size);
    fillRandom('uniform', weights, seed, which, 0, 0, -1, 1);
    return weights.map((value) => (value < 0 ? value - 1 : value + 1) / 2);
  });
}

function checkInputs(name: string, inputs: readonly Tensor[]): void {
  if (inputs.some(isFloat64)) return;
  const given = inputs.map((x) => x.dtype).join(', ') || 'no inputs';
  throw new DTypeError(
    `${name}: needs at least one float64 input (float32 is too coarse for differences), got ` +
      `${given}; make the inputs with { dtype: 'float64' } or cast('float64')`,
  );
}

/** The outputs, not recorded. */
function valuesOf(name: string, f: Checkable, inputs: readonly Tensor[]): readonly Tensor[] {
  const outputs = noGrad(() => listOf(name, f(...inputs)));
  outputs.forEach((output) => {
    if (isFloat64(output)) return;
    throw new DTypeError(
      `${name}: the function must return float64 for float64 inputs, it returned ${output.dtype}`,
    );
  });
  return outputs;
}

function listOf(name: string, result: Tensor | readonly Tensor[]): readonly Tensor[] {
  const list = (Array.isArray(result) ? result : [result]) as readonly unknown[];
  const stranger = list.find((each) => !(each instanceof Tensor));
  if (stranger === undefined && !list.includes(undefined)) return list as readonly Tensor[];
  throw new GradientError(
    `${name}: the function must return a tensor or an array of tensors, not ${describe(stranger)}`,
  );
}

function checkDeterministic(
  name: string,
  first: readonly Tensor[],
  second: readonly Tensor[],
): void {
  const same =
    first.length === second.length &&
    first.every((tensor, i) => {
      const other = second[i]!;
      if (!sameShape(tensor.shape, other.shape)) return false;
      const values = other.dataSync();
      return tensor.dataSync().every((value, element) => Object.is(value, values[element]));
    });
  if (same) return;
  throw new GradientError(
    `${name}: the function gave different values for the same inputs; seed its random numbers ` +
      'inside the function',
  );
}

// ---- the message ------------------------------------------------------------------------------

const shownRows = 5;

function report(
  name: string,
  inputs: readonly Tensor[],
  wrong: readonly Comparison[],
  all: readonly Comparison[],
  atol: number,
  rtol: number,
): string {
  const severity = ({ error }: Comparison): number => (Number.isNaN(error) ? Infinity : error);
  const worst = [...wrong].sort((a, b) => severity(b) - severity(a)).slice(0, shownRows);
  const rows = worst.map(({ input, element, analytic, numeric, error }) => [
    `${input} ${showShape(inputs[input]!.shape)}`,
    showShape(positionOf(element, inputs[input]!)),
    ...[analytic, numeric, error].map((value) => value.toPrecision(6)),
  ]);
  const table = [['input', 'element', 'gradient', 'difference', 'error'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  '));
  return (
    `${name}: the gradient differs from central differences in ${wrong.length} of ${all.length} ` +
    `elements (tolerance ${atol} + ${rtol} · |difference|); the worst:\n` +
    lines.map((line) => `  ${line.trimEnd()}`).join('\n')
  );
}

function positionOf(element: number, { shape }: Tensor): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(element / stride) % shape[axis]!);
}
