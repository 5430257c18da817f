/** Precisions of float32 products: what may be asked for, and what devices make of it. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it } from 'vitest';

import { precisions } from '../src/backends/precision.js';
import type { Precision } from '../src/backends/precision.js';
import { backendOf } from '../src/backends/registry.js';
import { matmul, precision, seed, Sequential, layers, setPrecision, tensor } from '../src/index.js';
import { optimizers, setDevice, ValueError, device as currentDevice } from '../src/index.js';
import type { Tensor } from '../src/index.js';
import { devices } from './devices.js';
import { Source } from './conformance/harness.js';
import { rounded } from './rounding.js';

const shorter = precisions.filter((each) => each !== 'float32');
const start = currentDevice();

afterEach(() => {
  setPrecision('float32');
  setDevice(start);
});

describe('the precision of products', () => {
  it('is float32 unless another is allowed', () => {
    expect(precision()).toBe('float32');
    for (const each of precisions) {
      setPrecision(each);
      expect(precision()).toBe(each);
    }
  });

  it('is one of those there are', () => {
    for (const given of ['fp16', '', null, 3]) {
      expect(() => setPrecision(given as Precision)).toThrow(ValueError);
    }
    expect(() => setPrecision('half' as Precision)).toThrow(
      'setPrecision: "half" is no precision; expected one of float32, tf32, float16, bfloat16',
    );
  });

  it('is that of GRADLOOM_PRECISION at first', () => {
    expect(inChild({ GRADLOOM_PRECISION: 'tf32' }, 'js')).toBe('tf32 float32');
    expect(inChild({ GRADLOOM_PRECISION: 'tf23' }, 'js')).toMatch(/"tf23" is no precision/);
  });
});

/** What a process with this environment says of its precision, and of that of a device. */
function inChild(environment: Record<string, string>, device: string): string {
  const module = fileURLToPath(new URL('../src/index.js', import.meta.url)).replace(/js$/, 'ts');
  const script = `
    const { precision } = await import(${JSON.stringify(module)});
    try { console.log(precision(), precision(${JSON.stringify(device)})); }
    catch (error) { console.log(error.message); }`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    { encoding: 'utf8', env: { ...process.env, ...environment } },
  );
  return (stdout || stderr).trim();
}

