/**
 * Every error gradloom throws on purpose. They name what was given, what was expected, what to
 * do.
 */

/** Base class: `error instanceof GradloomError` tells our errors from the runtime's. */
export class GradloomError extends Error {
  override readonly name: string = 'GradloomError';
}

/** A shape, axis or size that does not fit the operation. */
export class ShapeError extends GradloomError {
  override readonly name = 'ShapeError';
}

/** A dtype the operation is not defined for, or two that do not go together. */
export class DTypeError extends GradloomError {
  override readonly name = 'DTypeError';
}

/** A device that does not exist or is not available, or operands on different devices. */
export class DeviceError extends GradloomError {
  override readonly name = 'DeviceError';
}

/** A value outside its allowed range: an index, a rate, a count, a label, NaN where it matters. */
export class ValueError extends GradloomError {
  override readonly name = 'ValueError';
}

/** More memory asked for than there is, or use of a tensor whose memory was given back. */
export class MemoryError extends GradloomError {
  override readonly name = 'MemoryError';
}

/** A gradient that cannot be computed: freed graph, value changed in place, nothing tracked. */
export class GradientError extends GradloomError {
  override readonly name = 'GradientError';
}

/** A file that is missing, cannot be written, is damaged, of another kind or of another model. */
export class FileError extends GradloomError {
  override readonly name = 'FileError';
}

/** `a loss`, `an optimizer`. */
export const withArticle = (noun: string): string =>
  `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;

/** A short description of a value of any kind, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object') {
    const name = (value.constructor as { name?: string } | undefined)?.name ?? 'object';
    return Array.isArray(value) ? `an array of ${value.length}` : withArticle(name);
  }
  if (typeof value === 'function') return 'a function';
  return (value as { toString(): string }).toString();
}
