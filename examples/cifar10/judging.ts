/** How good a net's answers are. */

import type { Tensor } from 'gradloom';

/** Answers to a set of images, and how many of them are right. */
export interface Judgement {
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** The class each image was taken for. */
  readonly classes: readonly number[];
  /** Probability of that class. */
  readonly confidences: readonly number[];
  /** Of the probabilities of all classes, in nats. */
  readonly entropies: readonly number[];
}

/** Judges probabilities [images, classes] by labels [images]. */
export function judge(probabilities: Tensor, labels: Tensor): Judgement {
  const columns = probabilities.shape[1]!;
  const p = probabilities.dataSync();
  const truth = labels.dataSync();
  const answers = Array.from(truth, (label, i) =>
    answer(p.subarray(i * columns, (i + 1) * columns) as Float32Array, label),
  );
  const mean = (value: (each: Answer) => number): number =>
    answers.reduce((sum, each) => sum + value(each), 0) / answers.length;
  return {
    accuracy: mean(({ right }) => Number(right)),
    loss: mean(({ loss }) => loss),
    classes: answers.map(({ taken }) => taken),
    confidences: answers.map(({ confidence }) => round(confidence)),
    entropies: answers.map(({ entropy }) => round(entropy)),
  };
}

type Answer = ReturnType<typeof answer>;

function answer(p: Float32Array, label: number) {
  const taken = p.indexOf(Math.max(...p));
  return {
    taken,
    right: taken === label,
    confidence: p[taken]!,
    // The smallest float32: in training the loss comes from logits, and has no such end.
    loss: -Math.log(Math.max(p[label]!, 1e-38)),
    entropy: -p.reduce((sum, each) => sum + (each > 0 ? each * Math.log(each) : 0), 0),
  };
}

/** Five digits are plenty to draw, and keep files small. */
const round = (value: number): number => Number(value.toFixed(5));
