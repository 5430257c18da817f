/**
 * Elementwise operations: rows of the formula table as differentiable functions that broadcast.
 *
 * A gradient is computed by the row's own derivative kernel; while gradients are being recorded it
 * is the derivative text evaluated with the operations of this file, which are differentiable
 * again.
 */

import { isFloat, promote } from '../backends/dtype.js';
import type { DType, FloatDType } from '../backends/dtype.js';
import { parse } from '../backends/expression.js';
import type { Comparison, Expression } from '../backends/expression.js';
import { formulas } from '../backends/formulas.js';
import type { Formula, FormulaName } from '../backends/formulas.js';
import { hostMemory } from '../backends/host-memory.js';
import { kernelNumber, kernels } from '../backends/kernels.js';
import type { RowOutput } from '../backends/kernels.js';
import { isRecording, track, tracks } from '../autograd/tape.js';
import { DeviceError, DTypeError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { broadcastShapes } from '../tensor/shape.js';
import { empty, fromArray, Tensor } from '../tensor/tensor.js';
import { anyNumber, checkNumber } from '../values.js';
import { cast } from './cast.js';
import { broadcastTo, sumTo } from './broadcast.js';
import { runKernel } from './run-kernel.js';

/** A tensor, or a number standing for one value everywhere. */
export type Operand = TensorLike;

/** Throws DeviceError unless both are on one device. */
export function checkSameDevice(name: string, a: Tensor, b: Tensor): void {
  if (a.backend !== b.backend) {
    throw new DeviceError(
      `${name}: operands are on different devices, ${a.device} and ${b.device}; move one with ` +
        'to(device)',
    );
  }
}

// ---- gradients from the table -----------------------------------------------------------------

type Bindings = Readonly<Record<string, Tensor | number>>;

const parsed = new Map<string, Expression>();

/** Evaluates a text with differentiable operations. */
function evaluate(text: string, bindings: Bindings): Tensor | number {
  let tree = parsed.get(text);
  if (!tree) parsed.set(text, (tree = parse(text)));
  return evaluateTree(tree, bindings);
}

const arithmetic = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div' } as const;
const comparison: Readonly<Record<Comparison, FormulaName>> = {
  '==': 'equal',
  '!=': 'notEqual',
  '<': 'less',
  '<=': 'lessEqual',
  '>': 'greater',
  '>=': 'greaterEqual',
};

function evaluateTree(tree: Expression, bindings: Bindings): Tensor | number {
  switch (tree.kind) {
    case 'number':
      return Number(tree.text);
    case 'variable':
      return bindings[tree.name]!;
    case 'negate': {
      const value = evaluateTree(tree.operand, bindings);
      return typeof value === 'number' ? -value : unaryOp('neg', value);
    }
    case 'binary': {
      const left = evaluateTree(tree.left, bindings);
      const right = evaluateTree(tree.right, bindings);
      if (tree.operator in arithmetic) {
        const operator = tree.operator as keyof typeof arithmetic;
        if (typeof left === 'number' && typeof right === 'number') {
          return { '+': left + right, '-': left - right, '*': left * right, '/': left / right }[
            operator
          ];
        }
        return binaryOp(arithmetic[operator], left, right);
      }
      return binaryOp(comparison[tree.operator as Comparison], left, right);
    }
    case 'select': {
      const [condition, a, b] = tree.args.map((each) => evaluateTree(each, bindings));
      return where(condition as Tensor, a!, b!);
    }
    case 'call': {
      const args = tree.args.map((each) => evaluateTree(each, bindings));
      const name: FormulaName = tree.name;
      return args.length === 1 ? unaryOp(name, args[0]!) : binaryOp(name, args[0]!, args[1]!);
    }
    default:
      return tree satisfies never;
  }
}

/** The gradient of a row with respect to one argument, at the result's shape. */
function gradientOfRow(
  name: FormulaName,
  output: RowOutput,
  values: Readonly<Record<'a' | 'b' | 'c' | 'g' | 'y', Tensor | undefined>>,
  p: number,
  q: number,
): Tensor {
  const row: Formula = formulas[name];
  const text = row[output]!;
  const g = values.g!;
  if (text === 'g') return g;
  if (isRecording()) {
    const names = row.parameters ?? [];
    const bindings = { ...values, [names[0] ?? '']: p, [names[1] ?? '']: q } as Bindings;
    const result = evaluate(text, bindings);
    // A constant gradient (a literal 0 in every branch) still has the result's shape.
    return typeof result === 'number' ? unaryAffine(g, 0, result) : result;
  }
  const number = kernelNumber(name, output);
  const operands = kernels[number]!.operands.map((each) => values[each]!);
  return runKernel(number, g.shape, g.dtype, operands, p, q);
}

const unaryAffine = (x: Tensor, scale: number, shift: number): Tensor =>
  unaryOp('affine', x, scale, shift);

// ---- the ways a row is called -----------------------------------------------------------------

const defaultFloat = (dtype: DType): FloatDType => (isFloat(dtype) ? dtype : 'float32');

/** Applies a one-argument row. @internal */
export function unaryOp(name: FormulaName, input: Operand, p = 0, q = 0): Tensor {
  let a = asTensor(input);
  const row: Formula = formulas[name];
  if (row.kind === 'float' && !isFloat(a.dtype)) a = cast(a, 'float32');
  if (row.kind === 'number' && a.dtype === 'bool') a = cast(a, 'int32');
  const dtype = row.kind === 'compare' ? 'bool' : a.dtype;
  const y: Tensor = runKernel(kernelNumber(name), a.shape, dtype, [a], p, q);
  if (row.da === undefined || !tracks(a)) return y;
  const saved = kernels[kernelNumber(name, 'da')]!.operands;
  return track(
    y,
    name,
    [a],
    [...(saved.includes('a') ? [a] : []), ...(saved.includes('y') ? [y] : [])],
    (g) => [gradientOfRow(name, 'da', { a, b: undefined, c: undefined, g, y }, p, q)],
  );
}

/** Applies a two-argument row, promoting dtypes and broadcasting shapes. @internal */
export function binaryOp(name: FormulaName, left: Operand, right: Operand): Tensor {
  const row: Formula = formulas[name];
  const [a, b] = alignOperands(name, row, left, right);
  const shape = broadcastShapes(a.shape, b.shape, name);
  const dtype = row.kind === 'compare' ? 'bool' : a.dtype;
  const y: Tensor = runKernel(kernelNumber(name), shape, dtype, [a, b], 0, 0);
  return tracks(a, b) ? trackRow(name, y, [a, b]) : y;
}

/** Applies a three-argument row: as two rows of two, but in one pass. @internal */
export function ternaryOp(
  name: FormulaName,
  first: Operand,
  second: Operand,
  third: Operand,
): Tensor {
  const row: Formula = formulas[name];
  const [x, y] = alignOperands(name, row, first, second);
  const [a, c] = alignOperands(name, row, x, third);
  const b = cast(y, a.dtype);
  const shape = broadcastShapes(broadcastShapes(a.shape, b.shape, name), c.shape, name);
  const result: Tensor = runKernel(kernelNumber(name), shape, a.dtype, [a, b, c], 0, 0);
  return tracks(a, b, c) ? trackRow(name, result, [a, b, c]) : result;
}

const argumentGradients = ['da', 'db', 'dc'] as const;

/** Records what a row gave for several arguments, some of which require gradients. */
function trackRow(name: FormulaName, y: Tensor, inputs: readonly Tensor[]): Tensor {
  const row: Formula = formulas[name];
  const outputs = inputs.map(({ requiresGrad }, which) => {
    const output = argumentGradients[which]!;
    return requiresGrad && row[output] !== undefined ? output : null;
  });
  if (outputs.every((output) => output === null)) return y;
  const values = { a: inputs[0], b: inputs[1], c: inputs[2], y };
  const saved = (['a', 'b', 'c', 'y'] as const).filter((letter) =>
    outputs.some((output) => output !== null && usedBy(name, output, letter)),
  );
  const read = saved.map((letter) => values[letter]!);
  return track(y, name, inputs, read, (g) =>
    outputs.map((output, which) =>
      output === null
        ? null
        : sumTo(gradientOfRow(name, output, { ...values, g }, 0, 0), inputs[which]!.shape),
    ),
  );
}

const usedBy = (name: FormulaName, output: RowOutput, letter: 'a' | 'b' | 'c' | 'y'): boolean =>
  kernels[kernelNumber(name, output)]?.operands.includes(letter) ?? false;

/** Both operands as tensors of one dtype that the row accepts, on one device. */
function alignOperands(
  name: string,
  row: Formula,
  left: Operand,
  right: Operand,
): [Tensor, Tensor] {
  const [a, b] = pairOf(left, right);
  checkSameDevice(name, a, b);
  let common = promote(a.dtype, b.dtype);
  if (row.kind === 'float') common = defaultFloat(common);
  if (row.kind === 'number' && common === 'bool') common = 'int32';
  return [cast(a, common), cast(b, common)];
}

/**
 * A bare number adapts to the tensor beside it: it takes the tensor's dtype where that holds it.
 * Beside integers, a number outside their range is int32, and a fraction float32.
 */
function pairOf(left: Operand, right: Operand): [Tensor, Tensor] {
  if (typeof left === 'number' && isTensor(right)) return [scalarLike(left, right), right];
  if (typeof right === 'number' && isTensor(left)) return [left, scalarLike(right, left)];
  const a = isTensor(left) ? left : asTensor(left, isTensor(right) ? right : undefined);
  return [a, isTensor(right) ? right : asTensor(right, a)];
}

const isTensor = (value: Operand): value is Tensor => value instanceof Tensor;

function scalarDType(value: number, like: DType): DType {
  if (isFloat(like)) return like;
  if (!Number.isInteger(value) || Math.abs(value) > 0x7fffffff) return 'float32';
  return like === 'uint8' && value >= 0 && value <= 255 ? 'uint8' : 'int32';
}

function scalarLike(value: number, like: Tensor): Tensor {
  const dtype = scalarDType(value, like.dtype);
  const single = hostMemory.allocate(dtype, 1);
  single[0] = value;
  return fromArray(single, [], dtype, like.backend);
}

// ---- selection --------------------------------------------------------------------------------

/**
 * Elements of `a` where `condition` is true, of `b` elsewhere; all three broadcast together.
 * `condition` may have any dtype (not zero is true).
 */
export function where(condition: TensorLike, a: Operand, b: Operand): Tensor {
  const chosen = cast(asTensor(condition), 'bool');
  const [x, y] = alignValues(a, b, chosen);
  checkSameDevice('where', chosen, x);
  checkSameDevice('where', x, y);
  const shape = broadcastShapes(chosen.shape, broadcastShapes(x.shape, y.shape, 'where'), 'where');
  const fit = (each: Tensor): Tensor => (each.size === 1 ? each : broadcastTo(each, shape));
  const out: Tensor = empty(x.backend, shape, x.dtype);
  if (out.size > 0) {
    out.backend.select(out.buffer, fit(chosen).buffer, fit(x).buffer, fit(y).buffer);
  }
  if (!tracks(x, y)) return out;
  return track(out, 'where', [x, y], [chosen], (g) => [
    x.requiresGrad ? sumTo(where(chosen, g, 0), x.shape) : null,
    y.requiresGrad ? sumTo(where(chosen, 0, g), y.shape) : null,
  ]);
}

function alignValues(a: Operand, b: Operand, like: Tensor): [Tensor, Tensor] {
  if (typeof a === 'number' && typeof b === 'number') {
    return [asTensor(a, like), asTensor(b, like)];
  }
  const [x, y] = pairOf(a, b);
  const common = promote(x.dtype, y.dtype);
  return [cast(x, common), cast(y, common)];
}

// ---- rows with parameters that need checking --------------------------------------------------

/** Values limited to [low, high]; the gradient is zero outside. Throws when low > high. */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  checkNumber(low, 'clip: low', anyNumber);
  checkNumber(high, 'clip: high', { min: low, infinite: true });
  const tensor = asTensor(x);
  const whole = (value: number): boolean => Number.isInteger(value) || !Number.isFinite(value);
  const input =
    isFloat(tensor.dtype) || (whole(low) && whole(high)) ? tensor : cast(tensor, 'float32');
  if (isFloat(input.dtype)) return unaryOp('clip', input, low, high);
  const [least, most] = input.dtype === 'int32' ? [-2147483648, 2147483647] : [0, 255];
  return unaryOp(
    'clip',
    input,
    Math.min(Math.max(low, least), most),
    Math.min(Math.max(high, least), most),
  );
}

