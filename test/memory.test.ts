/** Memory: memory() is exact, scopes and tidy free, and the three usual loops stay small. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  add, clearPool, device as currentDevice, memory, MemoryError, ones, randint, randn, Scope,
  setDevice, softmaxCrossEntropy, tensor, tidy, ValueError, zeros,
} from '../src/index.js'; // prettier-ignore
import type { Tensor } from '../src/index.js';
import { devices } from './devices.js';

const megabyte = 2 ** 20;
const first = currentDevice();
afterEach(() => setDevice(first));

describe.each(devices)('on %s', (device) => {
  beforeEach(() => setDevice(device));

  describe('memory()', () => {
    it('counts the tensors that can still be reached, and their bytes', () => {
      const before = memory();
      const kept = Array.from({ length: 10 }, () => zeros([100]));
      for (let i = 0; i < 1000; i++) kept[i % 10]!.add(1);
      const during = memory();
      expect(during.tensors - before.tensors).toBe(10);
      expect(during.bytes - before.bytes).toBe(10 * 100 * 4);
      expect(kept[9]!.size).toBe(100);
      kept.length = 0;
      expect(memory().tensors).toBe(before.tensors);
    });

    it('counts a view as part of what it views', () => {
      const before = memory();
      const view = ones([100, 10]).slice([0, 10]).reshape([100]);
      expect(memory().tensors - before.tensors).toBe(1);
      expect(memory().bytes - before.bytes).toBe(4000); // it holds all of it
      expect(view.sum().item()).toBe(100);
    });

    it('does not count what was disposed of', () => {
      const before = memory();
      const x = ones([1000]);
      x.dispose();
      expect(memory().tensors).toBe(before.tensors);
      expect(() => x.dataSync()).toThrow(MemoryError);
    });

    it('reports the counters alone without collecting', () => {
      const { allocations } = memory({ collect: false });
      const x = zeros([50]);
      const counters = memory({ collect: false });
      expect(counters.allocations).toBe(allocations + 1);
      expect(counters).not.toHaveProperty('tensors');
      expect(x.size).toBe(50);
    });

    it('remembers the peak', () => {
      const before = memory().peak;
      const large = Array.from({ length: 8 }, () => zeros([5 * megabyte]));
      const { bytes } = memory();
      expect(bytes).toBeGreaterThanOrEqual(large.length * 20 * megabyte);
      large.length = 0;
      const after = memory();
      expect(after.peak).toBeGreaterThanOrEqual(Math.max(before, 160 * megabyte));
      expect(after.bytes).toBeLessThan(100 * megabyte);
    });
  });

  describe('Scope', () => {
    it('frees what was made inside, into the pool, where the next scope finds it', () => {
      clearPool();
      const step = (): number => {
        const scope = new Scope();
        try {
          return ones([1000]).mul(2).add(1).sum().item();
        } finally {
          scope.end();
        }
      };
      expect(step()).toBe(3000);
      const { pooled, allocations } = memory({ collect: false });
      expect(pooled).toBeGreaterThanOrEqual(3 * 4000);
      for (let i = 0; i < 10; i++) step();
      expect(memory({ collect: false })).toMatchObject({ pooled, allocations });
      clearPool();
      expect(memory().pooled).toBe(0);
    });

    it('keeps what it is told to keep, and ends the scopes left open in it', () => {
      const outer = new Scope();
      const inner = new Scope();
      const lost = ones([2]);
      const kept = outer.keep(inner.keep(ones([2])));
      outer.end();
      expect(kept.toArray()).toEqual([1, 1]);
      expect(() => lost.toArray()).toThrow(/was freed/);
      const after = ones([2]);
      outer.end();
      inner.end();
      expect(after.toArray()).toEqual([1, 1]);
    });

    it('leaves gradients with their parameters', () => {
      const w = tensor([1, 2], { requiresGrad: true });
      const scope = new Scope();
      w.square().sum().backward();
      scope.end();
      expect(w.grad!.toArray()).toEqual([2, 4]);
    });
  });

  describe('tidy', () => {
    it('keeps what is returned, however nested', () => {
      const before = memory().tensors;
      const outside = ones([3]);
      const result = tidy(() => {
        const a = outside.add(1);
        return { list: [a, [a.mul(2)]], again: a, outside, number: 1, text: 'x', none: null };
      });
      expect((result.list[0] as Tensor).toArray()).toEqual([2, 2, 2]);
      expect((result.list[1] as Tensor[])[0]!.toArray()).toEqual([4, 4, 4]);
      expect(memory().tensors - before).toBe(3);
      expect(outside.toArray()).toEqual([1, 1, 1]);
    });

    it('frees when the body throws', () => {
      let made: Tensor | undefined;
      const fail = (): void => {
        made = ones([3]);
        throw new Error('on purpose');
      };
      expect(() => tidy(fail)).toThrow('on purpose');
      expect(() => made!.dataSync()).toThrow(MemoryError);
    });

    it('refuses a promise', () => {
      expect(() => tidy(() => Promise.resolve(1))).toThrow(ValueError);
      expect(() => tidy(() => Promise.resolve(1))).toThrow(/new Scope\(\)/);
    });
  });

  describe('stays small without a scope', () => {
    // What a loop may add to the resident set: V8 lets garbage grow to some tens of megabytes.
    const allowance = 150 * megabyte;

    /** Runs a loop and returns by how much the resident set grew at most. */
    async function growth(
      count: number,
      body: (i: number) => Promise<void> | undefined,
    ): Promise<number> {
      globalThis.gc?.();
      const before = process.memoryUsage.rss();
      let peak = before;
      for (let i = 0; i < count; i++) {
        const pause = body(i);
        if (pause) await pause;
        if (i % 1024 === 0) peak = Math.max(peak, process.memoryUsage.rss());
      }
      console.log('GROWTH', (peak - before) / megabyte);
      return peak - before;
    }

    it('over 1,000,000 temporaries, synchronously', async () => {
      const x = ones([64]);
      const tensors = memory().tensors;
      const grown = await growth(1_000_000, () => void add(x, x));
      expect(grown).toBeLessThan(allowance);
      expect(memory().tensors).toBe(tensors);
    }, 120_000);

    it('over 1,000,000 temporaries, asynchronously', async () => {
      const x = ones([64]);
      const tensors = memory().tensors;
      const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const grown = await growth(1_000_000, (i) => {
        add(x, x);
        return i % 64 === 0 ? tick() : undefined;
      });
      expect(grown).toBeLessThan(allowance);
      expect(memory().tensors).toBe(tensors);
    }, 120_000);

    it('over 5,000 large temporaries', async () => {
      const x = ones([65536]);
      // 1.3 GB in all.
      const grown = await growth(5000, () => void add(x, x));
      expect(grown).toBeLessThan(allowance);
    }, 120_000);

    it('over 20,000 synchronous training steps, reading values after backward', async () => {
      const hidden = randn([8, 16], { requiresGrad: true });
      const output = randn([16, 3], { requiresGrad: true });
      const x = randn([4, 8]);
      const y = randint([4], { high: 3 });
      const tensors = memory().tensors;
      let value = 0;
      const grown = await growth(20_000, () => {
        const logits = x.matmul(hidden).elu().matmul(output);
        const loss = softmaxCrossEntropy(logits, y).mean();
        loss.backward();
        for (const w of [hidden, output]) {
          w.assign(w.detach().sub(w.grad!.mul(0.01)));
          w.grad = null;
        }
        value = loss.item() + logits.dataSync()[0]!;
      });
      expect(value).toBeTypeOf('number');
      expect(grown).toBeLessThan(allowance);
      expect(memory().tensors).toBe(tensors);
    }, 120_000);
  });
});
