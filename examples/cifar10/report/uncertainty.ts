/** Whether a net knows when it does not know: how its entropy goes with being right. */

import type { Judgement } from '../judging.js';
import { lineChart } from './line-chart.js';
import { at, colour, paragraph, section, svg } from './markup.js';

/** Answers of a net in one way of asking. */
export interface Asked {
  readonly name: string;
  readonly judgement: Judgement;
}

/** Accuracy of the most certain answers, against how many of all are kept. */
export function retainedAccuracy(
  { classes, entropies }: Judgement,
  labels: ArrayLike<number>,
): (readonly [share: number, accuracy: number])[] {
  const order = entropies.map((_, i) => i).sort((a, b) => entropies[a]! - entropies[b]!);
  const points: [number, number][] = [];
  let right = 0;
  order.forEach((i, at) => {
    right += Number(classes[i] === labels[i]);
    const kept = at + 1;
    // Fifty points draw the curve; a handful of answers says little about accuracy.
    if (kept % Math.ceil(order.length / 50) === 0 && kept >= 0.05 * order.length) {
      points.push([kept / order.length, right / kept]);
    }
  });
  return points;
}

const bins = 24;

/** Histograms of the entropy of right and of wrong answers, as shares of each. */
function histogram({ classes, entropies }: Judgement, labels: ArrayLike<number>): string {
  const [width, height, left, bottom] = [520, 320, 12, 40];
  const most = Math.log(10);
  const counts = [new Array<number>(bins).fill(0), new Array<number>(bins).fill(0)];
  entropies.forEach((entropy, i) => {
    const bin = Math.min(bins - 1, Math.floor((entropy / most) * bins));
    counts[Number(classes[i] !== labels[i])]![bin]!++;
  });
  const shares = counts.map((each) => {
    const total = each.reduce((sum, count) => sum + count, 0) || 1;
    return each.map((count) => count / total);
  });
  const top = Math.max(...shares.flat()) || 1;
  const step = (width - 2 * left) / bins;
  const bars = shares.flatMap((each, wrong) =>
    each.map((value, bin) => {
      const tall = (value / top) * (height - bottom - 40);
      return (
        `<rect x="${at(left + bin * step)}" y="${at(height - bottom - tall)}" ` +
        `width="${at(step - 1)}" height="${at(tall)}" fill="${colour(wrong)}" fill-opacity="0.55"/>`
      );
    }),
  );
  return svg(width, height, 'Entropy of right and wrong answers', [
    `<text x="${left}" y="14" font-weight="600">Entropy of right and wrong answers</text>`,
    ...['right', 'wrong'].map(
      (word, i) =>
        `<rect x="${left + i * 70}" y="24" width="10" height="10" fill="${colour(i)}"/>` +
        `<text x="${left + 14 + i * 70}" y="33">${word}</text>`,
    ),
    ...bars,
    ...[0, 0.5, 1, 1.5, 2].map(
      (tick) =>
        `<text x="${at(left + (tick / most) * (width - 2 * left))}" y="${height - bottom + 16}" ` +
        `text-anchor="middle">${tick}</text>`,
    ),
    `<text x="${width / 2}" y="${height - 6}" text-anchor="middle">entropy in nats</text>`,
  ]);
}

/** The last of `asked` is the one whose histogram is drawn. */
export function uncertaintySection(asked: readonly Asked[], labels: ArrayLike<number>): string {
  const curves = asked.map(({ name, judgement }, i) => ({
    name,
    colour: colour(i),
    points: retainedAccuracy(judgement, labels),
  }));
  const title = 'Accuracy of the answers kept';
  const words = curves.map(({ name, points }) => {
    const half = points.find(([share]) => share >= 0.5)?.[1] ?? NaN;
    const all = points.at(-1)?.[1] ?? NaN;
    return `${name} is right in ${percent(all)} of all answers and in ${percent(half)} of the half it is surest of`;
  });
  const keys = curves.map(
    (curve) => `<span class="key" style="background:${curve.colour}"></span>${curve.name}`,
  );
  return section(
    'Does it know when it does not know?',
    paragraph(`${words.join('; ')}.`),
    `<p>${keys.join('')}</p>`,
    '<div class="grid">',
    `<figure>${lineChart({ title, x: 'share of answers kept, the surest first', curves })}</figure>`,
    `<figure>${histogram(asked.at(-1)!.judgement, labels)}</figure>`,
    '</div>',
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
