/** Running the suites: rounds of every case, contestants taking turns, results kept at once. */

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import type { NamedCase, Suite } from './cases.js';
import { entryOf } from './contestants.js';
import type { ContestantName } from './contestants.js';
import type { Contestant } from './contestant.js';
import type { Cores } from './cores.js';
import type { Answer } from './protocol.js';
import type { Result } from './report.js';

export interface Measuring {
  readonly contestants: ReadonlyMap<ContestantName, Contestant>;
  /** Who says whether the machine is ours alone; null where nobody can. */
  readonly cores: Cores | null;
  readonly quick: boolean;
  /** At most; undefined: as the suite says. */
  readonly rounds: number | undefined;
  /** What the suites' seconds, and rounds if above 1, are multiplied by. */
  readonly patience: number;
  /** Milliseconds since the epoch after which nothing new is begun. */
  readonly deadline: number;
  /** What is being done, for a line of progress. */
  readonly progress: (message: string) => void;
  /** Called with the suite's results whenever there are new ones. */
  readonly found: (results: readonly Result[]) => void;
}

interface Entry {
  readonly each: NamedCase;
  readonly contestant: Contestant;
  readonly name: ContestantName;
  readonly values: number[];
  /** Of these, those measured while the cores were free. */
  readonly undisturbed: number[];
  error?: string;
}

/** The cases that a run of this kind measures. */
export function casesOf(suite: Suite, quick: boolean): readonly NamedCase[] {
  return quick && suite.quick ? suite.cases.filter(suite.quick) : suite.cases;
}

export async function measureSuite(
  key: string,
  suite: Suite,
  measuring: Measuring,
): Promise<readonly Result[]> {
  const { quick, patience, deadline, progress, found } = measuring;
  const cases = casesOf(suite, quick);
  const entries = cases.flatMap((each) => entriesOf(each, suite, measuring));
  const rounds =
    measuring.rounds ??
    Math.round((quick ? Math.min(2, suite.rounds) : suite.rounds) * Math.max(1, patience));
  const budget = quick ? suite.budget / 2 : suite.budget;
  const seconds = patience * (quick ? suite.seconds / 4 : suite.seconds);
  const until = Math.min(deadline, Date.now() + 1000 * seconds);
  for (let round = 0; round < rounds; round++) {
    // A fresh process of ours every round: times differ more between processes than within one.
    for (const { contestant, name } of entries) if (!entryOf(name).peer) contestant.end();
    for (const each of cases) {
      const hog = each.hog ? startHog() : null;
      for (const entry of entries.filter((other) => other.each === each)) {
        if (entry.error !== undefined) continue;
        if (Date.now() >= (round === 0 ? deadline : until)) {
          if (round === 0) entry.error = 'no time was left';
          continue;
        }
        progress(`${key}: ${each.name}, round ${round + 1} of ${rounds}, ${entry.name}`);
        await measureUndisturbed(entry, budget, each.hog ? null : measuring.cores);
      }
      hog?.();
      found(resultsOf(key, entries));
    }
    if (Date.now() >= until) break;
  }
  for (const { contestant, name } of entries) if (!entryOf(name).peer) contestant.end();
  return resultsOf(key, entries);
}

function entriesOf(each: NamedCase, suite: Suite, { contestants, quick }: Measuring): Entry[] {
  return suite.contestants.flatMap((name) => {
    const contestant = contestants.get(name);
    if (quick && suite.quickWithout?.includes(name)) return [];
    if (!contestant || !entryOf(name).kinds.includes(each.case.kind)) return [];
    return [{ each, contestant, name, values: [], undisturbed: [] }];
  });
}

/** Times that a case is measured until nothing disturbed it. */
const attempts = 3;

async function measureUndisturbed(
  entry: Entry,
  budget: number,
  cores: Cores | null,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await cores?.wait();
    const began = Date.now();
    const { value, error } = await measureOnce(entry, budget);
    await sleep(entryOf(entry.name).spins ?? 15);
    const free = (await cores?.areFree()) ?? true;
    const again = !free && value !== undefined && attempt < attempts;
    if (again && cores?.spend(Date.now() - began)) continue;
    cores?.count(free);
    if (value === undefined) entry.error = error ?? 'no answer';
    else {
      entry.values.push(value);
      if (free) entry.undisturbed.push(value);
    }
    return;
  }
}

function measureOnce({ each, contestant, name }: Entry, budget: number): Promise<Answer> {
  const { startup, import: importing } = entryOf(name);
  if (each.case.kind === 'startup') return runProgram(startup!, (_said, life) => life);
  if (each.case.kind === 'import') return runProgram(importing!, Number);
  const threads = each.threads ?? availableParallelism();
  return contestant.ask({ case: each.case, budget, threads });
}

function resultsOf(suite: string, entries: readonly Entry[]): Result[] {
  // Who cannot run here at all is reported once, for all suites.
  const able = entries.filter(
    ({ contestant, values }) => contestant.absent === undefined || values.length > 0,
  );
  return able.map(({ each, name, values, undisturbed, error }) => ({
    suite,
    name: each.name,
    contestant: name,
    // Where some rounds were disturbed and others were not, only the latter say something.
    values: [...(undisturbed.length > 0 ? undisturbed : values)],
    unit: each.unit ?? 'ms',
    ...(error !== undefined && { error }),
  }));
}

/** Runs a program; the value is made of what it said and of the milliseconds it lived. */
function runProgram(
  command: readonly string[],
  valueOf: (said: string, life: number) => number,
): Promise<Answer> {
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    let life = NaN;
    let said = '';
    child.stdout.on('data', (part: Buffer) => (said += part.toString()));
    child.on('error', (error) => resolve({ error: error.message }));
    child.on('exit', () => (life = performance.now() - began));
    child.on('close', (code, signal) => {
      if (code === 0) resolve({ value: valueOf(said, life) });
      else resolve({ error: `the program failed (${signal ?? `exit ${code}`})` });
    });
  });
}

/** A process that keeps one core busy; the result ends it. */
function startHog(): () => void {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  return () => void child.kill('SIGKILL');
}
