/**
 * JSON that gives back what it was given: NaN, ±Infinity and −0, which JSON has no words for, as
 * `{ "$number": "NaN" }`, and a refusal of what a file cannot hold.
 */

import { describe, ValueError } from '../errors.js';

const wordKey = '$number';
const words: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
]);

/** Throws ValueError naming the place of a value that is more than JSON can hold. */
export function toExactJson(value: unknown, where: string): string {
  return JSON.stringify(encode(value, where));
}

/** Throws SyntaxError when the text is no JSON. */
export function fromExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(wordKey in value)) return value;
    return words.get(String(value[wordKey])) ?? value;
  });
}

function encode(value: unknown, where: string): unknown {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { [wordKey]: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (value === null || ['string', 'boolean', 'undefined'].includes(typeof value)) return value;
  if (Array.isArray(value)) return value.map((each, i) => encode(each, `${where}[${i}]`));
  if (isPlainObject(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, each]) => [key, encode(each, `${where}.${key}`)]));
  }
  throw new ValueError(
    `${where} is ${describe(value)}, which a file cannot hold: use numbers, strings, booleans, ` +
      'arrays and plain objects',
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
