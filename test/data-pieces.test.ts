/** The small parts of dataset loading by themselves: layout, PNG, lock, cache directory, errors. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PNG } from 'pngjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheDirectory } from '../src/data/cache-directory.js';
import { decodeRecords, encodeRecords } from '../src/data/cifar10-layout.js';
import type { DataError } from '../src/data/data-error.js';
import { explainFileError } from '../src/data/file-errors.js';
import { withLock } from '../src/data/lock.js';
import { decodePng } from '../src/data/png.js';
import { GradloomError } from '../src/errors.js';
import { temporaryDirectory } from './data-support.js';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('layout', () => {
  test('planes become interleaved pixels at the place asked for', () => {
    const record = new Uint8Array(3073);
    record[0] = 7;
    record[1 + 33] = 10; // red of row 1, column 1
    record[1 + 1024 + 33] = 20;
    record[1 + 2048 + 33] = 30;
    const images = new Uint8Array(3 * 3072).fill(99);
    const labels = new Uint8Array(3);
    decodeRecords(record, images, labels, 1);
    expect([...labels]).toEqual([0, 7, 0]);
    expect([...images.subarray(3072 + 33 * 3, 3072 + 33 * 3 + 3)]).toEqual([10, 20, 30]);
    expect(images[3071]).toBe(99);
    expect(images[2 * 3072]).toBe(99);
  });

  test('encoding is the inverse of decoding', () => {
    const records = Uint8Array.from({ length: 5 * 3073 }, (_, i) => (i % 3073 ? i * 31 : i % 10));
    const images = new Uint8Array(5 * 3072);
    const labels = new Uint8Array(5);
    decodeRecords(records, images, labels, 0);
    expect(encodeRecords(images, 3, labels)).toEqual(records);
  });
});

/** A buffer as a stream. */
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

/** Copies of what a stream gives. */
async function all(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const each of stream) found.push(each.slice());
  return found;
}

describe('PNG', () => {
  test('is decoded without loss', async () => {
    const image = new PNG({ width: 5, height: 3 });
    for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : i * 17;
    // A single byte at a time: nothing may depend on where a stream is cut.
    const { rows, ...size } = await decodePng(pieces(PNG.sync.write(image), 1));
    expect(size).toEqual({ width: 5, height: 3, channels: 4 });
    expect(Buffer.concat(await all(rows)).equals(image.data)).toBe(true);
  });

  test.each([0, 1, 2, 3, 4])('with filter %i', async (filterType) => {
    const image = new PNG({ width: 40, height: 30 });
    for (let i = 0; i < image.data.length; i++) {
      image.data[i] = i % 4 === 3 ? 255 : (i * i * 31) % 251;
    }
    for (const channels of [3, 4]) {
      const colorType = channels === 3 ? 2 : 6;
      const bytes = PNG.sync.write(image, { colorType, filterType });
      const read = await decodePng(pieces(bytes, 100));
      expect(read.channels).toBe(channels);
      const wanted = image.data.filter((_, i) => i % 4 < channels);
      expect(Buffer.concat(await all(read.rows)).equals(wanted)).toBe(true);
    }
  });

  test('of another kind is refused in words', async () => {
    const grey = PNG.sync.write(new PNG({ width: 4, height: 4 }), { colorType: 0 });
    await expect(decodePng(pieces(grey, 100))).rejects.toThrow('expected 8 bits a channel, RGB');
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 20)],
    ['not a PNG', () => Buffer.from('this is text, and rather more of it than a signature')],
  ])('%s is an error, not silence', async (_name, spoil) => {
    const bytes = spoil(PNG.sync.write(new PNG({ width: 64, height: 64 })));
    await expect(decodePng(pieces(bytes, 64)).then(({ rows }) => all(rows))).rejects.toThrow(
      'a PNG cannot be read',
    );
  });
});

describe('cache directory', () => {
  const cases: [Record<string, string>, NodeJS.Platform, string][] = [
    [{ GRADLOOM_CACHE: '/data/g', XDG_CACHE_HOME: '/x' }, 'linux', resolve('/data/g')],
    [{ GRADLOOM_CACHE: 'here' }, 'linux', resolve('here')],
    [{ XDG_CACHE_HOME: '/x' }, 'linux', join('/x', 'gradloom')],
    [{ XDG_CACHE_HOME: 'relative' }, 'linux', join('/home/me', '.cache', 'gradloom')],
    [{ GRADLOOM_CACHE: '' }, 'linux', join('/home/me', '.cache', 'gradloom')],
    [{ XDG_CACHE_HOME: '/x' }, 'darwin', join('/home/me', 'Library', 'Caches', 'gradloom')],
    [{ LOCALAPPDATA: '/local' }, 'win32', join('/local', 'gradloom')],
    [{}, 'win32', join('/home/me', 'AppData', 'Local', 'gradloom')],
  ];
  test.each(cases)('%o on %s is %s', (environment, platform, expected) => {
    expect(cacheDirectory(environment, platform, '/home/me')).toBe(expected);
  });
});

describe('lock', () => {
  const lockPath = (): string => join(directory, 'lock');

  test('lets one in at a time, and is gone afterwards, also after an error', async () => {
    let inside = 0;
    let most = 0;
    const body = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    await Promise.all([1, 2, 3, 4].map(() => withLock(lockPath(), body)));
    expect(most).toBe(1);
    await expect(withLock(lockPath(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of a process that died is taken over at once, by one waiter only', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(lockPath(), `${pid} ${hostname()} 0123456789abcdef`);
    let inside = 0;
    let most = 0;
    const started = performance.now();
    const body = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock(lockPath(), body)));
    expect(most).toBe(1);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of another machine is respected while it shows life, and broken afterwards', async () => {
    writeFileSync(lockPath(), '1 another-machine 0123456789abcdef');
    const beat = setInterval(() => utimesSync(lockPath(), new Date(), new Date()), 50);
    const waited: number[] = [];
    let entered = false;
    const options = { staleAfter: 500, onWait: (seconds: number) => void waited.push(seconds) };
    const done = withLock(lockPath(), () => Promise.resolve((entered = true)), options);
    await sleep(1_000);
    expect(entered).toBe(false);
    clearInterval(beat);
    await done;
    expect(entered).toBe(true);
    expect(waited.length).toBeGreaterThan(0);
  });

  test('names its holder', async () => {
    const held = await withLock(lockPath(), () =>
      Promise.resolve(readFileSync(lockPath(), 'utf8')),
    );
    expect(held.startsWith(`${process.pid} ${hostname()} `)).toBe(true);
  });
});

describe('file errors', () => {
  test.each([
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'the file system is read-only'],
    ['EACCES', 'permission is denied'],
  ])('%s is said in words, with the way out', (code, words) => {
    const cause = Object.assign(new Error(`${code}: write`), { code, syscall: 'write' });
    const error = explainFileError(cause, '/cache') as DataError;
    expect(error).toBeInstanceOf(GradloomError);
    expect(error.name).toBe('DataError');
    expect(error.message).toContain(`/cache cannot be used: ${words}`);
    expect(error.message).toContain('GRADLOOM_CACHE');
    expect(error.cause).toBe(cause);
  });

  test('anything else stays as it is', () => {
    const other = new TypeError('a bug');
    expect(explainFileError(other, '/cache')).toBe(other);
    expect(explainFileError(undefined, '/cache')).toBe(undefined);
  });
});
