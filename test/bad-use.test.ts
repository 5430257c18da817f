/** What a hurried user gets wrong, and the words that put it right. */

import { describe, expect, it } from 'vitest';

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
  registerLayer,
  regularizers,
  schedules,
  Sequential,
  sum,
  tensor,
} from 'gradloom';
import type { FitOptions } from 'gradloom';

import { compiled, net, x, y } from './small-net.js';

/** As JavaScript sees it: anything goes. */
type Loose = (...args: unknown[]) => unknown;
const made = (each: unknown, ...args: unknown[]): unknown =>
  new (each as new (...args: unknown[]) => unknown)(...args);

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
    ['of an optimizer in a loop of one\'s own', () => { const w = tensor([1], { requiresGrad: true }); sum(w).backward(); (made(optimizers.Adam, { lr: 1 }) as optimizers.Optimizer).step([w]); }, /option of Adam named "lr"/],
    ['of an optimizer by config', () => optimizers.get({ className: 'Nadam', config: { beta_3: 1 } }), /option of Nadam named "beta_3"/],
    ['of a loss', () => compile({ loss: made(losses.SparseCategoricalCrossentropy, { from_logits: true }) }), /"fromLogits"\?/],
    ['of a weight that has none such', () => built(made(layers.BatchNormalization, { movingMeanRegularizer: 'l2' }) as layers.Layer), /named "movingMeanRegularizer". Did you mean "movingMeanInitializer"/],
    ['of an input', () => input([2], { type: 'int32' } as object), /option of Input named "type".*dtype/],
    ['of a clone', () => net().clone({ weight: false } as object), /option of clone.*"weights"\?/],
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
    const save = model.save('nowhere', { includeOptimiser: false } as object);
    await expect(save).rejects.toThrow(/option of save.*"includeOptimizer"\?/);
    const load = loadModel('nowhere', { complie: false } as object);
    await expect(load).rejects.toThrow(/option of loadModel.*"compile"\?/);
    const weights = model.loadWeights('nowhere', { by_names: true } as object);
    await expect(weights).rejects.toThrow(/option of loadWeights.*"byName"\?/);
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
    ['a limit in quotes', () => made(optimizers.Adam, { clipNorm: '1' }), /adam: clipNorm must be a number greater than 0, not "1"/],
    ['patience in quotes', () => made(callbacks.EarlyStopping, { patience: '3' }), /EarlyStopping: patience must be a number of 0 or more, not "3"/],
    ['a start below 0', () => made(callbacks.EarlyStopping, { startFromEpoch: -2 }), /startFromEpoch must be a number of 0 or more, not -2/],
    ['a change of NaN', () => made(callbacks.EarlyStopping, { minDelta: NaN }), /minDelta must be a number/],
    ['a cooldown below 0', () => made(callbacks.ReduceLROnPlateau, { cooldown: -1 }), /cooldown must be a number of 0 or more/],
    ['a number for a shape', () => made(layers.Dense, 3, { inputShape: 4 }), /inputShape.*a shape is an array/],
    ["a model's shape with the batch's axis", () => new Sequential([new layers.Dense(3)]).build([null, 4] as never), /shape of one sample, without the batch's axis: shape \[null, 4\]/],
    ["a layer's shape with the batch's axis", () => new layers.Dense(3).ensureBuilt([null, 4] as never), /layer dense.*: the shape of one sample, without the batch's axis: shape \[null, 4\]/],
    ['a dtype layers do not know', () => made(layers.Dense, 3, { dtype: 'float16' }), /dtype must be float32 or float64, not "float16"/],
    ['a number for a name', () => made(layers.Dense, 3, { name: 5 }), /name of a layer must be a text, not 5/],
    ['a number for an activation', () => made(layers.Dense, 3, { activation: 5 }), /expected an activation: its name.*got 5/],
    ['a flag in quotes', () => { (new layers.Dense(3, { name: 'd' }) as { trainable: unknown }).trainable = 'no'; }, /layer d: trainable must be true or false, not "no"/],
    ['a text for a shape', () => made(layers.Reshape, 'x'), /Reshape: expected an array, \[4, -1\] say, not "x"/],
    ['a number for an order of axes', () => made(layers.Permute, 2), /Permute: expected an array, \[2, 1\] say, not 2/],
    ['axes in quotes', () => made(layers.PReLU, { sharedAxes: '1' }), /PReLU: sharedAxes must be a whole number of 1 or more, not "1"/],
    ['weights of losses in quotes', () => compile({ loss: 'mse', lossWeights: ['1'] }), /compile: lossWeights must be a number, not "1"/],
    ['a number for the name of a loss', () => made(losses.MeanSquaredError, { name: 5 }), /MeanSquaredError: name must be a text, not 5/],
    ['a number for the name of an optimizer', () => made(optimizers.SGD, { name: 5 }), /SGD: name must be a text, not 5/],
    ['a number for a folder', () => made(callbacks.TensorBoard, { logDirectory: 5 }), /TensorBoard: expected a path to write to, got 5/],
    ['a flag of a callback in quotes', () => made(callbacks.EarlyStopping, { restoreBestWeights: 'no' }), /restoreBestWeights must be true or false, not "no"/],
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
    [
      'a share in quotes',
      { validationSplit: '0.2' },
      /validationSplit must be a number from 0 to below 1, not "0.2"/,
    ],
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
      /classes must be a whole number of 2 or more, not undefined/,
    ],
    ['saveFreq', () => made(callbacks.ModelCheckpoint, 'a', { saveFreq: 1 }), /"saveFrequency"\?/],
    ['logDir', () => made(callbacks.TensorBoard, { logDir: 'a' }), /"logDirectory"\?/],
    ['minLr', () => made(callbacks.ReduceLROnPlateau, { minLr: 0 }), /"minLearningRate"\?/],
    ['lr', () => optimizers.get({ className: 'SGD', config: { lr: 1 } }), /"learningRate"\?/],
  ];
  it.each(cases)('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('weights are set to a list of as many as there are', () => {
    const layer = new layers.Dense(1, { inputShape: [2] });
    layer.ensureBuilt([2]);
    const set = layer.setWeights.bind(layer) as Loose;
    expect(() => set([[1], [2]])).toThrow(/weight 0, dense\w*\/kernel, has shape \[2, 1\]/);
    expect(() => set([[[1], [2]]])).toThrow(/expected an array of 2 tensors, got 1/);
    expect(() => set(x)).toThrow(/expected an array of 2 tensors, got a Tensor/);
    layer.setWeights([[[1], [2]], [3]]);
    expect(layer.getWeights().map((each) => each.toArray())).toEqual([[[1], [2]], [3]]);
  });

  it('a generator is through after one epoch', async () => {
    function* batches(): Iterable<[typeof x, typeof y]> {
      yield [x, y];
    }
    const run = compiled().fit(batches(), { epochs: 2, verbose: 'silent' });
    await expect(run).rejects.toThrow(/none in epoch 2; a generator runs through once/);
    const anew = { [Symbol.iterator]: () => batches()[Symbol.iterator]() };
    await compiled().fit(anew, { epochs: 2, verbose: 'silent' });
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

it('a history is written as JSON', async () => {
  const history = await compiled().fit(x, y, { verbose: 'silent' });
  const { epochs, history: logged } = JSON.parse(JSON.stringify(history)) as typeof history;
  expect([epochs, logged]).toEqual([history.epochs, history.history]);
});
