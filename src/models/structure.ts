/**
 * One or several of something: inputs, outputs, losses. A model of one output speaks of it
 * directly; one of several takes and gives an array in order, or an object by name.
 */

import { ValueError } from '../errors.js';
import { nearest } from '../names.js';

/** A value per place: the value itself, an array, or an object by name. */
export type Structure<T> = T | readonly T[] | Readonly<Record<string, T>>;

/** Whether a value is an object made with braces: no array, no instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The values of an object by name, in the order of `names`. Throws for a name there is not. */
export function byName<T>(
  record: Readonly<Record<string, T>>,
  names: readonly string[],
  what: string,
): (T | undefined)[] {
  for (const given of Object.keys(record)) {
    if (names.includes(given)) continue;
    const near = nearest(given, names);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw new ValueError(`${what}: there is no "${given}".${hint} Known: ${names.join(', ')}`);
  }
  return names.map((name) => record[name]);
}

/** The same structure with every value replaced. */
export function mapStructure<T, U>(
  structure: Structure<T>,
  isLeaf: (value: unknown) => value is T,
  f: (value: T) => U,
): Structure<U> {
  if (isLeaf(structure)) return f(structure);
  if (Array.isArray(structure)) return (structure as readonly T[]).map(f);
  const entries = Object.entries(structure as Readonly<Record<string, T>>);
  return Object.fromEntries(entries.map(([name, value]) => [name, f(value)]));
}

/** The values of a structure in order. */
export function leaves<T>(
  structure: Structure<T>,
  isLeaf: (value: unknown) => value is T,
): readonly T[] {
  if (isLeaf(structure)) return [structure];
  return Object.values(structure as Readonly<Record<string, T>>);
}
