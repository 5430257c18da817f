/** Two reports side by side: what got slower or faster, and how sure that is. */

import type { Report } from './run.js';
import { median } from './table.js';

/**
 * Share of pairs (one old time, one new) in which the new one is greater: the statistic of Mann and
 * Whitney. 0.5 is no difference, 0 and 1 are complete separation.
 */
function superiority(before: readonly number[], after: readonly number[]): number {
  let greater = 0;
  for (const a of before) for (const b of after) greater += b > a ? 1 : b === a ? 0.5 : 0;
  return greater / (before.length * after.length);
}

/** A line per case that changed by more than 5% with the times well apart. */
export function compare(before: Report, after: Report): string {
  const lines: string[] = [];
  for (const now of after.results) {
    const then = before.results.find(
      (each) =>
        each.suite === now.suite && each.name === now.name && each.contestant === now.contestant,
    );
    if (!then || then.ms.length === 0 || now.ms.length === 0) continue;
    const ratio = median(now.ms) / median(then.ms);
    const apart = superiority(then.ms, now.ms);
    if (Math.abs(ratio - 1) < 0.05 || (apart > 0.1 && apart < 0.9)) continue;
    const word = ratio > 1 ? 'SLOWER' : 'faster';
    const sure = Math.round(100 * Math.max(apart, 1 - apart));
    lines.push(
      `${word.padEnd(7)} ${ratio.toFixed(2)}x  ${now.suite}: ${now.name} (${now.contestant}), ` +
        `${sure}% of the rounds agree`,
    );
  }
  const title = `\nCompared with ${before.date} on ${before.machine}:`;
  return [title, ...(lines.length > 0 ? lines.sort() : ['no change beyond the noise'])].join('\n');
}
