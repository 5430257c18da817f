/** Cases of batch and layer normalization. */

import { real, ulps } from '../case.js';
import type { Case } from '../case.js';
import { at, atBroadcast, build, plain, reduce, sum } from '../plain.js';
import type { Plain } from '../plain.js';

type Shape = readonly number[];

/** Statistics, a square root and three roundings on numbers of a few units. */
const normalized = ulps(32, 32);

const mean = (values: readonly number[]): number => sum(values) / values.length;
const variance = (values: readonly number[]): number => {
  const centre = mean(values);
  return mean(values.map((x) => (x - centre) ** 2));
};

/** (x − mean) / √(variance + epsilon) · gamma + beta, everything broadcasting to x. */
function scaled(
  x: Plain,
  average: Plain,
  spread: Plain,
  epsilon: number,
  gamma: Plain | undefined,
  beta: Plain | undefined,
): Plain {
  const one = (each: Plain | undefined, index: Shape, missing: number): number =>
    each ? atBroadcast(each, index) : missing;
  return build(x.shape, (i) => {
    const standard =
      (at(x, i) - atBroadcast(average, i)) / Math.sqrt(atBroadcast(spread, i) + epsilon);
    return standard * one(gamma, i, 1) + one(beta, i, 0);
  });
}

/** Which of gamma and beta there are. */
interface Scale {
  readonly gamma: boolean;
  readonly beta: boolean;
}
const scales: readonly Scale[] = [
  { gamma: true, beta: true },
  { gamma: true, beta: false },
  { gamma: false, beta: true },
  { gamma: false, beta: false },
];

const positive = { from: 0.5, to: 1.5 };

/** The inputs after x, and how to take them apart again. */
function scaleOf({ gamma, beta }: Scale, shape: Shape) {
  const inputs = [...(gamma ? [real(shape, positive)] : []), ...(beta ? [real(shape)] : [])];
  return {
    inputs,
    title: `${gamma ? 'gamma' : 'no gamma'}, ${beta ? 'beta' : 'no beta'}`,
    apart: <T>(rest: readonly T[]): [T | undefined, T | undefined] => [
      gamma ? rest[0] : undefined,
      beta ? rest.at(-1) : undefined,
    ],
  };
}

function batch(shape: Shape, scale: Scale, epsilon?: number): Case {
  const { inputs, title, apart } = scaleOf(scale, shape.slice(-1));
  return {
    op: 'batchNorm',
    title: `[${shape.join(', ')}], ${title}${epsilon === undefined ? '' : `, epsilon ${epsilon}`}`,
    inputs: [real(shape), ...inputs],
    args: (x, ...rest) => {
      const [gamma, beta] = apart(rest);
      return [x, gamma ?? null, beta ?? null, ...(epsilon === undefined ? [] : [{ epsilon }])];
    },
    expected: (x, ...rest) => {
      const [gamma, beta] = apart(rest);
      const rows = x.shape.slice(0, -1).map((_, axis) => axis);
      const [average, spread] = [reduce(x, mean, rows), reduce(x, variance, rows)];
      return [scaled(x, average, spread, epsilon ?? 1e-3, gamma, beta), average, spread];
    },
    tolerance: normalized,
    differentiable: [0],
  };
}

function inference(shape: Shape, scale: Scale): Case {
  const channels = shape.slice(-1);
  const { inputs, title, apart } = scaleOf(scale, channels);
  return {
    op: 'batchNormInference',
    title: `[${shape.join(', ')}], ${title}`,
    inputs: [real(shape), real(channels), real(channels, positive), ...inputs],
    args: (x, average, spread, ...rest) => {
      const [gamma, beta] = apart(rest);
      return [x, average, spread, gamma ?? null, beta ?? null];
    },
    expected: (x, average, spread, ...rest) => scaled(x, average, spread, 1e-3, ...apart(rest)),
    tolerance: normalized,
  };
}

function layer(shape: Shape, scale: Scale, axis?: number | readonly number[]): Case {
  const axes = [axis ?? -1].flat().map((each) => (each + shape.length) % shape.length);
  const { inputs, title, apart } = scaleOf(
    scale,
    axes.map((each) => shape[each]!),
  );
  return {
    op: 'layerNorm',
    title: `[${shape.join(', ')}], ${title}${axis === undefined ? '' : `, axis ${String(axis)}`}`,
    inputs: [real(shape), ...inputs],
    args: (x, ...rest) => {
      const [gamma, beta] = apart(rest);
      return [x, gamma ?? null, beta ?? null, ...(axis === undefined ? [] : [{ axis }])];
    },
    expected: (x, ...rest) => {
      const [average, spread] = [reduce(x, mean, axes, true), reduce(x, variance, axes, true)];
      return scaled(x, average, spread, 1e-3, ...apart(rest));
    },
    tolerance: normalized,
  };
}

export const normalizationCases: readonly Case[] = [
  ...scales.map((scale) => batch([5, 2], scale)),
  batch([2, 3, 2], scales[0]!),
  batch([4], scales[0]!),
  batch([1, 3], scales[0]!),
  batch([4, 2], scales[0]!, 0.1),
  batch([37, 19], scales[0]!),
  batch([130, 100], scales[0]!),
  ...scales.map((scale) => inference([3, 2], scale)),
  inference([0, 2], scales[0]!),
  inference([2, 2, 3], scales[0]!),
  ...scales.map((scale) => layer([3, 4], scale)),
  layer([2, 2, 3], scales[0]!, [1, 2]),
  layer([3, 2], scales[3]!, 0),
  layer([0, 3], scales[0]!),
  layer([33, 65], scales[0]!),
  {
    op: 'batchNorm',
    title: 'equal values become beta',
    inputs: [plain([3, 1], [7, 7, 7]), plain([1], [2]), plain([1], [0.5])],
    expected: () => [plain([3, 1], [0.5, 0.5, 0.5]), plain([1], [7]), plain([1], [0])],
    differentiable: [0],
  },
];
