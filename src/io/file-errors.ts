/** Says in words what the operating system says in codes. */

import { describe, FileError } from '../errors.js';

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission is denied; change the permissions or choose another place',
  EPERM: 'permission is denied; change the permissions or choose another place',
  EISDIR: 'it is a directory; give the path of a file',
  ENOTDIR: 'part of the path is a file, not a directory',
  EEXIST: 'part of the path is a file, not a directory',
  ENOSPC: 'the disk is full; free some space or choose another place',
  EDQUOT: 'the disk quota is used up; free some space or choose another place',
  EROFS: 'the file system is read-only; choose another place',
  EMFILE: 'too many files are open in this process',
  ENAMETOOLONG: 'the path is too long',
};

/** Throws FileError unless it is a path, which JavaScript does not see to. */
export function checkPath(path: unknown, verb: 'read' | 'write'): void {
  if (typeof path === 'string' && path !== '') return;
  throw new FileError(`expected the path of a file to ${verb}, got ${describe(path)}`);
}

/** A FileError for a failed system call; any other error as it is. */
export function explainFileError(error: unknown, verb: 'read' | 'write', path: string): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const reason = explanations[code] ?? `the system says ${code}`;
  return new FileError(`cannot ${verb} ${path}: ${reason}`, { cause: error });
}
