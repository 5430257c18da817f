/** The side of the protocol that answers, for contestants in JavaScript. */

import { createInterface } from 'node:readline';

import type { Answer, Case, Request } from '../protocol.js';

/** One repetition, awaited when it returns a promise. */
export type Repetition = () => unknown;

/** Median milliseconds of a repetition within a budget, after a warm-up of a fifth of it. */
export async function time(repetition: Repetition, budget: number): Promise<number> {
  const warm = performance.now();
  do await repetition();
  while (performance.now() - warm < budget / 5);
  const times: number[] = [];
  const began = performance.now();
  do {
    const start = performance.now();
    await repetition();
    times.push(performance.now() - start);
  } while (performance.now() - began < budget);
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

/**
 * Answers requests until the input ends. `prepare` makes the repetition of a case, or returns
 * milliseconds per repetition itself (a whole epoch), or throws what cannot be done.
 */
export function answerRequests(
  version: string,
  prepare: (wanted: Case, budget: number) => Repetition | Promise<Repetition | number>,
): void {
  const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ version });
  let queue = Promise.resolve();
  createInterface({ input: process.stdin }).on('line', (line) => {
    queue = queue.then(async () => {
      let answer: Answer;
      try {
        const request = JSON.parse(line) as Request;
        const prepared = await prepare(request.case, request.budget);
        const ms = typeof prepared === 'number' ? prepared : await time(prepared, request.budget);
        answer = { ms };
      } catch (error) {
        answer = { error: (error as Error).message };
      }
      say(answer);
    });
  });
}
