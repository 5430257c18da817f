/** Activation functions by name, with the parameters Keras gives them. */

import type { FormulaName } from './backends/formulas.js';
import { describe, ValueError } from './errors.js';
import { isSerialized, plain, unknownName } from './names.js';
import type { Configurable, Serialized } from './names.js';
import * as ops from './ops/elementwise.js';
import { isFusable } from './ops/dense.js';
import type { FusedActivation } from './ops/dense.js';
import { rememberLogits } from './ops/logits.js';
import { logSoftmax, softmax } from './ops/softmax.js';
import type { Tensor } from './tensor/tensor.js';
import { checkNumber, notNegative, positive, whole } from './values.js';
import type { Range } from './values.js';

/** Parameters of an activation, by name. */
export type ActivationParameters = Readonly<Record<string, number>>;

interface Definition {
  /** Parameters and their defaults, in Keras's order. */
  readonly parameters: ActivationParameters;
  readonly call: (x: Tensor, p: ActivationParameters) => Tensor;
  /** The formula row that computes it for these parameters, if there is one. */
  readonly fused?: (p: ActivationParameters) => FusedActivation | null;
}

/** An activation that one formula row without parameters computes. */
function row(name: FormulaName): Definition {
  return {
    parameters: {},
    call: (x) => ops.unaryOp(name, x),
    fused: () => (isFusable(name) ? { name } : null),
  };
}

/** An activation that is a formula row with one parameter. */
function scaled(name: FormulaName, parameter: string, standard: number): Definition {
  return {
    parameters: { [parameter]: standard },
    call: (x, p) => ops.unaryOp(name, x, p[parameter]),
    fused: (p) => ({ name, p: p[parameter]! }),
  };
}

/** max(x, 0) with its three options; see {@link activations}. */
const relu: Definition = {
  parameters: { negativeSlope: 0, maxValue: Infinity, threshold: 0 },
  call: (x, p) => {
    const simple = reluRow(p);
    if (simple) return ops.unaryOp(simple.name, x, simple.p);
    const { negativeSlope, maxValue, threshold } = p as Record<string, number>;
    const below = ops.affine(x, negativeSlope!, -negativeSlope! * threshold!);
    const y = ops.where(ops.greaterEqual(x, threshold!), x, below);
    return maxValue === Infinity ? y : ops.minimum(y, maxValue!);
  },
  fused: reluRow,
};

function reluRow(p: ActivationParameters): FusedActivation | null {
  if (p['threshold'] !== 0) return null;
  if (p['maxValue'] === Infinity) {
    return p['negativeSlope'] === 0
      ? { name: 'relu' }
      : { name: 'leakyRelu', p: p['negativeSlope']! };
  }
  return p['maxValue'] === 6 && p['negativeSlope'] === 0 ? { name: 'relu6' } : null;
}

const definitions = {
  linear: { parameters: {}, call: (x: Tensor) => x },
  relu,
  relu6: row('relu6'),
  leakyRelu: scaled('leakyRelu', 'negativeSlope', 0.2),
  elu: scaled('elu', 'alpha', 1),
  selu: row('selu'),
  celu: scaled('celu', 'alpha', 1),
  gelu: row('gelu'),
  geluTanh: row('geluTanh'),
  silu: row('silu'),
  mish: row('mish'),
  softplus: row('softplus'),
  softsign: row('softsign'),
  softmax: {
    parameters: { axis: -1 },
    call: (x: Tensor, p: ActivationParameters) => {
      const y = softmax(x, p['axis']);
      if (p['axis'] === -1 || p['axis'] === x.rank - 1) rememberLogits(y, x, 'softmax');
      return y;
    },
  },
  logSoftmax: { parameters: { axis: -1 }, call: (x, p) => logSoftmax(x, p['axis']) },
  // Not fused: binary cross-entropy wants the logits.
  sigmoid: {
    parameters: {},
    call: (x: Tensor) => {
      const y = ops.sigmoid(x);
      rememberLogits(y, x, 'sigmoid');
      return y;
    },
  },
  logSigmoid: row('logSigmoid'),
  hardSigmoid: row('hardSigmoid'),
  hardSilu: row('hardSilu'),
  tanh: row('tanh'),
  exponential: row('exp'),
} satisfies Record<string, Definition>;

const aliases = {
  identity: 'linear',
  swish: 'silu',
  logistic: 'sigmoid',
  hardSwish: 'hardSilu',
  exp: 'exponential',
} as const;

/** An activation of the user's own: a tensor of the shape of x. */
export type ActivationFunction = (x: Tensor) => Tensor;

export type ActivationName = keyof typeof definitions | keyof typeof aliases;

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: string[] = Object.keys(definitions);

const byKey = new Map<string, string>([
  ...names.map((name) => [plain(name), name] as const),
  ...Object.entries(aliases).map(([alias, name]) => [plain(alias), name] as const),
]);

/** Functions of the user's own, by name. */
const registered = new Map<string, ActivationFunction>();

/**
 * Makes a function of your own known by name: layers can be given the name, and models that use it
 * are saved and loaded. Register it before loading them. Registering the same function again does
 * nothing. Throws ValueError when the name is that of another activation.
 */
