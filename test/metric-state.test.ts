/** Metrics that are interrupted: what was counted goes through JSON and is gone on with. */

import { metrics, tensor } from 'gradloom';
import type { Tensor } from 'gradloom';
import { expect, test } from 'vitest';

import { fromExactJson, toExactJson } from '../src/io/exact-json.js';

/** Probabilities of three classes and their one-hot truth; the halves differ. */
function batch(half: number): { truth: Tensor; predicted: Tensor; weight: Tensor } {
  const rows = Array.from({ length: 6 }, (_, i) => {
    const raw = [0, 1, 2].map((k) => 1 + Math.sin(7 * half + 3 * i + 5 * k * k));
    const total = raw.reduce((sum, each) => sum + each, 0);
    return raw.map((each) => each / total);
  });
  const truth = rows.map((_, i) => [0, 1, 2].map((k) => (k === (i * i + half) % 3 ? 1 : 0)));
  const weight = tensor(rows.map((_, i) => 1 + i / 4));
  return { truth: tensor(truth), predicted: tensor(rows), weight };
}

const names = [
  'accuracy', 'binaryAccuracy', 'categoricalAccuracy', 'topKCategoricalAccuracy', 'auc',
  'precision', 'recall', 'f1Score', 'fBetaScore', 'truePositives', 'falsePositives',
  'trueNegatives', 'falseNegatives', 'r2Score', 'categoricalCrossentropy', 'meanSquaredError',
  'rootMeanSquaredError', 'meanAbsoluteError', 'cosineSimilarity', 'hinge', 'klDivergence',
] as const; // prettier-ignore

test.each(names)('%s', (name) => {
  const [first, second] = [batch(0), batch(1)];
  const whole = metrics.get(name);
  whole.update(first.truth, first.predicted, first.weight);
  const middle = whole.result();
  const state: unknown = fromExactJson(toExactJson(whole.state!(), name));
  whole.update(second.truth, second.predicted, second.weight);

  const resumed = metrics.get(name);
  resumed.restore!(state);
  expect(resumed.result()).toEqual(middle);
  resumed.update(second.truth, second.predicted, second.weight);
  expect(resumed.result()).toEqual(whole.result());
  // The state is a copy: counting on does not change it.
  const again = metrics.get(name);
  again.restore!(state);
  expect(again.result()).toEqual(middle);
});
