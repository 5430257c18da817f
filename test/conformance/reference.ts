/**
 * The formulas evaluated straight from their syntax trees, one element at a time: the meaning that
 * generated loops and SIMD code are compared with. Nothing here is shared with the generators.
 */

import type { Expression } from '../../src/backends/expression.js';
import type { functions } from '../../src/backends/formulas.js';

type FunctionName = keyof typeof functions;

/** A number and a bound of its error. */
export interface Float {
  readonly value: number;
  readonly error: number;
}

/** How accurate each function must be, in roundings of its result. */
const functionRoundings = 16;

/** erf by the series 2/√π·e^(−x²)·Σ 2ⁿx^(2n+1)/(2n+1)!!, whose terms are all of one sign. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200 && term !== 0; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function floorMod(a: number, b: number): number {
  const remainder = a % b;
  return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder;
}

const floatFunctions: Readonly<Record<FunctionName, (a: number, b: number) => number>> = {
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  erf,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  pow: (a, b) => (a === 1 ? 1 : Math.pow(a, b)),
  mod: floorMod,
  floorDiv: (a, b) => (b === 0 ? a / b : Math.round((a - floorMod(a, b)) / b)),
  atan2: Math.atan2,
  minimum: Math.min,
  maximum: Math.max,
};

/** Functions with steps: their arguments must be exact, so that no step is crossed by rounding. */
const stepped = new Set<FunctionName>(['sign', 'floor', 'ceil', 'round', 'mod', 'floorDiv']);

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/**
 * A float formula in double (comparisons give 1 or 0), with a running bound of the error that
 * arithmetic of precision `unit` makes on the way: cancellation widens the tolerance exactly where
 * it happens.
 */
export function evaluateFloat(
  tree: Expression,
  names: Readonly<Record<string, number | Float>>,
  unit: number,
): Float {
  const rounded = (value: number, error: number, roundings = 1): Float => ({
    value,
    error: error + roundings * unit * Math.abs(value),
  });
  const variable = (given: number | Float): Float =>
    typeof given === 'number' ? { value: given, error: 0 } : given;
  const evaluate = (node: Expression): Float => {
    switch (node.kind) {
      case 'number':
        return rounded(Number(node.text), 0);
      case 'variable':
        return variable(names[node.name]!);
      case 'negate': {
        const { value, error } = evaluate(node.operand);
        return { value: -value, error };
      }
      case 'select':
        return evaluate(node.args[evaluate(node.args[0]).value !== 0 ? 1 : 2]);
      case 'binary':
        return binary(node.operator, evaluate(node.left), evaluate(node.right));
      case 'call':
        return call(node.name, node.args.map(evaluate));
      default:
        return node satisfies never;
    }
  };
  const binary = (operator: string, a: Float, b: Float): Float => {
    switch (operator) {
      case '+':
        return rounded(a.value + b.value, a.error + b.error);
      case '-':
        return rounded(a.value - b.value, a.error + b.error);
      case '*':
        return rounded(
          a.value * b.value,
          Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error,
        );
      case '/': {
        const value = a.value / b.value;
        const margin = Math.max(0, Math.abs(b.value) - b.error);
        const error = a.error + Math.abs(value) * b.error;
        return rounded(value, error === 0 ? 0 : error / margin, 3);
      }
      default:
        return { value: comparisons[operator]!(a.value, b.value) ? 1 : 0, error: 0 };
    }
  };
  const call = (name: FunctionName, args: Float[]): Float => {
    const f = floatFunctions[name];
    const [a, b] = [args[0]!, args[1] ?? { value: 0, error: 0 }];
    const value = f(a.value, b.value);
    if (stepped.has(name)) return { value, error: 2 * unit * Math.abs(value) };
    let error = 0;
    for (const sign of [-1, 1]) {
      if (a.error > 0) error += Math.abs(f(a.value + sign * a.error, b.value) - value);
      if (b.error > 0) error += Math.abs(f(a.value, b.value + sign * b.error) - value);
    }
    // Past the edge of its domain a function is NaN: then nothing can be asked of it.
    return rounded(value, Number.isNaN(error) ? Infinity : error, functionRoundings);
  };
  return evaluate(tree);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** An integer formula, exact: the caller wraps the result. Division by zero gives 0. */
export function evaluateInteger(tree: Expression, names: Readonly<Record<string, bigint>>): bigint {
  const again = (node: Expression): bigint => evaluateInteger(node, names);
  switch (tree.kind) {
    case 'number':
      return BigInt(tree.text);
    case 'variable':
      return names[tree.name]!;
    case 'negate':
      return -again(tree.operand);
    case 'select':
      return again(tree.args[again(tree.args[0]) !== 0n ? 1 : 2]);
    case 'binary':
      return integerBinary(tree.operator, again(tree.left), again(tree.right));
    case 'call': {
      const [a, b] = [again(tree.args[0]!), tree.args[1] ? again(tree.args[1]) : 0n];
      if (tree.name === 'abs') return a < 0n ? -a : a;
      if (tree.name === 'floorDiv') return b === 0n ? 0n : floorDivide(a, b);
      if (tree.name === 'mod') return b === 0n ? 0n : a - floorDivide(a, b) * b;
      throw new Error(`no integer ${tree.name}`);
    }
    default:
      return tree satisfies never;
  }
}

function integerBinary(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      // -2^31 … 2^31 − 1 are exact as numbers.
      return comparisons[operator]!(Number(a), Number(b)) ? 1n : 0n;
  }
}
