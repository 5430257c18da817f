/** What a hurried user gets wrong, and the words that put it right. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it, vi } from 'vitest';

import {
  callbacks,
  constraints,
  findLearningRate,
  GradloomError,
  initializers,
  input,
  layers,
  loadModel,
  losses,
  metrics,
  Model,
  optimizers,
  randn,
  registerLayer,
  regularizers,
  schedules,
  Sequential,
  tensor,
  zeros,
} from 'gradloom';
import type { FitOptions } from 'gradloom';

/** As JavaScript sees it: anything goes. */
type Loose = (...args: unknown[]) => unknown;
const made = (each: unknown, ...args: unknown[]): unknown =>
  new (each as new (...args: unknown[]) => unknown)(...args);

const x = randn([12, 4]);
const y = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));

function net(): Sequential {
  return new Sequential([
    new layers.Dense(5, { activation: 'relu', inputShape: [4] }),
    new layers.Dense(3, { activation: 'softmax' }),
  ]);
}

const compiled = (): Sequential =>
  net().compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });

const compile = (...args: unknown[]): unknown => {
  const model = net();
  return (model.compile as Loose).call(model, ...args);
};
const built = (layer: layers.Layer): unknown => new Sequential([layer]).apply(x);

describe('options that there are not', () => {
  const dense = (options: object): layers.Layer => new layers.Dense(3, options);
  const cases: readonly [string, () => unknown, RegExp][] = [
    ['of a layer', () => built(dense({ activaton: 'relu' })), /option of Dense named "activaton". Did you mean "activation"/],
    ['in Python spelling', () => built(dense({ kernel_initializer: 'zeros' })), /"kernelInitializer"\?/],
    ['of a weight', () => built(dense({ kernel_constraint: 'maxNorm' })), /"kernelConstraint"\?/],
    ['of batch normalization', () => built(made(layers.BatchNormalization, { momentm: 0.9 }) as layers.Layer), /"momentum"\?/],
    ['of an activation layer', () => built(made(layers.LeakyReLU, { alpha: 0.1 }) as layers.Layer), /option of LeakyReLU named "alpha".*negativeSlope/],
    ['of an optimizer', () => compile({ optimizer: made(optimizers.Adam, { learning_rate: 1 }), loss: 'mse' }), /option of Adam.*"learningRate"\?/],
    ['of an optimizer by config', () => optimizers.get({ className: 'Nadam', config: { beta_3: 1 } }), /option of Nadam named "beta_3"/],
    ['of a loss', () => compile({ loss: made(losses.SparseCategoricalCrossentropy, { from_logits: true }) }), /"fromLogits"\?/],
    ['of a metric', () => compile({ loss: 'mse', metrics: [made(metrics.TopKCategoricalAccuracy, { K: 3, kk: 1 })] }), /option of TopKCategoricalAccuracy/],
    ['of an initializer', () => built(dense({ kernelInitializer: made(initializers.HeNormal, { sede: 3 }) })), /option of HeNormal.*"seed"\?/],
    ['of a callback', () => made(callbacks.EarlyStopping, { patient: 3 }), /option of EarlyStopping.*"patience"\?/],
    ['of a schedule', () => made(schedules.CosineDecay, { initialLearningRate: 1, decaySteps: 9, alfa: 1 }), /option of CosineDecay.*"alpha"\?/],
    ['of a regularizer', () => built(dense({ kernelRegularizer: made(regularizers.L2, { l1: 1 }) })), /option of L2 named "l1"/],
    ['of a constraint', () => constraints.get({ className: 'MaxNorm', config: { max: 1 } }), /option of MaxNorm.*maxValue/],
    ['of compile', () => compile({ optimiser: 'adam', loss: 'mse' }), /option of compile.*"optimizer"\?/],
  ]; // prettier-ignore

  it.each(cases)('%s are named, with the nearest right one', (_, call, message) => {
    expect(call).toThrow(GradloomError);
    expect(call).toThrow(message);
  });

  it('of fit, evaluate and predict are named', async () => {
    const model = compiled();
    const fit = (options: object): Promise<unknown> => model.fit(x, y, options as FitOptions);
    await expect(fit({ epoch: 5 })).rejects.toThrow(/option of fit.*"epochs"\?/);
    await expect(fit({ batch_size: 5 })).rejects.toThrow(/"batchSize"\?/);
    const evaluate = model.evaluate(x, y, { batchsize: 3 } as object);
    await expect(evaluate).rejects.toThrow(/option of evaluate/);
    const search = findLearningRate(model, x, y, { maximum: 1 } as object);
    await expect(search).rejects.toThrow(/option of findLearningRate named "maximum"/);
    await expect(model.predict(x, 32 as never)).rejects.toThrow(/predict: options.*got 32/);
  });

  it('that are there, or undefined, are taken', () => {
    expect(() =>
      built(new layers.ReLU({ maxValue: undefined as never, activityRegularizer: 'l2' })),
    ).not.toThrow();
    expect(() => built(new layers.ReLU({ maxValue: 6, name: 'six' }))).not.toThrow();
    expect(() => built(new layers.ReLU({ maxValue: null, negativeSlope: 0.1 }))).not.toThrow();
    expect(() => built(new layers.Dense(3, { activation: (t) => t }))).not.toThrow();
    expect(() => built(new layers.Dense(3, { kernelRegularizer: null }))).not.toThrow();
    expect(() => metrics.get(new metrics.F1Score({ average: 'micro' }))).not.toThrow();
  });

  it('of layers of a user are their own affair', () => {
    class Mine extends layers.Dense {
      constructor(options: layers.LayerOptions & { readonly note?: string }) {
        super(3, options);
      }
    }
    expect(() => built(new Mine({ note: 'x' }))).not.toThrow();
  });
});

