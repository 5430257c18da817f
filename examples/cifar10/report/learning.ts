/** Learning curves of all runs, against epochs and against time. */

import { clockOf } from '../comparison.js';
import type { Summary } from '../comparison.js';
import type { Result } from '../results.js';
import { lineChart } from './line-chart.js';
import type { Curve } from './line-chart.js';
import { colour, key, section } from './markup.js';

/** The colours that the trained experiments have in every chart. */
export function legend(summaries: readonly Summary[]): string {
  const keys = summaries.map(({ experiment, epochs }, i) =>
    epochs === null ? '' : key(colour(i), experiment.name),
  );
  return `<p>${keys.join('')}</p>`;
}

/** A curve per run of one logged number, over what `across` gives for every epoch. */
function curvesOf(
  summaries: readonly Summary[],
  logged: string,
  across: (result: Result) => readonly number[],
): Curve[] {
  return summaries.flatMap(({ experiment, results }, i) =>
    results
      .filter(({ history }) => history[logged] !== undefined)
      .map((result) => {
        const places = across(result);
        return {
          name: `${experiment.name}, seed ${result.settings.seed}`,
          colour: colour(i),
          points: result.history[logged]!.map((value, epoch) => [places[epoch]!, value] as const),
        };
      }),
  );
}

const numbers = (result: Result): number[] =>
  (result.history['loss'] ?? []).map((_, epoch) => epoch + 1);
const minutes = (result: Result): number[] => clockOf(result).map((seconds) => seconds / 60);

export function learningCurves(summaries: readonly Summary[]): string {
  const chart = (
    title: string,
    logged: string,
    x: string,
    across: (result: Result) => readonly number[],
  ): string => {
    const curves = curvesOf(summaries, logged, across);
    return `<figure>${lineChart({ title, x, curves, ...rangeFor(logged, curves) })}</figure>`;
  };
  return section(
    'Learning curves',
    legend(summaries),
    '<div class="grid">',
    chart('Validation accuracy', 'val_accuracy', 'epoch', numbers),
    chart('Validation accuracy', 'val_accuracy', 'minutes of training', minutes),
    chart('Validation loss', 'val_loss', 'epoch', numbers),
    chart('Training loss', 'loss', 'epoch', numbers),
    '</div>',
  );
}

/** First epochs on raw pixels have losses that would flatten all others: the axis ends before. */
function rangeFor(logged: string, curves: readonly Curve[]): { range?: readonly [number, number] } {
  if (!logged.endsWith('loss')) return {};
  const losses = curves
    .flatMap(({ points }) => points.map(([, y]) => y))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (losses.length === 0) return {};
  return { range: [losses[0]!, losses[Math.floor(0.97 * (losses.length - 1))]!] };
}
