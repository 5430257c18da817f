/** BackupAndRestore: a training killed and started again ends as if nothing had happened. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  callbacks,
  FileError,
  io,
  layers,
  loadModel,
  seed,
  Sequential,
  tensor,
  ValueError,
} from 'gradloom';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { epochs, train } from './backup-run.js';
import type { Outcome } from './backup-run.js';
import { readEvents } from './events.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-backup-'));
afterAll(() => rmSync(folder, { recursive: true }));

const script = fileURLToPath(new URL('backup-run.ts', import.meta.url));

/** Runs the training in a process that must die by SIGKILL at this place. */
function die(directory: string, frequency: string, epoch: number, step: number): void {
  const args = ['--import', 'tsx', script, directory, frequency, String(epoch), String(step)];
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ signal, stderr }).toMatchObject({ signal: 'SIGKILL' });
}

/** Runs something with standard error kept from the terminal. */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    return await run();
  } finally {
    write.mockRestore();
  }
}

let unbroken: Outcome;
const whole = join(folder, 'whole');

beforeAll(async () => {
  unbroken = await train(whole, 'epoch');
}, 120_000);

test('the training that is broken off is one that shows differences', () => {
  expect(unbroken.epochs).toHaveLength(epochs);
  // The best weights are not the last, so that they must have been kept over the break.
  expect(unbroken.bestEpoch).toBeGreaterThan(7);
  expect(unbroken.bestEpoch).toBeLessThan(epochs - 1);
  expect(new Set(unbroken.history['learningRate']).size).toBe(unbroken.epochs.length);
  expect(existsSync(join(whole, 'backup', 'backup.safetensors'))).toBe(false);
});

const deaths = {
  // In an epoch, in the first one, while one ends: each from what the one before left.
  epoch: [
    [0, 3],
    [2, 5],
    [11, 2],
  ],
  // Backups after every second step.
  2: [
    [1, 4],
    [4, 6],
    [6, -1],
  ],
} as const;

test.each(Object.entries(deaths))(
  'killed again and again, with a backup every %s, it ends with the same bits',
  { timeout: 240_000 },
  async (frequency, places) => {
    const directory = join(folder, `killed-${frequency}`);
    for (const [epoch, step] of places) die(directory, frequency, epoch, step);
    const resumed = await quietly(() =>
      train(directory, frequency === 'epoch' ? 'epoch' : Number(frequency)),
    );
    expect(resumed).toEqual(unbroken);
    for (const name of ['log.csv', 'best.safetensors']) {
      expect(readFileSync(join(directory, name))).toEqual(readFileSync(join(whole, name)));
    }
    expect(existsSync(join(directory, 'backup', 'backup.safetensors'))).toBe(false);
    const curve = readEvents(join(directory, 'logs', 'validation'))
      .filter(({ tag }) => tag === 'epoch_loss')
      .map(({ step, value }) => [step, value] as const);
    // Steps that were done twice stand in two files, with the same values.
    const steps = [...new Map(curve)].sort(([a], [b]) => a - b);
    expect(steps).toEqual(
      unbroken.history['val_loss']!.map((value, epoch) => [epoch, Math.fround(value)]),
    );
  },
);

// ---- in one process -----------------------------------------------------------------------------

const x = tensor(
  Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
  { shape: [12, 2] },
);
const y = tensor(Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)));

function model(units = 4): Sequential {
  return new Sequential([
    new layers.Dense(units, { inputShape: [2] }),
    new layers.Dropout(0.5),
    new layers.Dense(1),
  ]).compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] });
}

const bits = (each: Sequential): unknown => each.getWeights().map((one) => one.toArray());
const fitting = { batchSize: 3, verbose: 'silent' } as const;

