/** Conformance of memory, threads and the description. */

import { describe, expect, it } from 'vitest';

import { dtypes } from '../../src/backends/dtype.js';
import { MemoryError, ValueError } from '../../src/errors.js';
import { array, type Bench, expectSame, Source } from './harness.js';

export function memoryTests(bench: Bench): void {
  const { backend } = bench;

  describe.each(dtypes)('memory of %s', (dtype) => {
    it('is zero at first and keeps what is written', async () => {
      for (const size of [0, 1, 1000]) {
        const buffer = backend.allocate(dtype, size);
        expect(buffer.length).toBe(size);
        expectSame(bench.get(buffer), new Array<number>(size).fill(0), 'fresh memory');
        const values = new Source(1).values(dtype, size);
        backend.write(buffer, values);
        expectSame(backend.readSync(buffer), values, 'readSync');
        expectSame(await backend.read(buffer), values, 'read');
        backend.release(buffer);
      }
    });

    it('views share memory', () => {
      const whole = backend.allocate(dtype, 10);
      const view = backend.view(whole, 3, 4);
      expect(view.length).toBe(4);
      backend.write(view, array(dtype, [1, 1, 0, 1]));
      expectSame(bench.get(whole), [0, 0, 0, 1, 1, 0, 1, 0, 0, 0], 'whole');
      expect(backend.view(view, 1, 0).length).toBe(0);
      expectSame(bench.get(backend.view(view, 1, 2)), [1, 0], 'view of a view');
    });

    it('absurd sizes throw MemoryError that names the bytes', () => {
      for (const size of [2 ** 52, 1e15, Infinity]) {
        expect(() => backend.allocate(dtype, size)).toThrow(MemoryError);
      }
      expect(() => backend.allocate(dtype, 2 ** 50)).toThrow(/bytes/);
    });
  });

  it('what is read is a copy', () => {
    const buffer = bench.put(Float32Array.of(1, 2));
    const values = bench.get(buffer);
    values[0] = 9;
    expectSame(bench.get(buffer), [1, 2], 'buffer');
  });

  it('threads can be set and asked for; nonsense throws', () => {
    const before = backend.threads();
    expect(before).toBeGreaterThanOrEqual(1);
    backend.setThreads(1);
    expect(backend.threads()).toBe(1);
    for (const count of [0, -1, 257, 1.5, NaN]) {
      expect(() => backend.setThreads(count)).toThrow(ValueError);
    }
    backend.setThreads(before);
  });

  it('describes itself in one line', () => {
    expect(backend.describe()).toMatch(/^[^\n]+$/);
    expect(backend.device).toMatch(/^[a-z-]+(:\d+)?$/);
  });
}
