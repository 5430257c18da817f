/** Conformance of random and dropout: the same bits as src/backends/random.ts specifies. */

import { describe, expect, it } from 'vitest';

import { distributions } from '../../src/backends/backend.js';
import type { Distribution } from '../../src/backends/backend.js';
import { typedArray } from '../../src/backends/dtype.js';
import type { DType } from '../../src/backends/dtype.js';
import { fillRandom } from '../../src/backends/random.js';
import { type Bench, expectClose, expectSame, floatDTypes, numberDTypes } from './harness.js';
import { roundoff, Source } from './harness.js';

/** [key0, key1, counter0, counter1]; the second's low counter word overflows on the way. */
const streams: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 0, 0],
  [0xdeadbeef, 0x12345678, 0xfffffffe, 7],
  [1, 0xffffffff, 0xffffffff, 0xffffffff],
];
const sizes = [0, 1, 2, 3, 4, 5, 15, 64, 1023, 1024, 1025, 20_001];

function dtypesOf(distribution: Distribution): readonly DType[] {
  if (distribution === 'bernoulli') return numberDTypes;
  return distribution === 'uniform' ? [...floatDTypes, 'int32'] : floatDTypes;
}

export function randomTests(bench: Bench): void {
  describe.each(distributions)('random %s', (distribution) => {
    const number = distributions.indexOf(distribution);
    it.each(dtypesOf(distribution))('%s: the specified bits', (dtype) => {
      const [p, q] = distribution === 'bernoulli' ? [0.3, 0] : [-3, 11];
      for (const stream of streams) {
        for (const size of sizes) {
          const wanted = typedArray(dtype, size);
          fillRandom(distribution, wanted, ...stream, p, q);
          const out = bench.output(dtype, size);
          bench.backend.random(number, out, ...stream, p, q);
          expectSame(bench.get(out), wanted, `${distribution} ${dtype} ${size}`);
        }
      }
    });

    it('a later counter continues the stream', () => {
      const whole = bench.output('float32', 100);
      bench.backend.random(number, whole, 5, 6, 7, 0, 0.5, 2);
      const rest = bench.output('float32', 60);
      bench.backend.random(number, rest, 5, 6, 7 + 10, 0, 0.5, 2);
      expectSame(bench.get(rest), bench.get(whole).subarray(40), distribution);
    });
  });

  it.each(floatDTypes)('dropout %s keeps what the uniforms of the stream say', (dtype) => {
    for (const stream of streams) {
      for (const size of sizes) {
        const x = new Source(size).values(dtype, size);
        const uniform = new Float32Array(size);
        fillRandom('uniform', uniform, ...stream, 0, 1);
        const [rate, a, b, c] = [0.4, 1 / 0.6, 0.25, -1.5];
        for (const inPlace of [false, true]) {
          const buffer = bench.put(x);
          const out = inPlace ? buffer : bench.output(dtype, size);
          bench.backend.dropout(out, buffer, rate, a, b, c, ...stream);
          const wanted = Array.from(x, (value, i) => (uniform[i]! >= rate ? a * value + b : c));
          expectClose(bench.get(out), wanted, 16 * roundoff[dtype], `dropout ${size}`);
        }
      }
    }
  });

  it('dropout of rate 0 keeps everything, of a rate near 1 almost nothing', () => {
    const x = new Float32Array(1000).fill(1);
    const out = bench.output('float32', 1000);
    bench.backend.dropout(out, bench.put(x), 0, 1, 0, 0, 1, 2, 3, 4);
    expectSame(bench.get(out), x, 'rate 0');
    bench.backend.dropout(out, bench.put(x), 0.999, 1, 0, 0, 1, 2, 3, 4);
    const kept = bench.get(out).filter((value) => value !== 0).length;
    expect(kept).toBeLessThan(10);
  });
}
