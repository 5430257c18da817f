/** The exercise's questions, answered by the figures of the runs and nothing else. */

import { clockOf, median } from '../comparison.js';
import type { Summary } from '../comparison.js';

export interface Answer {
  readonly question: string;
  readonly answer: string;
}

type Question = readonly [
  question: string,
  needs: readonly [string, string],
  answer: (one: Summary, other: Summary) => string,
];

/** A part of training. */
interface Span {
  readonly epochs: number;
  readonly seconds: number;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const time = (seconds: number): string =>
  seconds < 120 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
const spanOf = ({ epochs, seconds }: Span): string =>
  `${epochs} epoch${epochs === 1 ? '' : 's'} (${time(seconds)})`;

/** Epochs and seconds until a validation accuracy is first reached, medians; null where not. */
export function reaches({ results }: Summary, accuracy: number): Span | null {
  const first = results.map(({ history }) =>
    (history['val_accuracy'] ?? []).findIndex((value) => value >= accuracy),
  );
  if (first.some((epoch) => epoch < 0)) return null;
  return {
    epochs: median(first.map((epoch) => epoch + 1))!,
    seconds: median(results.map((result, i) => clockOf(result)[first[i]!]!))!,
  };
}

function faster(plain: Summary, other: Summary): string {
  const goal = plain.validation;
  const [name, before] = [other.experiment.name, plain.experiment.name];
  const now = reaches(other, goal);
  if (!now) return `Not in every run does ${name} reach the ${percent(goal)} of ${before}.`;
  const took = plain.results.map((result) => clockOf(result)[(result.bestEpoch ?? 1) - 1] ?? 0);
  const then = { epochs: plain.bestEpoch ?? 0, seconds: median(took)! };
  const verdict = (what: keyof Span): string => (now[what] < then[what] ? 'yes' : 'no');
  return (
    `In epochs: ${verdict('epochs')}; in time: ${verdict('seconds')}. ${name} reaches ` +
    `${percent(goal)} after ${spanOf(now)}, ${before} after ${spanOf(then)}.`
  );
}

function better(one: Summary, other: Summary): string {
  const by = other.validation - one.validation;
  const verdict = Math.abs(by) < 0.005 ? 'Hardly different' : by > 0 ? 'Yes' : 'No';
  return (
    `${verdict}: ${percent(other.validation)} on the validation images against ` +
    `${percent(one.validation)}, and ${percent(other.test)} on the test images against ` +
    `${percent(one.test)}; validation loss ${other.validationLoss.toFixed(3)} against ` +
    `${one.validationLoss.toFixed(3)}.`
  );
}

function cost(one: Summary, other: Summary): string {
  const [before, after] = [one.secondsPerEpoch ?? NaN, other.secondsPerEpoch ?? NaN];
  const change = 100 * (after / before - 1);
  const words = change < 0 ? 'less' : 'more';
  return (
    `An epoch takes ${after.toFixed(2)} s against ${before.toFixed(2)} s, ` +
    `${Math.abs(change).toFixed(0)} % ${words}.`
  );
}

function trainingTime(one: Summary, other: Summary): string {
  const [before, after] = [one.seconds ?? NaN, other.seconds ?? NaN];
  return `Training takes ${time(after)} in all against ${time(before)}. ${better(one, other)}`;
}

const questions: readonly Question[] = [
  ['Does batch normalization converge faster?', ['plain', 'batch-norm'], faster],
  ['Does batch normalization give a better model?', ['plain', 'batch-norm'], better],
  ['What does batch normalization cost?', ['plain', 'batch-norm'], cost],
  ['Is SELU better than ELU?', ['plain', 'selu'], better],
  ['Does SELU converge faster than ELU?', ['plain', 'selu'], faster],
  ['Is SELU better than batch normalization?', ['batch-norm', 'selu'], better],
  ['Does alpha dropout help?', ['selu', 'alpha-dropout'], better],
  ['Does Monte-Carlo dropout help?', ['alpha-dropout', 'mc-dropout'], better],
  ['Does 1cycle train faster, and better?', ['alpha-dropout', '1cycle'], trainingTime],
];

/** Answers to the questions whose experiments were all run. */
export function answersTo(summaries: readonly Summary[]): Answer[] {
  const named = (name: string): Summary | undefined =>
    summaries.find(({ experiment }) => experiment.name === name);
  return questions.flatMap(([question, [one, other], answer]) => {
    const [first, second] = [named(one), named(other)];
    return first && second ? [{ question, answer: answer(first, second) }] : [];
  });
}