describe('things in the wrong place', () => {
  const cases: readonly [string, () => unknown, RegExp][] = [
    ['a name for options', () => made(layers.Dense, 3, 'relu'), /Dense: options are given by name, \{ name: value \}; got "relu"/],
    ['a rate for options', () => made(optimizers.Adam, 0.01), /Adam: options are given by name.*got 0.01/],
    ['a rate in quotes', () => made(optimizers.Adam, { learningRate: '0.1' }), /adam: learningRate must be a number or a schedule, not "0.1"/],
    ['compile without anything', () => compile(), /compile: options are given by name.*got undefined/],
    ['compile in Python order', () => compile('adam', 'mse'), /compile: options are given by name.*got "adam"/],
    ['compile without a loss', () => compile({ optimizer: 'adam' }), /compile: there is no loss; give one/],
    ['one metric for several', () => compile({ loss: 'mse', metrics: 'accuracy' }), /metrics must be an array, such as \['accuracy'\]/],
    ['a checkpoint without a path', () => made(callbacks.ModelCheckpoint), /ModelCheckpoint: expected a path/],
    ['options for a path', () => made(callbacks.CSVLogger, { append: true }), /CSVLogger: expected a path/],
    ['a factor in quotes', () => made(regularizers.L2, 'x'), /L2: options are given by name/],
    ['a rate below 0', () => made(schedules.ExponentialDecay, { initialLearningRate: -1, decaySteps: 9, decayRate: 1 }), /initialLearningRate must be a number of 0 or more, not -1/],
    ['a limit in quotes', () => made(optimizers.Adam, { clipNorm: '1' }), /adam: clipNorm must be a number, not "1"/],
    ['patience in quotes', () => made(callbacks.EarlyStopping, { patience: '3' }), /EarlyStopping: patience must be a number, not "3"/],
    ['a start below 0', () => made(callbacks.EarlyStopping, { startFromEpoch: -2 }), /startFromEpoch must be 0 or more, not -2/],
    ['a change of NaN', () => made(callbacks.EarlyStopping, { minDelta: NaN }), /minDelta must be a number/],
    ['a cooldown below 0', () => made(callbacks.ReduceLROnPlateau, { cooldown: -1 }), /cooldown must be 0 or more/],
    ['a number for a shape', () => made(layers.Dense, 3, { inputShape: 4 }), /inputShape.*a shape is an array/],
    ['a dtype layers do not know', () => made(layers.Dense, 3, { dtype: 'float16' }), /dtype must be float32 or float64, not "float16"/],
    ['a number for a name', () => made(layers.Dense, 3, { name: 5 }), /name of a layer must be a text, not 5/],
    ['a rate in quotes for 1cycle', () => made(callbacks.OneCycleScheduler, '0.1'), /highest learning rate.*got "0.1"/],
    ['a hook that there is not', () => made(callbacks.LambdaCallback, { onEpochEn: () => 0 }), /option of LambdaCallback.*"onEpochEnd"\?/],
    ['a hook that is none', () => made(callbacks.LambdaCallback, { onEpochEnd: 3 }), /onEpochEnd must be a function, not 3/],
    ['a layer for several', () => made(Sequential, new layers.Dense(3)), /Sequential: expected an array of layers/],
    ['something that is no layer class', () => registerLayer(3 as never), /expected a class that extends Layer, got 3/],
    ['a parameter for several', () => new optimizers.Adam().step(x as never), /step\(\[w, b\]\)/],
    ['an activation that gives a number', () => built(new layers.Dense(3, { activation: (() => 3) as never })), /result of the layer dense.*: expected a tensor, got 3/],
    ['a rate for a function', () => made(callbacks.LearningRateScheduler, 0.1), /expected a function from \(epoch, rate\)/],
  ]; // prettier-ignore

  it.each(cases)('%s', (_, call, message) => {
    expect(call).toThrow(GradloomError);
    expect(call).toThrow(message);
  });

  it.each([
    ['one callback for several', { callbacks: new callbacks.History() }, /must be an array/],
    ['a name', { callbacks: ['earlyStopping'] }, /callback 0 must be a Callback.*got "earlyS/],
    ['a class', { callbacks: [callbacks.EarlyStopping] }, /Callback, new EarlyStopping\(…\)/],
    ['shuffling by a name', { shuffle: 'batch' }, /shuffle must be true or false, not "batch"/],
    ['a signal that is none', { signal: 'now' }, /must be an AbortSignal/],
    ['verbose as in Keras', { verbose: 1 }, /auto, bar, lines, silent, not 1; Keras's 0, 1/],
  ])('fit: %s', async (_, options, message) => {
    const fit = compiled().fit(x, y, options as unknown as FitOptions);
    await expect(fit).rejects.toThrow(message);
  });
});

describe('parts of another library', () => {
  const cases: readonly [string, () => unknown, RegExp][] = [
    [
      'a layer of two inputs given an array',
      () => (new layers.Add().apply as Loose).call(new layers.Add(), [x, x]),
      /apply\(\) takes a tensor, got an array of 2; several inputs go to applyAll/,
    ],
    [
      'a layer applied to a symbol',
      () => (new layers.Dense(1).apply as Loose).call(new layers.Dense(1), input([4])),
      /got a SymbolicTensor; on\(input\) places it/,
    ],
    [
      'Input({ shape })',
      () => made(layers.Input, { shape: [4] }),
      /the shape comes first, input\(\[4\]/,
    ],
    [
      'Model({ inputs, outputs })',
      () => made(Model, {}),
      /use new Functional\(\{ inputs, outputs \}\)/,
    ],
    [
      'the class of an optimizer',
      () => compile({ optimizer: optimizers.Adam, loss: 'mse' }),
      /expected an optimizer.*the class or function Adam; if a class, make one: new Adam\(\)/,
    ],
    [
      'the class of a loss',
      () => compile({ loss: losses.MeanSquaredError }),
      /expected a loss.*new MeanSquaredError\(\)/,
    ],
    [
      'a confusion matrix of no classes',
      () => made(metrics.ConfusionMatrix),
      /needs 2 classes or more, not undefined/,
    ],
    ['saveFreq', () => made(callbacks.ModelCheckpoint, 'a', { saveFreq: 1 }), /"saveFrequency"\?/],
    ['logDir', () => made(callbacks.TensorBoard, { logDir: 'a' }), /"logDirectory"\?/],
    ['minLr', () => made(callbacks.ReduceLROnPlateau, { minLr: 0 }), /"minLearningRate"\?/],
    ['lr', () => optimizers.get({ className: 'SGD', config: { lr: 1 } }), /"learningRate"\?/],
  ];
  it.each(cases)('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('a function that makes batches is to be called', async () => {
    const model = compiled();
    const run = (model.fit as Loose).call(
      model,
      function* () {
        yield { x, y };
      },
      {},
    );
    await expect(run).rejects.toThrow(/data is a function; call it, fit\(batches\(\)\)/);
  });
});

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

/** What is written to standard error meanwhile. */
async function said(run: () => unknown): Promise<string> {
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    await run();
    return write.mock.calls.map(([text]) => text).join('');
  } finally {
    write.mockRestore();
  }
}

describe('callbacks say what they do where they are asked to', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gradloom-said-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const path = join(directory, 'model.safetensors');
  // No epoch improves on the first by so much.
  const never = { monitor: 'loss', minDelta: 100 };
  type Make = (verbose: boolean) => callbacks.Callback;
  const cases: readonly [string, Make, string][] = [
    [
      'EarlyStopping',
      (verbose) => new callbacks.EarlyStopping({ ...never, restoreBestWeights: true, verbose }),
      'EarlyStopping: stopped after epoch 2\n' +
        'EarlyStopping: the weights of epoch 1, the best, are restored\n',
    ],
    [
      'ReduceLROnPlateau',
      (verbose) => new callbacks.ReduceLROnPlateau({ ...never, patience: 1, factor: 0.5, verbose }),
      'ReduceLROnPlateau: epoch 2: learning rate 0.0005\n' +
        'ReduceLROnPlateau: epoch 3: learning rate 0.00025\n',
    ],
    [
      'LearningRateScheduler',
      (verbose) => new callbacks.LearningRateScheduler((epoch) => 1 / (epoch + 1), { verbose }),
      'LearningRateScheduler: epoch 1: learning rate 1\n' +
        'LearningRateScheduler: epoch 2: learning rate 0.5\n' +
        `LearningRateScheduler: epoch 3: learning rate ${1 / 3}\n`,
    ],
    [
      'ModelCheckpoint of the best',
      (verbose) =>
        new callbacks.ModelCheckpoint(path, {
          ...{ monitor: 'loss', saveBestOnly: true, initialValueThreshold: 1e-9, verbose },
        }),
      [1, 2, 3]
        .map((n) => `ModelCheckpoint: epoch ${n}: loss did not improve from 1.0000e-9\n`)
        .join(''),
    ],
    [
      'ModelCheckpoint of all',
      (verbose) => new callbacks.ModelCheckpoint(`${path}-{epoch}`, { verbose }),
      [1, 2, 3].map((n) => `ModelCheckpoint: epoch ${n}: saved ${path}-${n}\n`).join(''),
    ],
  ];

  it.each(cases)('%s', async (_, make, text) => {
    const run = (verbose: boolean) => (): Promise<unknown> =>
      compiled().fit(x, y, { epochs: 3, verbose: 'silent', callbacks: [make(verbose)] });
    expect(await said(run(true))).toBe(text);
    expect(await said(run(false))).toBe('');
  });

  it('ModelCheckpoint names the value it improves on', async () => {
    const best = { monitor: 'loss', saveBestOnly: true, initialValueThreshold: 50, verbose: true };
    const saving = new callbacks.ModelCheckpoint(path, best);
    const text = await said(() => compiled().fit(x, y, { verbose: 'silent', callbacks: [saving] }));
    expect(text).toMatch(/epoch 1: loss improved from 50\.0000 to \d\.\d{4}\n.*epoch 1: saved /);
  });
});

