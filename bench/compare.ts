/** Two reports side by side: what got slower or faster, and how sure that is. */

import { labelOf } from './contestants.js';
import type { Report, Result } from './report.js';
import { mannWhitney, median, ratioInterval } from './statistics.js';
import { digits } from './table.js';

export interface Change {
  readonly suite: string;
  readonly name: string;
  readonly contestant: string;
  /** Median after / median before. */
  readonly ratio: number;
  /** Where that ratio lies with 95 % confidence. */
  readonly interval: readonly [number, number];
  /** How likely noise alone makes such a difference. */
  readonly p: number;
}

/** Changes smaller than this are not worth a line, however sure. */
const least = 0.03;
const significance = 0.05;

/** What changed beyond the noise, the worst first. */
export function changes(before: Report, after: Report): Change[] {
  return after.results
    .flatMap((now) => {
      const then = before.results.find((each) => sameCase(each, now));
      if (!then || then.values.length === 0 || now.values.length === 0) return [];
      const ratio = median(now.values) / median(then.values);
      const p = mannWhitney(then.values, now.values);
      const interval = ratioInterval(then.values, now.values);
      const { suite, name, contestant } = now;
      return [{ suite, name, contestant, ratio, interval, p }];
    })
    .filter(({ ratio, p }) => Math.abs(ratio - 1) >= least && p < significance)
    .sort((a, b) => b.ratio - a.ratio);
}

const sameCase = (a: Result, b: Result): boolean =>
  a.suite === b.suite && a.name === b.name && a.contestant === b.contestant && a.unit === b.unit;

/** A line per change. */
export function compareText(before: Report, after: Report): string {
  const lines = changes(before, after).map(({ suite, name, contestant, ratio, interval, p }) => {
    const [low, high] = interval.map(digits);
    return (
      `${ratio > 1 ? 'SLOWER' : 'faster'}  ${digits(ratio)}x (${low} to ${high}, ` +
      `p = ${digits(p)})  ${suite}: ${name}, ${labelOf(contestant)}`
    );
  });
  const same = before.machine.processor === after.machine.processor;
  const warning = same ? [] : [`warning: measured on another machine, ${before.machine.processor}`];
  // Three rounds a side can never differ surely: the least p of three against three is 0.1.
  const few = after.results.some(({ values }) => values.length > 0 && values.length < 4);
  const note = few ? ['cases of fewer than 4 rounds cannot show a sure change'] : [];
  const body = lines.length > 0 ? lines : ['no change beyond the noise'];
  return [`Compared with ${before.date}:`, ...warning, ...body, ...note].join('\n');
}
