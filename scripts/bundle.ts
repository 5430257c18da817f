/**
 * Writes the JavaScript of dist/: every entry point of the package, and chunks of what they share.
 *
 * Loading 190 modules takes Node.js longer than running them; loading a few takes a third of that.
 * Entry points import the same chunks, so `gradloom` and `gradloom/layers` have the same classes.
 */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { root } from './layers.js';

/** What is imported by path and no entry point of the package: the benchmark times it alone. */
const measured = ['src/models/batches.ts', 'src/tensor/recording.ts'];

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
}

/** Sources of all entry points that package.json names. */
function entryPoints(): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const targets = [
    ...Object.values(manifest.exports).map((each) =>
      typeof each === 'string' ? each : each.default,
    ),
    ...Object.values(manifest.bin),
  ];
  return targets
    .filter((path) => path.endsWith('.js'))
    .map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
}

const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [...entryPoints(), ...measured],
  outbase: 'src',
  outdir: 'dist',
  // As deep as sources are: what a module finds from its own place, it finds from there too.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  // package.json's sideEffects speak of dist/, not of sources: all of these are wanted.
  ignoreAnnotations: true,
  keepNames: false,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
