/** The package's JavaScript as it is published: what it loads when, and that it is one library. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bundle } from '../scripts/bundle.js';
import { loadAddon } from '../src/backends/load-addon.js';
import { devices } from './devices.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-bundle-'));
beforeAll(async () => {
  await bundle(join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "1.2.3" }');
});
afterAll(() => rmSync(folder, { recursive: true }));

const loaded = loadAddon();
const addon = 'path' in loaded ? loaded.path : '';

/** What a program says that imports the package; `loops()` tells whether the loops were read. */
function said(device: string, program: string): unknown {
  const path = join(folder, 'program.js');
  writeFileSync(
    path,
    `import { createRequire } from 'node:module';
    const before = new Set(process.moduleLoadList);
    const loops = () =>
      Object.keys(createRequire(import.meta.url).cache).some((each) => /js-loops/.test(each));
    const g = await import('./dist/index.js');
    const sum = () => g.add(g.tensor([1, 2]), 1).toArray();
    const answer = await (async () => { ${program} })();
    process.stdout.write(JSON.stringify(answer));`,
  );
  const env = { ...process.env, GRADLOOM_DEVICE: device, GRADLOOM_ADDON: addon };
  const { stdout, stderr } = spawnSync(process.execPath, [path], { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.each(devices)('the package on %s', (device) => {
  it('reads the loops of js with the first operation on js, and without waiting', () => {
    const program = `return [loops(), sum(), loops(), (g.setDevice('js'), sum()), loops()];`;
    expect(said(device, program)).toEqual([false, [2, 3], device === 'js', [2, 3], true]);
  });

  it('loads no module of Node.js that an operation does not need', () => {
    const program = `sum(); return process.moduleLoadList.filter((each) => !before.has(each));`;
    const loaded = (said(device, program) as string[]).map((each) => each.replace(/.* /, ''));
    const rare = ['crypto', 'v8', 'stream', 'http', 'https', 'zlib', 'child_process'];
    expect(loaded.filter((each) => rare.includes(each))).toEqual([]);
  });
});

describe('the package', () => {
  it('has the same classes from every entry point', () => {
    const program = `
      const { Dense } = await import('./dist/layers/index.js');
      const { Callback } = await import('./dist/callbacks/index.js');
      const { TensorBatches } = await import('./dist/models/batches.js');
      return [Dense === g.layers.Dense, Callback === g.callbacks.Callback, typeof TensorBatches];`;
    expect(said('js', program)).toEqual([true, true, 'function']);
  });

  it('has a command', () => {
    const command = join(folder, 'dist/cli/main.js');
    const { stdout } = spawnSync(process.execPath, [command, '--version'], { encoding: 'utf8' });
    expect(stdout).toBe('1.2.3\n');
    expect(readFileSync(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
