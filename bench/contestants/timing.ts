/** The answering side of the protocol, for contestants in JavaScript. benchmark.js takes times. */

import { createInterface } from 'node:readline';

import Benchmark from 'benchmark';

import type { Answer, Case, Request } from '../protocol.js';

/** One repetition of what is measured. */
export type Repetition = () => unknown;

/** A repetition that does so many of what is measured, when one is too short to be called alone. */
export interface Many {
  readonly repetition: Repetition;
  readonly count: number;
}

/** Median milliseconds of a repetition within a budget, after a warm-up of a quarter of it. */
export function time(repetition: Repetition, budget: number): number {
  const began = performance.now();
  let warm = 0;
  do {
    repetition();
    warm++;
  } while (performance.now() - began < budget / 4);
  const each = (performance.now() - began) / warm;
  // benchmark.js wants five samples at least: of slow things we take what the budget has room for.
  if (each > budget / 5) return single(repetition, budget);
  const benchmark = new Benchmark(() => void repetition(), {
    maxTime: budget / 1000,
    minTime: Math.min(0.05, budget / 1000 / 8),
    minSamples: 5,
  });
  benchmark.run();
  const failure = benchmark.error as Error | undefined;
  if (failure) throw failure;
  return 1000 * median(benchmark.stats.sample as number[]);
}

/** Median of as many single repetitions as fit into the budget, two at least. */
function single(repetition: Repetition, budget: number): number {
  const times: number[] = [];
  const began = performance.now();
  do {
    const start = performance.now();
    repetition();
    times.push(performance.now() - start);
  } while (times.length < 2 || performance.now() - began < budget);
  return median(times);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/**
 * Answers requests until the input ends. `prepare` makes the repetition of a case, or its value at
 * once (a whole epoch, a counter), or throws what cannot be done.
 */
export function answerRequests(
  version: string,
  prepare: (wanted: Case, request: Request) => Repetition | Many | number | Promise<number>,
): void {
  const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ version });
  let queue = Promise.resolve();
  const answer = async (line: string): Promise<Answer> => {
    try {
      const request = JSON.parse(line) as Request;
      const prepared = await prepare(request.case, request);
      if (typeof prepared === 'number') return { value: prepared };
      const { repetition, count } =
        typeof prepared === 'function' ? { repetition: prepared, count: 1 } : prepared;
      return { value: time(repetition, request.budget) / count };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    queue = queue.then(async () => say(await answer(line)));
  });
}
