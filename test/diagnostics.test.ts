/** Gradient health: planted faults of every kind are found, healthy nets raise no alarm. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import '../src/ops/methods.js';

import type { ActivationName } from '../src/activations.js';
import { setDevice } from '../src/backends/registry.js';
import { BackupAndRestore, LambdaCallback } from '../src/callbacks/index.js';
import { diagnose, GradientHealth } from '../src/diagnostics/index.js';
import type { FindingKind } from '../src/diagnostics/index.js';
import { Constant, RandomNormal } from '../src/initializers/index.js';
import type { InitializerLike } from '../src/initializers/index.js';
import {
  Activation,
  Add,
  AlphaDropout,
  BatchNormalization,
  Dense,
  Dropout,
  input,
  Normalization,
  PReLU,
} from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import { Functional } from '../src/models/functional.js';
import { Sequential } from '../src/models/sequential.js';
import { Adam, Nadam, SGD } from '../src/optimizers/index.js';
import type { OptimizerLike } from '../src/optimizers/index.js';
import { defaultGenerator, normal, randint, seed, uniform } from '../src/tensor/random.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const units = 50;
const features = 40;

/** `count` dense layers, each from {@link make}. */
const stack = (count: number, make: () => Layer | Layer[]): Layer[] =>
  Array.from({ length: count }, make).flat();

const dense =
  (activation: ActivationName, kernelInitializer: InitializerLike = 'heNormal') =>
  (): Layer =>
    new Dense(units, { activation, kernelInitializer });

const scaled = (stddev: number): InitializerLike => new RandomNormal({ stddev });

function netOf(layers: Layer[], optimizer: OptimizerLike = new Nadam()): Sequential {
  const model = new Sequential([...layers, new Dense(10, { activation: 'softmax' })]);
  return model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
}

const healthy: Record<string, () => Layer[]> = {
  'elu, He, 20 layers': () => stack(20, dense('elu')),
  'relu, He, 20 layers': () => stack(20, dense('relu')),
  'swish, He, 20 layers': () => stack(20, dense('silu')),
  'gelu, He, 10 layers': () => stack(10, dense('gelu')),
  'relu, Glorot, 3 layers': () => stack(3, dense('relu', 'glorotUniform')),
  'tanh, Glorot, 5 layers': () => stack(5, dense('tanh', 'glorotUniform')),
  'sigmoid, Glorot, 2 layers': () => stack(2, dense('sigmoid', 'glorotUniform')),
  'PReLU, 5 layers': () => stack(5, () => [new Dense(units), new PReLU()]),
  'selu, LeCun, 20 layers': () => stack(20, dense('selu', 'lecunNormal')),
  'selu with alpha dropout': () => [
    ...stack(10, dense('selu', 'lecunNormal')),
    new AlphaDropout(0.1),
  ],
  'selu as a layer': () =>
    stack(5, () => [
      new Dense(units, { kernelInitializer: 'lecunUniform' }),
      new Activation('selu'),
    ]),
  'batch normalization before elu, 20 layers': () =>
    stack(20, () => [
      new BatchNormalization(),
      new Dense(units, { kernelInitializer: 'heNormal' }),
      new Activation('elu'),
    ]),
  'batch normalization after relu, 20 layers': () =>
    stack(20, () => [dense('relu')(), new BatchNormalization()]),
  'relu with dropout': () => stack(3, () => [dense('relu')(), new Dropout(0.5)]),
  'softmax regression': () => [],
};

interface Fault {
  readonly layers: () => Layer[];
  readonly optimizer?: OptimizerLike;
  readonly x?: () => Tensor;
  readonly kind: FindingKind;
  /** What the words must name. */
  readonly words: RegExp;
}

