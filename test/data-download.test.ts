/** Downloads over connections that are cut, hang, restart, redirect or lie. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SourceError } from '../src/data/data-error.js';
import { download } from '../src/data/download.js';
import { type PinnedFile, sha256 } from '../src/data/pinned-file.js';
import type { DataProgress } from '../src/data/progress.js';
import {
  type Behaviour,
  type FileServer,
  HASTE,
  cutAt,
  hangAt,
  serve,
  startServer,
  temporaryDirectory,
} from './data-support.js';

const BODY = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7));
const FILE: PinnedFile = { name: 'file.bin', bytes: BODY.length, sha256: sha256(BODY) };

let server: FileServer;
let directory: string;
let path: string;
let progress: DataProgress[];

beforeAll(async () => {
  server = await startServer(BODY);
});
afterAll(() => server.close());
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, 'file.bin');
  progress = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fetchIt(url = server.url): Promise<void> {
  const report = (step: DataProgress): void => void progress.push(step);
  return download(url, path, FILE, { report, signal: undefined }, HASTE);
}

function expectWhole(): void {
  expect(readFileSync(path).equals(BODY)).toBe(true);
  expect(existsSync(`${path}.part`)).toBe(false);
}

test('progress grows to the file size', async () => {
  server.behave(serve);
  await fetchIt();
  expectWhole();
  const done = progress.map((step) => step.done);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(progress.at(-1)).toMatchObject({
    stage: 'download',
    done: FILE.bytes,
    total: FILE.bytes,
    unit: 'bytes',
  });
});

test('connections cut twice are continued where they stopped', async () => {
  server.behave(cutAt(100_000), cutAt(200_000), serve);
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([null, 100_000, 200_000]);
});

test('more cuts than tries are no failure as long as bytes arrive', async () => {
  const cuts = [50_000, 90_000, 130_000, 170_000, 210_000, 250_000];
  server.behave(...cuts.map(cutAt), serve);
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([null, ...cuts]);
});

test('a connection that hangs is dropped and continued', async () => {
  server.behave(hangAt(120_000), serve);
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([null, 120_000]);
});

test('connections lost again and again end in an error; the part is kept', async () => {
  server.behave(cutAt(100_000));
  const error = await fetchIt().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SourceError);
  expect(String(error)).toMatch(/the connection to 127.0.0.1:\d+ was lost/);
  expect(statSync(`${path}.part`).size).toBe(100_000);
  expect(existsSync(path)).toBe(false);
  expect(server.ranges).toHaveLength(1 + HASTE.tries - 1);
});

test('a server without ranges starts over, and the part with it', async () => {
  writeFileSync(`${path}.part`, BODY.subarray(0, 1234));
  server.behave((body, _request, response) => void response.end(body));
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([1234]);
});

test('a part of an earlier run with wrong bytes costs one fresh download', async () => {
  writeFileSync(`${path}.part`, Buffer.alloc(5000, 1));
  server.behave(serve);
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([5000, null]);
});

test('a part that is already whole needs no request; one too long is begun anew', async () => {
  writeFileSync(`${path}.part`, BODY);
  server.behave(serve);
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([]);
  rmSync(path);
  writeFileSync(`${path}.part`, Buffer.concat([BODY, BODY]));
  await fetchIt();
  expectWhole();
  expect(server.ranges).toEqual([null]);
});

const LIES: [string, Behaviour, RegExp][] = [
  ['404', (_b, _r, response) => void response.writeHead(404).end(), /answered 404 Not Found/],
  ['too much', (body, _r, response) => void response.end(Buffer.concat([body, body])), /sent more/],
  [
    'another range than asked for',
    (body, _r, response) => {
      response.writeHead(206, { 'content-range': `bytes 7-99/${body.length}` });
      response.end(body.subarray(7, 100));
    },
    /answered 206/,
  ],
  ['other bytes', (body, _r, response) => void response.end(Buffer.alloc(body.length)), /SHA-256/],
  [
    'a circle',
    (_b, _r, response) => void response.writeHead(302, { location: '/again' }).end(),
    /redirects in circles/,
  ],
];

test.each(LIES)('a server that answers %s is refused', async (_name, behaviour, message) => {
  server.behave(behaviour);
  const error = await fetchIt().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SourceError);
  expect(String(error)).toMatch(message);
  expect(existsSync(path)).toBe(false);
});

test('redirects are followed', async () => {
  server.behave((_body, _request, response) => {
    response.writeHead(301, { location: '/elsewhere.gz' }).end();
  }, serve);
  await fetchIt();
  expectWhole();
});

test('bytes labelled as compressed are stored as they came', async () => {
  server.behave((body, _request, response) => {
    response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(body);
  });
  await fetchIt();
  expectWhole();
});

test('a host that does not exist is reported as such', async () => {
  const error = await fetchIt('http://host.invalid/file').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SourceError);
  expect(String(error)).toContain('host.invalid cannot be reached');
});