/** x · scale + shift in one pass. */
export const affine = (x: TensorLike, scale: number, shift: number): Tensor =>
  unaryOp(
    'affine',
    x,
    checkNumber(scale, 'affine: scale', anyNumber),
    checkNumber(shift, 'affine: shift', anyNumber),
  );

/** x where positive, slope · x elsewhere (Maas et al. 2013). Default slope 0.2, as in Keras. */
export const leakyRelu = (x: TensorLike, slope = 0.2): Tensor =>
  unaryOp('leakyRelu', x, checkNumber(slope, 'leakyRelu: slope', anyNumber));

/** x where positive, alpha · (eˣ − 1) elsewhere (Clevert et al. 2016). alpha ≥ 0, default 1. */
export const elu = (x: TensorLike, alpha = 1): Tensor =>
  unaryOp('elu', x, checkNumber(alpha, 'elu: alpha', { min: 0 }));

/** x where positive, alpha · (exp(x / alpha) − 1) elsewhere (Barron 2017). alpha > 0, default 1. */
export function celu(x: TensorLike, alpha = 1): Tensor {
  return unaryOp('celu', x, checkNumber(alpha, 'celu: alpha', { above: 0 }));
}

/** x · Φ(x) (Hendrycks and Gimpel 2016); `approximate` takes the tanh form. Default exact. */
export const gelu = (x: TensorLike, approximate = false): Tensor =>
  unaryOp(approximate ? 'geluTanh' : 'gelu', x);

