/** Functional models: several inputs and outputs, shared layers, data and goals per port. */

import { beforeEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { gradientsOf, noGrad } from '../src/autograd/tape.js';
import { setDevice } from '../src/backends/registry.js';
import {
  Add,
  BatchNormalization,
  Concatenate,
  Dense,
  Dropout,
  Embedding,
  Flatten,
  input,
  Layer,
} from '../src/layers/index.js';
import { layerFromConfig, serializeLayer } from '../src/layers/registry.js';
import { Functional } from '../src/models/functional.js';
import '../src/models/load.js'; // registers the layers
import { Sequential } from '../src/models/sequential.js';
import { Adam } from '../src/optimizers/index.js';
import { tensor } from '../src/tensor/create.js';
import { normal, randint, seed } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const quiet = { verbose: 'silent' } as const;

/** Two inputs through a shared layer; a class and a number come out. */
function siamese() {
  const left = input([4], { name: 'left' });
  const right = input([4], { name: 'right' });
  const shared = new Dense(6, { activation: 'tanh', name: 'shared' });
  const both = new Concatenate({ name: 'both' }).on([shared.on(left), shared.on(right)]);
  const kind = new Dense(3, { activation: 'softmax', name: 'kind' }).on(both);
  const size = new Dense(1, { name: 'size' }).on(both);
  return new Functional({ inputs: [left, right], outputs: { kind, size } });
}

describe.each(devices)('functional models on %s', (device) => {
  beforeEach(() => {
    setDevice(device);
    seed(5);
  });

  it('computes what its layers compute, and gives outputs in the structure asked for', async () => {
    const model = siamese();
    const [a, b] = [normal([5, 4]), normal([5, 4])];
    const [shared, kind, size] = ['shared', 'kind', 'size'].map((name) => model.getLayer(name));
    const { left, right } = { left: shared!.apply(a), right: shared!.apply(b) };
    const both = new Concatenate().merge([left, right]);
    const { kind: kinds, size: sizes } = await model.predict([a, b]);
    expect(kinds.toArray()).toEqual(kind!.apply(both).toArray());
    expect(sizes.toArray()).toEqual(size!.apply(both).toArray());
    const byName = await model.predict({ right: b, left: a });
    expect(byName.size.toArray()).toEqual(sizes.toArray());
    const inBatches = await model.predict([a, b], { batchSize: 2 });
    expect(inBatches.kind.shape).toEqual([5, 3]);
    expect(model.outputNames).toEqual(['kind', 'size']);
    const x = input([2]);
    const list = new Functional({ inputs: x, outputs: [x, new Dense(3).on(x)] });
    const [same, other] = await list.predict(normal([7, 2]));
    expect([same.shape, other.shape]).toEqual([
      [7, 2],
      [7, 3],
    ]);
  });

  it('adds up the gradients of the places of a shared layer', () => {
    const x = input([3]);
    const shared = new Dense(3, { activation: 'tanh' });
    const twice = new Functional({ inputs: x, outputs: shared.on(shared.on(x)) });
    expect(twice.weights).toHaveLength(2);
    expect(twice.countParameters()).toBe(12);
    const data = normal([4, 3]);
    const [kernel] = twice.trainableWeights.map((weight) => weight.value) as [Tensor];
    const [whole] = gradientsOf(twice.apply(data).sum(), [kernel]);
    // The same, with the two places told apart.
    const [first, second] = [shared.clone(), shared.clone()];
    const apart = second.apply(first.apply(data)).sum();
    const [g1, g2] = gradientsOf(apart, [first.weights[0]!.value, second.weights[0]!.value]);
    const difference = noGrad(() => whole!.sub(g1!.add(g2!)).abs().max().item());
    expect(difference).toBeLessThan(1e-5);
  });

  it('trains with losses, weights of losses and metrics per output, all logged', async () => {
    const model = siamese();
    const x = [normal([96, 4]), normal([96, 4])];
    const kind = tensor(Int32Array.from(x[0]!.argMax(-1).dataSync(), (label) => label % 3));
    const size = x[1]!.sum(-1, { keepDims: true });
    model.compile({
      optimizer: new Adam({ learningRate: 0.02 }),
      loss: { kind: 'sparseCategoricalCrossentropy', size: 'mse' },
      lossWeights: { size: 0.25 },
      metrics: { kind: ['accuracy'], size: 'mae' },
    });
    const { history } = await model.fit(
      x,
      { kind, size },
      {
        ...quiet,
        epochs: 25,
        validationSplit: 0.25,
      },
    );
    const names = ['loss', 'kind_loss', 'size_loss', 'kind_accuracy', 'size_mae'];
    expect(Object.keys(history)).toEqual([...names, ...names.map((name) => `val_${name}`)]);
    for (const series of [history, await model.evaluate(x, [kind, size])]) {
      const last = (name: string): number => [series[name]!].flat().at(-1)!;
      expect(last('loss')).toBeCloseTo(last('kind_loss') + 0.25 * last('size_loss'), 5);
    }
    expect(history['size_loss']!.at(-1)).toBeLessThan(history['size_loss']![0]! / 2);
    expect(model.metricDirections).toMatchObject({ size_loss: 'min', kind_accuracy: 'max' });
  });

  it('weights samples per output, or for all', () => {
    const model = siamese();
    model.compile({ loss: { kind: 'sparseCategoricalCrossentropy', size: 'mse' } });
    const x = [normal([4, 4]), normal([4, 4])];
    const y = { kind: tensor(Int32Array.of(0, 1, 2, 0)), size: normal([4, 1]) };
    const plain = model.testOnBatch(x, y);
    const none = tensor([0, 0, 0, 0]);
    expect(model.testOnBatch(x, y, { size: none })['kind_loss']).toBe(plain['kind_loss']);
    expect(model.testOnBatch(x, y, { size: none })['size_loss']).toBe(0);
    expect(model.testOnBatch(x, y, none)['loss']).toBe(0);
  });

  it('leaves an output without a loss alone, and its weights with it', () => {
    const model = siamese();
    model.compile({ optimizer: 'sgd', loss: { size: 'mse' } });
    const values = (name: string): unknown => model.getLayer(name).getWeights().map(String);
    const [kind, size] = [values('kind'), values('size')];
    const logs = model.trainOnBatch([normal([4, 4]), normal([4, 4])], { size: normal([4, 1]) });
    expect(Object.keys(logs)).toEqual(['loss', 'size_loss']);
    expect(values('kind')).toEqual(kind);
    expect(values('size')).not.toEqual(size);
  });

  it('trains on iterables of batches by name', async () => {
    const model = siamese();
    model.compile({ loss: { kind: 'sparseCategoricalCrossentropy', size: 'mse' } });
    const batch = () => ({
      x: { left: normal([8, 4]), right: normal([8, 4]) },
      y: { kind: randint([8], { high: 3 }), size: normal([8, 1]) },
    });
    const { history } = await model.fit([batch(), batch(), batch()].values(), quiet);
    expect(history['loss']![0]).toBeGreaterThan(0);
    const found = await model.evaluate([batch()].values());
    expect(found['kind_loss']).toBeGreaterThan(0);
  });

  it('converts each input to its own dtype', async () => {
    const word = input([3], { dtype: 'int32', name: 'word' });
    const number = input([2], { name: 'number' });
    const vectors = new Flatten().on(new Embedding(1000, 2).on(word));
    const y = new Dense(1).on(new Concatenate().on([vectors, number]));
    const model = new Functional({ inputs: [word, number], outputs: y });
    const seen = await model.predict([
      tensor(Uint8Array.of(1, 2, 3, 4, 5, 255), { shape: [2, 3] }),
      tensor(Uint8Array.of(1, 2, 3, 4), { shape: [2, 2] }),
    ]);
    expect(seen.shape).toEqual([2, 1]);
    const wrong = model.predict([tensor([[1, 2, 1000]]), tensor([[1, 2]])]);
    await expect(wrong).rejects.toThrow(/Embedding\(1000, 2\).*0 to 999, not 1000/);
  });

  it('is a layer of other models, and they of it', async () => {
    const inner = new Sequential([
      new Dense(5, { activation: 'relu', inputShape: [4] }),
      new BatchNormalization(),
    ]);
    const x = input([4]);
    const outer = new Functional({ inputs: x, outputs: new Add().on([inner.on(x), inner.on(x)]) });
    const whole = new Sequential([outer, new Dense(2)]);
    whole.compile({ loss: 'mse' });
    await whole.fit(normal([32, 4]), normal([32, 2]), quiet);
    expect(whole.weights).toHaveLength(2 + 4 + 2);
    inner.trainable = false;
    expect(whole.trainableWeights.map((weight) => weight.name.split('/')[1])).toEqual([
      'kernel',
      'bias',
    ]);
  });

  it('is made again from its config, and cloned, to the bit', async () => {
    const model = siamese();
    const x = [normal([3, 4]), normal([3, 4])];
    const wanted = await model.predict(x);
    const twin = model.clone();
    const again = layerFromConfig(JSON.parse(JSON.stringify(serializeLayer(model))));
    if (!(again instanceof Functional)) throw new Error('another class');
    again.setWeights(model.getWeights());
    for (const copy of [twin, again]) {
      expect(copy.outputNames).toEqual(['kind', 'size']);
      expect(copy.layers.map((layer) => layer.name)).toEqual(
        model.layers.map((layer) => layer.name),
      );
      const got = (await copy.predict(x)) as typeof wanted;
      expect(got.kind.toArray()).toEqual(wanted.kind.toArray());
      expect(copy.weights[0]!.value.storage).not.toBe(model.weights[0]!.value.storage);
    }
    const fresh = model.clone({ weights: false });
    expect((await fresh.predict(x)).kind.toArray()).not.toEqual(wanted.kind.toArray());
  });

  it('begins and ends anywhere: features of an inner layer, the rest from it on', async () => {
    const model = siamese();
    const x = [normal([3, 4]), normal([3, 4])];
    const features = new Functional({ inputs: model.inputs, outputs: model.outputOf('both') });
    const rest = new Functional({ inputs: model.outputOf('both'), outputs: model.outputs.size });
    expect(rest.layers.map((layer) => layer.name).slice(1)).toEqual(['size']);
    const size = await rest.predict(await features.predict(x));
    expect(size.toArray()).toEqual((await model.predict(x)).size.toArray());
    expect(model.outputOf('shared', 1)).not.toBe(model.outputOf('shared', 0));
    expect(() => model.outputOf('shared', 2)).toThrow(/2 places/);
  });

  it('replaces a layer in all its places, or not at all', async () => {
    const model = siamese();
    const x = [normal([3, 4]), normal([3, 4])];
    const [old, wide] = [model.getLayer('shared'), new Dense(6, { name: 'wide' })];
    expect(model.replace('shared', wide)).toBe(old);
    expect(model.layers).toContain(wide);
    expect((await model.predict(x)).size.shape).toEqual([3, 1]);
    const before = (await model.predict(x)).size.toArray();
    const unfit = new Dense(7, { name: 'unfit' });
    expect(() => model.replace(wide, unfit)).toThrow(/kind.*\[\.\.\., 12\].*\[14\]/);
    expect((await model.predict(x)).size.toArray()).toEqual(before);
    expect(model.trainableWeights).toHaveLength(6);
  });

  it('shows what is connected to what', () => {
    const text = siamese().summary();
    expect(text).toMatch(/Connected to/);
    expect(text).toMatch(/shared \(Dense\) +│ \(None, 6\) +│ +30 │ left\[0\], right\[0\]/);
    expect(text).toMatch(/Total params: 82 /);
  });

  it('says what is wrong', async () => {
    const [a, b] = [input([4], { name: 'a' }), input([3], { name: 'b' })];
    const y = new Dense(2).on(a);
    const make = (inputs: (typeof a)[], outputs = y) => new Functional({ inputs, outputs });
    expect(() => make([a, b])).toThrow(/no output depends on the input "b"/);
    expect(() => make([b])).toThrow(/depend on the input "a"/);
    expect(() => new Dense(2).on(normal([2, 4]) as never)).toThrow(/apply\(\)/);
    expect(() => new Dense(2).on([a, b])).toThrow(/takes one input, got 2/);
    expect(() => new Add().on(a)).toThrow(/two inputs or more/);
    expect(() => new Add().on([a, b])).toThrow(/\[4\] and \[3\]/);
    expect(() => new Concatenate({ axis: 1 }).on([input([2, 3]), input([2, 4])])).toThrow(/joined/);
    const twice = new Dense(2, { name: 'd' }).on(new Dense(2, { name: 'd' }).on(a));
    expect(() => make([a], twice)).toThrow(/two layers are named "d"/);
    const model = siamese();
    await expect(model.predict(normal([2, 4]))).rejects.toThrow(/2 of these \(left, right\)/);
    await expect(model.predict({ lft: normal([2, 4]) })).rejects.toThrow(/"left"/);
    await expect(model.predict([normal([2, 4]), normal([2, 5])])).rejects.toThrow(/"right".*\[4\]/);
    await expect(model.predict([normal([2, 4]), normal([3, 4])])).rejects.toThrow(/2 samples/);
    expect(() => model.compile({ loss: { kid: 'mse' } })).toThrow(/Did you mean "kind"/);
    expect(() => model.compile({ loss: ['mse'] })).toThrow(/1 entries for 2 outputs/);
    expect(() => model.compile({ loss: { kind: null } })).toThrow(/no output has a loss/);
    expect(() => model.getLayer('shard')).toThrow(/Did you mean "shared"/);
  });
});

describe('layers of the user', () => {
  it('may take several inputs and give several outputs', async () => {
    /** Gives the sum and the difference of its two inputs. */
    class Both extends Layer {
      call(x: Tensor): Tensor {
        return x;
      }

      override applyAll([a, b]: readonly Tensor[]): Tensor[] {
        return [a!.add(b!), a!.sub(b!)];
      }

      override outputShapes(shape: readonly number[]): readonly (readonly number[])[] {
        return [shape, shape];
      }
    }
    const [a, b] = [input([2]), input([2])];
    const [sum, difference] = new Both().onAll([a, b]);
    const model = new Functional({ inputs: [a, b], outputs: [sum!, difference!] });
    const [x, y] = await model.predict([tensor([[1, 2]]), tensor([[3, 5]])]);
    expect([x.toArray(), y.toArray()]).toEqual([[[4, 7]], [[-2, -3]]]);
  });

  it('noise acts in predictMC per output', async () => {
    const x = input([10]);
    const dropped = new Dropout(0.5).on(x);
    const outputs = { random: new Dense(1).on(dropped), plain: new Dense(1).on(x) };
    const model = new Functional({ inputs: x, outputs });
    const { random, plain } = await model.predictMC(normal([6, 10]), { samples: 20 });
    expect(Math.min(...random.standardDeviation.dataSync())).toBeGreaterThan(0);
    expect(Math.max(...plain.standardDeviation.dataSync())).toBeLessThan(1e-6);
  });
});
