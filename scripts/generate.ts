/**
 * Makes the generated sources from src/backends/formulas.ts, or with `--check` fails (exit status 1)
 * when a committed one is not what the formulas say.
 *
 *     node --import tsx scripts/generate.ts [--check]
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

interface Target {
  /** The generated file, from the repository's root. */
  readonly path: string;
  readonly emit: () => string;
}

const targets: Target[] = [];
const emitters = [
  ['./emit-js.ts', 'emitJs', 'src/backends/js-loops.ts'],
  ['./emit-cpp.ts', 'emitCpp', 'native/kernels/formulas.inc'],
] as const;
for (const [module, name, path] of emitters) {
  if (!existsSync(new URL(module, import.meta.url))) continue;
  const exported = (await import(module)) as Record<string, () => string>;
  targets.push({ path, emit: exported[name]! });
}

const check = process.argv.includes('--check');
for (const { path, emit } of targets) {
  const file = fileURLToPath(new URL(path, root));
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
