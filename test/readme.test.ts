/** The README's examples run as they stand there. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const blocks = [...readme.matchAll(/^```ts( run)?\n([^]*?)^```$/gm)].map(([, run, code]) => ({
  run: run !== undefined,
  code: code!,
}));

describe('the README', () => {
  it('has examples', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    expect(blocks.some((block) => block.run)).toBe(true);
  });

  // The others train on data that would have to be fetched; examples/ and CI run that code.
  it.each(blocks.filter((block) => block.run))('runs example %#', ({ code }) => {
    const folder = `${root}build/readme`;
    mkdirSync(folder, { recursive: true });
    const file = `${folder}/example.ts`;
    writeFileSync(file, code);
    const output = execFileSync(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      encoding: 'utf8',
    });
    const learned = [...output.matchAll(/-?\d+\.\d*/g)].slice(0, 3).map(Number);
    [1, -2, 0.5].forEach((value, i) => expect(learned[i]).toBeCloseTo(value, 1));
    expect(output).toMatch(/^12$/m); // the second derivative
  });
});
