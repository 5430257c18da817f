/** Cases with the figures of PyTorch (golden/operations.json), also where derivatives jump. */

import type { DType } from '../../src/backends/dtype.js';
import { ulps } from '../case.js';
import type { Case, GradientPlan } from '../case.js';
import { golden } from '../golden.js';
import { plain } from '../plain.js';
import type { Plain } from '../plain.js';

interface Figure {
  readonly shape: readonly number[];
  readonly values: readonly (number | 'nan' | 'inf' | '-inf')[];
  readonly dtype?: DType;
}

interface Record {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly inputs: readonly Figure[];
  readonly results: readonly Figure[];
  readonly upstream?: readonly number[];
  readonly gradients?: readonly (Figure | null)[];
}

interface Figures {
  readonly by: string;
  readonly records: readonly Record[];
}

const special = { nan: NaN, inf: Infinity, '-inf': -Infinity };

const figure = ({ shape, values, dtype }: Figure): Plain =>
  plain(
    shape,
    values.map((each) => (typeof each === 'number' ? each : special[each])),
    dtype,
  );

/**
 * PyTorch's kernels are within a few units in the last place, as ours are; differences of rounding
 * on the way (a softmax, a norm) come on top.
 */
const tolerance = ulps(32, 32);

const { by, records } = golden('operations') as Figures;

function gradientOf({ upstream, gradients }: Record): GradientPlan {
  if (!upstream || !gradients) return { none: `${by} gives none` };
  return { upstream, gradients: gradients.map((each) => each && figure(each)) };
}

export const goldenCases: readonly Case[] = records.map((each, i) => {
  const constant = each.inputs.map((_, which) => which).filter((which) => !each.gradients?.[which]);
  return {
    op: each.op,
    title: `${by}, record ${i}`,
    inputs: each.inputs.map(figure),
    args: (...inputs) => [...inputs, ...each.args],
    expected: () => each.results.map(figure),
    tolerance,
    constants: constant,
    gradient: gradientOf(each),
    differentiable: [0],
  };
});
