/** Metrics that give a list, a figure per class or threshold: logged, watched, saved. */

import { callbacks, layers, loadModel, metrics, randint, randn, seed, Sequential } from 'gradloom';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-list-metrics-'));
afterAll(() => rmSync(folder, { recursive: true }));

seed(5);
const x = randn([60, 4]);
const y = randint([60], { high: 3 });
const quiet = { verbose: 'silent', validationSplit: 0.3 } as const;

const net = (): Sequential =>
  new Sequential([
    new layers.Dense(8, { activation: 'relu', inputShape: [4] }),
    new layers.Dense(3, { activation: 'softmax' }),
  ]).compile({
    loss: 'sparseCategoricalCrossentropy',
    metrics: [
      'f1',
      new metrics.F1Score({ average: 'macro', name: 'macro' }),
      new metrics.FalsePositives({ thresholds: [0.2, 0.4] }),
    ],
  });

test('each figure is logged under the name and its number', async () => {
  const model = net();
  const { history } = await model.fit(x, y, { ...quiet, epochs: 2 });
  const names = ['loss', 'f1_0', 'f1_1', 'f1_2', 'macro', 'falsePositives_0', 'falsePositives_1'];
  expect(Object.keys(history)).toEqual([...names, ...names.map((name) => `val_${name}`)]);
  const mean = [0, 1, 2].reduce((sum, i) => sum + history[`val_f1_${i}`]![1]! / 3, 0);
  expect(history['val_macro']![1]).toBeCloseTo(mean, 12);
  expect(Object.keys(await model.evaluate(x, y))).toEqual(names);
  expect(Object.keys(model.testOnBatch(x, y))).toEqual(names);
});

test('one of them can be watched, in the direction of its metric', async () => {
  const watching = async (monitor: string): Promise<callbacks.EarlyStopping> => {
    const early = new callbacks.EarlyStopping({ monitor });
    await net().fit(x, y, { ...quiet, callbacks: [early] });
    return early;
  };
  // An improvement on the worst, which only the right direction has.
  expect((await watching('val_falsePositives_1')).best).toBeLessThan(Infinity);
  expect((await watching('val_falsePositives_1')).best).toBeGreaterThanOrEqual(0);
  expect((await watching('val_f1_2')).best).toBeGreaterThanOrEqual(0);
  const wrong = new callbacks.EarlyStopping({ monitor: 'val_f2_1' });
  await expect(net().fit(x, y, { ...quiet, callbacks: [wrong] })).rejects.toThrow(
    /cannot tell whether a higher or a lower val_f2_1 is better/,
  );
});

test('they come back from a file', async () => {
  const model = net();
  await model.fit(x, y, quiet);
  const path = join(folder, 'model.safetensors');
  await model.save(path);
  const loaded = await loadModel(path);
  expect(await loaded.evaluate(x, y)).toEqual(await model.evaluate(x, y));
});

test('options say one figure or several', () => {
  const one: number = new metrics.Precision({ thresholds: 0.3 }).result();
  const several: number[] = new metrics.Precision({ thresholds: [0.3, 0.6] }).result();
  const perClass: number[] = new metrics.F1Score().result();
  const mean: number = new metrics.F1Score({ average: 'micro' }).result();
  expect([one, several, perClass, mean]).toEqual([0, [0, 0], [], 0]);
  expect(() => new metrics.Precision({ thresholds: [] })).toThrow(/hold a number or more/);
  expect(() => new metrics.Recall({ topK: 1.5 })).toThrow(/topK must be a whole number/);
  expect(() => new metrics.F1Score({ threshold: 2 })).toThrow(/greater than 0, at most 1, not 2/);
  expect(() => new metrics.F1Score({ threshold: 0 })).toThrow(/at most 1, not 0/);
  expect(() => new metrics.F1Score({ average: '' as 'macro' })).toThrow(/average must be one of/);
  expect(() => new metrics.AUC({ numLabels: 3 })).toThrow(/goes with multiLabel/);
  const labels = new metrics.AUC({ multiLabel: true, numLabels: 4 });
  expect(() => labels.update(randn([2, 3]), randn([2, 3]))).toThrow(/expected \[batch, 4\]/);
  expect(() => metrics.get(new metrics.AUC({ numTresholds: 3 } as object))).toThrow(
    /option of AUC.*"numThresholds"\?/,
  );
});
