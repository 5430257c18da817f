/** Says in words what the operating system says in codes, for the directory of a cache. */
import { statfs } from 'node:fs/promises';
import { DataError } from './data-error.js';
import { megabytes } from './progress.js';

const ELSEWHERE = 'or choose another directory with GRADLOOM_CACHE or the option cacheDir';

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOSPC: `the disk is full; free some space, ${ELSEWHERE}`,
  EDQUOT: `the disk quota is used up; free some space, ${ELSEWHERE}`,
  EROFS: `the file system is read-only; make it writable, ${ELSEWHERE}`,
  EACCES: `permission is denied; change the permissions, ${ELSEWHERE}`,
  EPERM: `permission is denied; change the permissions, ${ELSEWHERE}`,
  ENOTDIR: `part of the path is a file, not a directory; move it away, ${ELSEWHERE}`,
  EEXIST: `a file of that name is in the way; move it away, ${ELSEWHERE}`,
  ENOENT: `something in it is missing; was it removed while in use? Try again, ${ELSEWHERE}`,
  ENAMETOOLONG: `the path is too long; use a shorter one: GRADLOOM_CACHE or the option cacheDir`,
};

/** The DataError that explains a failed file operation; any other error as it is. */
export function explainFileError(error: unknown, directory: string): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const explanation = code !== undefined && syscall !== undefined && EXPLANATIONS[code];
  if (!explanation) return error;
  return new DataError(
    `The cache directory ${directory} cannot be used: ${explanation}.\n(${String(error)})`,
    { cause: error },
  );
}

/** Throws a DataError if the disk of `directory` has less than `bytes` left. */
export async function requireSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const unknown = blocks === 0; // So some network file systems answer.
  if (unknown || free >= bytes) return;
  throw new DataError(
    `The disk of ${directory} has ${megabytes(free)} left, and fetching needs up to ` +
      `${megabytes(bytes)}. Free some space, ${ELSEWHERE}.`,
  );
}
