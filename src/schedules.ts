/**
 * Learning rates as functions of the step. `at(0)` is the rate of the first step; the formulas are
 * those of Keras 3 except for {@link OneCycle}, which Keras does not have.
 */

import { describe, ValueError } from './errors.js';
import { Catalog, checkOptionNames } from './names.js';
import type { Configurable, Serialized } from './names.js';
import {
  checkChoice,
  checkEachNumber,
  checkFlag,
  checkNumber,
  notNegative,
  positive,
} from './values.js';
import type { Range } from './values.js';

export abstract class Schedule implements Configurable {
  /** The learning rate of a step, counted from 0. */
  abstract at(step: number): number;
  /** What the constructor takes. */
  abstract config(): Record<string, unknown>;
}

/** What the numbers of schedules may be. */
const rate = notNegative;
const steps = positive;

/** Throws ValueError for options not among those known, and for numbers outside their ranges. */
function checkOptions(
  where: string,
  options: object,
  numbers: Readonly<Record<string, Range>>,
  others: readonly string[] = [],
): void {
  checkOptionNames(where, options, [...Object.keys(numbers), ...others]);
  for (const [name, range] of Object.entries(numbers)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    checkNumber(value, `${where}: ${name}`, range);
  }
}

export interface DecayOptions {
  readonly initialLearningRate: number;
  /** Steps over which the rate falls by `decayRate` once. */
  readonly decaySteps: number;
  readonly decayRate: number;
  /** Fall at whole multiples of `decaySteps` instead of smoothly. Default false. */
  readonly staircase?: boolean;
}

abstract class Decay extends Schedule {
  protected readonly options: Required<DecayOptions>;

  constructor(options: DecayOptions) {
    super();
    this.options = { staircase: false, ...options };
    const { name } = this.constructor;
    const numbers = { initialLearningRate: rate, decaySteps: steps, decayRate: notNegative };
    checkOptions(name, this.options, numbers, ['staircase']);
    checkFlag(this.options.staircase, `${name}: staircase`);
  }

  /** step / decaySteps, rounded down for a staircase. */
  protected progress(step: number): number {
    const progress = step / this.options.decaySteps;
    return this.options.staircase ? Math.floor(progress) : progress;
  }

  config(): Record<string, unknown> {
    return { ...this.options };
  }
}

/** initial · decayRate^(step / decaySteps). */
export class ExponentialDecay extends Decay {
  at(step: number): number {
    return this.options.initialLearningRate * this.options.decayRate ** this.progress(step);
  }
}

/** initial / (1 + decayRate · step / decaySteps). */
export class InverseTimeDecay extends Decay {
  at(step: number): number {
    return this.options.initialLearningRate / (1 + this.options.decayRate * this.progress(step));
  }
}

export interface PowerDecayOptions {
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  /** Default 1, which makes it {@link InverseTimeDecay} of rate 1. */
  readonly power?: number;
}

/** Power scheduling: initial / (1 + step / decaySteps)^power. */
export class PowerDecay extends Schedule {
  readonly #options: Required<PowerDecayOptions>;

