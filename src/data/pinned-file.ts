/** Files whose every byte is known beforehand: reading, checking and installing them. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file known by its size and its SHA-256 (lower-case hexadecimal). */
export interface PinnedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** SHA-256 of bytes in memory, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What stands in the way of `file` being the one at `path`; null if nothing does. */
export async function mismatch(
  path: string,
  file: PinnedFile,
  signal?: AbortSignal,
): Promise<string | null> {
  const size = await sizeOf(path);
  if (size === null) return 'it is not there';
  if (size !== file.bytes) return `its size is ${size} bytes, expected ${file.bytes}`;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
    hash.update(chunk as Buffer);
  }
  return describeMismatch(hash.digest('hex'), file);
}

/** Compares a hash with the pinned one, in words; null if they are equal. */
export function describeMismatch(actual: string, file: PinnedFile): string | null {
  if (actual === file.sha256) return null;
  return `its SHA-256 is ${actual.slice(0, 12)}…, expected ${file.sha256.slice(0, 12)}…`;
}

/** Size in bytes, or null where there is no file. */
export async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Reads `file` at `path` in order, filling `piece` again and again, and hands each filling to
 * `take` with the place in the file that it begins at; the last may be shorter. Says afterwards
 * what stands in the way of it being `file`, null if nothing: until then no piece is to be trusted.
 */
export async function readPieces(
  path: string,
  file: PinnedFile,
  piece: Uint8Array,
  take: (bytes: Uint8Array, at: number) => void,
): Promise<string | null> {
  const handle = await openIfThere(path);
  if (!handle) return 'it is not there';
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < file.bytes; at += piece.length) {
      const wanted = piece.subarray(0, file.bytes - at);
      if (!(await fill(wanted, handle, at))) return 'it ends too early';
      hash.update(wanted);
      take(wanted, at);
    }
    return describeMismatch(hash.digest('hex'), file);
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Fills `target` from position `at` of a file; false if that ends too early. */
async function fill(target: Uint8Array, handle: FileHandle, at: number): Promise<boolean> {
  for (let filled = 0; filled < target.length;) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, at + filled);
    if (bytesRead === 0) return false;
    filled += bytesRead;
  }
  return true;
}

/**
 * Puts `file` at `path` so that a reader, even after a crash, sees the old file or the whole new
 * one: written and synced in `work` (a directory on the same file system), then renamed. If the
 * bytes are not those of `file`, says why, and leaves `path` alone.
 */
export async function install(
  path: string,
  file: PinnedFile,
  bytes: AsyncIterable<Uint8Array>,
  work: string,
): Promise<string | null> {
  const temporary = join(work, 'installing');
  const hash = createHash('sha256');
  const handle = await open(temporary, 'w');
  try {
    for await (const piece of bytes) {
      hash.update(piece);
      await handle.writeFile(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  const wrong = describeMismatch(hash.digest('hex'), file);
  if (wrong === null) await rename(temporary, path);
  return wrong;
}
