/** Models in files: what is loaded is what was saved, and training goes on to the same bits. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  defaultGenerator,
  FileError,
  Functional,
  input,
  io,
  Layer,
  layers,
  loadModel,
  losses,
  optimizers,
  registerActivation,
  registerLayer,
  schedules,
  seed,
  Sequential,
  tensor,
  ValueError,
} from 'gradloom';
import type { Model, Shape, Tensor } from 'gradloom';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import { python, withPackages } from './python.js';

const { BatchNormalization, Concatenate, Dense, Dropout, Flatten, Normalization } = layers;

const folder = mkdtempSync(join(tmpdir(), 'gradloom-save-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

beforeEach(() => {
  seed(7);
});

/** 48 samples of 6 features in three classes. */
function data(): { x: Tensor; y: Tensor } {
  const x = Float32Array.from({ length: 48 * 6 }, (_, i) => Math.sin(i * i) + (i % 3) * 0.3);
  const y = Int32Array.from({ length: 48 }, (_, i) => i % 3);
  return { x: tensor(x, { shape: [48, 6] }), y: tensor(y) };
}

function classifier(): Sequential {
  const regular = { kernelRegularizer: 'l2', kernelConstraint: 'maxNorm' } as const;
  const model = new Sequential([
    new Normalization({ inputShape: [6] }),
    new Dense(16, { kernelInitializer: 'heNormal', useBias: false }),
    new BatchNormalization(),
    new layers.LeakyReLU(),
    new Dropout(0.2),
    new Dense(16, { ...regular, activation: { name: 'relu', params: { maxValue: 3 } } }),
    new layers.PReLU(),
    new Flatten(),
    new Dense(3, { activation: 'softmax' }),
  ]);
  return model.compile({
    optimizer: new optimizers.Nadam({ learningRate: 0.01, clipNorm: 1 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

const quiet = { batchSize: 16, verbose: 'silent' } as const;

/** All weights, as bytes: NaN and −0 count too. */
const bits = (model: Model): string =>
  model.weights.map(({ value }) => Buffer.from(value.dataSync().buffer).toString('hex')).join();

describe('a whole model', () => {
  test('an activation of the user is saved by the name it is registered under', async () => {
    const bend = (x: Tensor): Tensor => x.mul(x.tanh());
    const { x, y } = data();
    const layer = new Dense(5, { activation: bend, inputShape: [6] });
    const model = new Sequential([layer, new layers.Activation(bend), new Dense(3)]);
    model.compile({ optimizer: 'adam', loss: losses.get('mse') });
    await expect(model.save(file('bend'))).rejects.toThrow(/registerActivation\('bend', bend\)/);
    registerActivation('bend', bend);
    await model.save(file('bend'));
    const loaded = await loadModel(file('bend'));
    const [before, after] = [model, loaded].map((each) => each.apply(x).toArray());
    expect(after).toEqual(before);
    // By name, cloned and trained.
    const named = new Sequential([new Dense(3, { activation: 'bend', inputShape: [6] })]).clone();
    named.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const targets = tensor(Array.from(y.dataSync(), (label) => [label, 0, 1]));
    const losing = (): number => named.trainOnBatch(x, targets)['loss']!;
    const first = losing();
    for (let step = 0; step < 50; step++) losing();
    expect(losing()).toBeLessThan(first);
  });

  test('comes back the same: architecture, weights, predictions, evaluation', async () => {
    const { x, y } = data();
    const model = classifier();
    await model.fit(x, y, { ...quiet, epochs: 2 });
    await model.save(file('whole'));
    const loaded = await loadModel(file('whole'));
    expect(loaded).toBeInstanceOf(Sequential);
    expect(loaded).not.toBe(model);
    expect(loaded.config()).toEqual(model.config());
    expect(loaded.summary()).toBe(model.summary());
    expect(bits(loaded)).toBe(bits(model));
    const predicted = (await loaded.predict(x)) as Tensor;
    expect(predicted.dataSync()).toEqual((await model.predict(x)).dataSync());
    expect(await loaded.evaluate(x, y)).toEqual(await model.evaluate(x, y));
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('goes on training to the same bits, random numbers and order included', async () => {
    const { x, y } = data();
    const model = classifier();
    await model.fit(x, y, { ...quiet, epochs: 3 });
    await model.save(file('middle'));
    await model.fit(x, y, { ...quiet, epochs: 3 });
    seed(99);
    const loaded = await loadModel(file('middle'), { restoreGenerator: true });
    expect(loaded.epochsSeen).toBe(3);
    await loaded.fit(x, y, { ...quiet, epochs: 3 });
    expect(bits(loaded)).toBe(bits(model));
    expect(loaded.optimizer.iterations).toBe(model.optimizer.iterations);
  });

  test('is saved as it is at the moment of the call', async () => {
    const { x, y } = data();
    const model = classifier();
    const before = bits(model);
    const saving = model.save(file('moment'));
    model.trainOnBatch(x, y);
    await saving;
    expect(bits(await loadModel(file('moment')))).toBe(before);
    expect(bits(model)).not.toBe(before);
  });

  test('loading takes no random numbers and makes new names that are free', async () => {
    await classifier().save(file('quiet'));
    const before = defaultGenerator.state();
    const loaded = await loadModel(file('quiet'));
    if (!(loaded instanceof Sequential)) throw new Error('not a Sequential');
    expect(defaultGenerator.state()).toEqual(before);
    loaded.pop();
    loaded.add(new Dense(5));
    expect(loaded.outputNames).toHaveLength(1);
  });

  test('frozen layers stay frozen, an uncompiled or unbuilt model stays so', async () => {
    const model = classifier();
    model.layers[1]!.trainable = false;
    await model.save(file('frozen'));
    const loaded = await loadModel(file('frozen'));
    expect(loaded.trainableWeights.map(({ name }) => name)).toEqual(
      model.trainableWeights.map(({ name }) => name),
    );
    await model.save(file('bare'), { includeOptimizer: false });
    expect((await loadModel(file('bare'))).isCompiled).toBe(false);
    expect((await loadModel(file('frozen'), { compile: false })).isCompiled).toBe(false);
    await new Sequential([new Dense(3)]).save(file('unbuilt'));
    const unbuilt = await loadModel(file('unbuilt'));
    expect(unbuilt.built).toBe(false);
    expect(unbuilt.apply(tensor([[1, 2]])).shape).toEqual([1, 3]);
  });
});

const makers: Record<string, () => optimizers.Optimizer> = {
  sgd: () => new optimizers.SGD({ momentum: 0.9, nesterov: true }),
  adagrad: () => new optimizers.Adagrad(),
  adadelta: () => new optimizers.Adadelta(),
  rmsprop: () => new optimizers.RMSprop({ centered: true, momentum: 0.5 }),
  adam: () => new optimizers.Adam({ amsgrad: true }),
  adamw: () => new optimizers.AdamW({ useEma: true, emaMomentum: 0.9 }),
  adamax: () => new optimizers.Adamax(),
  nadam: () => new optimizers.Nadam(),
  lion: () => new optimizers.Lion(),
  // Two epochs have 6 steps: the gradients of 2 wait in the file.
  accumulating: () => new optimizers.Nadam({ gradientAccumulationSteps: 4, useEma: true }),
  scheduled: () =>
    new optimizers.Adam({
      learningRate: new schedules.CosineDecay({ initialLearningRate: 0.01, decaySteps: 9 }),
    }),
};

test.each(Object.entries(makers))('%s goes on exactly where it was', async (name, make) => {
  const { x, y } = data();
  const loss = 'sparseCategoricalCrossentropy';
  const model = classifier().compile({ optimizer: make(), loss });
  const [first] = model.layers.filter((layer) => layer.weights.length > 0);
  const slow = first!.weights.map(({ value }) => value);
  model.optimizer.group(slow, { rateMultiplier: 0.1, weightDecay: 0.01 });
  await model.fit(x, y, { ...quiet, epochs: 2 });
  await model.save(file(name));
  const loaded = await loadModel(file(name), { restoreGenerator: true });
  expect(loaded.optimizer.config()).toEqual(model.optimizer.config());
  const state = defaultGenerator.state();
  await model.fit(x, y, { ...quiet, epochs: 2 });
  defaultGenerator.restore(state);
  await loaded.fit(x, y, { ...quiet, epochs: 2 });
  expect(bits(loaded)).toBe(bits(model));
  const values = (each: Model): unknown => {
    const state = each.optimizer.state(each.weights.map(({ value }) => value));
    const { numbers, tensors, groups } = state;
    return [numbers, groups, Object.entries(tensors).map(([key, value]) => [key, value.toArray()])];
  };
  expect(values(loaded)).toEqual(values(model));
  const members = loaded.optimizer.state(loaded.weights.map(({ value }) => value)).groups;
  expect(members).toMatchObject([{ settings: { rateMultiplier: 0.1, weightDecay: 0.01 } }]);
});

test('a model of several inputs and outputs, with a shared layer and a model inside', async () => {
  const left = input([6], { name: 'left' });
  const right = input([6], { name: 'right' });
  const shared = new Dense(4, { activation: 'tanh', name: 'shared' });
  const encoder = new Sequential([new Dense(5, { inputShape: [8] }), new Dropout(0.1)], {
    name: 'encoder',
  });
  const both = encoder.on(new Concatenate().on([shared.on(left), shared.on(right)]));
  const model = new Functional({
    inputs: { left, right },
    outputs: {
      class: new Dense(3, { activation: 'softmax' }).on(both),
      size: new Dense(1, { kernelRegularizer: 'l1' }).on(both),
    },
  }).compile({
    optimizer: 'adam',
    loss: { class: 'sparseCategoricalCrossentropy', size: new losses.Huber({ delta: 0.5 }) },
    lossWeights: { class: 1, size: 0.25 },
    metrics: { class: ['accuracy'], size: 'mae' },
  });
  const { x, y } = data();
  const inputs = { left: x, right: x.mul(0.5) };
  const targets = { class: y, size: x.sum(1) };
  await model.fit(inputs, targets, { ...quiet, epochs: 2 });
  await model.save(file('functional'));
  const loaded = await loadModel(file('functional'), { restoreGenerator: true });
  expect(loaded).toBeInstanceOf(Functional);
  expect(loaded.outputNames).toEqual(['class', 'size']);
  expect(loaded.summary()).toBe(model.summary());
  const state = defaultGenerator.state();
  const first = await model.fit(inputs, targets, { ...quiet, epochs: 2 });
  defaultGenerator.restore(state);
  const second = await loaded.fit(inputs, targets, { ...quiet, epochs: 2 });
  expect(second.history).toEqual(first.history);
  expect(bits(loaded)).toBe(bits(model));
  const { tensors } = await io.readSafetensors(file('functional'));
  expect([...tensors.keys()]).toContain(
    'encoder/dense_1/kernel'.replace('dense_1', encoder.layers[0]!.name),
  );
});

class Shift extends Layer {
  static override readonly positional = ['by'];
  #offset!: ReturnType<Layer['addWeight']>;

  constructor(
    readonly by: number,
    options: layers.LayerOptions = {},
  ) {
    super(options);
  }

  override build(inputShape: Shape): void {
    this.#offset = this.addWeight('offset', inputShape, { initializer: 'zeros' });
  }

  override call(x: Tensor): Tensor {
    return x.add(this.#offset.value).add(this.by);
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), by: this.by };
  }
}

class Secretive extends Layer {
  constructor(readonly by: number) {
    super();
  }

  override call(x: Tensor): Tensor {
    return x.add(this.by);
  }
}

describe('layers of your own', () => {
  test('must be registered before loading, and then load', async () => {
    const model = new Sequential([new Shift(3, { inputShape: [2] })]);
    await model.save(file('own'));
    await expect(loadModel(file('own'))).rejects.toThrow(FileError);
    await expect(loadModel(file('own'))).rejects.toThrow(
      /no layer named "Shift".*A class of your own: registerLayer\(Shift\) first/,
    );
    registerLayer(Shift);
    registerLayer(Shift);
    const loaded = await loadModel(file('own'));
    expect((loaded.layers[0] as Shift).by).toBe(3);
    expect(loaded.apply(tensor([[1, 2]])).toArray()).toEqual([[4, 5]]);
    expect(() => registerLayer({ Shift: class Shift extends Dense {} }.Shift)).toThrow(ValueError);
  });

  test('that do not state their arguments, or take a name that is there, cannot be saved', async () => {
    const secretive = new Sequential([new Secretive(1)]);
    await expect(secretive.save(file('no'))).rejects.toThrow(
      /Secretive takes arguments, but the class does not state them in config\(\) and positional/,
    );
    const fake = { Dense: class Dense extends Shift {} };
    const named = new Sequential([new fake.Dense(1)]);
    await expect(named.save(file('no'))).rejects.toThrow(/is named Dense like another one/);
    expect(readdirSync(folder)).not.toContain('no');
  });

  test('a loss that is a function is refused when saving, unless without optimizer', async () => {
    const model = new Sequential([new Dense(1, { inputShape: [2] })]);
    model.compile({ loss: (a: Tensor, b: Tensor) => a.sub(b).square() });
    await expect(model.save(file('function'))).rejects.toThrow(ValueError);
    await expect(model.save(file('function'))).rejects.toThrow(/is a function and cannot be saved/);
    await model.save(file('function'), { includeOptimizer: false });
    expect(bits(await loadModel(file('function')))).toBe(bits(model));
  });
});

test.skipIf(!withPackages('numpy'))('other programs read the weights by name', async () => {
  const model = new Sequential([new Dense(2, { inputShape: [3], name: 'first' })]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  model.trainOnBatch(tensor([[1, 2, 3]]), tensor([[0, 1]]));
  await model.save(file('for-python'));
  const script = new URL('golden/read-safetensors.py', import.meta.url).pathname;
  const output = execFileSync(python!, [script, file('for-python')]).toString();
  const { tensors, metadata } = JSON.parse(output) as {
    tensors: Record<string, [string, number[], number[]]>;
    metadata: Record<string, string>;
  };
  expect(metadata['format']).toBe('gradloom');
  expect(Object.keys(tensors).sort()).toEqual([
    'first/bias',
    'first/kernel',
    'optimizer/first/bias/m',
    'optimizer/first/bias/v',
    'optimizer/first/kernel/m',
    'optimizer/first/kernel/v',
  ]);
  const kernel = model.weights[0]!.value;
  expect(tensors['first/kernel']).toEqual(['float32', [3, 2], [...kernel.dataSync()]]);
});
