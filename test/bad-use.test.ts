/** What a hurried user gets wrong, and the words that put it right. */

import { describe, expect, it } from 'vitest';

import {
  callbacks,
  GradloomError,
  initializers,
  layers,
  losses,
  metrics,
  optimizers,
  randn,
  Sequential,
  tensor,
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
    ['of batch normalization', () => built(made(layers.BatchNormalization, { momentm: 0.9 }) as layers.Layer), /"momentum"\?/],
    ['of an activation layer', () => built(made(layers.LeakyReLU, { alpha: 0.1 }) as layers.Layer), /option of LeakyReLU named "alpha".*negativeSlope/],
    ['of an optimizer', () => compile({ optimizer: made(optimizers.Adam, { learning_rate: 1 }), loss: 'mse' }), /option of Adam.*"learningRate"\?/],
    ['of an optimizer by config', () => optimizers.get({ className: 'Nadam', config: { beta_3: 1 } }), /option of Nadam named "beta_3"/],
    ['of a loss', () => compile({ loss: made(losses.SparseCategoricalCrossentropy, { from_logits: true }) }), /"fromLogits"\?/],
    ['of a metric', () => compile({ loss: 'mse', metrics: [made(metrics.TopKCategoricalAccuracy, { K: 3, kk: 1 })] }), /option of TopKCategoricalAccuracy/],
    ['of an initializer', () => built(dense({ kernelInitializer: made(initializers.HeNormal, { sede: 3 }) })), /option of HeNormal.*"seed"\?/],
    ['of a callback', () => made(callbacks.EarlyStopping, { patient: 3 }), /option of EarlyStopping.*"patience"\?/],
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
    await expect(model.predict(x, 32 as never)).rejects.toThrow(/predict: options.*got 32/);
  });

  it('that are there, or undefined, are taken', () => {
    expect(() =>
      built(new layers.ReLU({ maxValue: undefined as never, activityRegularizer: 'l2' })),
    ).not.toThrow();
    expect(() => built(new layers.ReLU({ maxValue: 6, name: 'six' }))).not.toThrow();
    expect(() => built(new layers.ReLU({ maxValue: null, negativeSlope: 0.1 }))).not.toThrow();
    expect(() => built(new layers.Dense(3, { activation: (t) => t }))).not.toThrow();
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
    ['verbose as in Keras', { verbose: 1 }, /auto, bar, lines, silent, not 1; Keras's 0, 1/],
  ])('fit: %s', async (_, options, message) => {
    const fit = compiled().fit(x, y, options as unknown as FitOptions);
    await expect(fit).rejects.toThrow(message);
  });
});

it('a history is written as JSON', async () => {
  const history = await compiled().fit(x, y, { verbose: 'silent' });
  const { epochs, history: logged } = JSON.parse(JSON.stringify(history)) as typeof history;
  expect([epochs, logged]).toEqual([history.epochs, history.history]);
});