describe('a run that', () => {
  test('is aborted keeps its backup and is gone on with; batches of an iterable are skipped', async () => {
    const directory = join(folder, 'aborted');
    const batches = Array.from({ length: 4 }, (_, i) => ({
      x: x.slice([3 * i, 3 * i + 3]),
      y: y.slice([3 * i, 3 * i + 3]),
    }));
    // Async, so that its length is not known.
    async function* generate() {
      for (const batch of batches) yield await Promise.resolve(batch);
    }
    const source = { [Symbol.asyncIterator]: generate };
    const run = async (abortAt: number) => {
      seed(5);
      const trained = model();
      const abort = new AbortController();
      let steps = 0;
      const list = [
        new callbacks.BackupAndRestore(directory, { saveFrequency: 1 }),
        new callbacks.LambdaCallback({
          onTrainBatchEnd: () => (++steps === abortAt ? abort.abort() : undefined),
        }),
      ];
      const options = {
        epochs: 3,
        callbacks: list,
        signal: abort.signal,
        verbose: 'silent',
      } as const;
      const history = await trained.fit(source, options);
      return { bits: bits(trained), history, steps };
    };
    const all = await run(Infinity);
    expect(all.steps).toBe(12);
    const first = await run(6);
    expect(first.history.epochs).toEqual([0]);
    expect(existsSync(join(directory, 'backup.safetensors'))).toBe(true);
    const second = await quietly(() => run(Infinity));
    expect(second.steps).toBe(6);
    expect(second.bits).toEqual(all.bits);
    expect(second.history.history).toEqual(all.history.history);
  });

  test('throws keeps its backup', async () => {
    const directory = join(folder, 'threw');
    const list = [
      new callbacks.BackupAndRestore(directory),
      new callbacks.LambdaCallback({
        onEpochBegin: (epoch) => {
          if (epoch === 2) throw new Error('as planned');
        },
      }),
    ];
    const run = model().fit(x, y, { ...fitting, epochs: 4, callbacks: list });
    await expect(run).rejects.toThrow('as planned');
    const again = model();
    const options = { ...fitting, epochs: 4, callbacks: list.slice(0, 1) };
    const { epochs: seen } = await quietly(() => again.fit(x, y, options));
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(again.optimizer.iterations).toBe(16);
  });

  test('is over and whose backup was kept is not done again', async () => {
    const directory = join(folder, 'kept');
    const keep = () => new callbacks.BackupAndRestore(directory, { deleteCheckpoint: false });
    const first = model();
    const options = { ...fitting, epochs: 2 };
    const done = await first.fit(x, y, { ...options, callbacks: [keep()] });
    const second = model();
    const again = await quietly(() => second.fit(x, y, { ...options, callbacks: [keep()] }));
    expect(again.history).toEqual(done.history);
    expect(bits(second)).toEqual(bits(first));
  });
});

describe('a backup', () => {
  const kept = join(folder, 'other');
  const path = join(kept, 'backup.safetensors');
  const options = { deleteCheckpoint: false };
  const resume = (each: Sequential) =>
    quietly(() => {
      const list = [new callbacks.BackupAndRestore(kept, options)];
      return each.fit(x, y, { ...fitting, epochs: 3, callbacks: list });
    });

  test('of another model is refused, saying what differs and what to do', async () => {
    await resume(model());
    const run = resume(model(5));
    await expect(run).rejects.toThrow(FileError);
    await expect(run).rejects.toThrow(
      /cannot go on with .*: .*dense_\d+\/kernel is float32 \[2, 5\] .*remove that file/,
    );
  });

  test('is a file of weights to other programs, but no model', async () => {
    const { tensors } = await io.readSafetensors(path);
    expect([...tensors.keys()].some((name) => name.endsWith('/kernel'))).toBe(true);
    await expect(loadModel(path)).rejects.toThrow(/holds weights only/);
  });

  test('that is damaged, or of another kind, is refused', async () => {
    const good = readFileSync(path);
    writeFileSync(path, good.subarray(0, good.length - 1));
    await expect(resume(model())).rejects.toThrow(FileError);
    await model().save(path);
    await expect(resume(model())).rejects.toThrow(/is no backup of a training run/);
    rmSync(path);
    expect((await resume(model())).epochs).toEqual([0, 1, 2]);
  });

  test('is made by one callback', async () => {
    const list = [new callbacks.BackupAndRestore(kept), new callbacks.BackupAndRestore(kept)];
    await expect(model().fit(x, y, { ...fitting, callbacks: list })).rejects.toThrow(ValueError);
    expect(() => new callbacks.BackupAndRestore('')).toThrow(ValueError);
  });
});
