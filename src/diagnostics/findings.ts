/** What figures of a step say is wrong, in words, and what to try. */

import type { LayerHealth, Measurement } from './measure.js';

export type FindingKind =
  | 'nonFinite'
  | 'vanishing'
  | 'exploding'
  | 'dyingUnits'
  | 'saturation'
  | 'updates'
  | 'inputs'
  | 'selfNormalization';

/** Something wrong. */
export interface Finding {
  readonly kind: FindingKind;
  /** Names of the layers concerned. */
  readonly layers: readonly string[];
  /** What was seen. */
  readonly message: string;
  /** What to try. */
  readonly advice: string;
}

/** Thresholds of the findings: far from what healthy nets show, see the tests. */
export const limits = {
  /** Factor between the first and the last layers' signals, or results, that is too much. */
  drift: 1e3,
  /** Layers below which a factor between first and last says nothing. */
  depth: 3,
  /** Share of units of a layer that may be off for a whole batch. */
  dead: 0.8,
  /** Share of results of a layer that may be where its activation is flat. */
  saturated: 0.6,
  /** Change of a matrix in one step, over its length: where learning is unstable, or none. */
  update: { most: 0.2, least: 1e-7 },
  /**
   * Factor by which a step may raise the loss of its own batch, and the change of a matrix below
   * which that is put down to noise around a minimum.
   */
  overshoot: { factor: 2, update: 0.01 },
  /** Root mean square of what the first matrix receives. */
  input: { most: 10, least: 1e-3 },
} as const;

/** A number for people: three digits. */
export const show = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** All findings of a step; of numbers that are not finite nothing else can be said. */
export function findingsOf(measurement: Measurement): Finding[] {
  const broken = nonFinite(measurement);
  if (broken) return [broken];
  // Causes before consequences.
  const rules = [inputs, dyingUnits, saturation, signals, results, largeUpdates];
  const found = rules.flatMap((rule) => rule(measurement) ?? []);
  return found.length > 0 ? found : [smallUpdates(measurement) ?? []].flat();
}

function nonFinite({ loss, layers }: Measurement): Finding | null {
  const first = layers.find((each) => !Number.isFinite(each.variance));
  const gradient = layers.filter((each) => !each.finite).at(-1);
  if (!first && !gradient && Number.isFinite(loss)) return null;
  const where = first
    ? `the results of ${first.name} are the first that are NaN or infinite`
    : gradient
      ? `the gradients of ${gradient.name} are NaN or infinite`
      : 'all layers give finite results';
  return {
    kind: 'nonFinite',
    layers: [(first ?? gradient)?.name ?? ''].filter((name) => name !== ''),
    message: `the loss is ${loss}; ${where}`,
    advice:
      'look for NaN in the data; lower the learning rate; clip gradients (globalClipNorm: 1); ' +
      'begin again from earlier weights if some are NaN',
  };
}

/** Layers that transform: those with trained matrices. */
const deep = (layers: readonly LayerHealth[]): LayerHealth[] =>
  layers.filter((each) => each.updateRatio !== null);

/** Gradients on their way back: too small, or too large, at the beginning of the net. */
function signals({ layers }: Measurement): Finding | null {
  const path = deep(layers).filter((each) => each.signal !== null);
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last || path.length < limits.depth) return null;
  const factor = last.signal! / first.signal!;
  const text =
    `the gradient reaching ${first.name} is ${show(first.signal!)} where ${last.name} has ` +
    `${show(last.signal!)}, ${path.length - 1} layers`;
  if (factor > limits.drift) {
    const layers = path.filter((each) => each.signal! * limits.drift < last.signal!);
    return {
      kind: 'vanishing',
      layers: layers.map((each) => each.name),
      message: `gradients vanish: ${text} above it`,
      advice:
        'use an activation that does not saturate (elu, swish, selu) with the initializer made for ' +
        'it (heNormal; lecunNormal for selu), batch normalization, or skip connections',
    };
  }
  if (factor * limits.drift < 1) {
    return {
      kind: 'exploding',
      layers: [first.name],
      message: `gradients explode: ${text} above it`,
      advice:
        'initialize with smaller weights (heNormal, glorotUniform), use batch normalization, clip ' +
        'gradients (globalClipNorm: 1), or lower the learning rate',
    };
  }
  return null;
}

