/**
 * The elementwise operations and the optimizer updates, one row of text each.
 *
 * From these rows `scripts/generate.ts` makes the loops of the `js` backend and the SIMD C++ (and
 * CUDA) of the addon; the autograd layer reads the derivative texts for gradients of gradients.
 * Nothing else in the project states what an elementwise operation computes.
 *
 * The language of a text: numbers, variables, `+ - * /`, comparisons, `select(condition, x, y)`,
 * and the functions of {@link functions}. Variables: `a b c` inputs, `y` output, `g` incoming
 * gradient, and the row's own parameters (scalars).
 */

/** Which dtypes a row is defined for. `compare` rows read any dtype and give bool. */
export type FormulaKind = 'float' | 'number' | 'compare';

export interface Formula {
  /** Input variables, in order. */
  readonly args: 'a' | 'ab' | 'abc';
  /** Scalar parameters used by the texts, at most two. */
  readonly parameters?: readonly string[];
  readonly kind: FormulaKind;
  /** The value. */
  readonly y: string;
  /** Gradient with respect to `a` (absent: not differentiable, or zero almost everywhere). */
  readonly da?: string;
  /** Gradient with respect to `b`. */
  readonly db?: string;
  /** Gradient with respect to `c`. */
  readonly dc?: string;
}

/** Functions a text may call, with the number of arguments. Each is itself an operation. */
export const functions = {
  abs: 1, sign: 1, sqrt: 1, exp: 1, expm1: 1, log: 1, log1p: 1, sin: 1, cos: 1, tan: 1,
  asin: 1, acos: 1, atan: 1, sinh: 1, cosh: 1, tanh: 1, erf: 1, sigmoid: 1, softplus: 1,
  floor: 1, ceil: 1, round: 1, pow: 2, mod: 2, floorDiv: 2, atan2: 2, minimum: 2, maximum: 2,
} as const; // prettier-ignore

const unary = (y: string, da?: string, parameters?: readonly string[]): Formula => ({
  args: 'a',
  kind: 'float',
  y,
  ...(da === undefined ? {} : { da }),
  ...(parameters === undefined ? {} : { parameters }),
});
const binary = (y: string, da: string, db: string): Formula => ({
  args: 'ab',
  kind: 'float',
  y,
  da,
  db,
});
const number = (row: Formula): Formula => ({ ...row, kind: 'number' });
const compare = (args: 'a' | 'ab', y: string): Formula => ({ args, kind: 'compare', y });

// Constants, to the digits a double holds.
const seluScale = '1.0507009873554805';
const seluProduct = '1.7580993408473766'; // scale * alpha, alpha = 1.6732632423543772
const inverseSqrt2 = '0.7071067811865476';
const inverseSqrt2Pi = '0.3989422804014327';
const twoOverSqrtPi = '1.1283791670955126';
const geluInner = '0.7978845608028654 * (a + 0.044715 * a * a * a)'; // sqrt(2 / pi)

/**
 * Every elementwise operation. `0 * g` appears nowhere: a gradient that is zero by selection is
 * the literal 0, so that an infinite factor in the other branch cannot make it NaN.
 * At kinks: relu-like functions take the left derivative, abs takes 0, minimum and maximum share
 * the gradient evenly at ties (the value a central difference gives).
 */
