/** Callbacks in real trainings: files they write, rates they set, when they end it. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  callbacks,
  FileError,
  full,
  GradloomError,
  layers,
  loadModel,
  optimizers,
  schedules,
  seed,
  Sequential,
  tensor,
  ValueError,
} from 'gradloom';
import type { FitOptions, Tensor } from 'gradloom';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { readEvents } from './events.js';
import { python, withPackages } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-callbacks-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (...names: string[]): string => join(folder, ...names);

beforeEach(() => {
  seed(3);
});

/** 40 samples, 10 of them for validation: 3 steps in an epoch. */
const x: Tensor = tensor(
  Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)),
  { shape: [40, 2] },
);
const y: Tensor = tensor(Float32Array.from({ length: 40 }, (_, i) => Math.cos(i)));
const fitting: FitOptions = { batchSize: 10, validationSplit: 0.25, verbose: 'silent' };

function model(optimizer: optimizers.Optimizer = new optimizers.SGD()): Sequential {
  return new Sequential([
    new layers.Dense(4, { inputShape: [2], activation: 'tanh' }),
    new layers.Dense(1),
  ]).compile({ optimizer, loss: 'mse', metrics: ['mae'] });
}

/** What is said on standard error meanwhile. */
async function said(run: () => Promise<unknown>): Promise<string> {
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    await run();
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
  }
}

describe('ModelCheckpoint', () => {
  test('saves models that can be loaded, in directories it makes', async () => {
    const path = file('deep', 'er', '{epoch:02d}.safetensors');
    const trained = model();
    const checkpoint = new callbacks.ModelCheckpoint(path);
    await trained.fit(x, y, { ...fitting, epochs: 3, callbacks: [checkpoint] });
    expect(readdirSync(file('deep', 'er'))).toEqual([1, 2, 3].map((n) => `0${n}.safetensors`));
    const loaded = await loadModel(file('deep', 'er', '03.safetensors'));
    expect(loaded.getWeights().map((each) => each.toArray())).toEqual(
      trained.getWeights().map((each) => each.toArray()),
    );
    // Saved while the epoch ends: it is counted already.
    expect(loaded.epochsSeen).toBe(3);
  });

  test('by steps, across epochs, and weights only', async () => {
    const path = file('steps', '{epoch}-{batch}.safetensors');
    const options = { saveFrequency: 4, saveWeightsOnly: true } as const;
    const checkpoint = new callbacks.ModelCheckpoint(path, options);
    await model().fit(x, y, { ...fitting, epochs: 4, callbacks: [checkpoint] });
    // 3 steps in an epoch: after steps 4, 8 and 12.
    const saved = readdirSync(file('steps')).sort();
    expect(saved).toEqual(['2-1.safetensors', '3-2.safetensors', '4-3.safetensors']);
    await expect(loadModel(file('steps', '2-1.safetensors'))).rejects.toThrow(/weights only/);
    await model().loadWeights(file('steps', '2-1.safetensors'));
  });

  test('says before training what cannot be saved, and a wrong name after the first epoch', async () => {
    const custom = model();
    custom.compile({ loss: (a: Tensor, b: Tensor) => a.sub(b).square() });
    const checkpoint = new callbacks.ModelCheckpoint(file('never'));
    let steps = 0;
    const counting = new callbacks.LambdaCallback({ onTrainBatchBegin: () => void (steps += 1) });
    const list = { ...fitting, callbacks: [checkpoint, counting] };
    await expect(custom.fit(x, y, list)).rejects.toThrow(/is a function and cannot be saved/);
    expect(steps).toBe(0);
    const wrong = new callbacks.ModelCheckpoint(file('{val_los}'));
    await expect(model().fit(x, y, { ...fitting, callbacks: [wrong] })).rejects.toThrow(
      /Did you mean "val_loss"/,
    );
    expect(() => new callbacks.ModelCheckpoint('x', { saveFrequency: 0 })).toThrow(ValueError);
  });

  test('without the monitored number saves every time and says so once', async () => {
    const checkpoint = new callbacks.ModelCheckpoint(file('monitor', '{epoch}'), {
      monitor: 'val_accuracy',
      mode: 'max',
      saveBestOnly: true,
    });
    const text = await said(() =>
      model().fit(x, y, { ...fitting, epochs: 2, callbacks: [checkpoint] }),
    );
    expect(text).toBe(
      'ModelCheckpoint saves every time: val_accuracy is not logged. Logged are loss, mae, ' +
        'val_loss, val_mae; give validationData or another monitor\n',
    );
    expect(readdirSync(file('monitor'))).toEqual(['1', '2']);
  });
});

