/** Metrics: figures of Keras 3 over two batches; choosing by loss and shapes; cost; errors. */

import { describe, expect, it } from 'vitest';

import { ShapeError, ValueError } from '../src/errors.js';
import * as losses from '../src/losses/index.js';
import * as metrics from '../src/metrics/index.js';
import { ConfusionMatrix, Mean, MeanMetric, Metric } from '../src/metrics/index.js';
import type { Observed } from '../src/metrics/index.js';
import { mean } from '../src/ops/statistics.js';
import { squaredDifference } from '../src/ops/elementwise.js';
import { tensor, zeros } from '../src/tensor/create.js';
import { normal } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';

interface Figures {
  readonly by: string;
  readonly inputs: readonly Record<string, number[][]>[];
  readonly cases: readonly {
    readonly class: string;
    readonly options: Record<string, unknown>;
    readonly truth: string;
    readonly prediction: string;
    readonly after: (number | number[])[];
    readonly weighted: (number | number[])[];
  }[];
}

const { by, inputs: batches, cases } = golden('metrics') as Figures;

describe.each(devices)('metrics on %s', (device) => {
  const batch = (i: number, name: string): Tensor => tensor(batches[i]![name]!, { device });

  for (const { class: className, options, truth, prediction, after, weighted } of cases) {
    it(`${className} ${JSON.stringify(options)} of ${truth}, ${prediction} as ${by}`, async () => {
      const metric = metrics.get({ className, config: options });
      for (const weights of [false, true]) {
        const got: (number | number[])[] = [];
        for (const i of batches.keys()) {
          const sampleWeight = weights ? batch(i, 'weights') : null;
          metric.update(batch(i, truth), batch(i, prediction), sampleWeight);
          await metric.settled();
          got.push(metric.result());
        }
        expectClose(got, weights ? weighted : after, 2e-5, weights ? 'weighted' : 'plain');
        metric.reset();
      }
      // A metric made again from its config goes through a file.
      const config = JSON.parse(JSON.stringify(metric.config())) as Record<string, unknown>;
      const again = metrics.get({ className, config });
      for (const i of batches.keys()) again.update(batch(i, truth), batch(i, prediction));
      await again.settled();
      expectClose(again.result(), after.at(-1)!, 2e-5, 'again');
      expect(again.direction).toBe(metric.direction);
    });
  }

  it('gives the same figures for class numbers as for one-hot targets', () => {
    for (const name of ['precision', 'recall', 'f1Score', 'auc', 'falseNegatives'] as const) {
      const [a, b] = [metrics.get(name), metrics.get(name)];
      a.update(batch(0, 'oneHot'), batch(0, 'scores'));
      b.update(batch(0, 'labels'), batch(0, 'scores'));
      expect(b.result(), name).toEqual(a.result());
      expect(Math.max(...[a.result()].flat()), name).toBeGreaterThan(0);
    }
  });

  it('counts a confusion matrix', () => {
    const matrix = new ConfusionMatrix(3);
    const scores = tensor([[9, 0, 0], [0, 9, 0], [0, 8, 9], [0, 9, 8]], { device }); // prettier-ignore
    matrix.update(tensor([0, 1, 1, 2], { device, dtype: 'int32' }), scores);
    expect(matrix.result()).toEqual([[1, 0, 0], [0, 1, 1], [0, 1, 0]]); // prettier-ignore
    const oneHot = tensor([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], { device }); // prettier-ignore
    matrix.update(oneHot, scores, tensor([1, 1, 0.5, 0], { device }));
    expect(matrix.result()).toEqual([[2, 0, 0], [0, 2, 1.5], [0, 1, 0]]); // prettier-ignore
    matrix.reset();
    expect(matrix.result().flat()).toEqual(new Array(9).fill(0));
    const wrong = (): void => {
      matrix.update(tensor([0, 1, 3, 2], { device }), scores);
      matrix.result(); // off the host, values have arrived by now
    };
    expect(wrong).toThrow(/label 3 is outside 0 … 2/);
  });

  it('averages a function of the user', () => {
    const error = (y: Tensor, p: Tensor): Tensor => mean(squaredDifference(y, p), -1);
    const metric = new MeanMetric(error, { direction: 'min' });
    metric.update(zeros([2, 2], { device }), tensor([[1, 1], [3, 3]], { device })); // prettier-ignore
    expect(metric.result()).toBe(5);
    expect([metric.name, metric.direction]).toEqual(['error', 'min']);
  });
});

