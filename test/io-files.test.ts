/** Files replaced atomically, JSON that loses nothing. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, expect, test } from 'vitest';

import { FileError, ValueError } from '../src/errors.js';
import { writeFileAtomically } from '../src/io/atomic-file.js';
import { fromExactJson, toExactJson } from '../src/io/exact-json.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = 1 << 20;
const child = fileURLToPath(new URL('io-atomic-child.ts', import.meta.url));

/** Lets a child write for a while, then kills it where it stands. */
async function killWriting(path: string, after: number): Promise<void> {
  const args = ['--import', 'tsx', child, path, String(bytes)];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(writer.stdout, 'data');
  await wait(after);
  writer.kill('SIGKILL');
  await once(writer, 'exit');
}

test('a process killed while writing leaves a whole file', { timeout: 120_000 }, async () => {
  const directory = join(folder, 'killed');
  const path = join(directory, 'target');
  let seen = 0;
  let leftOver = 0;
  for (let round = 0; round < 8; round++) {
    await killWriting(path, 5 + 17 * round);
    if (!existsSync(path)) continue;
    const content = readFileSync(path);
    expect(content.length).toBe(bytes);
    expect(content.equals(Buffer.alloc(bytes, content[0]))).toBe(true);
    seen++;
    const others = readdirSync(directory).filter((name) => name !== 'target');
    // What one killed process left, the next one clears away.
    expect(others.length).toBeLessThanOrEqual(1);
    leftOver += others.length;
  }
  expect(seen).toBeGreaterThan(3);
  // Some were killed in the middle of writing, or this test shows nothing.
  expect(leftOver).toBeGreaterThan(0);
  await writeFileAtomically(path, [Uint8Array.of(1)]);
  expect(readdirSync(directory)).toEqual(['target']);
});

test('temporary files of living processes and of other targets stay', async () => {
  const directory = join(folder, 'neighbours');
  const path = join(directory, 'target');
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => writeFileAtomically(path, [new Uint8Array(1e5).fill(i)])),
  );
  const content = readFileSync(path);
  expect(content.equals(Buffer.alloc(1e5, content[0]))).toBe(true);
  expect(readdirSync(directory)).toEqual(['target']);
});

test('directories are made, symbolic links followed', async () => {
  const real = join(folder, 'a', 'b', 'real');
  await writeFileAtomically(real, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  expect([...readFileSync(real)]).toEqual([1, 2, 3]);
  const link = join(folder, 'link');
  symlinkSync(real, link);
  await writeFileAtomically(link, []);
  expect(readFileSync(real).length).toBe(0);
  expect(readFileSync(link).length).toBe(0);
});

test('what goes wrong is said in words', async () => {
  const isDirectory = join(folder, 'directory');
  await writeFileAtomically(join(isDirectory, 'inside'), []);
  const writing = writeFileAtomically(isDirectory, []);
  await expect(writing).rejects.toThrow(FileError);
  await expect(writing).rejects.toThrow(`cannot write ${isDirectory}: it is a directory`);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const below = join(isDirectory, 'inside', 'file');
  await expect(writeFileAtomically(below, [])).rejects.toThrow(/part of the path is a file/);
});

const isRoot = spawnSync('id', ['-u']).stdout.toString().trim() === '0';
if (isRoot) console.log('Missing permission is NOT tested: root has all');

test.skipIf(isRoot)('missing permission is said in words (not as root, who has all)', async () => {
  const locked = join(folder, 'locked');
  await writeFileAtomically(join(locked, 'file'), []);
  chmodSync(locked, 0o500);
  await expect(writeFileAtomically(join(locked, 'new'), [])).rejects.toThrow(
    /permission is denied/,
  );
  chmodSync(locked, 0o700);
});

test('a failed write leaves the old file', async () => {
  const path = join(folder, 'old');
  writeFileSync(path, 'old');
  const wrong = [Uint8Array.of(1), null as unknown as Uint8Array];
  await expect(writeFileAtomically(path, wrong)).rejects.toThrow(TypeError);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('exact JSON gives back every number', () => {
  const value = {
    numbers: [0, -0, NaN, Infinity, -Infinity, 0.1, 1e300, 5e-324, 2 ** 53],
    nested: { none: null, flag: true, text: '"$number"' },
  };
  const text = toExactJson(value, 'value');
  expect(JSON.parse(text)).toBeTypeOf('object');
  expect(fromExactJson(text)).toEqual(value);
  expect(fromExactJson('{"$number":"seven"}')).toEqual({ $number: 'seven' });
});

test('exact JSON refuses what would be lost, naming its place', () => {
  const cases: [unknown, string][] = [
    [{ a: [1, () => 0] }, 'config.a[1] is a function'],
    [{ a: new Float32Array(2) }, 'config.a is a Float32Array'],
    [{ a: new Map() }, 'config.a is a Map'],
    [{ a: 1n }, 'config.a is 1'],
  ];
  for (const [value, message] of cases) {
    expect(() => toExactJson(value, 'config')).toThrow(ValueError);
    expect(() => toExactJson(value, 'config')).toThrow(message);
  }
  expect(toExactJson({ a: undefined }, 'config')).toBe('{}');
});
