/**
 * A lock between processes, as a file: whoever holds it fetches, the others wait for the result.
 *
 * It saves work and keeps two processes from appending to one partial download. That cached files
 * are right never rests on it: they are checked by checksum and appear by rename.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MILLISECONDS = 100;
const HEARTBEAT_MILLISECONDS = 2_000;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called about once a second while another process holds the lock. */
  readonly onWait?: (seconds: number) => void;
  /** A holder that shows no sign of life for so long is taken for dead. */
  readonly staleAfter?: number;
}

/** Runs `body` while holding the lock at `path`, waiting for it as long as its holder lives. */
export async function withLock<T>(
  path: string,
  body: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const token = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}`;
  await acquire(path, token, options);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MILLISECONDS);
  heartbeat.unref();
  try {
    return await body();
  } finally {
    clearInterval(heartbeat);
    if ((await holderOf(path)) === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, token: string, options: LockOptions): Promise<void> {
  const { signal, onWait, staleAfter = 20_000 } = options;
  const started = performance.now();
  let lastReport = -Infinity;
  let lastBeat = { time: NaN, seen: started };
  while (!(await tryCreate(path, token))) {
    const now = performance.now();
    const beat = await modifiedAt(path);
    // Only whether the time changes counts, so clocks of different machines need not agree.
    if (beat !== lastBeat.time) lastBeat = { time: beat, seen: now };
    const holder = await holderOf(path);
    const stale = holder !== null && (isDead(holder) || now - lastBeat.seen > staleAfter);
    if (stale && (await breakLock(path, holder, staleAfter))) continue;
    if (onWait && now - lastReport >= 1_000) {
      onWait((now - started) / 1_000);
      lastReport = now;
    }
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}

async function tryCreate(path: string, token: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(token);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock of a dead holder; false if another waiter is at it.
 *
 * Reading the token and removing the file must be one step, or a slow waiter would remove the lock
 * that a faster one has just made: hence a lock on breaking, held for a moment only.
 */
async function breakLock(path: string, holder: string, staleAfter: number): Promise<boolean> {
  const breaking = `${path}-breaking`;
  if (!(await tryCreate(breaking, ''))) {
    // A waiter killed in that very moment must not block all others for good.
    if (Date.now() - (await modifiedAt(breaking)) > staleAfter) await rm(breaking, { force: true });
    return false;
  }
  try {
    if ((await holderOf(path)) === holder) await rm(path, { force: true });
    return true;
  } finally {
    await rm(breaking, { force: true });
  }
}

/** The token in a lock file ('' just after its creation), or null where there is none. */
async function holderOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => NaN,
  );
}

function isDead(holder: string): boolean {
  const [pid, host] = holder.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
