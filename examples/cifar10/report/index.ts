/** One page about all runs: table, answers, curves, mistakes, uncertainty, health. */

import type { Tensor } from 'gradloom';

import { columnsFor, summarize } from '../comparison.js';
import type { Column, Summary } from '../comparison.js';
import type { Result } from '../results.js';
import { answersTo } from './answers.js';
import { healthSection } from './health.js';
import { learningCurves } from './learning.js';
import { ratesSection } from './rates.js';
import { escape, page, paragraph, section } from './markup.js';
import { mistakesSection } from './mistakes.js';
import { uncertaintySection } from './uncertainty.js';
import type { Asked } from './uncertainty.js';

export interface TestImages {
  /** [count, 32, 32, 3] and [count], uint8 */
  readonly x: Tensor<'uint8'>;
  readonly y: Tensor<'uint8'>;
  readonly classNames: readonly string[];
}

/** The page, self-contained, of one run or more. */
export function reportOf(results: readonly Result[], images: TestImages): string {
  const summaries = summarize(results);
  const labels = images.y.dataSync();
  const best = results.reduce((a, b) => (b.validation.accuracy > a.validation.accuracy ? b : a));
  const { experiment, seed } = best.settings;
  return page('20 hidden layers on CIFAR-10', [
    paragraph(settingOf(results)),
    tableSection(summaries),
    answersSection(summaries),
    ratesSection(summaries),
    learningCurves(summaries),
    mistakesSection(`${experiment}, seed ${seed} (the best on the validation images)`, best.test, {
      images: images.x,
      labels,
      classNames: images.classNames,
    }),
    uncertaintySection(askedOf(results, best), labels),
    healthSection(summaries),
  ]);
}

function settingOf(results: readonly Result[]): string {
  const { images, device, patience } = results[0]!.settings;
  const seeds = [...new Set(results.map(({ settings }) => settings.seed))];
  return (
    `Nets of 20 hidden layers of 100 neurons, trained on ${images.toLocaleString('en')} images ` +
    'and validated on the first 5,000 of the training set. The rate is halved after every epoch ' +
    `without a lower validation loss, and ${patience} of them end the training, unless one cycle ` +
    'of rates says how long. ' +
    `Device ${device}; seed${seeds.length > 1 ? 's' : ''} ${seeds.join(', ')}. The test images ` +
    'chose nothing.'
  );
}

function tableSection(summaries: readonly Summary[]): string {
  const columns = columnsFor(summaries);
  const row = (tag: 'th' | 'td', content: (column: Column) => string): string => {
    const cells = columns.map((column) => {
      const style = column.words ? ' class="words"' : '';
      return `<${tag}${style}>${escape(content(column))}</${tag}>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  };
  const several = summaries.some(({ results }) => results.length > 1);
  return section(
    'Comparison',
    '<div class="scroll"><table>',
    row('th', ({ title }) => title),
    ...summaries.map((summary) => row('td', ({ cell }) => cell(summary))),
    '</table></div>',
    `<dl>${summaries.map(aboutOf).join('\n')}</dl>`,
    paragraph(
      `${several ? 'Medians over the seeds. ' : ''}Published figures are of single runs; those of ` +
        'the first two nets were fed raw pixels.',
    ),
  );
}

const aboutOf = ({ experiment: { name, about } }: Summary): string =>
  `<dt>${escape(name)}</dt><dd>${escape(about)}</dd>`;

function answersSection(summaries: readonly Summary[]): string {
  const answers = answersTo(summaries);
  if (answers.length === 0) return '';
  const items = answers.map(
    ({ question, answer }) => `<dt>${escape(question)}</dt><dd>${escape(answer)}</dd>`,
  );
  return section('Answers', `<dl>${items.join('\n')}</dl>`);
}

/** The net with dropout asked once and many times, if there is one; else the best net. */
function askedOf(results: readonly Result[], best: Result): Asked[] {
  const found = ['alpha-dropout', 'mc-dropout'].flatMap(
    (name) => results.find(({ settings }) => settings.experiment === name) ?? [],
  );
  const both = found.length === 2 && found[0]!.settings.seed === found[1]!.settings.seed;
  return (both ? found : [best]).map(({ settings, test }) => ({
    name: settings.experiment,
    judgement: test,
  }));
}
