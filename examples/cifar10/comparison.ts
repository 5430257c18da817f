/** Results side by side: the medians of every experiment over its seeds, as rows and columns. */

import { experimentNamed } from './experiments.js';
import type { Experiment } from './experiments.js';
import { epochsOf } from './results.js';
import type { Result } from './results.js';

/** The runs of one experiment, and medians over them. */
export interface Summary {
  readonly experiment: Experiment;
  readonly results: readonly Result[];
  readonly learningRate: number;
  /** Null, here and below, where nothing is trained. */
  readonly epochs: number | null;
  readonly bestEpoch: number | null;
  readonly secondsPerEpoch: number | null;
  /** Seconds from the beginning to the end of training. */
  readonly seconds: number | null;
  readonly validation: number;
  readonly validationLoss: number;
  readonly test: number;
}

/** The middle value, or the mean of the two in the middle; null of none. */
export function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const secondsOf = ({ history }: Result): readonly number[] => history['seconds'] ?? [];

/** Seconds from the beginning to the end of every epoch. */
export function clockOf(result: Result): number[] {
  let passed = 0;
  return secondsOf(result).map((seconds) => (passed += seconds));
}

/** A summary per experiment, in the order in which they first appear. */
export function summarize(results: readonly Result[]): Summary[] {
  const names = [...new Set(results.map(({ settings }) => settings.experiment))];
  return names.map((name) =>
    summaryOf(results.filter((each) => each.settings.experiment === name)),
  );
}

function summaryOf(results: readonly Result[]): Summary {
  const over = (value: (each: Result) => number | null): number | null =>
    median(results.map(value));
  const { experiment, learningRate } = results[0]!.settings;
  return {
    experiment: experimentNamed(experiment),
    results,
    learningRate,
    epochs: over((each) => epochsOf(each) || null),
    bestEpoch: over(({ bestEpoch }) => bestEpoch),
    // A neighbour on the machine slows single epochs down.
    secondsPerEpoch: over((each) => median(secondsOf(each))),
    seconds: over((each) => clockOf(each).at(-1) ?? null),
    validation: over(({ validation }) => validation.accuracy)!,
    validationLoss: over(({ validation }) => validation.loss)!,
    test: over(({ test }) => test.accuracy)!,
  };
}

/** One column of the table: its title, what stands in it, and whether it is words. */
export interface Column {
  readonly title: string;
  readonly cell: (summary: Summary) => string;
  readonly words?: boolean;
}

const share = (value: number): string => value.toFixed(4);
const count = (value: number | null): string => (value === null ? '–' : String(value));

/** `0.476`, or from the lowest to the highest. */
function published({ experiment }: Summary): string {
  const [low, high] = experiment.published.map((value) => value.toFixed(3));
  return low === high ? low! : `${low!}–${high!}`;
}

/** The columns; those that only several seeds need are left out for one. */
export function columnsFor(summaries: readonly Summary[]): Column[] {
  const several = summaries.some(({ results }) => results.length > 1);
  const each: Column = {
    title: 'of each seed',
    cell: ({ results }) => results.map(({ validation }) => share(validation.accuracy)).join(' '),
  };
  return [
    { title: 'experiment', cell: ({ experiment }) => experiment.name, words: true },
    { title: 'learning rate', cell: ({ learningRate }) => learningRate.toString() },
    { title: 'epochs', cell: ({ epochs }) => count(epochs) },
    { title: 'best', cell: ({ bestEpoch }) => count(bestEpoch) },
    { title: 's/epoch', cell: (row) => row.secondsPerEpoch?.toFixed(2) ?? '–' },
    { title: 'val. accuracy', cell: ({ validation }) => share(validation) },
    ...(several ? [each] : []),
    { title: 'published', cell: published },
    { title: 'val. loss', cell: ({ validationLoss }) => share(validationLoss) },
    { title: 'test accuracy', cell: ({ test }) => share(test) },
  ];
}

/** The table in characters. */
export function comparisonTable(summaries: readonly Summary[]): string {
  const columns = columnsFor(summaries);
  const rows = [
    columns.map(({ title }) => title),
    ...summaries.map((summary) => columns.map(({ cell }) => cell(summary))),
  ];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const seeds = Math.max(...summaries.map(({ results }) => results.length));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (columns[i]!.words ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...(seeds > 1 ? [`medians over up to ${seeds} seeds`] : [])].join('\n');
}
