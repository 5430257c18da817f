/** The list of faults that scripts/cuda-mutants.ts plants: whether it fits today's sources. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { mutants } from '../scripts/mutants/all.js';
import { kindOf, kinds, planted, someOf } from '../scripts/mutants/mutant.js';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../native/${file}`, import.meta.url)), 'utf8');

describe('planted faults', () => {
  it.each(mutants.map((each) => [each.fault, each] as const))('%s: fits its file', (_, each) => {
    const text = read(each.file);
    expect(planted(text, each), `${each.from} in ${each.file}`).not.toBeNull();
    expect(planted(text, each)).not.toBe(text);
  });

  it('are told apart by what they are called', () => {
    expect(new Set(mutants.map(({ fault }) => fault)).size).toBe(mutants.length);
  });

  it('are of every kind that a device names', () => {
    expect(new Set(mutants.map(kindOf))).toEqual(new Set(kinds));
  });
});

describe('some of them', () => {
  it.each(['', 'a', 'b', '0f3c'])('with the seed "%s" are of every kind', (seed) => {
    const some = someOf(mutants, 20, seed);
    expect(some).toHaveLength(20);
    expect(new Set(some.map(kindOf))).toEqual(new Set(kinds));
    expect(someOf(mutants, 20, seed)).toEqual(some);
  });

  it('are others with another seed, and all when there are no more', () => {
    expect(someOf(mutants, 20, 'a')).not.toEqual(someOf(mutants, 20, 'b'));
    expect(someOf(mutants, 1000, 'a')).toEqual(mutants);
  });
});