describe.each(devices)('precision on %s', (device) => {
  const has = backendOf(device).allowPrecision !== undefined;
  const effective = (allowed: Precision): Precision => (has ? allowed : 'float32');

  const make = (values: ArrayLike<number>, shape: readonly number[]): Tensor =>
    tensor(Float32Array.from(values), { shape, device });

  it('is what the hardware has', () => {
    for (const each of precisions) {
      setPrecision(each);
      expect(precision(device)).toBe(effective(each));
    }
  });

  it.each(precisions)('%s: factors are rounded to it', (allowed) => {
    setPrecision(allowed);
    const values = new Set([0, -0, 1, 65504, 65519, 65520, -70000, 1e30, Infinity, NaN, 2 ** -14]);
    // Beside the bounds of two neighbours, in the middle, and close to it; small ones of 16 bits.
    for (const base of [1, -1, 1.5, 3.140625, 2 ** -24, 3 * 2 ** -25, 2 ** -15]) {
      for (const bit of [7, 8, 10, 11, 12, 23]) {
        for (const times of [1, 2, 3, -1]) values.add(Math.fround(base * (1 + times * 2 ** -bit)));
      }
    }
    const all = Float32Array.from(values);
    const found = matmul(make(all, [all.length, 1]), make([1], [1, 1])).dataSync();
    expect(Array.from(found)).toEqual(Array.from(all, (x) => rounded[effective(allowed)](x) + 0));
  });

  /**
   * Products of rounded factors are exact in float32. Of a sum of k of them, and what it is added
   * to, each addition may be off by one unit in the last place (tensor cores cut off instead of
   * rounding), in whatever order: (k + 1) · 2^-23 of the sum of magnitudes, and as much again for
   * the additions of our own, of parts of a sum. Factors that were not rounded would be off by
   * about 2^-12 of most terms: much more, for the k of these tests.
   */
  const tolerance = (k: number, magnitude: number): number =>
    2 * (k + 1) * 2 ** -23 * magnitude + 1e-30;

  interface Problem {
    readonly batch?: number;
    readonly m: number;
    readonly n: number;
    readonly k: number;
    readonly shared?: boolean;
  }

  function check(problem: Problem, allowed: Precision, transA: boolean, transB: boolean): void {
    const { batch = 1, m, n, k, shared = false } = problem;
    const round = rounded[effective(allowed)];
    const source = new Source(m + n + k);
    const a = source.values('float32', batch * m * k);
    const b = source.values('float32', (shared ? 1 : batch) * k * n);
    const shapeA = transA ? [batch, k, m] : [batch, m, k];
    const shapeB = [shared ? 1 : batch, ...(transB ? [n, k] : [k, n])];
    const options = { transposeA: transA, transposeB: transB };
    const found = matmul(make(a, shapeA), make(b, shapeB), options).dataSync();
    const [ra, rb] = [Float64Array.from(a, round), Float64Array.from(b, round)];
    for (let at = 0; at < found.length; at++) {
      const [t, i, j] = [Math.floor(at / n / m), Math.floor(at / n) % m, at % n];
      const [left, right] = [t * m * k, shared ? 0 : t * k * n];
      let sum = 0;
      let magnitude = 0;
      for (let p = 0; p < k; p++) {
        const x = ra[left + (transA ? p * m + i : i * k + p)]!;
        const y = rb[right + (transB ? j * k + p : p * n + j)]!;
        sum += x * y;
        magnitude += Math.abs(x * y);
      }
      if (Math.abs(found[at]! - sum) <= tolerance(k, magnitude)) continue;
      expect.fail(`${JSON.stringify(problem)} ${allowed}: ${at} is ${found[at]}, wanted ${sum}`);
    }
  }

  const problems: Problem[] = [
    { m: 1, n: 1, k: 1 }, { m: 5, n: 7, k: 9 }, { m: 64, n: 64, k: 64 }, { m: 65, n: 130, k: 33 },
    { m: 3, n: 70, k: 300 }, { batch: 3, m: 4, n: 5, k: 6 },
    { batch: 2, m: 9, n: 20, k: 33, shared: true },
    { m: 10, n: 12, k: 1100 }, // a sum cut into parts
    { m: 200, n: 210, k: 24 }, // factors that many tiles read
    { batch: 128, m: 3, n: 65, k: 17 }, // large tiles
  ]; // prettier-ignore
  it.each(problems)('products $m x $k times $k x $n', (problem) => {
    for (const allowed of shorter) {
      setPrecision(allowed);
      for (const transposes of [0, 1, 2, 3]) {
        check(problem, allowed, (transposes & 1) !== 0, (transposes & 2) !== 0);
      }
    }
  });

  it('factors kept in 16 bits give the same bits', () => {
    const [rows, few, k, n] = [256, 64, 20, 256];
    const x = new Source(1).values('float32', rows * k);
    const w = make(new Source(2).values('float32', k * n), [k, n]);
    for (const allowed of shorter) {
      setPrecision(allowed);
      const all = matmul(make(x, [rows, k]), w).dataSync();
      const some = matmul(make(x.subarray(0, few * k), [few, k]), w).dataSync();
      expect(all.subarray(0, few * n)).toEqual(some);
    }
  });

  it('float64 products are never rounded', () => {
    const third = tensor([[1 / 3]], { dtype: 'float64', device });
    for (const allowed of shorter) {
      setPrecision(allowed);
      expect(matmul(third, third).item()).toBe((1 / 3) * (1 / 3));
    }
  });

  it.each(precisions)('%s: a net learns', async (allowed) => {
    setDevice(device);
    setPrecision(allowed);
    seed(7);
    const x = new Source(3).values('float32', 64 * 6, 1);
    const y = Float32Array.from(
      { length: 64 },
      (_, i) => x[i * 6]! * x[i * 6 + 1]! + x[i * 6 + 2]!,
    );
    const model = new Sequential([
      new layers.Dense(24, { activation: 'elu', inputShape: [6] }),
      new layers.Dense(24, { activation: 'gelu' }),
      new layers.Dense(1),
    ]);
    model.compile({
      optimizer: new optimizers.Adam({ learningRate: 0.01 }),
      loss: 'meanSquaredError',
    });
    const history = await model.fit(make(x, [64, 6]), make(y, [64, 1]), {
      epochs: 25, batchSize: 16, verbose: 'silent',
    }); // prettier-ignore
    const losses = history.history['loss']!;
    expect(losses.at(-1)!).toBeLessThan(0.3 * losses[0]!);
  });
});

describe.runIf(devices.includes('cuda-emulated'))('code made for an older architecture', () => {
  it('keeps float32 where it lacks what was allowed', () => {
    const of = (allowed: Precision): string =>
      inChild({ GRADLOOM_PRECISION: allowed, GRADLOOM_EMULATED_PTX: '75' }, 'cuda-emulated');
    expect(of('tf32')).toBe('tf32 float32');
    expect(of('bfloat16')).toBe('bfloat16 float32');
    expect(of('float16')).toBe('float16 float16');
  });
});
