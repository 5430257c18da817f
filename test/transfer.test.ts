/** Transfer learning: sharing, copying, freezing and replacing layers; what the next step does. */

import { beforeEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { noGrad } from '../src/autograd/tape.js';
import { setDevice } from '../src/backends/registry.js';
import {
  Activation,
  BatchNormalization,
  Dense,
  Dropout,
  Flatten,
  Input,
} from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import { Sequential } from '../src/models/sequential.js';
import { Adam, SGD } from '../src/optimizers/index.js';
import { normal, seed } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const valuesOf = (layer: Layer): number[][] => layer.getWeights().map((w) => [...w.dataSync()]);

function trained(): Sequential {
  const model = new Sequential([
    new Dense(6, { activation: 'elu', inputShape: [4], name: 'lower' }),
    new Dense(5, { activation: 'elu', name: 'upper' }),
    new Dense(3, { name: 'head' }),
  ]);
  return model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'mse' });
}

describe.each(devices)('transfer learning on %s', (device) => {
  let x: Tensor;
  let y: Tensor;

  beforeEach(() => {
    setDevice(device);
    seed(11);
    x = normal([16, 4]);
    y = normal([16, 3]);
  });

  it('layers of another model are shared: training one changes the other', () => {
    const model = trained();
    const other = new Sequential([...model.layers.slice(0, -1), new Dense(3, { name: 'new' })]);
    other.compile({ optimizer: 'sgd', loss: 'mse' });
    const before = valuesOf(model.getLayer('lower'));
    other.trainOnBatch(x, y);
    expect(valuesOf(model.getLayer('lower'))).not.toEqual(before);
    expect(valuesOf(other.getLayer('lower'))).toEqual(valuesOf(model.getLayer('lower')));
  });

  it('a clone is on its own', async () => {
    const model = trained();
    const twin = model.clone();
    expect((await twin.predict(x)).toArray()).toEqual((await model.predict(x)).toArray());
    twin.compile({ optimizer: 'sgd', loss: 'mse' });
    const before = valuesOf(model);
    twin.trainOnBatch(x, y);
    expect(valuesOf(model)).toEqual(before);
    expect(valuesOf(twin)).not.toEqual(before);
    expect(valuesOf(model.clone({ weights: false }))).not.toEqual(before);
  });

  it('freezing holds from the next step on, unfreezing too, without compiling again', () => {
    const model = trained();
    const [lower, upper] = [model.getLayer('lower'), model.getLayer('upper')];
    model.trainOnBatch(x, y);
    lower.trainable = false;
    const before = [lower, upper].map(valuesOf);
    model.trainOnBatch(x, y);
    expect(valuesOf(lower)).toEqual(before[0]);
    expect(valuesOf(upper)).not.toEqual(before[1]);
    expect(model.trainableWeights.map((weight) => weight.name)).toEqual([
      'upper/kernel',
      'upper/bias',
      'head/kernel',
      'head/bias',
    ]);
    expect(model.summary()).toMatch(/lower.*30 \(frozen\)/);
    expect(model.summary()).toMatch(/Non-trainable params: 30 /);
    lower.trainable = true;
    model.trainOnBatch(x, y);
    expect(valuesOf(lower)).not.toEqual(before[0]);
  });

  it("the optimizer's state of a frozen layer waits for it", () => {
    const model = trained().compile({ optimizer: new Adam(), loss: 'mse' });
    for (let i = 0; i < 3; i++) model.trainOnBatch(x, y);
    const parameters = model.weights.map((weight) => weight.value);
    const moment = (): unknown => model.optimizer.state(parameters).tensors['0/m']!.toArray();
    const before = moment();
    model.getLayer('lower').trainable = false;
    model.trainOnBatch(x, y);
    expect(moment()).toEqual(before);
    model.getLayer('lower').trainable = true;
    model.trainOnBatch(x, y);
    expect(moment()).not.toEqual(before);
  });

  it('a whole model is frozen with everything in it', () => {
    const inner = new Sequential([new Dense(4, { inputShape: [4] }), new BatchNormalization()]);
    const model = new Sequential([inner, new Dense(3)]).compile({ optimizer: 'sgd', loss: 'mse' });
    inner.trainable = false;
    expect(inner.layers.every((layer) => !layer.trainable)).toBe(true);
    const before = valuesOf(inner);
    model.trainOnBatch(x, y);
    expect(valuesOf(inner)).toEqual(before);
    model.trainable = false;
    const all = valuesOf(model);
    expect(Number.isFinite(model.trainOnBatch(x, y)['loss'])).toBe(true);
    expect(valuesOf(model)).toEqual(all);
    model.trainable = true;
    model.trainOnBatch(x, y);
    expect(valuesOf(inner)).not.toEqual(before);
  });

  it('frozen batch normalization is in inference and lets gradients through', () => {
    const norm = new BatchNormalization({ name: 'norm' });
    const model = new Sequential([
      new Dense(4, { inputShape: [4], name: 'below' }),
      norm,
      new Activation('elu'),
      new Dense(3),
    ]);
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
    for (let i = 0; i < 5; i++) model.trainOnBatch(x, y);
    const moved = valuesOf(norm);
    expect(moved[2]!.every((mean) => mean !== 0)).toBe(true);
    norm.trainable = false;
    const hidden = normal([8, 4]);
    const [training, inference] = [true, false].map((on) =>
      noGrad(() => norm.apply(hidden, { training: on }).toArray()),
    );
    expect(training).toEqual(inference);
    const below = valuesOf(model.getLayer('below'));
    model.trainOnBatch(x, y);
    expect(valuesOf(norm)).toEqual(moved);
    expect(valuesOf(model.getLayer('below'))).not.toEqual(below);
    norm.trainable = true;
    model.trainOnBatch(x, y);
    valuesOf(norm).forEach((values, i) => expect(values).not.toEqual(moved[i]));
  });

  it('layers are popped, added and replaced', async () => {
    const model = trained();
    const head = model.pop();
    expect(head.name).toBe('head');
    expect((await model.predict(x)).shape).toEqual([16, 5]);
    model.add(new Dense(2, { name: 'other' }));
    expect((await model.predict(x)).shape).toEqual([16, 2]);
    expect(model.replace('other', head).name).toBe('other');
    expect(model.outputShape([4])).toEqual([3]);
    model.trainOnBatch(x, y);
    const kept = model.layers.map((layer) => layer.name);
    expect(() => model.replace('upper', new Dense(7))).toThrow(/head.*\[\.\.\., 5\].*\[7\]/);
    expect(() => model.replace('upper', head)).toThrow(/named "head" already/);
    expect(() => model.replace('uper', new Dense(5))).toThrow(/Did you mean "upper"/);
    expect(model.layers.map((layer) => layer.name)).toEqual(kept);
    expect((await model.predict(x)).shape).toEqual([16, 3]);
  });

  it('built layers refuse samples of another shape', () => {
    const model = trained();
    expect(() => new Sequential([new Input([5]), model.getLayer('lower')])).toThrow(
      /lower.*\[\.\.\., 4\].*\[5\]/,
    );
    const norm = new BatchNormalization({ inputShape: [3], name: 'norm' });
    norm.ensureBuilt([3]);
    expect(() => new Sequential([new Flatten({ inputShape: [4] }), norm])).toThrow(/norm.*\[3\]/);
  });

  it('dropout below a frozen layer still drops: only batch normalization changes', () => {
    const model = new Sequential([
      new Dropout(0.5, { inputShape: [4] }),
      new Dense(3, { trainable: false }),
    ]);
    const [a, b] = [1, 2].map(() => model.apply(x, { training: true }).toArray());
    expect(a).not.toEqual(b);
  });
});