const faults: Record<string, Fault> = {
  'ten sigmoid layers': {
    layers: () => stack(10, dense('sigmoid', 'glorotUniform')),
    kind: 'vanishing',
    words: /gradient reaching .* 9 layers above.*batch normalization/is,
  },
  'weights that are too small': {
    layers: () => stack(10, dense('relu', scaled(0.01))),
    kind: 'vanishing',
    words: /signal dies out/,
  },
  'weights that are too large': {
    layers: () => stack(10, dense('relu', scaled(1))),
    kind: 'exploding',
    words: /gradients explode.*globalClipNorm/is,
  },
  'biases that switch all units off': {
    layers: () =>
      stack(2, () => new Dense(units, { activation: 'relu', biasInitializer: new Constant(-9) })),
    kind: 'dyingUnits',
    words: /100 % of them give 0.*leakyRelu/is,
  },
  'tanh with large weights': {
    layers: () => stack(4, dense('tanh', scaled(2))),
    kind: 'saturation',
    words: /activations are saturated/,
  },
  'a learning rate that is too high': {
    layers: () => stack(3, dense('relu')),
    optimizer: new Adam({ learningRate: 0.3 }),
    kind: 'updates',
    words: /steps are too large/,
  },
  'an SGD learning rate that is far too high': {
    layers: () => stack(3, dense('relu')),
    optimizer: new SGD({ learningRate: 10 }),
    kind: 'updates',
    words: /loss of the very batch .* from [\d.]+ to .*divide the learning rate by/is,
  },
  'an SGD learning rate with momentum that is far too high': {
    layers: () => stack(3, dense('elu')),
    optimizer: new SGD({ learningRate: 10, momentum: 0.9 }),
    kind: 'updates',
    words: /raises the loss of the very batch/,
  },
  'a learning rate that is too low': {
    layers: () => stack(3, dense('relu')),
    optimizer: new SGD({ learningRate: 1e-9 }),
    kind: 'updates',
    words: /steps are too small/,
  },
  'pixels from 0 to 255': {
    layers: () => stack(3, dense('relu')),
    x: () => uniform([64, features], { high: 256 }),
    kind: 'inputs',
    words: /size \(root mean square\) of 14\d.*Normalization/is,
  },
  'selu with He initialization': {
    layers: () => stack(5, dense('selu')),
    kind: 'selfNormalization',
    words: /initializer of .* gives (1\.9|2)\d* times.*lecunNormal/is,
  },
  'selu with inputs that are not standardized': {
    layers: () => stack(5, dense('selu', 'lecunNormal')),
    x: () => uniform([64, features]),
    kind: 'selfNormalization',
    words: /SELU needs standardized inputs: 40 of/i,
  },
  'selu with plain dropout': {
    layers: () => [...stack(5, dense('selu', 'lecunNormal')), new Dropout(0.2, { name: 'plain' })],
    kind: 'selfNormalization',
    words: /plain dropout \(plain\).*AlphaDropout/is,
  },
  'NaN in the data': {
    layers: () => stack(3, dense('relu')),
    x: () => normal([64, features]).log(),
    kind: 'nonFinite',
    words: /loss is NaN; the results of dense\w* are the first/,
  },
};