describe('CSVLogger', () => {
  const log = (path: string, options: callbacks.CSVLoggerOptions = {}, more: FitOptions = {}) =>
    model().fit(x, y, { ...fitting, ...more, callbacks: [new callbacks.CSVLogger(path, options)] });

  test('writes a row per epoch, exactly', async () => {
    const path = file('logs', 'run.csv');
    const { history } = await log(path, {}, { epochs: 2 });
    const row = (epoch: number): string =>
      [
        epoch,
        ...['loss', 'mae', 'val_loss', 'val_mae'].map((name) => history[name]![epoch]),
      ].join();
    expect(readFileSync(path, 'utf8')).toBe(
      `epoch,loss,mae,val_loss,val_mae\n${row(0)}\n${row(1)}\n`,
    );
  });

  test('replaces a file, or goes on with it', async () => {
    const path = file('more.csv');
    await log(path, { separator: ';' }, { epochs: 1 });
    await log(path, { separator: ';', append: true }, { epochs: 3, initialEpoch: 1 });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => line.split(';')[0])).toEqual(['epoch', '0', '1', '2']);
    await log(path, { separator: ';' }, { epochs: 1 });
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  test('refuses to go on with other columns; says what stops it', async () => {
    writeFileSync(file('other.csv'), 'epoch,accuracy\n0,1\n');
    await expect(log(file('other.csv'), { append: true })).rejects.toThrow(
      /its columns are epoch,accuracy, this run logs epoch,loss,mae,val_loss,val_mae/,
    );
    await expect(log(folder)).rejects.toThrow(FileError);
  });
});

describe('learning rates', () => {
  test('LearningRateScheduler asks with epoch and rate, and logs', async () => {
    const asked: [number, number][] = [];
    const scheduler = new callbacks.LearningRateScheduler((epoch, rate) => {
      asked.push([epoch, rate]);
      return rate / 2;
    });
    const options = { ...fitting, epochs: 3, callbacks: [scheduler] };
    const { history } = await model(new optimizers.SGD({ learningRate: 0.5 })).fit(x, y, options);
    expect(asked).toEqual([
      [0, 0.5],
      [1, 0.25],
      [2, 0.125],
    ]);
    expect(history['learningRate']).toEqual([0.25, 0.125, 0.0625]);
    for (const wrong of [() => 'fast', () => NaN, () => -1, () => undefined]) {
      const bad = new callbacks.LearningRateScheduler(wrong as () => number);
      const run = model().fit(x, y, { ...fitting, callbacks: [bad] });
      await expect(run).rejects.toThrow(ValueError);
    }
  });

  test('callbacks that set the rate refuse an optimizer that follows a schedule', async () => {
    const learningRate = new schedules.CosineDecay({ initialLearningRate: 1, decaySteps: 9 });
    for (const callback of [
      new callbacks.LearningRateScheduler(() => 0.1),
      new callbacks.ReduceLROnPlateau(),
      new callbacks.OneCycleScheduler(0.1),
    ]) {
      const run = model(new optimizers.SGD({ learningRate })).fit(x, y, {
        ...fitting,
        callbacks: [callback],
      });
      await expect(run).rejects.toThrow(/CosineDecay/);
    }
  });

  test('OneCycleScheduler spans the run', async () => {
    const rates: number[] = [];
    const trained = model();
    const watching = new callbacks.LambdaCallback({
      onTrainBatchEnd: () => void rates.push(trained.optimizer.learningRate),
    });
    const list = [new callbacks.OneCycleScheduler(0.4), watching];
    await trained.fit(x, y, { ...fitting, epochs: 8, callbacks: list });
    const schedule = new schedules.OneCycle({ maxLearningRate: 0.4, totalSteps: 24 });
    expect(rates).toEqual(Array.from({ length: 24 }, (_, step) => schedule.at(step)));
    expect(Math.max(...rates)).toBe(0.4);
    const endless = trained.fit(new Set([{ x, y }]), { verbose: 'silent', callbacks: list });
    await expect(endless).rejects.toThrow(/length of the data is not known/);
  });
});

