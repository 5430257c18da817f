/** The errors of dataset loading. */
import { GradloomError } from '../errors.js';

/** A dataset that cannot be loaded: nothing to fetch it from, a disk in the way, a bad option. */
export class DataError extends GradloomError {
  override readonly name = 'DataError';
}

/**
 * One source of a dataset failed, and the next may well succeed.
 *
 * Whoever tries sources in turn catches this error and no other: a full disk, an abort or a
 * throwing progress callback must not look like a server that is down.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}