export function register(name: string, own: ActivationFunction): void {
  if (typeof (own as unknown) !== 'function' || typeof (name as unknown) !== 'string' || !name) {
    throw new ValueError(
      `registerActivation: expected a name and a function of a tensor, got ${describe(name)} and ` +
        describe(own),
    );
  }
  if (registered.get(name) === own) return;
  if (byKey.has(plain(name))) {
    throw new ValueError(
      `registerActivation: there is an activation named "${byKey.get(plain(name))}" already; ` +
        'choose another name',
    );
  }
  registered.set(name, own);
  byKey.set(plain(name), name);
  names.push(name);
}

/** What stands for an activation where one is asked for. */
export type ActivationLike =
  | ActivationName
  // Those of registerActivation; keeps the known names for completion.
  | (string & {})
  | Activation
  | ActivationFunction
  | { readonly name: ActivationName | (string & {}); readonly params?: ActivationParameters }
  | Serialized;

/** An activation function with fixed parameters. */
export class Activation implements Configurable {
  /** Parameters in force, defaults included. */
  readonly params: ActivationParameters;
  /** What the fused dense layer computes for it; null: apply {@link call} to its result. */
  readonly fused: FusedActivation | null;
  readonly #function: (x: Tensor) => Tensor;

  /** For {@link get}. */
  constructor(
    readonly name: string,
    params: ActivationParameters,
    call: (x: Tensor) => Tensor,
    fused: FusedActivation | null,
    /** Whether it is the library's, and not a function of the user's. */
    readonly isBuiltIn: boolean,
  ) {
    this.params = params;
    this.fused = fused;
    this.#function = call;
  }

  /** The activation of every element of x. */
  call(x: Tensor): Tensor {
    return this.#function(x);
  }

  /**
   * Name and changed parameters, for {@link get}. Throws ValueError for a function of the user's
   * that is not registered.
   */
  config(): { name: string; params: ActivationParameters } {
    const { name } = this;
    if (registered.get(name) === this.#function) return { name, params: {} };
    if (!this.isBuiltIn) {
      throw new ValueError(
        `an activation that is a function (${name}) cannot be saved; call ` +
          `registerActivation('${name}', ${name}) with it first, here and before loading`,
      );
    }
    const { parameters: standard }: Definition = definitions[name as keyof typeof definitions];
    const changed = Object.entries(this.params).filter(([key, value]) => value !== standard[key]);
    return { name, params: Object.fromEntries(changed) };
  }
}

/**
 * An activation from its name (`elu`; Keras's `leaky_relu` too), `{ name, params }`, a function, or
 * null for none (linear). Defaults as in Keras 3: relu(negativeSlope 0, maxValue ∞, threshold 0),
 * leakyRelu(negativeSlope 0.2), elu(alpha 1), celu(alpha 1), softmax(axis −1).
 * Throws ValueError for unknown names and parameters.
 */
export function get(identifier: ActivationLike | null | undefined): Activation {
  if (identifier === null || identifier === undefined) return make('linear', {});
  if (identifier instanceof Activation) return identifier;
  if (typeof identifier === 'string') return make(identifier, {});
  if (typeof identifier === 'function') {
    const known = [...registered].find(([, own]) => own === identifier)?.[0];
    return new Activation(known ?? (identifier.name || 'anonymous'), {}, identifier, null, false);
  }
  if (typeof (identifier as unknown) !== 'object') throw noActivation(identifier);
  const { name, params } = isSerialized(identifier)
    ? (identifier.config as { name: string; params?: ActivationParameters })
    : identifier;
  return make(name, params ?? {});
}

const noActivation = (given: unknown): ValueError =>
  new ValueError(
    `expected an activation: its name, { name, params } or a function; got ${describe(given)}`,
  );

function make(given: string, params: ActivationParameters): Activation {
  if (typeof (given as unknown) !== 'string') throw noActivation(given);
  const name = byKey.get(plain(given));
  if (name === undefined) throw unknownName('activation', given, names);
  const own = registered.get(name);
  const definition: Definition = own
    ? { parameters: {}, call: own }
    : definitions[name as keyof typeof definitions];
  for (const [parameter, value] of Object.entries(params)) {
    if (!(parameter in definition.parameters)) {
      const known = Object.keys(definition.parameters).join(', ') || 'none';
      throw new ValueError(`activation ${name} has no parameter "${parameter}" (it has: ${known})`);
    }
    checkNumber(value, `activation ${name}: ${parameter}`, rangeOf(parameter, name));
  }
  const all = { ...definition.parameters, ...params };
  if (own) return new Activation(name, {}, own, null, false);
  const fused = definition.fused?.(all) ?? null;
  return new Activation(name, all, (x) => definition.call(x, all), fused, true);
}

/** The values that a parameter of an activation may have. */
function rangeOf(parameter: string, name: string): Range {
  switch (parameter) {
    case 'alpha':
      return name === 'celu' ? positive : notNegative;
    case 'maxValue':
      return { min: 0, infinite: true };
    case 'axis':
      return whole;
    default:
      return {};
  }
}
