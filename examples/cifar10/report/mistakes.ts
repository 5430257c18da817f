/** What a net confuses: its confusion matrix, and the images it was most certainly wrong about. */

import type { Tensor } from 'gradloom';

import type { Judgement } from '../judging.js';
import { box, colour, escape, figure, label, paragraph, section, svg } from './markup.js';
import { pngOf } from './png.js';

/** Images with their labels. */
export interface Pictures {
  /** [count, 32, 32, 3] */
  readonly images: Tensor<'uint8'>;
  readonly labels: Uint8Array;
  readonly classNames: readonly string[];
}

const shown = 24;

/** How often each class (row) was taken for each class (column). */
export function confusionOf(
  labels: ArrayLike<number>,
  taken: readonly number[],
  classes: number,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  taken.forEach((column, i) => matrix[labels[i]!]![column]!++);
  return matrix;
}

function matrixImage(matrix: readonly (readonly number[])[], names: readonly string[]): string {
  const [cell, left, top] = [46, 84, 40];
  const side = cell * names.length;
  const middle = cell / 2;
  const cells = matrix.flatMap((row, i) => {
    const total = row.reduce((sum, each) => sum + each, 0) || 1;
    return row.map((count, j) => {
      const [x, y] = [left + j * cell, top + i * cell];
      const words = `${names[i]!} taken for ${names[j]!}: ${count}`;
      const fill = colour(i === j ? 0 : 1);
      const square = box([x, y], [cell - 1, cell - 1], fill, 0.05 + (0.9 * count) / total);
      const number = label(x + middle, y + middle + 4, count, 'middle');
      return `<g><title>${escape(words)}</title>${square}${number}</g>`;
    });
  });
  const rows = names.map((name, i) => label(left - 6, top + i * cell + middle + 4, name, 'end'));
  // Names are wider than columns: every second one stands higher.
  const columns = names.map((name, j) =>
    label(left + j * cell + middle, top - 6 - (j % 2) * 13, name, 'middle'),
  );
  return svg(left + side, top + side, 'Confusion matrix', [...cells, ...rows, ...columns]);
}

/** The two classes most often confused, one way. */
function worstPair(matrix: readonly (readonly number[])[]): [row: number, column: number] {
  let worst: [number, number] = [0, 1];
  matrix.forEach((row, i) =>
    row.forEach((count, j) => {
      if (i !== j && count > matrix[worst[0]]![worst[1]]!) worst = [i, j];
    }),
  );
  return worst;
}

/** The confusion matrix and mistakes of one net on the test images. */
export function mistakesSection(name: string, judgement: Judgement, pictures: Pictures): string {
  const { labels, classNames } = pictures;
  const { classes, confidences } = judgement;
  const matrix = confusionOf(labels, classes, classNames.length);
  const [row, column] = worstPair(matrix);
  const wrong = classes
    .map((_, i) => i)
    .filter((i) => classes[i] !== labels[i])
    .sort((a, b) => confidences[b]! - confidences[a]!);
  const figures = wrong.slice(0, shown).map((i) => {
    const [truth, taken] = [classNames[labels[i]!]!, classNames[classes[i]!]!];
    const caption = `${truth}, taken for ${taken} (${Math.round(100 * confidences[i]!)} %)`;
    const source = pngOf(pictures.images.slice([i, i + 1]).dataSync(), 32);
    return figure(`<img src="${source}" alt="${escape(truth)}">`, caption);
  });
  return section(
    'What is confused with what',
    paragraph(
      `${name} on the ${labels.length.toLocaleString('en')} test images; rows are the true ` +
        `classes. Most often ${classNames[row]!} was taken for ${classNames[column]!} ` +
        `(${matrix[row]![column]!} times).`,
    ),
    `<figure>${matrixImage(matrix, classNames)}</figure>`,
    paragraph('The mistakes it was most certain of:'),
    `<div class="grid pictures">${figures.join('\n')}</div>`,
  );
}
