/** The addon loader explains instead of throwing, whatever lies where the addon should be. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { addonCandidates, loadAddon } from '../src/backends/load-addon.js';
import { tableHash } from '../src/backends/table-hash.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-addon-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function reasonOf(path: string): string {
  const loaded = loadAddon([path]);
  return 'reason' in loaded ? loaded.reason : 'it loaded';
}

test('no file: says how to build one', () => {
  expect(reasonOf(join(folder, 'none.node'))).toMatch(/not been built.*npx gradloom build/);
});

test('a file that is no addon, or one for another machine', () => {
  expect(reasonOf(file('text.node', 'not a library'))).toMatch(/does not load/);
  const elf = new Uint8Array(64).fill(0);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0xff, 0]);
  expect(reasonOf(file('foreign.node', elf))).toMatch(/does not load/);
});

test('an addon that throws while loading', () => {
  expect(reasonOf(file('throws.cjs', `throw new Error('no thanks')`))).toMatch(/no thanks/);
});

test('an addon of other tables asks to be built again', () => {
  const stale = file('stale.cjs', `module.exports = { tableHash: ${tableHash ^ 1} };`);
  expect(reasonOf(stale)).toMatch(/other sources.*npx gradloom build/);
  expect(reasonOf(file('empty.cjs', `module.exports = null;`))).toMatch(/other sources/);
});

test('the first file there is wins, and is named', () => {
  const good = file('good.cjs', `module.exports = { tableHash: ${tableHash} };`);
  expect(loadAddon([join(folder, 'none.node'), good])).toEqual({
    addon: { tableHash },
    path: good,
  });
});

test('GRADLOOM_ADDON names the only candidate', () => {
  const before = process.env['GRADLOOM_ADDON'];
  try {
    process.env['GRADLOOM_ADDON'] = '/somewhere/else.node';
    expect(addonCandidates()).toEqual(['/somewhere/else.node']);
    const loaded = loadAddon();
    expect(loaded).toHaveProperty('reason', expect.stringContaining('/somewhere/else.node'));
  } finally {
    if (before === undefined) delete process.env['GRADLOOM_ADDON'];
    else process.env['GRADLOOM_ADDON'] = before;
  }
});
