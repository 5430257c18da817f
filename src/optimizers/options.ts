/** What optimizers are made with, and what of them is saved. */

import { describe, ValueError } from '../errors.js';
import { unknownName } from '../names.js';
import type { ScheduleLike } from '../schedules.js';
import { checkFlag, checkNumber, checkNumbers, notNegative, partialShare } from '../values.js';
import { positive, share } from '../values.js';
import type { Range } from '../values.js';

export interface OptimizerOptions {
  /** A number, or a schedule evaluated at `iterations` before each step. Default: see the class. */
  readonly learningRate?: number | ScheduleLike;
  /** Decoupled: before each update w −= w · weightDecay · learningRate. Default 0. */
  readonly weightDecay?: number;
  /**
   * Weights spared it, by parts of their names such as `bias`; see
   * {@link Optimizer.excludeFromWeightDecay}. Default none.
   */
  readonly excludeFromWeightDecay?: readonly string[];
  /** Scale a gradient whose L2 norm is greater down to this norm. */
  readonly clipNorm?: number | null;
  /** Limit each element of a gradient to ± this. */
  readonly clipValue?: number | null;
  /** Scale all gradients down when their common L2 norm is greater than this. */
  readonly globalClipNorm?: number | null;
  /** Keep an exponential moving average of the parameters. Default false. */
  readonly useEma?: boolean;
  /** Share of the old average kept each step. Default 0.99. */
  readonly emaMomentum?: number;
  /**
   * Put the averages in place of the parameters every so many steps. Default: only when `fit`
   * ends, which always does it.
   */
  readonly emaOverwriteFrequency?: number | null;
  /**
   * Update the parameters only every so many steps, 2 or more, by the mean of their gradients: a
   * batch of that many times the size without its memory. Schedules count the steps, everything
   * else (`iterations`, moving averages too) the updates. Default: every step.
   */
  readonly gradientAccumulationSteps?: number | null;
  /** Default: the class's name in lower case. */
  readonly name?: string;
}

/** Settings of some parameters that differ from the rest. */
export interface GroupSettings {
  /** Times the optimizer's learning rate, whatever schedules and callbacks do. Default 1. */
  readonly rateMultiplier?: number;
  /** Instead of the optimizer's learning rate, which then does not matter to them. */
  readonly learningRate?: number;
  /** Instead of the optimizer's weight decay. */
  readonly weightDecay?: number;
}

/** Throws ValueError unless the rate is a finite number, 0 or more. */
export function checkRate(name: string, rate: number): void {
  checkNumber(rate, `${name}: learningRate`, notNegative);
}

/** What numbers may be, where they are given. */
const numeric: readonly (readonly [keyof OptimizerOptions, Range])[] = [
  ['weightDecay', notNegative],
  ['clipNorm', positive],
  ['clipValue', positive],
  ['globalClipNorm', positive],
  ['emaMomentum', share],
  ['emaOverwriteFrequency', { min: 1, whole: true }],
  ['gradientAccumulationSteps', { min: 2, whole: true }],
];

/** Throws ValueError for options outside their range or that exclude each other. */
export function checkOptions(name: string, options: OptimizerOptions): void {
  const { learningRate } = options;
  if (typeof learningRate === 'number') checkRate(name, learningRate);
  else if (learningRate !== undefined && typeof learningRate !== 'object') {
    throw new ValueError(
      `${name}: learningRate must be a number or a schedule, not ${describe(learningRate)}`,
    );
  }
  for (const [key, range] of numeric) {
    const value = options[key] ?? null;
    if (value !== null) checkNumber(value, `${name}: ${key}`, range);
  }
  checkFlag(options.useEma ?? false, `${name}: useEma`);
  const { clipNorm, clipValue, globalClipNorm } = options;
  const clips = Object.entries({ clipNorm, clipValue, globalClipNorm }).filter(
    ([, value]) => typeof value === 'number',
  );
  if (clips.length > 1) {
    const given = clips.map(([key]) => key).join(' and ');
    throw new ValueError(`${name}: give one of clipNorm, clipValue, globalClipNorm, not ${given}`);
  }
}

/** Throws ValueError for settings outside their range, unknown, or that exclude each other. */
export function checkGroup(name: string, settings: GroupSettings): void {
  const known = ['rateMultiplier', 'learningRate', 'weightDecay'];
  for (const [key, value] of Object.entries(settings) as [string, number | undefined][]) {
    if (!known.includes(key)) throw unknownName(`setting of a group of ${name}`, key, known);
    if (value !== undefined) checkNumber(value, `${name}.group: ${key}`, notNegative);
  }
  if (settings.learningRate !== undefined && settings.rateMultiplier !== undefined) {
    throw new ValueError(`${name}.group: give one of learningRate and rateMultiplier`);
  }
}

/** Throws ValueError unless the decays of running means are at least 0 and below 1. */
export const checkDecays = (name: string, decays: Readonly<Record<string, unknown>>): void =>
  checkNumbers(name, decays, partialShare);
