/**
 * A Python to check files with, where there is one: GRADLOOM_TEST_PYTHON, else `python3`. What it
 * lacks is said once, and those checks are skipped; committed files cover the same ground.
 */

import { spawnSync } from 'node:child_process';

const candidate = process.env['GRADLOOM_TEST_PYTHON'] ?? 'python3';

const imports = (...names: readonly string[]): boolean =>
  spawnSync(candidate, ['-c', names.map((name) => `import ${name}`).join('\n')]).status === 0;

/** The interpreter, or undefined when there is none. */
export const python = imports('sys') ? candidate : undefined;

/** Whether Python and these packages are there; says so when they are not. */
export function withPackages(...names: readonly string[]): boolean {
  if (python !== undefined && imports(...names)) return true;
  console.log(
    `Checks with Python are skipped: ${candidate} with ${names.join(', ')} was not found; ` +
      'GRADLOOM_TEST_PYTHON names another interpreter',
  );
  return false;
}
