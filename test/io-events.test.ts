/** TensorBoard's event files: check sums, histograms, and what TensorBoard itself finds in them. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { FileError } from '../src/errors.js';
import { crc32c } from '../src/io/crc32c.js';
import { EventFile } from '../src/io/event-file.js';
import { histogramOf } from '../src/io/histogram.js';
import { Message } from '../src/io/protobuf.js';
import { decodeMessage, readEvents, readRecords } from './events.js';
import { python, withPackages } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-events-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('check sums of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('messages of the protocol-buffer documentation, and large numbers', () => {
  expect([...new Message().integer(1, 150).encode()]).toEqual([0x08, 0x96, 0x01]);
  const testing = new Message().string(2, 'testing').encode();
  expect(Buffer.from(testing).toString('hex')).toBe('120774657374696e67');
  const nested = new Message().message(3, new Message().integer(1, 150)).encode();
  expect(Buffer.from(nested).toString('hex')).toBe('1a03089601');
  for (const value of [0, 127, 128, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const bytes = Buffer.from(new Message().integer(20, value).encode());
    expect(decodeMessage(bytes)).toEqual(new Map([[20, [value]]]));
  }
  const numbers = new Message().double(1, -0.1).float(2, 1.5);
  expect(decodeMessage(Buffer.from(numbers.encode()))).toEqual(
    new Map([
      [1, [-0.1]],
      [2, [1.5]],
    ]),
  );
});

test('histograms: every finite value is in its bucket', () => {
  const values = Float32Array.from({ length: 61 }, (_, i) => i / 2 - 15);
  const rows = histogramOf(values);
  expect(rows.length).toBe(90);
  expect([...rows.slice(0, 6)]).toEqual([-15, -14, 2, -14, -13, 2]);
  // The last bucket has its right edge too.
  expect([...rows.slice(-3)]).toEqual([14, 15, 3]);
  expect([...histogramOf([2, 2, NaN, Infinity])].slice(-6)).toEqual([2, 2, 0, 2, 2, 2]);
  expect(histogramOf([NaN]).every((each) => each === 0)).toBe(true);
  expect([...histogramOf([0, 5e-324])].filter((_, i) => i % 3 === 2 && _ > 0)).toEqual([1, 1]);
});

async function writeSample(directory: string): Promise<void> {
  const events = new EventFile(directory, 0);
  for (let step = 0; step < 3; step++) events.scalar('epoch_loss', 1 / (step + 1), step);
  events.scalar('odd', NaN, 2 ** 40);
  events.histogram('dense/kernel/histogram', [0, 0, 1, 30], 1);
  await events.flush();
  events.text('notes', '# Ünï\n\n| a |\n|---|\n| 1 |', 0);
  const layer = { class_name: 'Dense', config: { name: 'dense', dtype: 'float32' } };
  events.kerasModel(
    JSON.stringify({ class_name: 'Sequential', config: { name: 'm', layers: [layer] } }),
  );
  events.hyperParameters({ rate: 1e-3, optimizer: 'nadam', batchNorm: true }, 'group');
  events.hyperParametersEnd(true);
  await events.close();
}

test('what is written is there, with right check sums', async () => {
  const directory = join(folder, 'own');
  await writeSample(directory);
  const events = readEvents(directory);
  expect(events.map(({ tag, step, plugin }) => [tag, step, plugin])).toEqual([
    ['epoch_loss', 0, 'scalars'],
    ['epoch_loss', 1, 'scalars'],
    ['epoch_loss', 2, 'scalars'],
    ['odd', 2 ** 40, 'scalars'],
    ['dense/kernel/histogram', 1, 'histograms'],
    ['notes', 0, 'text'],
    ['keras', 0, 'graph_keras_model'],
    ['_hparams_/session_start_info', 0, 'hparams'],
    ['_hparams_/session_end_info', 0, 'hparams'],
  ]);
  expect(events.slice(0, 4).map(({ value }) => value)).toEqual([1, 0.5, Math.fround(1 / 3), NaN]);
  expect(events[4]!.value).toHaveLength(90);
  expect(events[5]!.value).toContain('# Ünï');
});

test('nothing is written before there is something to write; then nothing is kept back', async () => {
  const events = new EventFile(join(folder, 'lazy'));
  await events.close();
  expect(() => readEvents(join(folder, 'lazy'))).toThrow(/ENOENT/);
  events.scalar('a', 1, 0);
  await events.flush();
  expect(readEvents(join(folder, 'lazy'))).toHaveLength(1);
  events.scalar('a', 2, 1);
  await events.flush();
  await events.close();
  expect(readRecords(readFileSync(events.path))).toHaveLength(3);
});

test('a directory that cannot be made is named', async () => {
  writeFileSync(join(folder, 'in-the-way'), '');
  const events = new EventFile(join(folder, 'in-the-way', 'logs'));
  events.scalar('a', 1, 0);
  await expect(events.flush()).rejects.toThrow(FileError);
});

const tensorboard = withPackages('tensorboard');

test.skipIf(!tensorboard)('TensorBoard finds the same', async () => {
  const directory = join(folder, 'read');
  await writeSample(directory);
  const second = new EventFile(directory, 2);
  second.scalar('epoch_loss', 0.25, 2);
  second.scalar('epoch_loss', 0.125, 3);
  await second.close();
  const script = new URL('golden/read-events.py', import.meta.url).pathname;
  const output = execFileSync(python!, [script, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const found = JSON.parse(output.toString().replaceAll('NaN', 'null')) as Record<string, unknown>;
  const rows = histogramOf([0, 0, 1, 30]);
  const table = Array.from({ length: 30 }, (_, i) => [...rows.slice(3 * i, 3 * i + 3)]);
  const hyper = { rate: 1e-3, optimizer: 'nadam', batchNorm: true };
  expect(found['read']).toMatchObject({
    epoch_loss: {
      plugin: 'scalars',
      class: 1,
      // The restart at step 2 replaced what the first file had from there on.
      points: [
        [0, 1],
        [1, 0.5],
        [2, 0.25],
        [3, 0.125],
      ],
    },
    'dense/kernel/histogram': { plugin: 'histograms', class: 2, points: [[1, table]] },
    notes: { plugin: 'text', class: 2, points: [[0, '# Ünï\n\n| a |\n|---|\n| 1 |']] },
    keras: { plugin: 'graph_keras_model', class: 3 },
    '_hparams_/session_start_info': { plugin: 'hparams', points: [[0, hyper]] },
    '_hparams_/session_end_info': { plugin: 'hparams', points: [[0, { status: 1 }]] },
  });
});
