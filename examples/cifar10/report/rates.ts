/** What the learning-rate finder saw of every net before training. */

import { median } from '../comparison.js';
import type { Summary } from '../comparison.js';
import type { Found } from '../results.js';
import { lineChart } from './line-chart.js';
import { colour, escape, key, section } from './markup.js';

/** Colours: of losses of single steps, which stay in the back, and of the rate trained with. */
const [quiet, strong] = ['#88888866', colour(1)];
const curveColour = colour(0);

const foundIn = ({ results }: Summary): Found[] =>
  results.flatMap(({ finder }) => (finder ? [finder] : []));

const show = (rate: number): string => String(Number(rate.toPrecision(2)));

/** The curve of the first seed, with the rate that it suggests and the one of the experiment. */
function chart({ experiment, learningRate }: Summary, found: Found): string {
  const { rates, losses, smoothed, suggestion } = found;
  const low = Math.min(...smoothed);
  // Losses of single steps stray, and those of the last steps soar: the axis ends before.
  const high = smoothed[0]! + 0.3 * (smoothed[0]! - low) + 1e-9;
  const along = (values: readonly number[]) => rates.map((rate, i) => [rate, values[i]!] as const);
  const upright = (rate: number) => [[rate, low] as const, [rate, high] as const];
  const curves = [
    { name: 'loss of a step', colour: quiet, points: along(losses) },
    { name: 'smoothed', colour: curveColour, points: along(smoothed) },
    {
      name: `suggested: ${show(suggestion)}`,
      colour: curveColour,
      dashed: true,
      points: upright(suggestion),
    },
    {
      name: `trained with: ${show(learningRate)}`,
      colour: strong,
      dashed: true,
      points: upright(learningRate),
    },
  ];
  const title = `${experiment.name}: suggested ${show(suggestion)}, trained with ${show(learningRate)}`;
  const x = 'learning rate';
  const image = lineChart({ title, x, curves, logarithmic: 'across', range: [low, high] });
  return `<figure>${image}</figure>`;
}

/** What was suggested with each seed. */
function row(summary: Summary): string {
  const suggestions = foundIn(summary).map(({ suggestion }) => suggestion);
  const { experiment, learningRate } = summary;
  const words =
    `${suggestions.map(show).join(', ')}; median ${show(median(suggestions)!)}, trained with ` +
    show(learningRate);
  return `<dt>${escape(experiment.name)}</dt><dd>${escape(words)}</dd>`;
}

export function ratesSection(summaries: readonly Summary[]): string {
  const searched = summaries.filter((summary) => foundIn(summary).length > 0);
  if (searched.length === 0) return '';
  return section(
    'Learning rates',
    '<p>The finder trains for a few steps with growing rates, before the run and without leaving ' +
      'a trace in it. Suggested is the least rate that makes nine tenths of the fall; for a ' +
      'schedule that climbs to its rate, the one that takes back all that was won. The curves are ' +
      'of the first seed.</p>',
    `<p>${[
      key(quiet, 'loss of a step'),
      key(curveColour, 'smoothed, and suggested (dashed)'),
      key(strong, 'trained with'),
    ].join('')}</p>`,
    '<div class="grid">',
    ...searched.map((summary) => chart(summary, foundIn(summary)[0]!)),
    '</div>',
    `<dl>${searched.map(row).join('\n')}</dl>`,
  );
}
