/**
 * Files that are there whole or not at all: written beside the target under another name, forced
 * to the disk, then renamed over it. A process killed at any moment leaves the old file or the new
 * one, and at worst a hidden `.tmp` file, which the next write of the same target removes.
 */

import { mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { nodeCrypto } from '../backends/node-modules.js';
import { checkPath, explainFileError } from './file-errors.js';

/**
 * Replaces the file at `path` by the chunks, in order. Makes missing directories; follows a
 * symbolic link. Throws FileError saying what is wrong when the system refuses.
 */
export async function writeFileAtomically(
  path: string,
  chunks: readonly Uint8Array[],
): Promise<void> {
  checkPath(path, 'write');
  try {
    const target = await realpath(path).catch(() => resolve(path));
    const directory = dirname(target);
    await mkdir(directory, { recursive: true });
    await removeLeftovers(directory, basename(target));
    const temporary = join(directory, temporaryName(basename(target)));
    try {
      await writeDurably(temporary, chunks);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(directory);
  } catch (error) {
    throw explainFileError(error, 'write', path);
  }
}

async function writeDurably(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last over a loss of power; not every system can, and then it need not. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows refuses to open directories.
  }
}

/** Tells files of different targets and machines apart, however long their names are. */
function temporaryPrefix(target: string): string {
  const owner = nodeCrypto().createHash('sha256').update(`${hostname()}\0${target}`).digest('hex');
  return `.gradloom-${owner.slice(0, 16)}.`;
}

/** The name says whose file it is, so that others can tell when its owner is no more. */
function temporaryName(target: string): string {
  const random = nodeCrypto().randomBytes(4).toString('hex');
  return `${temporaryPrefix(target)}${process.pid}.${random}.tmp`;
}

/** Removes temporary files of this target whose process, on this machine, was killed. */
async function removeLeftovers(directory: string, target: string): Promise<void> {
  const prefix = temporaryPrefix(target);
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue;
    const pid = Number(name.slice(prefix.length).split('.')[0]);
    if (Number.isInteger(pid) && pid > 0 && !isRunning(pid)) {
      await rm(join(directory, name), { force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may be asked about but not signalled.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