export const formulas = {
  // arithmetic
  add: number(binary('a + b', 'g', 'g')),
  sub: number(binary('a - b', 'g', '-g')),
  mul: number(binary('a * b', 'g * b', 'g * a')),
  div: binary('a / b', 'g / b', '-g * y / b'),
  pow: binary(
    'pow(a, b)',
    'select(b == 0, 0, g * b * pow(a, b - 1))',
    'select(y == 0, 0, g * y * log(a))',
  ),
  minimum: number(
    binary(
      'select(a < b, a, select(b <= a, b, a + b))',
      'select(a < b, g, select(a == b, 0.5 * g, 0))',
      'select(b < a, g, select(a == b, 0.5 * g, 0))',
    ),
  ),
  maximum: number(
    binary(
      'select(a > b, a, select(b >= a, b, a + b))',
      'select(a > b, g, select(a == b, 0.5 * g, 0))',
      'select(b > a, g, select(a == b, 0.5 * g, 0))',
    ),
  ),
  mod: number(binary('mod(a, b)', 'g', '-g * floorDiv(a, b)')),
  floorDiv: number({ args: 'ab', kind: 'number', y: 'floorDiv(a, b)' }),
  atan2: binary('atan2(a, b)', 'g * b / (a * a + b * b)', '-g * a / (a * a + b * b)'),
  mulAdd: { args: 'abc', kind: 'number', y: 'a * b + c', da: 'g * b', db: 'g * a', dc: 'g' },
  squaredDifference: number(binary('(a - b) * (a - b)', '2 * g * (a - b)', '2 * g * (b - a)')),
  neg: number(unary('-a', '-g')),
  abs: number(unary('abs(a)', 'g * sign(a)')),
  sign: number(unary('select(a > 0, 1, select(a < 0, -1, a * 0))')),
  square: number(unary('a * a', '2 * g * a')),
  reciprocal: unary('1 / a', '-g * y * y'),
  sqrt: unary('sqrt(a)', '0.5 * g / y'),
  rsqrt: unary('1 / sqrt(a)', '-0.5 * g * y / a'),
  clip: number(
    unary(
      'select(a < low, low, select(a > high, high, a))',
      'select(a < low, 0, select(a > high, 0, g))',
      ['low', 'high'],
    ),
  ),
  affine: unary('a * scale + shift', 'g * scale', ['scale', 'shift']),

  // rounding: zero gradient almost everywhere
  floor: unary('floor(a)'),
  ceil: unary('ceil(a)'),
  round: unary('round(a)'),

  // exponentials, logarithms
  exp: unary('exp(a)', 'g * y'),
  expm1: unary('expm1(a)', 'g * (y + 1)'),
  log: unary('log(a)', 'g / a'),
  log1p: unary('log1p(a)', 'g / (a + 1)'),

  // trigonometry
  sin: unary('sin(a)', 'g * cos(a)'),
  cos: unary('cos(a)', '-g * sin(a)'),
  tan: unary('tan(a)', 'g * (1 + y * y)'),
  asin: unary('asin(a)', 'g / sqrt(1 - a * a)'),
  acos: unary('acos(a)', '-g / sqrt(1 - a * a)'),
  atan: unary('atan(a)', 'g / (1 + a * a)'),
  sinh: unary('sinh(a)', 'g * cosh(a)'),
  cosh: unary('cosh(a)', 'g * sinh(a)'),
  tanh: unary('tanh(a)', 'g * (1 - y * y)'),
  erf: unary('erf(a)', `g * ${twoOverSqrtPi} * exp(-a * a)`),

  // activations
  sigmoid: unary('sigmoid(a)', 'g * y * (1 - y)'),
  logSigmoid: unary('minimum(a, 0) - log1p(exp(-abs(a)))', 'g * sigmoid(-a)'),
  softplus: unary('maximum(a, 0) + log1p(exp(-abs(a)))', 'g * sigmoid(a)'),
  softsign: unary('a / (1 + abs(a))', 'g / ((1 + abs(a)) * (1 + abs(a)))'),
  relu: unary('select(a <= 0, 0, a)', 'select(y > 0, g, 0)'),
  relu6: unary('select(a <= 0, 0, select(a > 6, 6, a))', 'select(y > 0, select(y < 6, g, 0), 0)'),
  leakyRelu: unary('select(a > 0, a, slope * a)', 'select(a > 0, g, slope * g)', ['slope']),
  prelu: binary('select(a > 0, a, b * a)', 'select(a > 0, g, b * g)', 'select(a > 0, 0, g * a)'),
  elu: unary('select(a > 0, a, alpha * expm1(a))', 'select(y > 0, g, g * (y + alpha))', ['alpha']),
  celu: unary(
    'select(a > 0, a, alpha * expm1(a / alpha))',
    'select(y > 0, g, g * (y / alpha + 1))',
    ['alpha'],
  ),
  selu: unary(
    `select(a > 0, ${seluScale} * a, ${seluProduct} * expm1(a))`,
    `select(y > 0, ${seluScale} * g, g * (y + ${seluProduct}))`,
  ),
  gelu: unary(
    `0.5 * a * (1 + erf(a * ${inverseSqrt2}))`,
    `g * (0.5 * (1 + erf(a * ${inverseSqrt2})) + a * ${inverseSqrt2Pi} * exp(-0.5 * a * a))`,
  ),
  geluTanh: unary(
    `0.5 * a * (1 + tanh(${geluInner}))`,
    `g * (0.5 * (1 + tanh(${geluInner})) + 0.5 * a * (1 - tanh(${geluInner}) * tanh(${geluInner}))` +
      ' * 0.7978845608028654 * (1 + 0.134145 * a * a))',
  ),
  silu: unary('a * sigmoid(a)', 'g * sigmoid(a) * (1 + a * (1 - sigmoid(a)))'),
  mish: unary(
    'a * tanh(softplus(a))',
    'g * (tanh(softplus(a)) + a * sigmoid(a) * (1 - tanh(softplus(a)) * tanh(softplus(a))))',
  ),
  hardSigmoid: unary(
    'select(a <= -3, 0, select(a >= 3, 1, a / 6 + 0.5))',
    'select(y > 0, select(y < 1, g / 6, 0), 0)',
  ),
  hardSilu: unary(
    'select(a <= -3, 0, select(a >= 3, a, a * (a / 6 + 0.5)))',
    'select(a <= -3, 0, select(a >= 3, g, g * (a / 3 + 0.5)))',
  ),

  // comparisons and predicates (bool out)
  equal: compare('ab', 'a == b'),
  notEqual: compare('ab', 'a != b'),
  less: compare('ab', 'a < b'),
  lessEqual: compare('ab', 'a <= b'),
  greater: compare('ab', 'a > b'),
  greaterEqual: compare('ab', 'a >= b'),
  isNaN: compare('a', 'a != a'),
  isFinite: compare('a', 'a - a == 0'),
  isInf: compare('a', 'select(a == a, a - a != 0, 0 > 1)'),
  logicalNot: compare('a', 'a == 0'),
  logicalAnd: compare('ab', 'select(a != 0, b != 0, 0 > 1)'),
  logicalOr: compare('ab', 'select(a != 0, 1 > 0, b != 0)'),
  logicalXor: compare('ab', 'select(a != 0, b == 0, b != 0)'),
} satisfies Record<string, Formula>;

