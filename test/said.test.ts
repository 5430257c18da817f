/** What is said on standard error while training, where it is asked for or needed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it, vi } from 'vitest';

import { callbacks, layers, Sequential, zeros } from 'gradloom';

import { compiled, x, y } from './small-net.js';

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
