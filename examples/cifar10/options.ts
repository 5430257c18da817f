/** The command line of the example. */

import { parseArgs } from 'node:util';

import { GradloomError } from 'gradloom';

export interface Values {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly patience: number;
  readonly seed: number;
  readonly limit: number | undefined;
  readonly threads: number | undefined;
  readonly device: string | undefined;
}

interface Flag {
  readonly text: string;
  readonly fallback?: number;
  /** Least value allowed; whole numbers unless `fraction`. */
  readonly least: number;
  readonly fraction?: boolean;
}

const flags: Readonly<Record<string, Flag>> = {
  epochs: { text: 'epochs at most', fallback: 100, least: 1 },
  'batch-size': { text: 'images in a step', fallback: 32, least: 1 },
  'learning-rate': { text: 'learning rate of Nadam', fallback: 5e-5, least: 0, fraction: true },
  patience: { text: 'epochs without improvement before stopping', fallback: 20, least: 0 },
  seed: { text: 'seed of weights and shuffling', fallback: 7, least: 0 },
  limit: { text: 'use only so many of the 45,000 training images', least: 1 },
  threads: { text: 'threads to compute with', least: 1 },
};

function helpText(): string {
  const lines = Object.entries(flags).map(([name, { text, fallback }]) => {
    const after = fallback === undefined ? '' : ` (default ${fallback})`;
    return `  --${`${name} N`.padEnd(18)} ${text}${after}`;
  });
  return [
    'Trains 20 x Dense(100, ELU) on CIFAR-10.',
    '',
    ...lines,
    `  --${'device NAME'.padEnd(18)} js or cpu (default: the best there is)`,
    `  --${'help'.padEnd(18)} this text`,
    '',
  ].join('\n');
}

function number(name: string, given: string | undefined): number | undefined {
  const { fallback, least, fraction } = flags[name]!;
  if (given === undefined) return fallback;
  const value = Number(given);
  const right = given.trim() !== '' && Number.isFinite(value) && value >= least;
  if (!right || !(fraction || Number.isInteger(value))) {
    const kind = fraction ? 'a number' : 'a whole number';
    throw new GradloomError(`--${name} must be ${kind}, ${least} or more, not "${given}"`);
  }
  return value;
}

/** Reads the flags. Throws GradloomError naming the flag that is wrong. */
export function options(args: readonly string[]): { values: Values; help?: string } {
  const text = { type: 'string' } as const;
  const spec = Object.fromEntries([...Object.keys(flags), 'device'].map((name) => [name, text]));
  let given: Record<string, string | boolean | undefined>;
  try {
    const help = { type: 'boolean' } as const;
    given = parseArgs({ args: [...args], options: { ...spec, help } }).values;
  } catch (error) {
    throw new GradloomError(`${(error as Error).message}\n\n${helpText()}`, { cause: error });
  }
  const read = (name: string): number | undefined => number(name, given[name] as string);
  const values: Values = {
    epochs: read('epochs')!,
    batchSize: read('batch-size')!,
    learningRate: read('learning-rate')!,
    patience: read('patience')!,
    seed: read('seed')!,
    limit: read('limit'),
    threads: read('threads'),
    device: given['device'] as string | undefined,
  };
  return given['help'] ? { values, help: helpText() } : { values };
}
