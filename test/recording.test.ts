/**
 * Recorded training steps: bit for bit what steps made anew give, for every part of the library;
 * and never used where a step may differ from the one before.
 */

import { afterEach, describe, expect, it, vi } from 'vitest';

import '../src/ops/methods.js';

import { device as currentDevice, setDevice } from '../src/backends/registry.js';
import { LambdaCallback } from '../src/callbacks/index.js';
import type { Callback } from '../src/callbacks/index.js';
import * as layers from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import type { LossLike } from '../src/losses/index.js';
import type { CompileOptions } from '../src/models/compile.js';
import { Functional } from '../src/models/functional.js';
import type { Model } from '../src/models/model.js';
import { Sequential } from '../src/models/sequential.js';
import * as optimizers from '../src/optimizers/index.js';
import { Optimizer } from '../src/optimizers/optimizer.js';
import { ExponentialDecay } from '../src/schedules.js';
import { tensor } from '../src/tensor/create.js';
import { defaultGenerator, Generator, normal, randint, seed } from '../src/tensor/random.js';
import { Recording } from '../src/tensor/recording.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => {
  setDevice(first);
  vi.restoreAllMocks();
});

const { Dense } = layers;
const samples = 44; // at 8 a batch: five whole ones and a half
const features = 12;

function data(): { x: Tensor; y: Tensor } {
  const generator = new Generator(11);
  return {
    x: normal([samples, features], { generator }),
    y: randint([samples], { low: 0, high: 3, generator }),
  };
}

interface Run {
  readonly weights: Float32Array[];
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly random: unknown;
  readonly replays: number;
}

/** Trains two epochs; `recorded` false: with every step made anew. */
async function train(
  make: () => Model,
  recorded: boolean,
  callbacks: () => readonly Callback[] = () => [],
  y: (labels: Tensor) => Tensor = (labels) => labels,
): Promise<Run> {
  const replay = vi.spyOn(Recording.prototype, 'replay');
  if (!recorded) vi.spyOn(Optimizer.prototype, 'isSteady', 'get').mockReturnValue(false);
  seed(7);
  const given = data();
  const model = make();
  const { history } = await model.fit(given.x, y(given.y), {
    epochs: 3,
    batchSize: 8,
    verbose: 'silent',
    callbacks: callbacks(),
  });
  const run = {
    weights: model.weights.map((weight) => weight.value.dataSync() as Float32Array),
    history,
    random: defaultGenerator.state(),
    replays: replay.mock.calls.length,
  };
  vi.restoreAllMocks();
  return run;
}

