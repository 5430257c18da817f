/** Callbacks that watch a logged number, against what Keras's do over the same series. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { callbacks, layers, Sequential, tensor, ValueError } from 'gradloom';
import { afterAll, describe, expect, test } from 'vitest';

import { fillTemplate } from '../src/callbacks/file-template.js';

interface Case<Options> {
  readonly options: Options;
  readonly series: readonly number[];
}

interface Watching {
  readonly monitor: string;
  readonly mode: 'min' | 'max';
  readonly min_delta: number;
  readonly patience: number;
}

interface Golden {
  readonly earlyStopping: readonly (Case<
    Watching & {
      readonly baseline: number | null;
      readonly restore_best_weights: boolean;
      readonly start_from_epoch: number;
    }
  > & {
    readonly epochs: number;
    readonly stopped: boolean;
    readonly restored: number | null;
    readonly best: number | null;
  })[];
  readonly reduceLROnPlateau: readonly (Case<
    Watching & { readonly factor: number; readonly cooldown: number; readonly min_lr: number }
  > & { readonly rates: readonly number[] })[];
  readonly modelCheckpoint: readonly (Case<{
    readonly filepath: string;
    readonly mode: 'min' | 'max';
    readonly save_best_only: boolean;
    readonly initial_value_threshold: number | null;
  }> & { readonly saved: readonly string[] })[];
  readonly formats: Readonly<Record<string, string>>;
}

const golden = JSON.parse(
  readFileSync(new URL('golden/callbacks.json', import.meta.url), 'utf8'),
) as Golden;

const folder = mkdtempSync(join(tmpdir(), 'gradloom-callbacks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Logs a series in place of what training gives; the weight is the number of the epoch. */
class Series extends callbacks.Callback {
  readonly rates: number[] = [];

  constructor(readonly series: readonly number[]) {
    super();
  }

  override onEpochEnd(epoch: number, logs: Record<string, number>): void {
    logs['val_loss'] = this.series[epoch]!;
    this.model.weights[0]!.value.assign(Float32Array.of(epoch));
  }
}

async function run(series: readonly number[], callback: callbacks.Callback) {
  const layer = new layers.Dense(1, { inputShape: [1], useBias: false, trainable: false });
  const model = new Sequential([layer]);
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  model.optimizer.learningRate = 1;
  const rates: number[] = [];
  const after = new callbacks.LambdaCallback({
    onEpochEnd: () => void rates.push(model.optimizer.learningRate),
  });
  const list = [new Series(series), callback, after];
  const options = { epochs: series.length, callbacks: list, verbose: 'silent' } as const;
  await model.fit(tensor([[1]]), tensor([[1]]), options);
  return { rates, stopped: model.stopTraining, weight: model.weights[0]!.value.item() };
}

test.each(golden.earlyStopping.map((each, i) => [i, each] as const))(
  'EarlyStopping, series %i',
  async (_, { options, series, ...expected }) => {
    const callback = new callbacks.EarlyStopping({
      mode: options.mode,
      minDelta: options.min_delta,
      patience: options.patience,
      ...(options.baseline === null ? {} : { baseline: options.baseline }),
      restoreBestWeights: options.restore_best_weights,
      startFromEpoch: options.start_from_epoch,
    });
    const { rates, stopped, weight } = await run(series, callback);
    expect({ epochs: rates.length, stopped }).toEqual({
      epochs: expected.epochs,
      stopped: expected.stopped,
    });
    expect(weight).toBe(expected.restored ?? expected.epochs - 1);
    if (expected.best !== null) expect(callback.best).toBe(expected.best);
  },
);

test.each(golden.reduceLROnPlateau.map((each, i) => [i, each] as const))(
  'ReduceLROnPlateau, series %i',
  async (_, { options, series, rates }) => {
    const callback = new callbacks.ReduceLROnPlateau({
      mode: options.mode,
      factor: options.factor,
      minDelta: options.min_delta,
      patience: options.patience,
      cooldown: options.cooldown,
      minLearningRate: options.min_lr,
    });
    expect((await run(series, callback)).rates).toEqual(rates);
  },
);

test.each(golden.modelCheckpoint.map((each, i) => [i, each] as const))(
  'ModelCheckpoint, series %i',
  async (i, { options, series, saved }) => {
    const directory = join(folder, String(i));
    const callback = new callbacks.ModelCheckpoint(join(directory, options.filepath), {
      mode: options.mode,
      saveBestOnly: options.save_best_only,
      ...(options.initial_value_threshold === null
        ? {}
        : { initialValueThreshold: options.initial_value_threshold }),
    });
    await run(series, callback);
    expect(saved.length === 0 ? [] : readdirSync(directory).sort()).toEqual([...saved].sort());
  },
);

describe('file names', () => {
  const values = { epoch: 7, val_loss: 0.12345, loss: -1.5, accuracy: 0.987 };

  test.each(Object.entries(golden.formats))('%s', (template, expected) => {
    expect(fillTemplate(template, values)).toBe(expected);
  });

  test('an unknown name and an unknown format are named', () => {
    expect(() => fillTemplate('{val_los:.2f}', values)).toThrow(ValueError);
    expect(() => fillTemplate('{val_los:.2f}', values)).toThrow(/Did you mean "val_loss"/);
    expect(() => fillTemplate('{loss:x}', values)).toThrow(/the format in \{loss:x\} is not known/);
    expect(fillTemplate('{loss:.2f}', { loss: NaN })).toBe('nan');
    expect(fillTemplate('{loss:.2f}', { loss: -Infinity })).toBe('-inf');
  });
});
