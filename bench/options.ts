/** The command line of the benchmark. */

import { parseArgs } from 'node:util';

import { nearest } from '../src/names.js';
import { contestantNames, entryOf, peerNames } from './contestants.js';
import type { ContestantName } from './contestants.js';

export interface Options {
  readonly suites: readonly string[];
  readonly contestants: readonly ContestantName[];
  readonly quick: boolean;
  /** Undefined: as the suites say. */
  readonly rounds: number | undefined;
  readonly minutes: number;
  readonly out: string;
  /** A file of results to show instead of measuring. */
  readonly from: string | undefined;
  readonly compare: string | undefined;
  readonly markdown: boolean;
  readonly help: boolean;
}

interface Flag {
  readonly text: string;
  /** What follows the flag, in the help; absent: nothing does. */
  readonly value?: string;
  readonly fallback?: string;
}

const flags: Readonly<Record<string, Flag>> = {
  only: { text: 'these suites: step,matmul,…', value: 'LIST' },
  peers: { text: 'these peers; or none (default: all that are installed)', value: 'LIST' },
  quick: { text: 'a short run, under two minutes: fewer sizes, images and rounds' },
  rounds: { text: 'rounds of every case at most', value: 'N' },
  minutes: { text: 'how long it may take (default 15; quick 2): more rounds', value: 'N' },
  out: { text: 'where results are kept', value: 'FILE', fallback: 'runs/bench.json' },
  from: { text: 'show the results of a file instead of measuring', value: 'FILE' },
  compare: { text: 'what changed since these results, and how sure that is', value: 'FILE' },
  markdown: { text: 'write the tables and curves of docs/performance.md and README.md' },
  help: { text: 'this text' },
};
const flagNames = Object.keys(flags);

/** Minutes that a run may take unless told otherwise. */
export const usualMinutes = (quick: boolean): number => (quick ? 2 : 15);

export function helpText(suites: readonly string[]): string {
  const lines = flagNames.map((name) => {
    const { text, value = '', fallback } = flags[name]!;
    const after = fallback === undefined ? '' : ` (default ${fallback})`;
    return `  --${`${name} ${value}`.padEnd(16)} ${text}${after}`;
  });
  return [
    'Measures gradloom beside its peers: npm run bench -- [flags]',
    '',
    ...lines,
    '',
    `Suites: ${suites.join(', ')}`,
    `Peers: ${peerNames.join(', ')}`,
    'GRADLOOM_BENCH_PYTHON names the Python that has PyTorch, Keras and numpy.',
    '',
  ].join('\n');
}

/** Reads the flags. Throws an error that names what is wrong and the nearest right word. */
export function readOptions(args: readonly string[], suites: readonly string[]): Options {
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined) continue;
    if (!flagNames.includes(name)) throw unknown('flag', `--${name}`, flagNames.map(withDashes));
  }
  const kindOf = (name: string): 'boolean' | 'string' =>
    flags[name]!.value === undefined ? 'boolean' : 'string';
  const config = Object.fromEntries(flagNames.map((name) => [name, { type: kindOf(name) }]));
  const { values } = parseArgs({ args: [...args], options: config, strict: true });
  const text = (name: string): string | undefined =>
    (values[name] as string | undefined) ?? flags[name]!.fallback;
  const quick = values['quick'] === true;
  const only = list(text('only'));
  for (const name of only ?? []) {
    if (!suites.includes(name)) throw unknown('suite', name, suites);
  }
  return {
    suites: only ?? suites,
    contestants: chosen(text('peers')),
    quick,
    rounds: number('rounds', text('rounds')),
    minutes: number('minutes', text('minutes')) ?? usualMinutes(quick),
    out: text('out')!,
    from: text('from'),
    compare: text('compare'),
    markdown: values['markdown'] === true,
    help: values['help'] === true,
  };
}

const withDashes = (name: string): string => `--${name}`;
const list = (text: string | undefined): string[] | undefined =>
  text?.split(',').map((each) => each.trim());

/** gradloom itself always, and the peers that were named. */
function chosen(peers: string | undefined): ContestantName[] {
  if (peers === undefined) return contestantNames;
  const wanted = peers === 'none' ? [] : list(peers)!;
  for (const name of wanted) {
    if (!(peerNames as string[]).includes(name))
      throw unknown('peer', name, [...peerNames, 'none']);
  }
  return contestantNames.filter((name) => !entryOf(name).peer || wanted.includes(name));
}

function number(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  const whole = name === 'rounds';
  if (given.trim() !== '' && value > 0 && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw new Error(`--${name} must be ${kind} above 0, not "${given}"`);
}

function unknown(kind: string, name: string, names: readonly string[]): Error {
  const near = nearest(name, names);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return new Error(`there is no ${kind} ${name}.${hint} There are: ${names.join(', ')}`);
}
