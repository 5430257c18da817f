/**
 * Writes the JavaScript of dist/: every entry point of the package, and what they share.
 *
 * Of what an import takes, Node.js spends most on finding, reading and linking modules. So all that
 * `gradloom` loads is one chunk, which every entry point imports, to have the same classes. What is
 * loaded on demand stays out of it: imports in a function, and the loops of the `js` device.
 */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';

import { tableHash } from '../src/backends/table-hash.js';
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

/**
 * esbuild makes a chunk for every set of entry points that share modules. Here each of them, and
 * each module that is imported on demand, first imports index.ts, so that there is one such set.
 * The command shares nothing until it knows what is asked of it.
 */
const oneChunk: Plugin = {
  name: 'one chunk',
  setup(esbuild) {
    esbuild.onResolve({ filter: /./ }, async ({ kind, path, resolveDir, pluginData }) => {
      const entry = kind === 'entry-point' && !path.includes('src/cli/');
      const begins = entry || kind === 'dynamic-import';
      if (!begins || pluginData === oneChunk) return undefined;
      const found = await esbuild.resolve(path, { kind, resolveDir, pluginData: oneChunk });
      return found.external ? found : { path: found.path, namespace: oneChunk.name };
    });
    esbuild.onLoad({ filter: /./, namespace: oneChunk.name }, ({ path }) => ({
      contents: `import './src/index.ts'; export * from ${JSON.stringify(path)};`,
      resolveDir: root,
    }));
  },
};

/** The loops of the `js` device: CommonJS, since that can be loaded without waiting. */
const loops = 'js-loops.cjs';

/** What stands in the package in place of a source. They say why themselves. */
const replaced: Readonly<Record<string, string>> = {
  'load-loops': `
    import { createRequire } from 'node:module';
    let loops;
    export const loadLoops = () =>
      (loops ??= { ...createRequire(import.meta.url)('./${loops}') });`,
  'table-hash': `export const tableHash = ${tableHash};`,
};
const replacing: Plugin = {
  name: 'replacing',
  setup(esbuild) {
    for (const [name, contents] of Object.entries(replaced)) {
      esbuild.onLoad({ filter: new RegExp(`src/backends/${name}\\.ts$`) }, () => ({ contents }));
    }
  },
};

/** Writes the package's JavaScript to a folder. */
export async function bundle(dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const common: BuildOptions = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // package.json's sideEffects speak of dist/, not of sources: all of these are wanted.
    ignoreAnnotations: true,
    keepNames: false,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  };
  await build({
    ...common,
    entryPoints: Object.fromEntries(
      [...entryPoints(), ...measured].map((path) => [path.slice('src/'.length, -3), path]),
    ),
    outdir: dist,
    // As deep as sources are: what a module finds from its own place, it finds from there too.
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    format: 'esm',
    plugins: [oneChunk, replacing],
  });
  await build({
    ...common,
    entryPoints: ['src/backends/js-loops.ts'],
    outfile: join(dist, 'chunks', loops),
    format: 'cjs',
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await bundle(join(root, 'dist'));
