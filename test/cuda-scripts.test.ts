/** test:cuda and bench:cuda: what they say without a GPU, and all they do, on an emulated one. */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from 'vitest';

import type { Outcome } from '../scripts/cuda-test.js';
import { reports } from './devices.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gradloom-cuda-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(script: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, ...environment };
  const program = ['--import', 'tsx', join(root, script), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    ...{ cwd: root, encoding: 'utf8', env },
  });
  return { code: status, out: stdout, err: stderr };
}

const available = (device: string): boolean =>
  reports.some((report) => report.device === device && report.available);

describe.each(['scripts/cuda-test.ts', 'bench/cuda.ts'])('%s', (script) => {
  const out = join(folder, script.replaceAll('/', '-'));

  it('without the device fails, says what is missing and what to do, and writes no report', () => {
    // No machine has this GPU, and no addon of this name is there.
    const missing = { GRADLOOM_ADDON: join(folder, 'none.node') };
    const { code, err } = run(script, ['--device', 'cuda:99', '--out', out], missing);
    expect(code).toBe(1);
    expect(err).toMatch(/^NOTHING WAS RUN on cuda:99: .*none\.node/);
    expect(err).toMatch(/nvidia-smi: .*\n.*nvcc: /);
    expect(err).toMatch(/What to do:\n.*NVIDIA GPU/);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses devices that are no GPUs', () => {
    expect(run(script, ['--device', 'cpu'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('got "cpu"') as string,
    });
  });
});

// A build with the emulated device is asked for by name; npm test has none.
const emulated = available('cuda-emulated');
if (!emulated) {
  process.stderr.write(
    'cuda-scripts.test.ts: NOT RUN on "cuda-emulated", which the addon has not\n',
  );
}

describe.runIf(emulated)('on cuda-emulated', () => {
  const addon = process.env['GRADLOOM_ADDON'] ?? join(root, 'build/Release/gradloom.node');
  const shared = { GRADLOOM_ADDON: addon, GRADLOOM_TEST_DEVICES: '' };

  it('test:cuda runs suites and tools, and writes its report', () => {
    const tool = join(folder, 'sanitizer'); // what it was asked is kept, and done
    const script = `#!/bin/sh\necho "$*" >> ${tool}.log\n[ "$1" = --version ] && exit 0\nexit 0\n`;
    writeFileSync(tool, script);
    chmodSync(tool, 0o755);
    const out = join(folder, 'tests');
    const args = ['--device', 'cuda-emulated', '--suites', 'cuda-backend', '--out', out];
    const { code, out: said } = run('scripts/cuda-test.ts', args, {
      ...shared,
      GRADLOOM_SANITIZER: tool,
    });
    expect([code, said.slice(-2000)]).toEqual([0, expect.stringContaining('report: ')]);
    const { outcomes } = JSON.parse(readFileSync(join(out, 'test.json'), 'utf8')) as {
      outcomes: readonly Outcome[];
    };
    expect(outcomes.map(({ name, result }) => `${name}: ${result}`)).toEqual([
      'images in the addon: absent',
      'suites on js,cpu,cuda-emulated: passed',
      'every suite ran on every device: passed',
      ...['memcheck', 'racecheck', 'initcheck', 'synccheck'].map(
        (name) => `compute-sanitizer ${name}: passed`,
      ),
    ]);
    expect(readFileSync(`${tool}.log`, 'utf8')).toMatch(/--tool racecheck .*--error-exitcode 86/);
    expect(readFileSync(join(out, 'test.md'), 'utf8')).toContain('# Tests on cuda-emulated');
  }, 600_000);

  it('test:cuda fails when a tool finds something', () => {
    const args = ['--device', 'cuda-emulated', '--suites', 'errors', '--out', join(folder, 'bad')];
    const tool = join(folder, 'finding');
    writeFileSync(tool, '#!/bin/sh\necho "1 error"\nexit 86\n');
    chmodSync(tool, 0o755);
    const { code, out } = run('scripts/cuda-test.ts', args, {
      ...shared,
      GRADLOOM_SANITIZER: tool,
    });
    expect(code).toBe(1);
    expect(out).toMatch(/compute-sanitizer memcheck +failed/);
  }, 120_000);

  it('bench:cuda measures every family, steps and epochs, and writes its report', () => {
    const out = join(folder, 'bench');
    const args = ['run', '-s', 'bench:cuda', '--', '--device', 'cuda-emulated', '--out', out];
    const env = { ...process.env, ...shared };
    const { status, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', env });
    expect([status, stderr.slice(-2000)]).toEqual([0, expect.any(String)]);
    const text = readFileSync(join(out, 'bench.md'), 'utf8');
    for (const row of ['sort', 'gather', 'batchNorm', 'step', 'epoch', 'matmul']) {
      expect(text).toContain(row);
    }
  }, 600_000);
});
