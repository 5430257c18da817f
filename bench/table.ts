/** Results as a table: a row per case, a column per contestant, the ratio to the best peer. */

import type { Suite } from './cases.js';
import type { Result } from './run.js';

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Half the distance between the quartiles, relative to the median. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return (at(0.75) - at(0.25)) / 2 / median(values);
}

/** Contestants that are gradloom itself. */
export const ours: readonly string[] = ['cpu', 'js'];

const show = (ms: number): string => (ms < 1 ? ms.toPrecision(3) : ms.toFixed(ms < 10 ? 2 : 1));

function cell(result: Result | undefined): string {
  if (!result || result.ms.length === 0) return '–';
  return `${show(median(result.ms))} ±${Math.round(100 * spread(result.ms))}%`;
}

/** The table in Markdown. */
export function table(suite: Suite, results: readonly Result[]): string {
  const columns = [...new Set(results.map((each) => each.contestant))].filter((name) =>
    results.some((each) => each.contestant === name && each.ms.length > 0),
  );
  const hasPeers = columns.some((name) => !ours.includes(name));
  const header = ['', ...columns];
  if (suite.unit) header.push(`cpu ${suite.unit}`);
  if (hasPeers) header.push('best peer / cpu');
  const rows = suite.cases.map(({ name, work }) => {
    const of = (contestant: string): Result | undefined =>
      results.find((each) => each.name === name && each.contestant === contestant);
    const time = (contestant: string): number => median(of(contestant)?.ms ?? []);
    const peers = columns.filter((each) => !ours.includes(each)).map(time);
    const best = Math.min(...peers.filter((each) => !Number.isNaN(each)));
    const row = [name, ...columns.map((each) => cell(of(each)))];
    if (suite.unit) row.push(work === undefined ? '' : ((work / time('cpu')) * 1000).toFixed(1));
    if (hasPeers) row.push((best / time('cpu')).toFixed(2));
    return row;
  });
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const rule = line(header.map((_, i) => (i === 0 ? '---' : '---:')));
  return [`\n### ${suite.title}\n`, line(header), rule, ...rows.map(line)].join('\n');
}