/** A tensor [values] as if on a device that answers after so many milliseconds. */
function far(values: readonly number[], delay = 0): Tensor {
  const dataSync = (): Float32Array => Float32Array.from(values);
  const fake = {
    backend: { host: false },
    shape: [values.length],
    storage: null,
    copy: () => fake,
    dispose: () => undefined,
    dataSync,
    data: async () => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      return dataSync();
    },
  };
  return fake as unknown as Tensor;
}

describe('metrics', () => {
  const scores = tensor([[0.1, 0.9], [0.8, 0.2]]); // prettier-ignore

  it('update accuracy in a few microseconds', () => {
    const y = tensor(Array.from({ length: 32 }, (_, i) => i % 10), { device: 'js', dtype: 'int32' }); // prettier-ignore
    const p = normal([32, 10], { device: 'js' });
    const accuracy = metrics.get('accuracy');
    for (let i = 0; i < 5000; i++) accuracy.update(y, p);
    let best = Infinity;
    for (let round = 0; round < 10; round++) {
      const start = performance.now();
      for (let i = 0; i < 500; i++) accuracy.update(y, p);
      best = Math.min(best, (performance.now() - start) / 500);
    }
    expect(best * 1000).toBeLessThan(20);
  });

  it('fit accuracy to the loss and the shapes', () => {
    const accuracyOf = (y: Tensor, p: Tensor, loss?: losses.Loss): number => {
      const metric = metrics.get('accuracy', loss ? { loss } : {});
      metric.update(y, p);
      return metric.result();
    };
    expect(accuracyOf(tensor([1, 1]), scores)).toBe(0.5);
    expect(accuracyOf(tensor([[1], [0]]), scores)).toBe(1);
    expect(accuracyOf(tensor([[0, 1], [0, 1]]), scores)).toBe(0.5); // prettier-ignore
    expect(accuracyOf(tensor([1, 0]), tensor([[0.7], [0.2]]))).toBe(1);
    // Several yes-or-no outputs: only the loss tells them from classes.
    const several = tensor([[0.9, 0.8], [0.1, 0.9]]); // prettier-ignore
    const truth = tensor([[1, 0], [0, 1]]); // prettier-ignore
    expect(accuracyOf(truth, several)).toBe(1);
    expect(accuracyOf(truth, several, losses.get('bce'))).toBe(0.75);
    const logits = new losses.BinaryCrossentropy({ fromLogits: true });
    expect(accuracyOf(tensor([1, 0]), tensor([[0.2], [-3]]), logits)).toBe(1);
    expect(accuracyOf(tensor([1, 0]), tensor([[0.2], [-3]]))).toBe(0.5);
  });

  it('fit crossentropy to the loss and the shapes', () => {
    const metric = metrics.get('ce', { loss: new losses.BinaryCrossentropy({ fromLogits: true }) });
    metric.update(tensor([1]), tensor([[0]]));
    expectClose(metric.result(), Math.LN2, 1e-6);
    const sparse = metrics.get('crossentropy');
    sparse.update(tensor([1, 0]), scores);
    expectClose(sparse.result(), -(Math.log(0.9) + Math.log(0.8)) / 2, 1e-6);
  });

  it('keep the name they were asked for by', () => {
    const names = ['acc', 'accuracy', 'mse', 'sparse_categorical_accuracy'] as 'acc'[];
    expect(names.map((name) => metrics.get(name).name)).toEqual(names);
    expect(new metrics.AUC({ name: 'area' }).name).toBe('area');
    expect(new metrics.TopKCategoricalAccuracy().name).toBe('topKCategoricalAccuracy');
    expect(() => metrics.get('acuracy' as 'acc')).toThrow(/Did you mean "accuracy"/);
  });

  it('know whether more is better', () => {
    const better = (name: metrics.MetricName): string => metrics.get(name).direction;
    expect(
      ['acc', 'auc', 'f1', 'r2Score', 'cosineSimilarity'].map((n) => better(n as 'acc')),
    ).toEqual(new Array(5).fill('max'));
    expect(['mse', 'ce', 'falsePositives', 'rmse'].map((n) => better(n as 'mse'))).toEqual(
      new Array(4).fill('min'),
    );
  });

  it('are 0 before they have seen anything, as in Keras', () => {
    for (const name of ['accuracy', 'mse', 'precision', 'auc', 'r2Score'] as const) {
      expect(metrics.get(name).result(), name).toBe(0);
    }
  });

  it('refuse targets and weights that do not fit', () => {
    const refused: readonly [() => unknown, RegExp][] = [
      [
        () => metrics.get('sparseCategoricalAccuracy').update(zeros([3]), scores),
        /targets \[3\] do not fit predictions \[2, 2\]; expected one class number per sample/,
      ],
      [() => metrics.get('binaryAccuracy').update(zeros([3]), scores), /expected one shape/],
      [
        () => metrics.get('accuracy').update(zeros([2]), scores, zeros([3])),
        /3 sample weights for 2 values/,
      ],
      [() => metrics.get('precision').update(zeros([5]), scores), /one class number per sample/],
    ];
    for (const [call, message] of refused) {
      expect(call).toThrow(ShapeError);
      expect(call).toThrow(message);
    }
    const logits = (): void => metrics.get('auc').update(tensor([[1]]), tensor([[3]]));
    expect(logits).toThrow(ValueError);
    expect(logits).toThrow(/not a probability/);
    expect(() => new metrics.F1Score({ average: 'all' as 'micro' })).toThrow(/macro, micro/);
  });

  it('average plain values', () => {
    const running = new Mean('loss');
    running.update(1);
    running.update(4, 2);
    expect(running.result()).toBe(3);
    running.update([1, 1]);
    expect(running.result()).toBe(2.2);
    running.reset();
    expect(running.result()).toBe(0);
  });

  it('count values that arrive later in order, and none from before a reset', async () => {
    class Last extends Metric {
      readonly direction = 'max';
      readonly seen: number[] = [];
      protected observe({ prediction }: Observed): void {
        this.seen.push(prediction[0]!);
      }
      result(): number {
        return this.seen.at(-1) ?? 0;
      }
      protected clear(): void {
        this.seen.length = 0;
      }
    }
    const metric = new Last();
    metric.update(far([0], 0), far([1], 20));
    metric.update(far([0], 0), far([2], 0));
    expect(metric.seen).toEqual([]);
    await metric.settled();
    expect(metric.seen).toEqual([1, 2]);
    metric.update(far([0], 0), far([3], 5));
    metric.reset();
    metric.update(far([0], 0), far([4], 20));
    await metric.settled();
    expect(metric.seen).toEqual([4]);
    // Who asks for the figure waits for what it is made of, and nothing is counted twice.
    metric.update(far([0], 0), far([5], 5));
    metric.update(far([0], 0), far([6], 0));
    expect(metric.result()).toBe(6);
    await metric.settled();
    expect(metric.seen).toEqual([4, 5, 6]);
  });

  it('throw at the result what was wrong with values that arrived later', async () => {
    const metric = metrics.get('precision');
    metric.update(far([0, 0, 0, 0, 0]), scores);
    await expect(metric.settled()).rejects.toThrow(ShapeError);
    expect(() => metric.result()).toThrow(/one class number per sample/);
    metric.reset();
    expect(metric.result()).toBe(0);
  });
});
