/**
 * Downloads one pinned file over HTTP: resumable, verified, and never there by half.
 *
 * The bytes gather in `<path>.part`, which later runs continue with a Range request; the file gets
 * its name by a rename once its SHA-256 is right.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { type IncomingMessage, STATUS_CODES, get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { DataError, SourceError } from './data-error.js';
import { type PinnedFile, mismatch, sizeOf } from './pinned-file.js';
import { type Watch, megabytes } from './progress.js';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 5;
const REPORT_MILLISECONDS = 100;

/** How patient a download is, in milliseconds and tries. */
export interface Patience {
  /** Until the server has answered a request: name look-up, connection, headers. */
  readonly answer: number;
  /** Between two pieces of the body. */
  readonly stall: number;
  /** Connections lost in a row without a new byte before giving up. */
  readonly tries: number;
}

export const PATIENCE: Patience = { answer: 5_000, stall: 30_000, tries: 3 };

/**
 * Brings the file to `path`, continuing `<path>.part` if an earlier run left one.
 *
 * @throws SourceError if the server cannot be reached or serves something else. What has arrived
 *   is kept for the next run, unless it is proven wrong.
 */
export async function download(
  url: string,
  path: string,
  file: PinnedFile,
  watch: Watch,
  patience: Patience = PATIENCE,
): Promise<void> {
  const part = `${path}.part`;
  const resumed = ((await sizeOf(part)) ?? 0) > 0;
  let wrong = await fetchAndCheck(url, part, file, watch, patience);
  if (wrong !== null && resumed) {
    // Perhaps only the part left by the earlier run was bad.
    wrong = await fetchAndCheck(url, part, file, watch, patience);
  }
  if (wrong !== null) {
    throw new SourceError(`${new URL(url).host} served another ${file.name}: ${wrong}`);
  }
  await rename(part, path);
}

/** Completes the part; if its bytes turn out wrong, removes it and says why. */
async function fetchAndCheck(
  url: string,
  part: string,
  file: PinnedFile,
  watch: Watch,
  patience: Patience,
): Promise<string | null> {
  await fetchRest(url, part, file, watch, patience);
  const wrong = await mismatch(part, file, watch.signal);
  if (wrong !== null) await rm(part, { force: true });
  return wrong;
}

/** Appends to the part until it has its full size, over as many connections as that takes. */
async function fetchRest(
  url: string,
  part: string,
  file: PinnedFile,
  watch: Watch,
  patience: Patience,
): Promise<void> {
  const handle = await open(part, 'a');
  try {
    let have = (await handle.stat()).size;
    if (have > file.bytes) {
      await handle.truncate(0);
      have = 0;
    }
    for (let failures = 0; have < file.bytes;) {
      try {
        await appendBody(url, handle, have, file, watch, patience);
        return;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        const now = (await handle.stat()).size;
        failures = now > have ? 1 : failures + 1;
        have = now;
        if (failures >= patience.tries) throw new SourceError(error.message, { cause: error });
      }
    }
  } finally {
    await handle.close();
  }
}

/** A connection that broke while the body arrived: worth another try from where it stopped. */
class ConnectionLost extends Error {}

async function appendBody(
  url: string,
  handle: FileHandle,
  have: number,
  file: PinnedFile,
  watch: Watch,
  patience: Patience,
): Promise<void> {
  const response = await request(new URL(url), have, patience, watch.signal);
  const host = new URL(url).host;
  try {
    let done = await startOf(response, have, handle, host);
    let reported = -Infinity;
    for await (const chunk of bodyOf(response, host, watch.signal)) {
      if (done + chunk.length > file.bytes) {
        throw new SourceError(`${host} sent more than the ${file.bytes} bytes of ${file.name}`);
      }
      await handle.writeFile(chunk);
      done += chunk.length;
      const now = performance.now();
      if (now - reported >= REPORT_MILLISECONDS || done === file.bytes) {
        reported = now;
        report(watch, done, file, host);
      }
    }
    if (done < file.bytes) throw new ConnectionLost(`${host} ended the download early`);
  } finally {
    response.destroy();
  }
}

function report(watch: Watch, done: number, file: PinnedFile, host: string): void {
  watch.report({
    stage: 'download',
    done,
    total: file.bytes,
    unit: 'bytes',
    message: `downloading ${file.name} (${megabytes(file.bytes)}) from ${host}`,
  });
}

/** The offset at which this body starts: where we stopped, or 0 if the server starts over. */
async function startOf(
  response: IncomingMessage,
  have: number,
  handle: FileHandle,
  host: string,
): Promise<number> {
  const { statusCode = 0 } = response;
  if (statusCode === 206 && response.headers['content-range']?.startsWith(`bytes ${have}-`)) {
    return have;
  }
  if (statusCode === 200) {
    if (have > 0) await handle.truncate(0);
    return 0;
  }
  throw new SourceError(`${host} answered ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim());
}

/** The body piece by piece; a broken connection becomes ConnectionLost. */
async function* bodyOf(
  response: IncomingMessage,
  host: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    signal?.throwIfAborted();
    throw new ConnectionLost(`the connection to ${host} was lost (${networkReason(error)})`, {
      cause: error,
    });
  }
}

/** The answer to a GET from byte `offset` on, redirects followed. */
async function request(
  url: URL,
  offset: number,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  let target = url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await requestOnce(target, offset, patience, signal);
    const { location } = response.headers;
    if (!REDIRECTS.has(response.statusCode ?? 0) || location === undefined) return response;
    response.destroy();
    target = new URL(location, target);
  }
  throw new SourceError(`${url.host} redirects in circles`);
}

function requestOnce(
  url: URL,
  offset: number,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new DataError(`${url.href} is not an address for HTTP`);
  }
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
  return new Promise((resolve, reject) => {
    const sent = get(url, { headers, timeout: patience.stall, ...(signal && { signal }) });
    const late = new Error(`no answer within ${patience.answer / 1000} s`);
    const timer = setTimeout(() => sent.destroy(late), patience.answer);
    sent.on('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    sent.on('timeout', () => {
      sent.destroy(new Error(`nothing arrived for ${patience.stall / 1000} s`));
    });
    sent.on('error', (error) => {
      clearTimeout(timer);
      const reason = `${url.host} cannot be reached: ${networkReason(error)}`;
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(new SourceError(reason, { cause: error }));
    });
  });
}

function networkReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name has no address; offline?';
  return message === '' ? (code ?? 'unknown network error') : message;
}
