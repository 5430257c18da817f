/** What gradients and steps are like from layer to layer: the health of every net. */

import type { Summary } from '../comparison.js';
import type { Health, LayerFigures } from '../results.js';
import { lineChart } from './line-chart.js';
import { legend } from './learning.js';
import { colour, escape, section } from './markup.js';

/** The layers that have matrices, in order: those a gradient is followed through. */
const deep = ({ layers }: Health): LayerFigures[] => layers.filter(({ type }) => type === 'Dense');

/** Examinations of an experiment: before training, and the last one, of its first seed. */
function examinations({ results }: Summary): { before: Health; last: Health } | null {
  const health = results[0]?.health ?? [];
  const [before, last] = [health[0], health.at(-1)];
  return before && last ? { before, last } : null;
}

type Measure = 'signal' | 'updateRatio';

function chart(summaries: readonly Summary[], measure: Measure, title: string): string {
  const curves = summaries.flatMap((summary, i) => {
    const found = examinations(summary);
    if (!found) return [];
    return (['before', 'last'] as const).map((when) => ({
      name: `${summary.experiment.name}, ${when === 'before' ? 'before training' : 'last'}`,
      colour: colour(i),
      dashed: when === 'before',
      points: deep(found[when]).map((layer, depth) => [depth + 1, layer[measure] ?? NaN] as const),
    }));
  });
  return `<figure>${lineChart({ title, x: 'dense layer', curves, logarithmic: 'up' })}</figure>`;
}

function findings(summaries: readonly Summary[]): string {
  const items = summaries.flatMap((summary) => {
    const found = examinations(summary);
    if (!found) return [];
    const words = [...new Set([...found.before.findings, ...found.last.findings])];
    const shown = words.length > 0 ? words.join('; ') : 'no problem found';
    return [`<dt>${escape(summary.experiment.name)}</dt><dd>${escape(shown)}</dd>`];
  });
  return `<dl>${items.join('\n')}</dl>`;
}

export function healthSection(summaries: readonly Summary[]): string {
  return section(
    'Gradient health',
    '<p>Dashed: before training; solid: the last examination. Healthy nets have lines that are ' +
      'nearly level, and steps that change matrices by about 0.1 % of their length.</p>',
    legend(summaries),
    '<div class="grid">',
    chart(summaries, 'signal', 'Gradient that reaches each layer'),
    chart(summaries, 'updateRatio', 'Change of each matrix in a step over its length'),
    '</div>',
    findings(summaries),
  );
}
