/** Data and targets that make no sense, and the words that put it right. */

import { afterAll, describe, expect, it } from 'vitest';

import {
  callbacks,
  device as chosenDevice,
  layers,
  loadModel,
  metrics,
  seed,
  Sequential,
  setDevice,
  tensor,
  zeros,
} from 'gradloom';

import { devices } from './devices.js';
import { compiled, net, x, y } from './small-net.js';

const usual = chosenDevice();
describe('data that makes no sense', () => {
  const quiet = { verbose: 'silent' } as const;

  it('labels that are no class numbers are named', async () => {
    const halves = tensor(Array.from({ length: 12 }, (_, i) => (i === 7 ? 0.5 : i % 3)));
    const fit = compiled().fit(x, halves, quiet);
    await expect(fit).rejects.toThrow(/target of sample 7 is 0.5; expected a class number/);
  });

  it('wherever they come in', async () => {
    const halves = y.cast('float32').add(0.5);
    const message = /target of sample 0 is 0.5; expected a class number/;
    const model = compiled();
    const batches = new Set([{ x, y: halves }]);
    expect(() => model.trainOnBatch(x, halves)).toThrow(message);
    expect(() => model.testOnBatch(x, halves)).toThrow(message);
    await expect(model.fit(batches, quiet)).rejects.toThrow(message);
    await expect(model.evaluate(x, halves)).rejects.toThrow(message);
    await expect(model.evaluate(batches)).rejects.toThrow(message);
    const validationData = [x, halves] as const;
    await expect(model.fit(x, y, { ...quiet, validationData })).rejects.toThrow(message);
    model.trainOnBatch(x, y.cast('float32'));
  });

  it('a metric that gives no number is told how to be used', async () => {
    const matrix = new metrics.ConfusionMatrix(3);
    const model = net().compile({
      loss: 'sparseCategoricalCrossentropy',
      metrics: [matrix as unknown as metrics.Metric],
    });
    await expect(model.fit(x, y, quiet)).rejects.toThrow(
      /metric confusionMatrix gives an array of 3, and training logs numbers; .*metric\.update\(/,
    );
    matrix.reset();
    matrix.update(y, await model.predict(x));
    expect(
      matrix
        .result()
        .flat()
        .reduce((a, b) => a + b),
    ).toBe(12);
  });

  it('targets of binary cross-entropy are from 0 to 1', async () => {
    const model = new Sequential([new layers.Dense(1, { activation: 'sigmoid', inputShape: [4] })]);
    model.compile({ loss: 'binaryCrossentropy' });
    await expect(model.fit(x, y, quiet)).rejects.toThrow(
      /target of sample 2 is 2; expected 0 or 1/,
    );
    await expect(model.fit(x, y.sub(1), quiet)).rejects.toThrow(/sample 0 is -1; .* use hinge/);
    await model.fit(x, y.div(2), quiet);
  });

  it.each(['hinge', 'squaredHinge'] as const)(
    'targets of %s are −1 or 1, or 0 or 1',
    async (loss) => {
      const model = new Sequential([new layers.Dense(1, { inputShape: [4] })]).compile({ loss });
      const wrong = /target of sample 2 is 2; expected −1 or 1, or 0 or 1\. .* categoricalHinge/;
      await expect(model.fit(x, y, quiet)).rejects.toThrow(wrong);
      expect(() => model.trainOnBatch(x, y.mul(0.5))).toThrow(/sample 1 is 0.5; expected −1 or 1/);
      await model.fit(x, y.sub(1), quiet);
      await model.fit(x, y.minimum(1), quiet);
    },
  );

  describe.each(devices)('what an Embedding looks up, on %s', (device) => {
    afterAll(() => setDevice(usual));
    const looking = (): Sequential => {
      setDevice(device);
      const embedding = new layers.Embedding(3, 2, { inputShape: [2], name: 'words' });
      return new Sequential([embedding, new layers.Flatten(), new layers.Dense(1)]).compile({
        loss: 'mse',
      });
    };

    it.each([0.5, -1, 3, NaN, 1e20])('is no %d', async (wrong) => {
      const model = looking();
      const words = tensor([[0, 2], [1, wrong]]); // prettier-ignore
      const message = /layer words: Embedding\(3, 2\) takes whole numbers from 0 to 2, not /;
      const number = String(words.dataSync()[3]);
      await expect(model.predict(words)).rejects.toThrow(message);
      await expect(model.predict(words)).rejects.toThrow(`not ${number}`);
      expect(() => model.trainOnBatch(words, zeros([2]))).toThrow(`not ${number}`);
    });

    it('is found out in a recorded step too', async () => {
      const model = looking();
      const words = Array.from({ length: 64 }, (_, i) => [i % 3, i === 50 ? 1.5 : 0]);
      let steps = 0;
      const counting = new callbacks.LambdaCallback({ onTrainBatchEnd: () => void (steps += 1) });
      seed(1);
      const fit = model.fit(tensor(words), zeros([64]), {
        ...{ ...quiet, batchSize: 4, callbacks: [counting] },
      });
      await expect(fit).rejects.toThrow(/layer words: .* from 0 to 2, not 1.5/);
      expect(steps).toBeGreaterThan(4);
    });
  });

  it('a loss that is no tensor is named', async () => {
    const three = (): never => 3 as never;
    const fit = net().compile({ loss: three }).fit(x, y, quiet);
    await expect(fit).rejects.toThrow(/result of the loss three: expected a tensor, got 3/);
  });

  it('a softmax over one output learns nothing', async () => {
    const model = new Sequential([new layers.Dense(1, { activation: 'softmax' })]);
    const fit = model.compile({ loss: 'binaryCrossentropy' }).fit(x, zeros([12]), quiet);
    await expect(fit).rejects.toThrow(/softmax over a single output.*sigmoid/);
  });

  it.each([{ cat: 1 }, { 0: -1 }, { 0: NaN }])('class weights %j', async (classWeight) => {
    const fit = compiled().fit(x, y, { ...quiet, classWeight });
    await expect(fit).rejects.toThrow(/classWeight gives a weight of 0 or more to labels/);
  });

  it('a file needs a path', async () => {
    await expect(net().save(undefined as never)).rejects.toThrow(/path of a file to write/);
    await expect(loadModel(undefined as never)).rejects.toThrow(/path of a file to read/);
  });

  it('layers are found by place too', () => {
    const model = net();
    expect([model.getLayer(0), model.getLayer(-1)]).toEqual(model.layers);
    expect(() => model.getLayer(2)).toThrow(/no layer in model .* named 2/);
  });
});