describe('TerminateOnNaN', () => {
  const diverging = () => model(new optimizers.SGD({ learningRate: 1e20 }));

  test('ends training at once, says where, and lets the others finish', async () => {
    const steps: number[] = [];
    let ended = false;
    const watching = new callbacks.LambdaCallback({
      onTrainBatchEnd: (step) => void steps.push(step),
      onTrainEnd: () => void (ended = true),
    });
    const list = [new callbacks.TerminateOnNaN(), watching];
    const run = diverging();
    const text = await said(() => run.fit(x, y, { ...fitting, epochs: 5, callbacks: list }));
    expect(text).toMatch(/^TerminateOnNaN: the loss is (NaN|Infinity) in step \d of epoch 1/);
    expect(steps.length).toBeLessThanOrEqual(3);
    expect(ended).toBe(true);
  });

  test('or throws', async () => {
    const callback = new callbacks.TerminateOnNaN({ raiseError: true });
    const run = diverging().fit(x, y, { ...fitting, epochs: 5, callbacks: [callback] });
    await expect(run).rejects.toThrow(GradloomError);
    await expect(run).rejects.toThrow(/the loss is .* of epoch/);
  });

  /** Four dense layers a … d, and others between them. */
  const deep = (learningRate = 0.01): Sequential =>
    new Sequential([
      new layers.Dense(4, { inputShape: [2], activation: 'relu', name: 'a' }),
      new layers.Dropout(0.2, { name: 'drop' }),
      new layers.Dense(4, { name: 'b' }),
      new layers.BatchNormalization({ name: 'norm' }),
      new layers.Dense(4, { name: 'c' }),
      new layers.Dense(1, { name: 'd' }),
    ]).compile({ optimizer: new optimizers.SGD({ learningRate }), loss: 'mse' });

  /** Sets the kernel of a layer to a number at the beginning of a step. */
  const setting = (net: Sequential, name: string, value: number, [epoch, step]: number[]) => {
    let now = 0;
    return new callbacks.LambdaCallback({
      onEpochBegin: (each) => void (now = each),
      onTrainBatchBegin: (each) => {
        if (now !== epoch || each !== step) return;
        const { value: kernel } = net.weights.find((one) => one.name === `${name}/kernel`)!;
        kernel.assign(full(kernel.shape, value));
      },
    });
  };

  test.each([
    ['shuffled tensors', () => x, {}],
    ['tensors in order', () => x, { shuffle: false }],
  ])('names the layer that overflowed, %s', async (_, data, how) => {
    const net = deep();
    // The callback before it spoils the weights that the step begins with.
    const list = [setting(net, 'c', 1e38, [1, 2]), new callbacks.TerminateOnNaN()];
    const text = await said(() =>
      net.fit(data(), y, { ...fitting, ...how, epochs: 3, callbacks: list }),
    );
    expect(text).toMatch(
      new RegExp(
        String.raw`^TerminateOnNaN: the loss is (NaN|Infinity) in step 3 of epoch 2: layer ` +
          String.raw`(c|d) is the first to give -?(NaN|Infinity); its input was finite \(up to ` +
          String.raw`.*\), its weights too \(up to .*\); try a lower learning rate, .*; ` +
          String.raw`training ends\n$`,
      ),
    );
  });

  test('names the layer whose weights the update before broke', async () => {
    const net = deep();
    const list = [setting(net, 'b', NaN, [0, 1]), new callbacks.TerminateOnNaN()];
    const text = await said(() => net.fit(x, y, { ...fitting, epochs: 1, callbacks: list }));
    expect(text).toMatch(
      new RegExp(
        String.raw`in step 2 of epoch 1: layer b is the first to give NaN: its input was ` +
          String.raw`finite, but its weight b/kernel was NaN or infinite before the step; .*; ` +
          String.raw`try a lower learning rate`,
      ),
    );
  });

  test('names data that is not finite, also of iterables', async () => {
    const bad = y.copy();
    bad.assign(Float32Array.from({ length: 40 }, (_, i) => (i === 7 ? NaN : 0)));
    const callback = new callbacks.TerminateOnNaN({ raiseError: true });
    const run = deep().fit(
      new Set([
        { x, y },
        { x, y: bad },
      ]),
      {
        verbose: 'silent',
        callbacks: [callback],
      },
    );
    await expect(run).rejects.toThrow(
      'the loss is NaN in step 2 of epoch 1: the data is not finite: y of sample 8 of the batch ' +
        'holds NaN; try leaving such samples out',
    );
  });

  test('names a loss that is infinite for finite predictions', async () => {
    const far = tensor(Float32Array.from({ length: 40 }, () => 1e30));
    const callback = new callbacks.TerminateOnNaN({ raiseError: true });
    const run = deep().fit(x, far, { ...fitting, callbacks: [callback] });
    await expect(run).rejects.toThrow(
      new RegExp(
        String.raw`all layers give finite results .*, but the loss meanSquaredError of d is ` +
          String.raw`not finite for them; try`,
      ),
    );
  });

  test('training goes on the same with it, and after it', async () => {
    const trained = async (list: callbacks.Callback[]): Promise<unknown> => {
      seed(3);
      const net = deep();
      await net.fit(x, y, { ...fitting, epochs: 3, callbacks: list });
      return net.getWeights().map(String);
    };
    const plain = await trained([]);
    expect(await trained([new callbacks.TerminateOnNaN()])).toEqual(plain);
    expect(await trained([new callbacks.TerminateOnNaN({ trace: false })])).toEqual(plain);
  });

  test('without a trace it names the first weight', async () => {
    const list = [new callbacks.TerminateOnNaN({ trace: false })];
    const run = diverging();
    const text = await said(() => run.fit(x, y, { ...fitting, epochs: 5, callbacks: list }));
    expect(text).toMatch(/the first weight with NaN or infinite values is dense\w*\/kernel/);
  });

  test('a finite loss passes', async () => {
    const list = [new callbacks.TerminateOnNaN({ raiseError: true })];
    const { epochs } = await model().fit(x, y, { ...fitting, epochs: 2, callbacks: list });
    expect(epochs).toEqual([0, 1]);
  });
});

