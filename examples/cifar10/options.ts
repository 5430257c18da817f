/** The command line of the example. */

import { parseArgs } from 'node:util';

import { GradloomError } from 'gradloom';

import { nearest } from '../../src/names.js';
import { experimentNamed, experiments } from './experiments.js';
import type { Experiment } from './experiments.js';

export interface Values {
  readonly experiments: readonly Experiment[];
  readonly seeds: readonly number[];
  /** Undefined, here and below: as the experiment has it. */
  readonly epochs: number | undefined;
  readonly batchSize: number | undefined;
  readonly learningRate: number | undefined;
  readonly patience: number;
  readonly limit: number | undefined;
  readonly threads: number | undefined;
  readonly device: string | undefined;
  readonly out: string;
  readonly again: boolean;
  /** The flags that change what is trained, as part of a folder's name; empty without any. */
  readonly suffix: string;
}

interface Flag {
  readonly text: string;
  /** What follows the flag, in the help; absent: nothing does. */
  readonly value?: string;
  readonly fallback?: string;
  /** For numbers: the least allowed; whole ones unless `fraction`. */
  readonly least?: number;
  readonly fraction?: boolean;
  /** Whether results depend on it, besides experiment and seed. */
  readonly changes?: boolean;
}

const flags = {
  experiment: {
    text: `${experiments.map((each) => each.name).join(', ')}; or all`,
    value: 'NAME',
    fallback: 'plain',
  },
  seed: { text: 'seed of weights and shuffling', value: 'N', fallback: '7', least: 0 },
  seeds: { text: 'several of them, as in 1,2,3: shows medians', value: 'LIST' },
  epochs: { text: "epochs at most (default: the experiment's)", least: 1, changes: true },
  'batch-size': { text: "images in a step (the experiment's)", least: 1, changes: true },
  'learning-rate': { text: "the experiment's", least: 0, fraction: true, changes: true },
  patience: {
    text: 'epochs without improvement before stopping',
    fallback: '20',
    least: 0,
    changes: true,
  },
  limit: { text: 'use only so many of the 45,000 training images', least: 1, changes: true },
  device: { text: 'js or cpu (default: the best there is)', value: 'NAME', changes: true },
  threads: { text: 'threads to compute with', least: 1 },
  out: { text: 'where runs, their results and the report go', value: 'DIR', fallback: 'runs' },
  again: { text: 'train again what is finished' },
  help: { text: 'this text' },
} as const satisfies Record<string, Flag>;

type FlagName = keyof typeof flags;
const flagNames = Object.keys(flags) as FlagName[];
const flagOf = (name: FlagName): Flag => flags[name];
const takesValue = (name: FlagName): boolean => name !== 'again' && name !== 'help';

function helpText(): string {
  const lines = flagNames.map((name) => {
    const { text, value = takesValue(name) ? 'N' : '', fallback } = flagOf(name);
    const after = fallback === undefined ? '' : ` (default ${fallback})`;
    return `  --${`${name} ${value}`.padEnd(18)} ${text}${after}`;
  });
  return ['Trains nets of 20 hidden layers on CIFAR-10.', '', ...lines, ''].join('\n');
}

function number(name: FlagName, given: string): number {
  const { least = 0, fraction } = flagOf(name);
  const value = Number(given);
  const right = given.trim() !== '' && Number.isFinite(value) && value >= least;
  if (!right || !(fraction || Number.isInteger(value))) {
    const kind = fraction ? 'a number' : 'a whole number';
    throw new GradloomError(`--${name} must be ${kind}, ${least} or more, not "${given}"`);
  }
  return value;
}

/** Refuses flags that do not exist before the parser does, which knows no nearest one. */
function checkNames(args: readonly string[]): void {
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || (flagNames as string[]).includes(name)) continue;
    const near = nearest(name, flagNames);
    const hint = near === undefined ? '' : `; did you mean --${near}?`;
    throw new GradloomError(`there is no flag --${name}${hint}\n\n${helpText()}`);
  }
}

function parse(args: readonly string[]): Partial<Record<FlagName, string | boolean>> {
  checkNames(args);
  const options = Object.fromEntries(
    flagNames.map((name) => [name, { type: takesValue(name) ? 'string' : 'boolean' } as const]),
  );
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new GradloomError(`${(error as Error).message}\n\n${helpText()}`, { cause: error });
  }
}

/** Reads the flags. Throws GradloomError naming the flag that is wrong. */
export function options(args: readonly string[]): { values: Values; help?: string } {
  const given = parse(args);
  const text = (name: FlagName): string | undefined =>
    (given[name] as string | undefined) ?? flagOf(name).fallback;
  const read = (name: FlagName): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : number(name, value);
  };
  if (given.seed !== undefined && given.seeds !== undefined) {
    throw new GradloomError('give --seed or --seeds, not both');
  }
  const ofSeeds = text('seeds') === undefined ? 'seed' : 'seeds';
  const seeds = text(ofSeeds)!
    .split(',')
    .map((each) => number(ofSeeds, each));
  const wanted = text('experiment')!;
  const changed = flagNames.filter((name) => flagOf(name).changes && given[name] !== undefined);
  const values: Values = {
    experiments: wanted === 'all' ? experiments : wanted.split(',').map(experimentNamed),
    seeds: [...new Set(seeds)],
    epochs: read('epochs'),
    batchSize: read('batch-size'),
    learningRate: read('learning-rate'),
    patience: read('patience')!,
    limit: read('limit'),
    threads: read('threads'),
    device: text('device'),
    out: text('out')!,
    again: given.again === true,
    suffix: changed.map((name) => `-${name}-${text(name)!}`).join(''),
  };
  return given.help ? { values, help: helpText() } : { values };
}
