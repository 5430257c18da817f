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

/** Fills `target` from the start of the file; false if the file is absent or ends too early. */
export async function readInto(path: string, target: Uint8Array): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await handle.read(target, filled, target.length - filled, filled);
      if (bytesRead === 0) return false;
      filled += bytesRead;
    }
    return true;
  } finally {
    await handle.close();
  }
}

/**
 * Puts bytes at `path` so that a reader, even after a crash, sees the old file or the whole new
 * one: written and synced in `work` (a directory on the same file system), then renamed.
 */
export async function install(path: string, bytes: Uint8Array, work: string): Promise<void> {
  const temporary = join(work, 'installing');
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}