describe('SwapEMAWeights', () => {
  const averaging = () => model(new optimizers.Adam({ useEma: true, emaMomentum: 0.5 }));
  const weights = (each: Sequential) => each.getWeights().map((one) => one.toArray());

  test('validates the averages, trains the weights, ends with the averages', async () => {
    const plain = averaging();
    const start = plain.getWeights();
    let raw: unknown;
    const watching = new callbacks.LambdaCallback({
      onEpochEnd: () => void (raw = weights(plain)),
    });
    seed(3);
    await plain.fit(x, y, { ...fitting, epochs: 3, callbacks: [watching] });

    const swapped = averaging();
    swapped.setWeights(start);
    const during: unknown[] = [];
    const list = [
      new callbacks.SwapEMAWeights({ swapOnEpoch: true }),
      new callbacks.LambdaCallback({ onEpochEnd: () => void during.push(weights(swapped)) }),
    ];
    seed(3);
    await swapped.fit(x, y, { ...fitting, epochs: 3, callbacks: list });
    expect(weights(swapped)).toEqual(weights(plain));
    expect(weights(swapped)).not.toEqual(raw);
    expect(during.at(-1)).toEqual(weights(plain));
  });

  test('weights that callbacks restore at the end have the last word', async () => {
    const stopping = new callbacks.EarlyStopping({ monitor: 'loss', restoreBestWeights: true });
    const seen: unknown[] = [];
    const watching = new callbacks.LambdaCallback({
      onEpochEnd: () => void seen.push(weights(trained)),
    });
    const trained = averaging();
    await trained.fit(x, y, { ...fitting, epochs: 2, callbacks: [watching, stopping] });
    expect(weights(trained)).toEqual(seen[stopping.bestEpoch]);
  });

  test('needs averages', async () => {
    const list = [new callbacks.SwapEMAWeights()];
    await expect(model().fit(x, y, { ...fitting, callbacks: list })).rejects.toThrow(/useEma/);
  });
});