  constructor(options: PowerDecayOptions) {
    super();
    this.#options = { power: 1, ...options };
    const numbers = { initialLearningRate: rate, decaySteps: steps, power: notNegative };
    checkOptions('PowerDecay', this.#options, numbers);
  }

  at(step: number): number {
    const { initialLearningRate, decaySteps, power } = this.#options;
    return initialLearningRate / (1 + step / decaySteps) ** power;
  }

  config(): Record<string, unknown> {
    return { ...this.#options };
  }
}

export interface PiecewiseConstantDecayOptions {
  /** Last step of each piece but the last; increasing. */
  readonly boundaries: readonly number[];
  /** Rates of the pieces: one more than boundaries. */
  readonly values: readonly number[];
}

/** values[i] up to and including step boundaries[i], then the last value. */
export class PiecewiseConstantDecay extends Schedule {
  readonly #options: PiecewiseConstantDecayOptions;

  constructor(options: PiecewiseConstantDecayOptions) {
    super();
    checkOptionNames('PiecewiseConstantDecay', options, ['boundaries', 'values']);
    const { boundaries, values } = options;
    if (![boundaries, values].every((each: unknown) => Array.isArray(each))) {
      throw new ValueError(
        'PiecewiseConstantDecay: boundaries and values are arrays of numbers, not ' +
          `${describe(boundaries)} and ${describe(values)}`,
      );
    }
    checkEachNumber(boundaries, 'PiecewiseConstantDecay: a boundary');
    checkEachNumber(values, 'PiecewiseConstantDecay: a value', rate);
    if (values.length !== boundaries.length + 1) {
      throw new ValueError(
        `PiecewiseConstantDecay: ${boundaries.length} boundaries need ${boundaries.length + 1} ` +
          `values, got ${values.length}`,
      );
    }
    if (boundaries.some((each, i) => i > 0 && !(each > boundaries[i - 1]!))) {
      throw new ValueError(
        `PiecewiseConstantDecay: boundaries must increase, got ${boundaries.join(', ')}`,
      );
    }
    this.#options = { boundaries: [...boundaries], values: [...values] };
  }

  at(step: number): number {
    const { boundaries, values } = this.#options;
    const piece = boundaries.findIndex((boundary) => step <= boundary);
    return values[piece < 0 ? boundaries.length : piece]!;
  }

  config(): Record<string, unknown> {
    return { ...this.#options };
  }
}

export interface PolynomialDecayOptions {
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  /** Default 1e-4. */
  readonly endLearningRate?: number;
  /** Default 1, a straight line. */
  readonly power?: number;
  /** Stretch decaySteps to the next multiple beyond its end instead of staying. Default false. */
  readonly cycle?: boolean;
}

/** end + (initial − end) · (1 − step / decaySteps)^power, then `end` (or again with `cycle`). */
export class PolynomialDecay extends Schedule {
  readonly #options: Required<PolynomialDecayOptions>;

  constructor(options: PolynomialDecayOptions) {
    super();
    this.#options = { endLearningRate: 1e-4, power: 1, cycle: false, ...options };
    const numbers = {
      ...{ initialLearningRate: rate, endLearningRate: rate },
      ...{ decaySteps: steps, power: notNegative },
    };
    checkOptions('PolynomialDecay', this.#options, numbers, ['cycle']);
    checkFlag(this.#options.cycle, 'PolynomialDecay: cycle');
  }

  at(step: number): number {
    const { initialLearningRate, decaySteps, endLearningRate, power, cycle } = this.#options;
    const length = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
    const left = 1 - Math.min(step, length) / length;
    return endLearningRate + (initialLearningRate - endLearningRate) * left ** power;
  }

  config(): Record<string, unknown> {
    return { ...this.#options };
  }
}

export interface CosineDecayOptions {
  /** Rate at the start, of the warm-up if there is one. */
  readonly initialLearningRate: number;
  /** Steps of the decay, after the warm-up. */
  readonly decaySteps: number;
  /** Last rate as a share of the first. Default 0. */
  readonly alpha?: number;
  /** Rate at the end of the warm-up; absent: no warm-up. */
  readonly warmupTarget?: number | null;
  /** Steps of the warm-up, a straight line. Default 0. */
  readonly warmupSteps?: number;
}

/** Warm-up along a line, then half a cosine (Loshchilov and Hutter 2016), then constant. */
export class CosineDecay extends Schedule {
  readonly #options: Required<CosineDecayOptions>;

  constructor(options: CosineDecayOptions) {
    super();
    this.#options = { alpha: 0, warmupTarget: null, warmupSteps: 0, ...options };
    const numbers = {
      ...{ initialLearningRate: rate, decaySteps: steps },
      ...{ alpha: notNegative, warmupSteps: notNegative },
    };
    checkOptions('CosineDecay', this.#options, numbers, ['warmupTarget']);
    const { warmupTarget } = this.#options;
    if (warmupTarget !== null) checkNumber(warmupTarget, 'CosineDecay: warmupTarget', rate);
  }

  at(step: number): number {
    const { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps } = this.#options;
    if (warmupTarget !== null && step < warmupSteps) {
      return initialLearningRate + ((warmupTarget - initialLearningRate) * step) / warmupSteps;
    }
    const since = warmupTarget === null ? step : step - warmupSteps;
    const peak = warmupTarget ?? initialLearningRate;
    return peak * ((1 - alpha) * halfCosine(Math.min(since, decaySteps) / decaySteps) + alpha);
  }

  config(): Record<string, unknown> {
    return { ...this.#options };
  }
}

/** From 1 at progress 0 to 0 at progress 1. */
const halfCosine = (progress: number): number => 0.5 * (1 + Math.cos(Math.PI * progress));

export interface CosineDecayRestartsOptions {
  readonly initialLearningRate: number;
  /** Steps of the first period. */
  readonly firstDecaySteps: number;
  /** Each period is this many times as long as the one before. Default 2. */
  readonly tMul?: number;
  /** Each period starts at this share of the one before. Default 1. */
  readonly mMul?: number;
  /** Last rate of a period as a share of its first. Default 0. */
  readonly alpha?: number;
}

/** Cosine decay that starts again and again: SGDR (Loshchilov and Hutter 2016). */
export class CosineDecayRestarts extends Schedule {
  readonly #options: Required<CosineDecayRestartsOptions>;

  constructor(options: CosineDecayRestartsOptions) {
    super();
    this.#options = { tMul: 2, mMul: 1, alpha: 0, ...options };
    checkOptions('CosineDecayRestarts', this.#options, {
      ...{ initialLearningRate: rate, firstDecaySteps: steps },
      ...{ tMul: positive, mMul: notNegative, alpha: notNegative },
    });
  }

  at(step: number): number {
    const { initialLearningRate, firstDecaySteps, tMul, mMul, alpha } = this.#options;
    let start = 0;
    let length = firstDecaySteps;
    let peak = 1;
    if (tMul === 1) {
      const period = Math.floor(step / length);
      start = period * length;
      peak = mMul ** period;
    } else {
      while (step - start >= length && length > 0) {
        start += length;
        length *= tMul;
        peak *= mMul;
      }
    }
    const fall = peak * halfCosine((step - start) / length);
    return initialLearningRate * ((1 - alpha) * fall + alpha);
  }

  config(): Record<string, unknown> {
    return { ...this.#options };
  }
}

export interface OneCycleOptions {
  readonly maxLearningRate: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Default maxLearningRate / 10. */
  readonly startLearningRate?: number;
  /** Default startLearningRate / 1000. */
  readonly endLearningRate?: number;
  /** Steps of the last phase, down to endLearningRate. Default a tenth of all, plus one. */
  readonly lastSteps?: number;
  /** Straight lines or half cosines. Default `linear`. */
  readonly annealing?: 'linear' | 'cosine';
}

/**
 * 1cycle (Smith 2018): up from the start rate to the highest, as long down again, then far down in
 * the last steps. After totalSteps the rate stays.
 */
export class OneCycle extends Schedule {
  readonly #options: Required<OneCycleOptions>;

  constructor(options: OneCycleOptions) {
    super();
    const start = options.startLearningRate ?? options.maxLearningRate / 10;
    this.#options = {
      startLearningRate: start,
      endLearningRate: start / 1000,
      lastSteps: Math.floor(options.totalSteps / 10) + 1,
      annealing: 'linear',
      ...options,
    };
    const { totalSteps, annealing } = this.#options;
    const numbers = {
      ...{ maxLearningRate: positive, startLearningRate: rate, endLearningRate: rate },
      // totalSteps first: the others follow from it.
      ...{ totalSteps: steps, lastSteps: { min: 0, below: totalSteps } },
    };
    checkOptions('OneCycle', this.#options, numbers, ['annealing']);
    checkChoice(annealing, 'OneCycle: annealing', ['linear', 'cosine']);
  }

  at(step: number): number {
    const { maxLearningRate: max, startLearningRate: start, endLearningRate: end } = this.#options;
    const { totalSteps, lastSteps } = this.#options;
    const half = Math.max(1, Math.floor((totalSteps - lastSteps) / 2));
    if (step < half) return this.#between(start, max, step / half);
    if (step < 2 * half) return this.#between(max, start, (step - half) / half);
    const tail = totalSteps - 2 * half;
    return this.#between(start, end, tail > 0 ? Math.min(1, (step - 2 * half) / tail) : 1);
  }

  #between(from: number, to: number, progress: number): number {
    const share = this.#options.annealing === 'cosine' ? 1 - halfCosine(progress) : progress;
    return from + (to - from) * share;
  }

  config(): Record<string, unknown> {
    return { ...this.#options };
  }
}

/** @internal */
export const catalog = new Catalog<Schedule>('schedule', {
  exponentialDecay: ExponentialDecay,
  inverseTimeDecay: InverseTimeDecay,
  powerDecay: PowerDecay,
  piecewiseConstantDecay: PiecewiseConstantDecay,
  polynomialDecay: PolynomialDecay,
  cosineDecay: CosineDecay,
  cosineDecayRestarts: CosineDecayRestarts,
  oneCycle: OneCycle,
});

/** What stands for a schedule where one is asked for. */
export type ScheduleLike = Schedule | Serialized;

/** A schedule from `{ className, config }`, or itself. */
export const get = (identifier: ScheduleLike): Schedule => catalog.get(identifier);

/** Every name {@link get} knows, without aliases. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (schedule: Schedule): Serialized => catalog.serialize(schedule);