describe('a Normalization without statistics', () => {
  const normalizing = (layer: layers.Normalization): Sequential =>
    new Sequential([layer, new layers.Dense(1)]).compile({ loss: 'mse' });

  it('says once that it changes nothing', async () => {
    const model = normalizing(new layers.Normalization({ inputShape: [4], name: 'scale' }));
    const text = await said(async () => {
      await model.fit(x, zeros([12]), { epochs: 3, verbose: 'silent' });
      await model.predict(x);
    });
    expect(text).toBe(
      'layer scale: Normalization has no statistics and leaves its input as it is; call ' +
        'adapt(data) before training, or give mean and variance\n',
    );
  });

  it('is none once they are there: adapted, given, or loaded', async () => {
    const adapted = normalizing(new layers.Normalization().adapt(x));
    const known = normalizing(new layers.Normalization({ mean: 0, variance: 1, inputShape: [4] }));
    const loaded = normalizing(new layers.Normalization({ inputShape: [4] }));
    const text = await said(async () => {
      for (const model of [adapted, known]) await model.predict(x);
      loaded.setWeights(adapted.getWeights());
      await loaded.predict(x);
    });
    expect(text).toBe('');
  });
});

it('a history is written as JSON', async () => {
  const history = await compiled().fit(x, y, { verbose: 'silent' });
  const { epochs, history: logged } = JSON.parse(JSON.stringify(history)) as typeof history;
  expect([epochs, logged]).toEqual([history.epochs, history.history]);
});
