/** The `cpu` backend under the conformance suite, with every instruction set this machine has. */

import { spawn } from 'node:child_process';

import { describe, expect, it, vi } from 'vitest';

import type { HostArray } from '../src/backends/backend.js';
import { reductions } from '../src/backends/backend.js';
import { createCpuBackend } from '../src/backends/cpu.js';
import type { CpuAddon } from '../src/backends/cpu.js';
import { kernelNumber } from '../src/backends/kernels.js';
import { loadAddon, packageRoot } from '../src/backends/load-addon.js';
import { describeBackend } from './backend-conformance.js';
import { Source } from './conformance/harness.js';

const loaded = loadAddon();
/** Set in the child processes that run this very file with another instruction set. */
const child = process.env['GRADLOOM_ISA'] !== undefined;

if ('reason' in loaded) {
  console.log(`The cpu backend is NOT tested: ${loaded.reason}`);
  it.skip(`cpu backend: ${loaded.reason}`);
} else {
  const addon = loaded.addon as CpuAddon;
  const create = () => createCpuBackend(addon).backend;
  describeBackend(`cpu, instruction set ${addon.isa}`, create);
  describe('threads', () => threadTests(addon));
  describe('memory', () => memoryTests(addon));
  if (!child) describe('other instruction sets', () => otherSets(addon));
}

/** Bytes that a few large kernels give with a number of threads. */
function digest(addon: CpuAddon, threads: number): Buffer {
  addon.setThreads(threads);
  const source = new Source(11);
  const [rows, columns] = [301, 517];
  const a = source.values('float32', rows * columns);
  const b = source.values('float32', rows * columns);
  const results: HostArray[] = [];
  const output = (size: number): Float32Array => {
    const array = new Float32Array(size);
    results.push(array);
    return array;
  };
  addon.map(kernelNumber('gelu'), output(a.length), a, null, null, null, 0, 0);
  addon.matmul(output(rows * rows), a, b, 1, rows, rows, columns, 0, 0, false, true, false);
  addon.softmax(output(a.length), a, rows, columns, true);
  addon.dropout(output(a.length), a, 0.4, 1.5, 0, 0, 1, 2, 3, 4);
  const shapes: [outer: number, n: number, inner: number][] = [
    [1, a.length, 1],
    [rows, columns, 1],
    [1, rows, columns],
  ];
  for (const [outer, n, inner] of shapes) {
    addon.reduce(reductions.indexOf('sum'), output(outer * inner), a, outer, n, inner);
  }
  return Buffer.concat(results.map((each) => new Uint8Array(each.buffer)));
}

function threadTests(addon: CpuAddon): void {
  const usual = addon.threads();

  it('gives the same bits with any number of threads', () => {
    const one = digest(addon, 1);
    for (const threads of [2, 3, 8]) expect(digest(addon, threads).equals(one)).toBe(true);
    addon.setThreads(usual);
  });

  it('takes 1 to 256 threads', () => {
    addon.setThreads(256);
    expect(addon.threads()).toBe(256);
    for (const count of [0, -1, 257, 1.5, NaN]) {
      expect(() => addon.setThreads(count)).toThrow(RangeError);
    }
    addon.setThreads(usual);
  });

  it('takes them from GRADLOOM_THREADS', () => {
    try {
      vi.stubEnv('GRADLOOM_THREADS', '3');
      expect(createCpuBackend(addon).backend.threads()).toBe(3);
      for (const wrong of ['zero', '-1', '1.5']) {
        vi.stubEnv('GRADLOOM_THREADS', wrong);
        expect(() => createCpuBackend(addon)).toThrow(
          `GRADLOOM_THREADS must be a whole number from 1 to 256, not "${wrong}"`,
        );
      }
      vi.stubEnv('GRADLOOM_THREADS', '0');
      expect(() => createCpuBackend(addon)).toThrow('0 threads asked for, expected 1 to 256');
    } finally {
      vi.unstubAllEnvs();
      addon.setThreads(usual);
    }
  });
}

const same = (a: HostArray, b: HostArray): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );

function memoryTests(addon: CpuAddon): void {
  const source = new Source(12);

  it.each([0, 1, 7])('large results, %s elements on', (offset) => {
    const size = 2_900_007; // of many chunks, the last one short
    const a = Float32Array.from({ length: size }, (_, i) => (i % 1013) - 500.25);
    const [before, behind] = [offset + 3, size + offset + 3];
    const memory = new Float32Array(behind + 20).fill(-1);
    const out = memory.subarray(before, behind);
    const parts = new Float32Array(size);
    addon.map(kernelNumber('square'), out, a, null, null, null, 0, 0);
    for (let from = 0; from < size; from += 100_000) {
      const part = parts.subarray(from, from + 100_000);
      const read = a.subarray(from, from + 100_000);
      addon.map(kernelNumber('square'), part, read, null, null, null, 0, 0);
    }
    expect(same(out, parts)).toBe(true);
    addon.copy(out, 0, a, 0, Int32Array.of(1, size, 1, 1));
    expect(same(out, a)).toBe(true);
    const around = [...memory.subarray(0, before), ...memory.subarray(behind)];
    expect(new Set(around)).toEqual(new Set([-1]));
  });

  it('sums of columns have the same bits however many are beside them', () => {
    for (const [rows, columns] of [
      [1, 700],
      [15, 130],
      [301, 517],
      [1040, 333],
    ] as const) {
      // prettier-ignore
      const a = source.values('float32', rows * columns);
      const sums = new Float32Array(columns);
      addon.reduce(reductions.indexOf('sum'), sums, a, 1, rows, columns);
      const alone = new Float32Array(columns);
      for (let column = 0; column < columns; column++) {
        const single = Float32Array.from({ length: rows * 64 }, (_, i) => {
          return i % 64 === 0 ? a[(i / 64) * columns + column]! : 0;
        });
        const some = new Float32Array(64); // 64 at least, or a long one is cut into parts
        addon.reduce(reductions.indexOf('sum'), some, single, 1, rows, 64);
        alone[column] = some[0]!;
      }
      expect(same(sums, alone), `${rows} rows of ${columns}`).toBe(true);
    }
  });

  it('large pages change no values', () => {
    const array = new Float32Array(3 << 20).fill(2);
    addon.useLargePages(array);
    expect(array.every((value) => value === 2)).toBe(true);
    expect(() => addon.useLargePages(7 as never)).toThrow(TypeError);
  });
}

/** Runs this file in another process; the instruction set is chosen once in a process. */
function run(isa: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const vitest = `${packageRoot}node_modules/vitest/vitest.mjs`;
  const args = [vitest, 'run', '--reporter=dot', 'test/cpu-backend.test.ts'];
  const env = { ...process.env, GRADLOOM_ISA: isa, NO_COLOR: '1' };
  return new Promise((resolve) => {
    const started = spawn(process.execPath, args, { cwd: packageRoot, env });
    let output = '';
    started.stdout.on('data', (data) => (output += String(data)));
    started.stderr.on('data', (data) => (output += String(data)));
    started.on('close', (code) => resolve({ code, output }));
  });
}

function otherSets(addon: CpuAddon): void {
  const others = addon.isas.filter((isa) => isa !== addon.isa);

  it('the best one is in use', () => {
    expect(addon.isa).toBe(addon.isas[0]);
  });

  it.each(others)('%s conforms', { timeout: 600_000 }, async (isa) => {
    const { code, output } = await run(isa);
    expect(code, output.slice(-4000)).toBe(0);
    expect(output).toMatch(/Tests +\d{3,} passed/);
  });
}
