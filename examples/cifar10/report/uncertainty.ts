/** Whether a net knows when it does not know: how its entropy goes with being right. */

import type { Judgement } from '../judging.js';
import { lineChart } from './line-chart.js';
import { box, colour, heading, key, label, paragraph, section, svg } from './markup.js';

/** Answers of a net in one way of asking. */
export interface Asked {
  readonly name: string;
  readonly judgement: Judgement;
}

type Retained = (readonly [share: number, accuracy: number])[];

/** Accuracy of the most certain answers, against how many of all are kept. */
export function retainedAccuracy(
  { classes, entropies }: Judgement,
  labels: ArrayLike<number>,
): Retained {
  const order = entropies.map((_, i) => i).sort((a, b) => entropies[a]! - entropies[b]!);
  const points: Retained = [];
  let right = 0;
  order.forEach((i, place) => {
    right += Number(classes[i] === labels[i]);
    const kept = place + 1;
    // Fifty points draw the curve; a handful of answers says little about accuracy.
    if (kept % Math.ceil(order.length / 50) === 0 && kept >= 0.05 * order.length) {
      points.push([kept / order.length, right / kept]);
    }
  });
  return points;
}

const bins = 24;

/** For right and for wrong answers: the share of them in each bin of entropy. */
function entropyShares({ classes, entropies }: Judgement, labels: ArrayLike<number>): number[][] {
  const counts = [new Array<number>(bins).fill(0), new Array<number>(bins).fill(0)];
  entropies.forEach((entropy, i) => {
    const bin = Math.min(bins - 1, Math.floor((entropy / mostEntropy) * bins));
    counts[Number(classes[i] !== labels[i])]![bin]!++;
  });
  return counts.map((each) => {
    const total = each.reduce((sum, count) => sum + count, 0) || 1;
    return each.map((count) => count / total);
  });
}

/** Of ten classes, in nats. */
const mostEntropy = Math.log(10);

function histogram(judgement: Judgement, labels: ArrayLike<number>): string {
  const [width, height, left, bottom] = [520, 320, 12, 280];
  const title = 'Entropy of right and wrong answers';
  const shares = entropyShares(judgement, labels);
  const top = Math.max(...shares.flat()) || 1;
  const step = (width - 2 * left) / bins;
  const bars = shares.flatMap((each, wrong) =>
    each.map((value, bin) => {
      const tall = (value / top) * (bottom - 40);
      return box([left + bin * step, bottom - tall], [step - 1, tall], colour(wrong), 0.55);
    }),
  );
  const keys = ['right', 'wrong'].flatMap((word, i) => [
    box([left + 70 * i, 24], [10, 10], colour(i), 0.55),
    label(left + 14 + 70 * i, 33, word),
  ]);
  const ticks = [0, 0.5, 1, 1.5, 2].map((tick) =>
    label(left + (tick / mostEntropy) * (width - 2 * left), bottom + 16, tick, 'middle'),
  );
  const axis = label(width / 2, height - 6, 'entropy in nats', 'middle');
  return svg(width, height, title, [heading(left, title), ...keys, ...bars, ...ticks, axis]);
}

/** How often a net is right, in all answers and in the surer half. */
function inWords({ name, points }: { name: string; points: Retained }): string {
  const half = points.find(([share]) => share >= 0.5)?.[1] ?? NaN;
  const all = points.at(-1)?.[1] ?? NaN;
  const surer = `in ${percent(half)} of the half it is surest of`;
  return `${name} is right in ${percent(all)} of all answers and ${surer}`;
}

/** The last of `asked` is the one whose histogram is drawn. */
export function uncertaintySection(asked: readonly Asked[], labels: ArrayLike<number>): string {
  const curves = asked.map(({ name, judgement }, i) => ({
    name,
    colour: colour(i),
    points: retainedAccuracy(judgement, labels),
  }));
  const title = 'Accuracy of the answers kept';
  const x = 'share of answers kept, the surest first';
  return section(
    'Does it know when it does not know?',
    paragraph(`${curves.map(inWords).join('; ')}.`),
    `<p>${curves.map((curve) => key(curve.colour, curve.name)).join('')}</p>`,
    '<div class="grid">',
    `<figure>${lineChart({ title, x, curves })}</figure>`,
    `<figure>${histogram(asked.at(-1)!.judgement, labels)}</figure>`,
    '</div>',
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
