/** Results as tables: a row per case, a column per contestant, the best peer beside our time. */

import type { Suite, Unit } from './cases.js';
import { isPeer, labelOf } from './contestants.js';
import type { Report, Result } from './report.js';
import { boundOf, limitsOf } from './roofline.js';
import { median, spread } from './statistics.js';

/** A time with its unit, a count, a share: as few digits as say something. */
export function show(value: number, unit: Unit = 'ms'): string {
  if (Number.isNaN(value)) return '–';
  if (unit === 'ms') {
    return value < 0.01 ? `${digits(1000 * value)} µs` : `${digits(value)} ms`;
  }
  if (unit === '%') return `${digits(value)} %`;
  if (unit === 'MB') return `${Math.round(value)} MB`;
  return digits(value);
}

export function digits(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function cell(result: Result | undefined): string {
  if (!result) return '–';
  if (result.values.length === 0) return '–';
  const shown = show(median(result.values), result.unit);
  if (result.values.length < 2) return shown;
  const share = spread(result.values);
  return Number.isFinite(share) ? `${shown} ±${Math.round(100 * share)}%` : shown;
}

/** The lines of a Markdown table, its columns aligned. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length), 4));
  const line = (row: readonly string[]): string =>
    `| ${row.map((each, i) => (i === 0 ? each.padEnd(widths[i]!) : each.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((each, i) => (i === 0 ? '-'.repeat(each) : `${'-'.repeat(each - 1)}:`)).join(' | ')} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n');
}

/** A suite's results. */
export function suiteTable(key: string, suite: Suite, report: Report): string {
  const results = report.results.filter((each) => each.suite === key);
  const columns = suite.contestants.filter((name) =>
    results.some((each) => each.contestant === name && each.values.length > 0),
  );
  const ours = columns.find((name) => !isPeer(name));
  const measured = suite.cases.filter(({ name }) => results.some((each) => each.name === name));
  const peers = columns.filter(isPeer);
  const header = ['', ...columns.map(labelOf)];
  if (peers.length > 0 && ours) header.push('best peer / ours');
  const bounded = 'threads' in report.roofline && measured.some((each) => each.gflop ?? each.gb);
  if (bounded) header.push('of the roofline');
  const rows = measured.map((each) => {
    const of = (contestant: string): Result | undefined =>
      results.find((other) => other.name === each.name && other.contestant === contestant);
    const time = (contestant: string): number => median(of(contestant)?.values ?? []);
    const row = [each.name, ...columns.map((name) => cell(of(name)))];
    if (peers.length > 0 && ours) {
      const known = peers.map(time).filter((value) => !Number.isNaN(value));
      const ratio = known.length > 0 ? Math.min(...known) / time(ours) : NaN;
      row.push(Number.isNaN(ratio) ? '–' : digits(ratio));
    }
    if (bounded) row.push(ours ? rooflineShare(report, each, time(ours)) : '–');
    return row;
  });
  const missing = failures(results);
  const notes = missing.length > 0 ? `\n\nWithout: ${missing.join('; ')}.` : '';
  const body = columns.length > 0 ? aligned([header, ...rows]) : 'Nothing was measured.';
  return `### ${suite.title}\n\n${body}${notes}\n`;
}

/** Who could not be measured and why, a reason once. */
function failures(results: readonly Result[]): string[] {
  const who = new Map<string, Map<string, string[]>>();
  for (const { contestant, name, error } of results) {
    if (error === undefined) continue;
    const cases = who.get(error) ?? new Map<string, string[]>();
    cases.set(contestant, [...(cases.get(contestant) ?? []), name]);
    who.set(error, cases);
  }
  return [...who].map(([error, cases]) => {
    const each = [...cases].map(([contestant, names]) => {
      const what = names.length > 2 ? `${names.length} cases` : names.join(', ');
      return `${labelOf(contestant)} (${what})`;
    });
    return `${each.join(', ')}: ${error}`;
  });
}

/** What share of the machine's limit a time comes to. */
function rooflineShare(report: Report, each: Suite['cases'][number], ms: number): string {
  if (!('threads' in report.roofline) || Number.isNaN(ms) || each.hog) return '–';
  const limits = limitsOf(report.roofline, each.threads ?? report.machine.cores);
  return limits ? `${Math.round((100 * boundOf(each, limits)) / ms)} %` : '–';
}
