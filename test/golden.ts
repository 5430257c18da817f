/** Figures of other systems in test/golden, each with the script that made them beside it. */

import { readFileSync } from 'node:fs';

import { expect } from 'vitest';

/** The parsed content of test/golden/<name>.json. */
export function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8'));
}

type Numbers = number | readonly Numbers[];

const flat = (values: unknown): number[] =>
  typeof values === 'number' ? [values] : (values as unknown[]).flatMap(flat);

/** Expects numbers, however nested, within tolerance · max(1, |wanted|) of the wanted ones. */
export function expectClose(got: unknown, wanted: Numbers, tolerance: number, what = ''): void {
  const [a, b] = [flat(got), flat(wanted)];
  expect(a.length, `${what}: number of values`).toBe(b.length);
  for (let i = 0; i < b.length; i++) {
    // Equal infinities have no distance.
    const distance = a[i] === b[i] ? 0 : Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!));
    if (!(distance <= tolerance)) {
      expect.fail(`${what}: value ${i} is ${a[i]}, not ${b[i]} (off by ${distance})`);
    }
  }
}
