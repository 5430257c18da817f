/** The examples beside the training script: they run, and show what they are there to show. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import * as customLayer from '../examples/custom-layer.js';
import * as transferLearning from '../examples/transfer-learning.js';
import * as unsupervisedPretraining from '../examples/unsupervised-pretraining.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-examples-'));
const log = vi.spyOn(console, 'log');
beforeAll(() => void log.mockImplementation(() => undefined));
afterAll(() => {
  log.mockRestore();
  rmSync(folder, { recursive: true });
});

const output = (): string => log.mock.calls.flat().join('\n');

describe('the examples', () => {
  it('are all run here, but for helpers and cifar10, which has tests of its own', () => {
    const files = readdirSync(fileURLToPath(new URL('../examples/', import.meta.url)));
    const run = ['custom-layer.ts', 'transfer-learning.ts', 'unsupervised-pretraining.ts'];
    expect(files.sort()).toEqual(['cifar10', 'patterns.ts', ...run].sort());
  });

  it('a layer of their own learns, and is loaded as it was saved', async () => {
    const { trained, loaded } = await customLayer.main(join(folder, 'model.safetensors'));
    expect(trained).toBeGreaterThan(0.8);
    expect(loaded).toBe(trained);
  }, 60_000);

  it('transfer learning beats training from scratch', async () => {
    const { scratch, tuned } = await transferLearning.main([1]);
    expect(tuned).toBeGreaterThan(scratch + 0.04);
    expect(output()).toMatch(/48 samples of 4 classes/);
  }, 120_000);

  it('unsupervised pre-training beats training from scratch', async () => {
    const { scratch, pretrained } = await unsupervisedPretraining.main([1]);
    expect(pretrained).toBeGreaterThan(scratch + 0.02);
    expect(output()).toMatch(/60 labels/);
  }, 120_000);
});
