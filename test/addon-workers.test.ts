/** The addon in worker threads: loaded several times in a process, called at once, and unloaded. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { loadAddon, packageRoot } from '../src/backends/load-addon.js';

const loaded = loadAddon();
const child = fileURLToPath(new URL('workers-child.ts', import.meta.url));

if ('reason' in loaded) {
  console.log(`The addon is NOT tested in workers: ${loaded.reason}`);
  it.skip(`addon in workers: ${loaded.reason}`);
} else {
  it('four workers at once, five times over', { timeout: 120_000 }, async () => {
    const args = ['--import', 'tsx', child];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: packageRoot });
    expect(stdout.trim()).toBe('done');
  });
}