export type FormulaName = keyof typeof formulas;

/**
 * One optimizer update for one element: assignments run in order on `w` (the parameter), `g` (its
 * gradient, already scaled, clipped, with decay applied to `w`) and the state variables.
 *
 * Before every update all backends do, per element, `g = clip(g * gradientScale, ±gradientLimit)`
 * and `w = w - w * decay` ({@link updatePrelude}); these three come first in the hyper-parameters.
 * Bias corrections depend only on the step: the optimizer computes them in double and passes them.
 */
export interface Update {
  /** State variables kept per element, in order. */
  readonly state: readonly string[];
  /** Scalars after the three of the prelude, in order. */
  readonly hyper: readonly string[];
  /** Assignments `name = text`; names that are neither state nor `w` are temporaries. */
  readonly steps: readonly (readonly [name: string, text: string])[];
}

/** Hyper-parameters every update starts with. */
export const updatePrelude = ['gradientScale', 'gradientLimit', 'decay'] as const;

/** Optimizer updates; formulas and placement of epsilon as in Keras 3. */
export const updates = {
  sgd: { state: [], hyper: ['rate'], steps: [['w', 'w - rate * g']] },
  momentum: {
    state: ['m'],
    hyper: ['rate', 'momentum'],
    steps: [
      ['m', 'momentum * m - rate * g'],
      ['w', 'w + m'],
    ],
  },
  nesterov: {
    state: ['m'],
    hyper: ['rate', 'momentum'],
    steps: [
      ['m', 'momentum * m - rate * g'],
      ['w', 'w + momentum * m - rate * g'],
    ],
  },
  adagrad: {
    state: ['v'],
    hyper: ['rate', 'epsilon'],
    steps: [
      ['v', 'v + g * g'],
      ['w', 'w - rate * g / sqrt(v + epsilon)'],
    ],
  },
  adadelta: {
    state: ['v', 'd'],
    hyper: ['rate', 'rho', 'epsilon'],
    steps: [
      ['v', 'rho * v + (1 - rho) * g * g'],
      ['delta', '-sqrt(d + epsilon) * g / sqrt(v + epsilon)'],
      ['d', 'rho * d + (1 - rho) * delta * delta'],
      ['w', 'w + rate * delta'],
    ],
  },
  rmsprop: {
    state: ['v', 'm'],
    hyper: ['rate', 'rho', 'momentum', 'epsilon'],
    steps: [
      ['v', 'rho * v + (1 - rho) * g * g'],
      ['m', 'momentum * m + rate * g / sqrt(v + epsilon)'],
      ['w', 'w - m'],
    ],
  },
  rmspropCentered: {
    state: ['v', 'm', 'average'],
    hyper: ['rate', 'rho', 'momentum', 'epsilon'],
    steps: [
      ['v', 'rho * v + (1 - rho) * g * g'],
      ['average', 'rho * average + (1 - rho) * g'],
      ['m', 'momentum * m + rate * g / sqrt(v - average * average + epsilon)'],
      ['w', 'w - m'],
    ],
  },
  /** `rate` carries the bias correction: rate * sqrt(1 - beta2^t) / (1 - beta1^t). */
  adam: {
    state: ['m', 'v'],
    hyper: ['rate', 'beta1', 'beta2', 'epsilon'],
    steps: [
      ['m', 'm + (g - m) * (1 - beta1)'],
      ['v', 'v + (g * g - v) * (1 - beta2)'],
      ['w', 'w - rate * m / (sqrt(v) + epsilon)'],
    ],
  },
  amsgrad: {
    state: ['m', 'v', 'peak'],
    hyper: ['rate', 'beta1', 'beta2', 'epsilon'],
    steps: [
      ['m', 'm + (g - m) * (1 - beta1)'],
      ['v', 'v + (g * g - v) * (1 - beta2)'],
      ['peak', 'maximum(peak, v)'],
      ['w', 'w - rate * m / (sqrt(peak) + epsilon)'],
    ],
  },
  /** `rate` is divided by 1 - beta1^t. */
  adamax: {
    state: ['m', 'u'],
    hyper: ['rate', 'beta1', 'beta2', 'epsilon'],
    steps: [
      ['m', 'm + (g - m) * (1 - beta1)'],
      ['u', 'maximum(beta2 * u, abs(g))'],
      ['w', 'w - rate * m / (u + epsilon)'],
    ],
  },
  /** Rates of the two terms and 1 / (1 - beta2^t) are computed per step (Dozat 2016, Keras 3). */
  nadam: {
    state: ['m', 'v'],
    hyper: ['rateMomentum', 'rateGradient', 'secondScale', 'beta1', 'beta2', 'epsilon'],
    steps: [
      ['m', 'm + (g - m) * (1 - beta1)'],
      ['v', 'v + (g * g - v) * (1 - beta2)'],
      ['w', 'w - (rateMomentum * m + rateGradient * g) / (sqrt(v * secondScale) + epsilon)'],
    ],
  },
  lion: {
    state: ['m'],
    hyper: ['rate', 'beta1', 'beta2'],
    steps: [
      ['w', 'w - rate * sign(beta1 * m + (1 - beta1) * g)'],
      ['m', 'beta2 * m + (1 - beta2) * g'],
    ],
  },
} satisfies Record<string, Update>;

export type UpdateName = keyof typeof updates;
