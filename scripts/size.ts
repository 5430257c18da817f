/**
 * Reports lines of code per folder and what is larger than we want: files over 300 lines, functions
 * over 40, lines over 100 columns. `--check` fails on files over 550 lines. Generated files and
 * tests' outer functions are left out.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

import { root } from './layers.js';

const wanted = { file: 300, function: 40, columns: 100 };
const limit = 550;

const listing = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
const paths = listing
  .toString()
  .split('\n')
  .filter((path) => /\.(ts|mjs|cc|h|cu)$/.test(path));

const folders = new Map<string, { files: number; lines: number }>();
const remarks: string[] = [];
let failures = 0;

for (const path of paths) {
  const text = readFileSync(join(root, path), 'utf8');
  const lines = text.trimEnd().split('\n');
  const folder = path
    .split('/')
    .slice(0, 2)
    .join('/')
    .replace(/\/[^/]*\.\w+$/, '');
  const sum = folders.get(folder) ?? { files: 0, lines: 0 };
  folders.set(folder, { files: sum.files + 1, lines: sum.lines + lines.length });

  if (lines.slice(0, 3).join().includes('GENERATED')) continue;
  if (lines.length > limit) failures++;
  if (lines.length > wanted.file) remarks.push(`${path}: ${lines.length} lines`);
  lines.forEach((line, index) => {
    if (line.length > wanted.columns) remarks.push(`${path}:${index + 1}: ${line.length} columns`);
  });
  if (path.endsWith('.ts') && !path.endsWith('.test.ts'))
    remarks.push(...longFunctions(path, text));
}

function longFunctions(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const start = lineOf(node.getStart());
      const length = lineOf(node.getEnd()) - start + 1;
      if (length > wanted.function)
        found.push(`${path}:${start + 1}: a function of ${length} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const width = Math.max(...[...folders.keys()].map((name) => name.length));
for (const [name, { files, lines }] of [...folders].sort())
  console.log(
    `${name.padEnd(width)} ${String(files).padStart(4)} files ${String(lines).padStart(6)}`,
  );
const total = [...folders.values()].reduce((sum, each) => sum + each.lines, 0);
console.log(
  `${'total'.padEnd(width)} ${String(paths.length).padStart(4)} files ${String(total).padStart(6)}`,
);
if (remarks.length > 0) console.log(`\n${remarks.join('\n')}`);
if (process.argv.includes('--check') && failures > 0) {
  console.error(`\n${failures} files have more than ${limit} lines`);
  process.exitCode = 1;
}