// ---- rows as they are -------------------------------------------------------------------------

const one =
  (name: FormulaName) =>
  (x: TensorLike): Tensor =>
    unaryOp(name, x);
const two =
  (name: FormulaName) =>
  (a: TensorLike, b: Operand): Tensor =>
    binaryOp(name, a, b);
const test =
  (name: FormulaName) =>
  (x: TensorLike): Tensor<'bool'> =>
    unaryOp(name, x) as Tensor<'bool'>;
const compareTwo =
  (name: FormulaName) =>
  (a: TensorLike, b: Operand): Tensor<'bool'> =>
    binaryOp(name, a, b) as Tensor<'bool'>;

export const add = two('add');
export const sub = two('sub');
export const mul = two('mul');
/** True division: integers give float32. */
export const div = two('div');
export const pow = two('pow');
/** The smaller of each pair; NaN wins. */
export const minimum = two('minimum');
/** The larger of each pair; NaN wins. */
export const maximum = two('maximum');
/** Remainder with the sign of the divisor, as in Python. */
export const mod = two('mod');
/** Quotient rounded down. */
export const floorDiv = two('floorDiv');
/** Angle of the point (b, a), in radians. */
export const atan2 = two('atan2');
export const squaredDifference = two('squaredDifference');
/**
 * a · b + c in one pass: no intermediate result is written or read (PyTorch's `addcmul(c, a, b)`).
 * All three broadcast together. With hardware for it the sum is rounded once, else twice.
 */
