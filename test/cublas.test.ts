/**
 * Products by cuBLASLt on the emulated device: a library of ours with the real one's interface
 * (fake-cublas.cc) proves what it is called with. The real one was never called.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { devices } from './devices.js';

const device = 'cuda-emulated';
const folder = mkdtempSync(join(tmpdir(), 'gradloom-cublas-'));
const log = join(folder, 'products.txt');
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

if (!devices.includes(device)) {
  process.stderr.write(`cublas.test.ts: NOT RUN, the addon has no device "${device}"\n`);
}

function compileFake(): void {
  const library = join(folder, 'libcublasLt.so.12');
  const { status, stderr } = spawnSync(
    process.env['CXX'] ?? 'g++',
    ['-std=c++17', '-O1', '-shared', '-fPIC', '-o', library, file('fake-cublas.cc')],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the compiler failed: ${stderr}`);
}

/** What the child says, with the environment given. */
function run(environment: Record<string, string>): { stdout: string; stderr: string } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', file('cublas-child.ts')],
    { encoding: 'utf8', env: { ...process.env, GRADLOOM_DEVICE: device, ...environment } },
  );
  return { stdout, stderr };
}

describe.runIf(devices.includes(device))(`cuBLASLt with ${device}`, () => {
  const withFake = {
    GRADLOOM_CUDA_MATMUL: 'cublas',
    LD_LIBRARY_PATH: folder,
    FAKE_CUBLAS_LOG: log,
  };

  beforeAll(compileFake);
  beforeEach(() => rmSync(log, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes the products: every transposition, batches, sums, and layers', () => {
    const { stdout, stderr } = run(withFake);
    expect(stderr).toBe('');
    expect(stdout.trim()).toMatch(/, products by cuBLASLt 130999$/); // and nothing wrong
    const said = readFileSync(log, 'utf8');
    // out' [n, m] = b' [n, k] · a' [k, m], of columns.
    expect(said).toContain('compute 68 scale 0 batch 1: 5 x 7 by 7 x 3 to 5 x 3');
    expect(said).toContain('compute 70 scale 1 batch 3: 5 x 6 by 6 x 4 to 5 x 4');
    expect(said).toContain('compute 68 scale 0 batch 1: 7 x 5 by 3 x 7 to 5 x 3'); // both transposed
    for (const type of [77, 74, 75]) {
      expect(said).toContain(`compute ${type} scale 0 batch 1: 1 x 1 by 1 x 1 to 1 x 1`);
    }
  });

  it('is not used unless asked for', () => {
    for (const asked of ['', 'own']) {
      const { stdout, stderr } = run({ ...withFake, GRADLOOM_CUDA_MATMUL: asked });
      expect(stderr).toBe('');
      expect(stdout.trim()).toMatch(/, products by own kernels$/);
    }
    expect(existsSync(log)).toBe(false);
  });

  it('that is missing or broken is said, and own kernels take its place', () => {
    const missing = run({ GRADLOOM_CUDA_MATMUL: 'cublas', LD_LIBRARY_PATH: '/nowhere' });
    expect(missing.stderr).toMatch(
      /device "cuda-emulated": GRADLOOM_CUDA_MATMUL=cublas, but .*own/,
    );
    for (const name of ['so.13', 'so.12', 'so.11']) {
      expect(missing.stderr).toContain(`libcublasLt.${name}: cannot open shared object file`);
    }
    expect(missing.stdout.trim()).toMatch(/, products by own kernels$/);

    const broken = run({ ...withFake, FAKE_CUBLAS_BROKEN: '1' });
    expect(broken.stderr).toContain('cublasLtCreate returned status 1');
    expect(broken.stdout.trim()).toMatch(/, products by own kernels$/);
  });

  it('takes no other names', () => {
    const { stderr } = run({ GRADLOOM_CUDA_MATMUL: 'cuBLAS' });
    expect(stderr).toContain('GRADLOOM_CUDA_MATMUL is "cuBLAS"; expected own or cublas');
  });
});