const compiled = <M extends Model>(model: M, options: Partial<CompileOptions> = {}): M => {
  model.compile({
    optimizer: new optimizers.Nadam({ learningRate: 0.02 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    ...options,
  });
  return model;
};

const around = (...inner: Layer[]): Sequential =>
  new Sequential([
    new Dense(12, { activation: 'elu', inputShape: [features] }),
    ...inner,
    new Dense(3, { activation: 'softmax' }),
  ]);

const spread: Readonly<Record<string, () => Layer[]>> = {
  BatchNormalization: () => [new layers.BatchNormalization()],
  LayerNormalization: () => [new layers.LayerNormalization()],
  Dropout: () => [new layers.Dropout(0.3)],
  AlphaDropout: () => [new layers.AlphaDropout(0.2)],
  GaussianDropout: () => [new layers.GaussianDropout(0.2)],
  GaussianNoise: () => [new layers.GaussianNoise(0.1)],
  MCDropout: () => [new layers.MCDropout(0.2)],
  SpatialDropout1D: () => [
    new layers.Reshape([4, 3]),
    new layers.SpatialDropout1D(0.3),
    new layers.Permute([2, 1]),
    new layers.Flatten(),
  ],
  PReLU: () => [new layers.PReLU()],
  RReLU: () => [new layers.RReLU()],
  ActivityRegularization: () => [new layers.ActivityRegularization({ l2: 0.01 })],
  'Dense with everything': () => [
    new Dense(9, {
      activation: 'gelu',
      kernelRegularizer: 'l1L2',
      kernelConstraint: 'maxNorm',
      biasConstraint: 'nonNeg',
      activityRegularizer: 'l2',
    }),
  ],
  'frozen layers': () => [
    new Dense(9, { trainable: false }),
    new layers.BatchNormalization({ trainable: false }),
  ],
  'activation layers': () => [
    new layers.SELU(),
    new layers.Mish(),
    new layers.Softplus(),
    new layers.Tanh(),
  ],
  'a model inside': () => [
    new Sequential([new Dense(7, { activation: 'tanh' }), new layers.Dropout(0.1)]),
  ],
};

describe.each(devices)('recorded steps on %s', (device) => {
  /** Both ways agree to the last bit; `wanted`: whether steps were replayed. */
  async function same(
    make: () => Model,
    wanted = true,
    callbacks?: () => readonly Callback[],
    y?: (labels: Tensor) => Tensor,
  ): Promise<void> {
    setDevice(device);
    const canRecord = data().x.backend.replay !== undefined;
    const { replays, ...fast } = await train(make, true, callbacks, y);
    const { replays: none, ...slow } = await train(make, false, callbacks, y);
    expect(fast).toEqual(slow);
    expect(none).toBe(0);
    expect(replays > 0).toBe(wanted && canRecord);
  }

  for (const [name, make] of Object.entries(spread)) {
    it(name, () => same(() => compiled(around(...make()))));
  }

  it.each([
    'SGD',
    'Momentum',
    'Adagrad',
    'Adadelta',
    'RMSprop',
    'Adam',
    'AdamW',
    'Adamax',
    'Nadam',
    'Lion',
  ])('optimizer %s', async (name) => {
    const classes = optimizers as unknown as Record<string, new (o: object) => Optimizer>;
    const options = name === 'Momentum' ? { momentum: 0.9, nesterov: true } : { clipValue: 0.5 };
    const made = classes[name === 'Momentum' ? 'SGD' : name];
    if (!made) throw new Error(`there is no optimizer ${name}`);
    await same(() => compiled(around(), { optimizer: new made(options) }));
  });

  it('a learning rate that follows a schedule, or a callback', async () => {
    const schedule = new ExponentialDecay({
      initialLearningRate: 0.05,
      decaySteps: 3,
      decayRate: 0.7,
    });
    await same(() =>
      compiled(around(), { optimizer: new optimizers.Adam({ learningRate: schedule }) }),
    );
    let model: Model;
    const halve = (): Callback =>
      new LambdaCallback({ onTrainBatchEnd: () => void (model.optimizer.learningRate *= 0.9) });
    await same(
      () => (model = compiled(around())),
      true,
      () => [halve()],
    );
  });

  it('weights spared weight decay', () => {
    const options = { weightDecay: 0.5, excludeFromWeightDecay: ['bias'] };
    return same(() => compiled(around(), { optimizer: new optimizers.AdamW(options) }));
  });

  it('groups of parameters', () =>
    same(() => {
      const model = compiled(around());
      model.ensureBuilt([features]);
      const { kernel, bias } = { kernel: model.weights[0]!.value, bias: model.weights[1]!.value };
      model.optimizer.group([kernel, bias], { rateMultiplier: 0.1, weightDecay: 0.01 });
      return model;
    }));

  it.each([
    'sparseCategoricalCrossentropy',
    'meanSquaredError',
    'huber',
    'logCosh',
    'poisson',
  ] as const)('loss %s', (loss: LossLike & string) =>
    same(
      () => compiled(around(), { loss, metrics: [] }),
      true,
      undefined,
      (labels) =>
        loss.startsWith('sparse')
          ? labels
          : tensor(
              [...labels.dataSync()].map((each) => [0, 1, 2].map((c) => (c === each ? 1 : 0.1))),
            ),
    ),
  );

  it('several outputs and inputs of one graph', () =>
    same(() => {
      const x = layers.input([features]);
      const inner = new Dense(8, { activation: 'relu' }).on(x);
      const joined = new layers.Concatenate().on([inner, x]);
      const sum = new layers.Add().on([new Dense(8).on(joined), inner]);
      return compiled(
        new Functional({ inputs: x, outputs: new Dense(3, { activation: 'softmax' }).on(sum) }),
      );
    }));

  describe('what changes between steps', () => {
    it('freezing, unfreezing and new weights take effect at once', async () => {
      let model: Sequential;
      const meddle = (): Callback =>
        new LambdaCallback({
          onTrainBatchEnd: (step) => {
            if (step === 3) model.layers[0]!.trainable = !model.layers[0]!.trainable;
            if (step === 4) model.setWeights(model.getWeights().map((each) => each.mul(0.9)));
          },
        });
      await same(
        () => (model = compiled(around(new layers.BatchNormalization()))),
        true,
        () => [meddle()],
      );
    });

    it('seeding anew takes effect at once', () =>
      same(
        () => compiled(around(new layers.Dropout(0.4))),
        true,
        () => [
          new LambdaCallback({
            onEpochBegin: (epoch) => {
              seed(100 + epoch);
            },
          }),
        ],
      ));

    it('an optimizer put back to an earlier state goes on from there', async () => {
      let model: Model;
      let state: ReturnType<Optimizer['state']>;
      const parameters = (): Tensor[] => model.trainableWeights.map((each) => each.value);
      const back = (): Callback =>
        new LambdaCallback({
          onEpochEnd: (epoch) => {
            if (epoch === 0) state = model.optimizer.state(parameters());
            else model.optimizer.restore(state, parameters());
          },
        });
      await same(
        () => (model = compiled(around())),
        true,
        () => [back()],
      );
    });
  });

  describe('steps that are never recorded', () => {
    it('those with a layer of the user', () => {
      class Alternating extends layers.Layer {
        calls = 0;
        override call(x: Tensor): Tensor {
          return x.mul(this.calls++ % 2 === 0 ? 1 : -1);
        }
      }
      return same(() => compiled(around(new Alternating())), false);
    });

    it("those with a layer of the user that extends one of the library's", () => {
      class Counting extends layers.Dropout {
        calls = 0;
        override call(x: Tensor): Tensor {
          return x.mul(1 + this.calls++ / 100);
        }
      }
      return same(() => compiled(around(new Counting(0.1))), false);
    });

    it('those with a function of the user', () => {
      let calls = 0;
      const wavering = (x: Tensor): Tensor => x.mul(1 + (calls++ % 40) / 100);
      return same(() => {
        calls = 0;
        return compiled(around(new Dense(5, { activation: wavering })));
      }, false);
    });

    it('those whose optimizer looks at norms', () =>
      same(
        () => compiled(around(), { optimizer: new optimizers.Adam({ globalClipNorm: 0.5 }) }),
        false,
      ));

    it('those that add up gradients, or average weights', async () => {
      const { Adam } = optimizers;
      await same(
        () => compiled(around(), { optimizer: new Adam({ gradientAccumulationSteps: 2 }) }),
        false,
      );
      await same(() => compiled(around(), { optimizer: new Adam({ useEma: true }) }), false);
    });

    it('those whose loss looks at values', () =>
      same(
        () => compiled(around(), { loss: 'hinge', metrics: [] }),
        false,
        undefined,
        (labels) =>
          tensor([...labels.dataSync()].map((each) => [0, 1, 2].map((c) => (c === each ? 1 : 0)))),
      ));
  });

  it('names the label that is wrong, wherever it comes', async () => {
    setDevice(device);
    const { x, y } = data();
    const labels = Int32Array.from(y.dataSync());
    labels[17] = 9;
    const model = compiled(around());
    const fit = model.fit(x, tensor(labels), { epochs: 1, batchSize: 4, verbose: 'silent' });
    await expect(fit).rejects.toThrow(/label 9/);
  });

  it('refuses to go on when memory it uses was given away', async () => {
    setDevice(device);
    const { x, y } = data();
    if (x.backend.replay === undefined) return;
    const labels = y.dataSync() as Int32Array<ArrayBuffer>;
    const given = tensor(labels);
    const giveAway = (): void => {
      if (given.backend.host) {
        const { buffer } = given.buffer as Int32Array<ArrayBuffer>;
        structuredClone(buffer, { transfer: [buffer] });
      } else {
        given.dispose();
      }
    };
    const steal = new LambdaCallback({
      onTrainBatchEnd: (step) => {
        if (step === 3) giveAway();
      },
    });
    const fit = compiled(around()).fit(x, given, {
      batchSize: 8,
      verbose: 'silent',
      callbacks: [steal],
    });
    await expect(fit).rejects.toThrow(/transferred or resized/);
  });

  it('gives its memory back', async () => {
    setDevice(device);
    const { x, y } = data();
    const model = compiled(around());
    const end = vi.spyOn(Recording.prototype, 'end');
    await model.fit(x, y, { epochs: 2, batchSize: 8, verbose: 'silent' });
    expect(end).toHaveBeenCalledTimes(x.backend.replay ? 1 : 0);
  });
});
