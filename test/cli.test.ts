/** The gradloom command, run as a user runs it. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = readFileSync(join(root, 'package.json'), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

// A PATH on which there is nothing but node: no compiler, no cmake.
const bare = mkdtempSync(join(tmpdir(), 'gradloom-path-'));
symlinkSync(process.execPath, join(bare, 'node'));
afterAll(() => rmSync(bare, { recursive: true }));

function gradloom(args: readonly string[], environment: Record<string, string> = {}) {
  const result = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(root, 'src/cli/main.ts'), ...args],
    { cwd: root, encoding: 'utf8', env: { ...process.env, ...environment } },
  );
  return { code: result.status, out: result.stdout, err: result.stderr };
}

test('help, version and unknown commands', () => {
  expect(gradloom(['--version'])).toMatchObject({ code: 0, out: `${version}\n` });
  expect(gradloom([]).out).toMatch(/gradloom info .*\n.*gradloom build/);
  expect(gradloom(['build', '--help']).out).toMatch(/--require/);
  expect(gradloom(['buidl'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('no command "buidl"') as string,
  });
  expect(gradloom(['build', '--colour'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--colour') as string,
  });
});

test('build without a compiler says so in one line; --require makes it a failure', () => {
  const line = /^gradloom: not building .* js device .* no C\+\+ compiler .* apt-get install .*\n$/;
  const without = gradloom(['build', '--force'], { PATH: bare });
  expect(without.out).toMatch(line);
  expect(without.code).toBe(0);
  expect(gradloom(['build', '--force', '--require'], { PATH: bare }).code).toBe(1);
});

test('info lists the devices and why one is missing', () => {
  const missing = join(bare, 'none.node');
  const { code, out } = gradloom(['info'], { GRADLOOM_ADDON: missing, GRADLOOM_DEVICE: '' });
  expect(out).toMatch(/^Node\.js +\d+/m);
  expect(out).toMatch(/^js +available/m);
  expect(out).toMatch(/^cpu +not available: .*not been built/m);
  expect(out).toMatch(/Using js with 1 thread\./);
  expect(code).toBe(0);
});

test('info fails, saying why, when the wanted device is not there', () => {
  const { code, err } = gradloom(['info'], { GRADLOOM_DEVICE: 'abacus' });
  expect(err).toMatch(/no device "abacus"/);
  expect(code).toBe(1);
});
