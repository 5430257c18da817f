/** The prediction of docs/cuda.md: the model's arithmetic, and that it is of today's launches. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it } from 'vitest';

import { durationOf, gpus, overheads, predict, worksOf } from '../scripts/cuda-model.js';
import type { Gpu, Launch } from '../scripts/cuda-model.js';
import { batches, documentWith, loadLog, recordStep } from '../scripts/cuda-roofline.js';
import { device as currentDevice, setDevice } from '../src/backends/registry.js';
import { devices } from './devices.js';

const log = loadLog();
const plain: Gpu = {
  ...{ name: 'G', flops: 1e12, bandwidth: 1e11, multiprocessors: 10, latency: 1e-6 },
};

describe('the work of a launch', () => {
  it('of a product: multiply-adds, every array once, the tiles and strips of its kernel', () => {
    const [work] = worksOf([{ kernel: 'dense', sizes: [1, 32, 100, 3072], count: 2 }]);
    expect(work).toEqual({
      flops: 2 * 32 * 100 * 3072,
      bytes: 4 * (32 * 3072 + 3072 * 100 + 32 * 100),
      blocks: 4, // tiles of 32
      chain: 3072 / 32 + 1,
      count: 2,
    });
  });

  it('of a product whose sums are cut: parts are written, and strips are fewer', () => {
    const [work] = worksOf([
      { kernel: 'dense', sizes: [1, 32, 100, 3072], count: 1 },
      { kernel: 'join splits', sizes: [1, 32, 100, 12], count: 1 },
    ]);
    expect(work).toMatchObject({ blocks: 48, chain: 3072 / 12 / 32 + 1 });
    expect(work!.bytes).toBe(4 * (32 * 3072 + 3072 * 100 + 12 * 32 * 100));
  });

  it('of updates and maps: by their arrays', () => {
    const works = worksOf([
      { kernel: 'nadam', sizes: [42, 512], count: 1 },
      { kernel: 'elu_da', sizes: [4096], count: 1 },
    ]);
    expect(works.map(({ bytes }) => bytes)).toEqual([28 * 512 * 1024, 4096 * 4 * 3]);
    expect(works.map(({ blocks }) => blocks)).toEqual([512, 4]);
  });

  it('of an unknown kernel is an error that names it', () => {
    expect(() => worksOf([{ kernel: 'fft', sizes: [8], count: 1 }])).toThrow(/no kernel "fft"/);
  });
});

describe('a prediction', () => {
  it('takes the longest of arithmetic, traffic and waiting', () => {
    const work = { flops: 0, bytes: 0, blocks: 10, chain: 0 };
    expect(durationOf({ ...work, flops: 1e9 }, plain)).toBeCloseTo(1e-3, 12);
    expect(durationOf({ ...work, flops: 1e9, blocks: 2 }, plain)).toBeCloseTo(5e-3, 12);
    expect(durationOf({ ...work, flops: 1e9, bytes: 1e9 }, plain)).toBeCloseTo(1e-2, 12);
    expect(durationOf({ ...work, flops: 1e3, chain: 3 }, plain)).toBeCloseTo(3e-6, 12);
  });

  it('adds what launching costs: of each, or of one graph', () => {
    const short: Launch[] = [{ kernel: 'fill', sizes: [1], count: 100 }]; // 2 µs each
    const found = predict(short, plain);
    expect(found.launches).toBe(100);
    expect(found.kernels).toBeCloseTo(200e-6, 12);
    expect(found.eager).toBeCloseTo(100 * overheads.launch, 12); // the host is slower
    expect(found.captured).toBeCloseTo(200e-6 + 100 * overheads.graphGap + overheads.graph, 12);
    const long = predict(short, { ...plain, latency: 1e-5 });
    expect(long.eager).toBeCloseTo(100 * (20e-6 + overheads.gap), 12); // the device is
  });

  it('is no faster than arithmetic and memory allow, and capturing gains', () => {
    for (const batch of batches) {
      for (const gpu of gpus) {
        const { flops, bytes, kernels, eager, captured } = predict(log[batch]!, gpu);
        expect(kernels).toBeGreaterThan(Math.max(flops / gpu.flops, bytes / gpu.bandwidth));
        expect(captured).toBeGreaterThan(kernels);
        expect(eager).toBeGreaterThan(captured);
      }
    }
  });

  it('counts the arithmetic of the net', () => {
    const weights = 3072 * 100 + 19 * 100 * 100 + 100 * 10;
    for (const batch of batches) {
      const products = 2 * batch * (3 * weights - 3072 * 100);
      const { flops } = predict(log[batch]!, plain);
      expect(flops).toBeGreaterThan(products);
      expect(flops).toBeLessThan(1.3 * products + 2e7); // updates cost the same at any batch
    }
  });

  it('is the one in the documentation', async () => {
    const document = readFileSync(
      fileURLToPath(new URL('../docs/cuda.md', import.meta.url)),
      'utf8',
    );
    expect(await documentWith(log, document)).toBe(document);
  });
});

describe.each(devices.filter((each) => each.startsWith('cuda')))('launches on %s', (device) => {
  const first = currentDevice();
  afterEach(() => setDevice(first));

  it('are those that the prediction is made from', async () => {
    setDevice(device);
    const again = 'record them anew with scripts/cuda-roofline.ts --record';
    expect(await recordStep(32), again).toEqual(log['32']);
  }, 120_000);
});
