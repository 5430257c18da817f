/**
 * Makes the generated sources from src/backends/formulas.ts; with `--check`, fails (exit status 1)
 * when a committed one is not what the formulas say.
 *
 *     node --import tsx scripts/generate.ts [--check]
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { emitCpp } from './emit-cpp.js';
import { emitJs } from './emit-js.js';

/** Generated files, from the repository's root, and what makes them. */
const targets: readonly (readonly [path: string, emit: () => string])[] = [
  ['src/backends/js-loops.ts', emitJs],
  ['native/kernels/formulas.inc', emitCpp],
];

const check = process.argv.includes('--check');
for (const [path, emit] of targets) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const wanted = emit();
  const found = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (found === wanted) continue;
  if (check) {
    console.error(
      `${path} is not what formulas.ts says: run node --import tsx scripts/generate.ts`,
    );
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, wanted);
    console.log(`wrote ${path} (${wanted.length} characters)`);
  }
}
