/**
 * No call of the addon may crash the process or write where it should not, whatever it is given.
 * The calls are made in child processes. `GRADLOOM_FUZZ=1000000 npx vitest run
 * test/addon-fuzz.test.ts`
 * makes more of them.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { loadAddon, packageRoot } from '../src/backends/load-addon.js';
import type { CpuAddon } from '../src/backends/cpu.js';
import { makers } from './fuzz-calls.js';

const loaded = loadAddon();
const child = fileURLToPath(new URL('fuzz-child.ts', import.meta.url));
const calls = Number(process.env['GRADLOOM_FUZZ'] ?? 30_000);

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

function fuzz(seed: number, count: number): Promise<Ending> {
  const args = ['--import', 'tsx', child, String(seed), String(count)];
  return new Promise((resolve) => {
    const started = spawn(process.execPath, args, { cwd: packageRoot });
    let output = '';
    started.stdout.on('data', (data) => (output += String(data)));
    started.stderr.on('data', (data) => (output += String(data)));
    started.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

if ('reason' in loaded) {
  console.log(`The addon is NOT fuzzed: ${loaded.reason}`);
  it.skip(`addon: ${loaded.reason}`);
} else {
  describe('the addon', () => {
    it('has a maker of calls for each of its functions', () => {
      const addon = loaded.addon as CpuAddon;
      const names = Object.entries(addon).flatMap(([name, value]) =>
        typeof value === 'function' ? [name] : [],
      );
      expect(names.sort()).toEqual(Object.keys(makers).sort());
    });

    it(`survives ${calls} made-up calls`, { timeout: 3_600_000 }, async () => {
      const ending = await fuzz(1, calls);
      expect(ending.signal, ending.output).toBeNull();
      expect(ending.code, ending.output).toBe(0);
      const returned = Number(/^(\d+) of/m.exec(ending.output)?.[1]);
      expect(returned).toBeGreaterThan(calls / 5); // or nothing but refusals was tested
    });
  });
}