/** Results on their way forward: dying out, or growing. */
function results({ layers }: Measurement): Finding | null {
  // The last layer's scale is the task's.
  const path = deep(layers).slice(0, -1);
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last || path.length < limits.depth) return null;
  const factor = Math.sqrt(last.variance / first.variance);
  const text =
    `the spread of results goes from ${show(Math.sqrt(first.variance))} in ${first.name} to ` +
    `${show(Math.sqrt(last.variance))} in ${last.name}`;
  const common = { layers: [first.name, last.name] };
  if (factor * limits.drift < 1) {
    return {
      ...common,
      kind: 'vanishing',
      message: `the signal dies out: ${text}`,
      advice: 'initialize with larger weights (heNormal, glorotUniform) or use batch normalization',
    };
  }
  if (factor > limits.drift) {
    return {
      ...common,
      kind: 'exploding',
      message: `the signal grows: ${text}`,
      advice:
        'initialize with smaller weights (heNormal, glorotUniform) or use batch normalization',
    };
  }
  return null;
}

function dyingUnits({ layers }: Measurement): Finding | null {
  const dying = layers.filter((each) => (each.deadShare ?? 0) > limits.dead);
  if (dying.length === 0) return null;
  const worst = Math.max(...dying.map((each) => each.deadShare!));
  return {
    kind: 'dyingUnits',
    layers: dying.map((each) => each.name),
    message:
      `units have died: in ${listOf(dying)} up to ${percent(worst)} of them give 0 for every ` +
      'sample, and get no gradient',
    advice:
      'lower the learning rate, use leakyRelu or elu in place of relu, heNormal initialization, ' +
      'batch normalization; dead units do not come back: begin again',
  };
}

function saturation({ layers }: Measurement): Finding | null {
  // Results of the model itself may be certain.
  const inner = layers.slice(0, -1);
  const flat = inner.filter((each) => (each.saturatedShare ?? 0) > limits.saturated);
  if (flat.length === 0) return null;
  const worst = Math.max(...flat.map((each) => each.saturatedShare!));
  return {
    kind: 'saturation',
    layers: flat.map((each) => each.name),
    message:
      `activations are saturated: in ${listOf(flat)} up to ${percent(worst)} of the results are ` +
      'where the activation is flat',
    advice:
      'standardize the inputs, initialize with smaller weights (glorotUniform for tanh and ' +
      'sigmoid), use batch normalization before the activation, or relu and its relatives',
  };
}

/** Steps that change weights beyond measure, or go so far that the loss they lower grows. */
function largeUpdates({ layers, loss, lossAfter }: Measurement): Finding | null {
  const path = deep(layers);
  const worst = Math.max(...path.map((each) => each.updateRatio!));
  const beyond =
    loss > 0 && worst > limits.overshoot.update && !(lossAfter <= limits.overshoot.factor * loss);
  if (!(worst > limits.update.most) && !beyond) return null;
  const wild = path.filter((each) => each.updateRatio! > limits.update.most);
  const moved = wild.length > 0 ? wild : path.filter((each) => each.updateRatio === worst);
  const raised = beyond
    ? `, and raises the loss of the very batch it is made for from ${show(loss)} to ` +
      show(lossAfter)
    : '';
  return {
    kind: 'updates',
    layers: moved.map((each) => each.name),
    message:
      `steps are too large: one changes the weights of ${listOf(moved)} by up to ` +
      `${percent(worst)} of their length (about 0.1 % is usual)${raised}`,
    advice:
      `divide the learning rate by about ${show(worst / 1e-3)} to begin with (findLearningRate ` +
      'finds one), clip gradients (globalClipNorm: 1), or let the rate rise over the first steps',
  };
}

function smallUpdates({ layers }: Measurement): Finding | null {
  const path = deep(layers);
  const most = Math.max(...path.map((each) => each.updateRatio!));
  if (path.length === 0 || most > limits.update.least) return null;
  return {
    kind: 'updates',
    layers: path.map((each) => each.name),
    message: `steps are too small: one changes no matrix by more than ${show(most)} of its length`,
    advice: 'raise the learning rate (findLearningRate helps)',
  };
}

function inputs({ received, layers }: Measurement): Finding | null {
  const first = deep(layers)[0];
  if (!received || !first) return null;
  const { means, deviations } = received;
  const squares = means.map((mean, i) => mean ** 2 + deviations[i]! ** 2);
  const size = Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
  if (size <= limits.input.most && size >= limits.input.least) return null;
  return {
    kind: 'inputs',
    layers: [first.name],
    message:
      `${first.name} receives values of a size (root mean square) of ${show(size)}; learning ` +
      'rates and initializers are made for values of about 1',
    advice:
      'scale the inputs: new layers.Normalization() with adapt(data), Rescaling(1 / 255) for ' +
      'pixels, or BatchNormalization as the first layer',
  };
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listOf(layers: readonly { readonly name: string }[]): string {
  const names = layers.map((each) => each.name);
  if (names.length <= 3) return names.join(names.length === 2 ? ' and ' : ', ');
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
