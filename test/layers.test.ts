/** The import directions of src/, and the checker that holds the code to them. */

import { expect, test } from 'vitest';

import { findViolations, importsOf, readSources, runtimePackages } from '../scripts/layers.js';

const check = (files: Record<string, string>): string[] =>
  findViolations(new Map(Object.entries(files)), ['tar']);

test('src keeps to the layers', () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(10);
  expect(findViolations(sources, runtimePackages())).toEqual([]);
});

test('an import against the direction is found, also of types only', () => {
  const files = {
    'backends/js.ts': `import { Tensor } from '../tensor/tensor.js';`,
    'tensor/tensor.ts': `export class Tensor {}`,
  };
  const wanted = ['src/backends/js.ts:1: layer "backends" may not import layer "tensor"'];
  expect(check(files)).toEqual(wanted);
  files['backends/js.ts'] = `import type { Tensor } from '../tensor/tensor.js';`;
  expect(check(files)).toEqual(wanted);
  files['backends/js.ts'] = `export const load = () => import('../tensor/tensor.js');`;
  expect(check(files)).toEqual(wanted);
});

test('what the table allows passes', () => {
  const files = {
    'errors.ts': '',
    'backends/js.ts': `import { readFileSync } from 'node:fs'; import '../errors.js';`,
    'tensor/tensor.ts': `import * as js from '../backends/js.js';`,
    'data/archive.ts': `import { extract } from 'tar';`,
    'index.ts': `export * from './tensor/tensor.js'; export * from './backends/js.js';`,
  };
  expect(check(files)).toEqual([]);
});

test('unknown layers, missing files and foreign packages are found', () => {
  expect(check({ 'helpers/text.ts': '' })).toEqual([
    'src/helpers/text.ts: layer "helpers" is not in the table of scripts/layers.ts',
  ]);
  expect(check({ 'io/npy.ts': `import '../../test/cases.js';\nimport 'vitest/config';` })).toEqual([
    'src/io/npy.ts:1: imports ../../test/cases.js, which is not in src/',
    'src/io/npy.ts:2: imports "vitest", which is not a runtime dependency',
  ]);
});

test('files loading each other in a circle are found; type imports make none', () => {
  const files = {
    'ops/a.ts': `import { b } from './b.js';`,
    'ops/b.ts': `import { a } from './a.js';`,
  };
  expect(check(files)).toEqual(['cycle: ops/a.ts → ops/b.ts → ops/a.ts']);
  files['ops/b.ts'] = `import { type A } from './a.js';`;
  expect(check(files)).toEqual([]);
});

test('imports are read from the syntax, not from text', () => {
  const text = [
    `// import './a.js'`,
    `const s = "import './b.js'";`,
    `export { x } from './x.js';`,
  ];
  const wanted = [{ specifier: './x.js', line: 3, typeOnly: false }];
  expect(importsOf('a.ts', text.join('\n'))).toEqual(wanted);
});
