/** The real CIFAR-10, if this machine's cache has it: what is known of it must hold. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirectory } from '../src/data/cache-directory.js';
import { loadCifar10 } from '../src/data/index.js';
import { skipIf } from './data-support.js';

const cached = existsSync(join(cacheDirectory(), 'cifar10', 'test_batch.bin'));

function countOf(labels: Uint8Array): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

test('the dataset as published', async (context) => {
  const reason = `CIFAR-10 is not in ${cacheDirectory()}; this test does not download it`;
  skipIf(!cached, reason, context);
  const { train, test, classNames } = await loadCifar10({ sources: [] });
  const named = (labels: Uint8Array): string =>
    Array.from(labels.subarray(0, 5), (label) => classNames[label]).join(' ');
  expect(named(train.labels)).toBe('frog truck truck deer automobile');
  expect(named(test.labels)).toBe('cat ship ship airplane frog');
  expect(countOf(train.labels)).toEqual(new Array(10).fill(5000));
  expect(countOf(test.labels)).toEqual(new Array(10).fill(1000));
  expect([...train.images.subarray(0, 6)]).toEqual([59, 62, 63, 43, 46, 45]);
  expect([...test.images.subarray(0, 3)]).toEqual([158, 112, 49]);
  expect(train.images).toHaveLength(50_000 * 3072);
  expect(test.images).toHaveLength(10_000 * 3072);
  // The training set's mean colour, a figure many programs normalize with: 0.4914, 0.4822, 0.4465.
  const sums = [0, 0, 0];
  for (let i = 0; i < train.images.length; i += 3) {
    for (let channel = 0; channel < 3; channel++) sums[channel]! += train.images[i + channel]!;
  }
  const means = sums.map((sum) => (sum / (50_000 * 1024) / 255).toFixed(4));
  expect(means).toEqual(['0.4914', '0.4822', '0.4465']);
});