export const mulAdd = (a: TensorLike, b: Operand, c: Operand): Tensor =>
  ternaryOp('mulAdd', a, b, c);

export const neg = one('neg');
export const abs = one('abs');
export const sign = one('sign');
export const square = one('square');
export const reciprocal = one('reciprocal');
export const sqrt = one('sqrt');
/** 1 / √x. */
export const rsqrt = one('rsqrt');
export const floor = one('floor');
export const ceil = one('ceil');
/** To the nearest whole number, halves to the even one. */
export const round = one('round');
export const exp = one('exp');
/** eˣ − 1, exact near 0. */
export const expm1 = one('expm1');
export const log = one('log');
/** log(1 + x), exact near 0. */
export const log1p = one('log1p');
export const sin = one('sin');
export const cos = one('cos');
export const tan = one('tan');
export const asin = one('asin');
export const acos = one('acos');
export const atan = one('atan');
export const sinh = one('sinh');
export const cosh = one('cosh');
export const tanh = one('tanh');
/** The error function. */
export const erf = one('erf');
/** The logistic function, 1 / (1 + e⁻ˣ). */
export const sigmoid = one('sigmoid');
/** log of the logistic function, without overflow. */
export const logSigmoid = one('logSigmoid');
/** log(1 + eˣ), without overflow. */
export const softplus = one('softplus');
/** x / (1 + |x|). */
export const softsign = one('softsign');
/** max(x, 0); the gradient at 0 is 0. */
export const relu = one('relu');
/** min(max(x, 0), 6). */
export const relu6 = one('relu6');
/** Self-normalizing ELU (Klambauer et al. 2017). */
export const selu = one('selu');
/** x · sigmoid(x), also called swish (Ramachandran et al. 2017). */
export const silu = one('silu');
/** x · tanh(softplus(x)) (Misra 2019). */
export const mish = one('mish');
/** relu6(x + 3) / 6, as in Keras 3. */
export const hardSigmoid = one('hardSigmoid');
/** x · hardSigmoid(x). */
export const hardSilu = one('hardSilu');
/** x where positive, slope · x elsewhere, with a learned slope that broadcasts (He et al. 2015). */
export const prelu = two('prelu');

export const equal = compareTwo('equal');
export const notEqual = compareTwo('notEqual');
export const less = compareTwo('less');
export const lessEqual = compareTwo('lessEqual');
export const greater = compareTwo('greater');
export const greaterEqual = compareTwo('greaterEqual');
export const logicalAnd = compareTwo('logicalAnd');
export const logicalOr = compareTwo('logicalOr');
export const logicalXor = compareTwo('logicalXor');
export const logicalNot = test('logicalNot');
export const isNaN = test('isNaN');
export const isFinite = test('isFinite');
export const isInf = test('isInf');

/** @internal For messages of functions that need a float tensor. */
export function checkFloat(name: string, x: Tensor): void {
  if (!isFloat(x.dtype)) {
    throw new DTypeError(`${name}: needs float32 or float64, not ${x.dtype}; use cast('float32')`);
  }
}