describe('TensorBoard', () => {
  const write = (
    name: string,
    options: callbacks.TensorBoardOptions = {},
    more: FitOptions = {},
  ) => {
    const callback = new callbacks.TensorBoard({ ...options, logDirectory: file(name) });
    return model().fit(x, y, { ...fitting, epochs: 3, ...more, callbacks: [callback] });
  };

  test('writes curves under the names of Keras, training and validation apart', async () => {
    const { history } = await write('board');
    const train = readEvents(file('board', 'train'));
    const validation = readEvents(file('board', 'validation'));
    const curve = (events: typeof train, tag: string) =>
      events.filter((each) => each.tag === tag).map(({ step, value }) => [step, value]);
    const rounded = (values: readonly number[]) => values.map((each, i) => [i, Math.fround(each)]);
    expect(curve(train, 'epoch_loss')).toEqual(rounded(history['loss']!));
    expect(curve(train, 'epoch_mae')).toEqual(rounded(history['mae']!));
    expect(curve(train, 'epoch_learning_rate')).toEqual(rounded([0.01, 0.01, 0.01]));
    expect(curve(validation, 'epoch_loss')).toEqual(rounded(history['val_loss']!));
    expect(curve(validation, 'evaluation_loss_vs_iterations').map(([step]) => step)).toEqual([
      3, 6, 9,
    ]);
    const [summary] = curve(train, 'model_summary');
    expect(summary![1]).toContain('Layer (type)');
    expect(train.some(({ tag }) => tag.startsWith('batch_'))).toBe(false);
    expect(existsSync(file('board', 'train'))).toBe(true);
  });

  test('writes steps, histograms and speed when asked', async () => {
    await write('more', { updateFrequency: 2, histogramFrequency: 2, stepsPerSecond: true });
    const events = readEvents(file('more', 'train'));
    const steps = (tag: string) =>
      events.filter((each) => each.tag === tag).map(({ step }) => step);
    expect(steps('batch_loss')).toEqual([0, 2, 4, 6, 8]);
    expect(steps('epoch_steps_per_second')).toEqual([0, 1, 2]);
    const histograms = events.filter(({ plugin }) => plugin === 'histograms');
    expect(histograms).toHaveLength(8);
    const counts = (histograms[0]!.value as number[]).filter((_, i) => i % 3 === 2);
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(8);
  });

  test.skipIf(!withPackages('tensorboard'))(
    'is read by TensorBoard, graph and runs too',
    async () => {
      const hyperParameters = { rate: 0.01, activation: 'tanh', norm: false };
      await write('real/run-1', { hyperParameters, histogramFrequency: 1 });
      // A second run from epoch 2 on replaces what is shown from there.
      const late = { epochs: 5, initialEpoch: 2 };
      const { history } = await write('real/run-1', { graph: false }, late);
      const script = new URL('golden/read-events.py', import.meta.url).pathname;
      const output = execFileSync(python!, [script, file('real')], { stdio: 'pipe' }).toString();
      type Found = Record<string, Record<string, { plugin: string; points: [number, unknown][] }>>;
      const found = JSON.parse(output) as Found;
      expect(Object.keys(found).sort()).toEqual(['run-1', 'run-1/train', 'run-1/validation']);
      const train = found['run-1/train']!;
      expect(train['epoch_loss']!.points.map(([step]) => step)).toEqual([0, 1, 2, 3, 4]);
      expect(train['epoch_loss']!.points.slice(2).map(([, value]) => value)).toEqual(
        history['loss']!.map(Math.fround),
      );
      const start = found['run-1']!['_hparams_/session_start_info']!;
      expect(start.points[0]![1]).toEqual(hyperParameters);
      expect(found['run-1']!['_hparams_/session_end_info']!.points[0]![1]).toEqual({ status: 1 });
      expect(Object.values(train).filter(({ plugin }) => plugin === 'histograms')).toHaveLength(4);
      expect(train['keras']!.plugin).toBe('graph_keras_model');
    },
  );
});
