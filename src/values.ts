/** Values that users give to parts: the checks of numbers, flags and choices, and their words. */

import { describe, ValueError } from './errors.js';
import { nearest } from './names.js';

/** Which numbers will do; without bounds every finite one. */
export interface Range {
  /** The least. */
  readonly min?: number;
  /** All must be greater. */
  readonly above?: number;
  /** The greatest. */
  readonly max?: number;
  /** All must be less. */
  readonly below?: number;
  /** Default false: fractions will do. */
  readonly whole?: boolean;
  /** Default false: infinity will not do. */
  readonly infinite?: boolean;
}

/** Infinite ones too. */
export const anyNumber: Range = { infinite: true };
export const positive: Range = { above: 0 };
export const notNegative: Range = { min: 0 };
export const whole: Range = { whole: true };
/** A share that may be all. */
export const share: Range = { min: 0, max: 1 };
/** A share that leaves something: rates of dropout, decays of averages. */
export const partialShare: Range = { min: 0, below: 1 };

/** The value, if it is a number within the range; else throws ValueError beginning with `what`. */
export function checkNumber(value: unknown, what: string, range: Range = {}): number {
  if (typeof value === 'number' && isWithin(value, range)) return value;
  throw new ValueError(`${what} must be ${inWords(range)}, not ${describe(value)}`);
}

/** {@link checkNumber} of a number, or of each in a list. */
export function checkEachNumber(values: unknown, what: string, range: Range = {}): void {
  for (const each of [values].flat()) checkNumber(each, what, range);
}

/** {@link checkNumber} of several values, by name; `where` comes before the names in errors. */
export function checkNumbers(
  where: string,
  values: Readonly<Record<string, unknown>>,
  range: Range = {},
): void {
  for (const [name, value] of Object.entries(values)) {
    checkNumber(value, `${where}: ${name}`, range);
  }
}

function isWithin(value: number, range: Range): boolean {
  const { min, above, max, below } = range;
  const isOfKind = range.whole ? Number.isInteger : range.infinite ? isNumber : Number.isFinite;
  return (
    isOfKind(value) &&
    (min === undefined || value >= min) &&
    (above === undefined || value > above) &&
    (max === undefined || value <= max) &&
    (below === undefined || value < below)
  );
}

const isNumber = (value: number): boolean => !Number.isNaN(value);

/** `a number from 0 to below 1`, `a whole number of 1 or more`. */
function inWords({ min, above, max, below, whole: isWhole = false }: Range): string {
  const kind = isWhole ? 'a whole number' : 'a number';
  const end = max ?? (below === undefined ? undefined : `below ${below}`);
  if (above !== undefined) {
    const most = max === undefined ? end : `at most ${max}`;
    return `${kind} greater than ${above}${most === undefined ? '' : `, ${most}`}`;
  }
  if (min !== undefined) {
    return end === undefined ? `${kind} of ${min} or more` : `${kind} from ${min} to ${end}`;
  }
  if (max !== undefined) return `${kind} of ${max} or less`;
  return end === undefined ? kind : `${kind} ${end}`;
}

/** The value, if it is true or false; else throws ValueError beginning with `what`. */
export function checkFlag(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new ValueError(`${what} must be true or false, not ${describe(value)}`);
}

/** The value, if it is a text that is not empty; else throws ValueError beginning with `what`. */
export function checkText(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ValueError(`${what} must be a text, not ${describe(value)}`);
}

/** {@link checkFlag} of several values, by name; `where` comes before the names in errors. */
export function checkFlags(where: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) checkFlag(value, `${where}: ${name}`);
}

/** The value, if it is one of the words; else throws ValueError beginning with `what`. */
export function checkChoice<T extends string>(
  value: unknown,
  what: string,
  choices: readonly T[],
): T {
  if (choices.includes(value as T)) return value as T;
  const near = typeof value === 'string' ? nearest(value, choices) : undefined;
  throw new ValueError(
    `${what} must be one of ${choices.join(', ')}, not ${describe(value)}` +
      (near === undefined ? '' : `. Did you mean "${near}"?`),
  );
}