describe.each(devices)('gradient health on %s', (device) => {
  let x: Tensor;
  let y: Tensor;

  beforeEach(() => {
    setDevice(device);
    seed(31);
    x = normal([64, features]);
    y = randint([64], { high: 10 });
  });

  it.each(Object.entries(healthy))('no alarm: %s', async (_, layers) => {
    const model = netOf(layers());
    expect(diagnose(model, x, y).words).toBe('No problem found.');
    await model.fit(x, y, { epochs: 5, verbose: 'silent' });
    const report = diagnose(model, x, y);
    expect(report.words).toBe('No problem found.');
    expect(report.healthy).toBe(true);
  });

  it.each(Object.entries(faults))('found: %s', (_, fault) => {
    const report = diagnose(netOf(fault.layers(), fault.optimizer), fault.x?.() ?? x, y);
    expect(report.healthy).toBe(false);
    const found = report.findings.filter((each) => each.kind === fault.kind);
    expect(report.findings.map((each) => each.kind)).toContain(fault.kind);
    expect(found.map((each) => `${each.message}\n${each.advice}`).join('\n')).toMatch(fault.words);
    expect(String(report)).toContain('Try: ');
  });

  it('found: SGD steps that overshoot, before and while training diverges', () => {
    // The curvature of this regression's loss is up to about 6: rates above 1 / 3 diverge.
    const model = new Sequential([new Dense(1)]);
    model.compile({ optimizer: new SGD({ learningRate: 1 }), loss: 'mse' });
    const targets = normal([64, 1]);
    for (let step = 0; step < 3; step++) {
      const [found, ...others] = diagnose(model, x, targets).findings;
      expect([found?.kind, others]).toEqual(['updates', []]);
      expect(found!.message).toMatch(/steps are too large: .* raises the loss of the very batch/);
      expect(found!.advice).toMatch(/divide the learning rate by .*globalClipNorm/);
      model.trainOnBatch(x, targets);
    }
    // A rate that suits the net: nothing to say.
    const calm = new Sequential([...stack(2, dense('relu')), new Dense(1)]);
    calm.compile({ optimizer: new SGD({ learningRate: 0.003 }), loss: 'mse' });
    for (let step = 0; step < 20; step++) {
      if (step % 5 === 0) expect(diagnose(calm, x, targets).words).toBe('No problem found.');
      calm.trainOnBatch(x, targets);
    }
  });

  it('found: branches in a selu net', () => {
    const begin = input([features]);
    const first = dense('selu', 'lecunNormal')().on(begin);
    const second = dense('selu', 'lecunNormal')().on(first);
    const joined = new Add({ name: 'skip' }).on([first, second]);
    const model = new Functional({ inputs: begin, outputs: new Dense(1).on(joined) });
    model.compile({ loss: 'mse' });
    const report = diagnose(model, x, normal([64, 1]));
    expect(report.findings.map((each) => each.message).join()).toMatch(/stacks only: skip joins/);
  });

  it('standardizing the inputs by a layer is seen', () => {
    const raw = uniform([64, features], { low: 5, high: 6 });
    const scale = new Normalization().adapt(raw);
    const model = netOf([scale, ...stack(5, dense('selu', 'lecunNormal'))]);
    expect(diagnose(model, raw, y).words).toBe('No problem found.');
  });

  it('measures what it says', () => {
    const layer = new Dense(features, { name: 'one', activation: 'relu', useBias: false });
    const model = new Sequential([layer]).compile({
      optimizer: new SGD({ learningRate: 0.1 }),
      loss: 'mse',
    });
    const target = normal([64, features]);
    const [found] = diagnose(model, x, target).layers;
    const output = model.apply(x);
    expect(found!.mean).toBeCloseTo(output.mean().item(), 5);
    expect(found!.variance).toBeCloseTo(output.variance().item(), 5);
    const kernel = layer.weights[0]!.value;
    const before = kernel.copy();
    model.trainOnBatch(x, target);
    const change = kernel.sub(before).norm().item();
    expect(found!.updateRatio).toBeCloseTo(change / before.norm().item(), 6);
    // Plain gradient descent: the change is the gradient times the rate.
    expect(found!.gradientNorm).toBeCloseTo(change / 0.1, 4);
    const off = output.max(0).dataSync();
    expect(found!.deadShare).toBe([...off].filter((most) => most <= 0).length / features);
  });

  it('takes a batch as fit iterates it', () => {
    const model = netOf(stack(3, dense('relu')));
    const { loss } = diagnose(model, x, y);
    expect(diagnose(model, [x, y]).loss).toBe(loss);
    expect(diagnose(model, { x, y }).loss).toBe(loss);
  });

  it('leaves model, optimizer and random numbers as they were', async () => {
    const layers = (): Layer[] => [
      new Dense(8, { activation: 'elu', inputShape: [features], name: 'a' }),
      new BatchNormalization({ name: 'b' }),
      new Dropout(0.3, { name: 'c' }),
    ];
    const run = async (examined: boolean): Promise<unknown> => {
      seed(4);
      const model = netOf(layers(), new Adam());
      for (let i = 0; i < 3; i++) {
        if (examined) diagnose(model, x, y);
        await model.fit(x, y, { verbose: 'silent' });
      }
      return [model.getWeights().map(String), defaultGenerator.state(), model.optimizer.iterations];
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('a frozen layer has no gradient and is not complained about', () => {
    const layers = stack(6, dense('elu'));
    for (const layer of layers.slice(0, 3)) layer.trainable = false;
    const report = diagnose(netOf(layers), x, y);
    expect(report.words).toBe('No problem found.');
    expect(report.layers.slice(0, 3).map((each) => each.gradientNorm)).toEqual([null, null, null]);
  });

  it('GradientHealth reports while training', async () => {
    const told: number[] = [];
    const health = new GradientHealth(x, y, { every: 2, onReport: (_, epoch) => told.push(epoch) });
    const model = netOf(stack(3, dense('relu')));
    await model.fit(x, y, { epochs: 5, verbose: 'silent', callbacks: [health] });
    expect(told).toEqual([-1, 1, 3]);
    expect(health.reports.map((each) => each.epoch)).toEqual(told);
    expect(health.reports[0]!.report.loss).toBeGreaterThan(health.reports[2]!.report.loss);
  });

  it('GradientHealth gives the event loop its turns, and leaves the model as it was in each', async () => {
    const count = 6;
    const layers = stack(count, () => [new Dense(8), new BatchNormalization(), new Dropout(0.2)]);
    const model = netOf(layers, new Nadam());
    // So that there is state of the optimizer to be left.
    await model.fit(x, y, { verbose: 'silent' });
    const now = (): unknown => {
      const parameters = model.weights.map(({ value }) => value);
      const { numbers, tensors } = model.optimizer.state(parameters);
      const values = [...parameters, ...Object.values(tensors)].map((each) => each.toArray());
      return { values, numbers, random: defaultGenerator.state() };
    };
    const before = now();
    const seen: unknown[] = [];
    let examined = false;
    const onTurn = (): void => {
      seen.push(now());
      if (!examined) setImmediate(onTurn);
    };
    setImmediate(onTurn);
    const health = new GradientHealth(x, y, { onReport: () => (examined = true) });
    health.model = model;
    await health.onTrainBegin();
    // Four passes of the step; two over each layer's results, one over each one's gradients.
    expect(seen.length).toBeGreaterThan(4 + 3 * 3 * count);
    for (const state of seen) expect(state).toEqual(before);
  });

  it('GradientHealth keeps its reports over an interruption', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gradloom-health-'));
    const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    try {
      const train = async (end: number) => {
        seed(3);
        const health = new GradientHealth(x, y);
        const interrupt = new AbortController();
        const interruption = new LambdaCallback({
          onEpochBegin: (epoch) => {
            if (epoch === end) interrupt.abort();
          },
        });
        await netOf(stack(3, dense('relu'))).fit(x, y, {
          epochs: 4,
          verbose: 'silent',
          signal: interrupt.signal,
          callbacks: [health, interruption, new BackupAndRestore(folder)],
        });
        return health.reports;
      };
      const before = await train(2);
      expect(before.map(({ epoch }) => epoch)).toEqual([-1, 0, 1]);
      const after = await train(Infinity);
      expect(after.map(({ epoch }) => epoch)).toEqual([-1, 0, 1, 2, 3]);
      const figures = (reports: typeof before) =>
        reports.map(({ report }) => [
          report.loss,
          report.layers.map(({ signal, variance }) => [signal, variance]),
          report.words,
        ]);
      expect(figures(after.slice(0, 3))).toEqual(figures(before));
      expect(after[0]!.report.layers[0]!.layer).toBe(after[4]!.report.layers[0]!.layer);
    } finally {
      write.mockRestore();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('says what it needs', () => {
    expect(() => diagnose(new Sequential([new Dense(1)]), x, y)).toThrow(/compile/);
    expect(() => new GradientHealth(x, y, { every: 0 })).toThrow(/every/);
  });
});
