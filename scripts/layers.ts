/**
 * Which part of src/ may import which: the table, and the check that holds the code to it. A layer
 * is a folder of src/, or a file directly in src/. docs/architecture.md quotes the table.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

/** Each layer and the layers it may import, besides itself and `errors`; innermost first. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  names: [],
  values: ['names'],
  backends: [],
  tensor: ['backends', 'values'],
  autograd: ['backends', 'tensor'],
  ops: ['backends', 'tensor', 'autograd', 'values'],
  data: ['backends', 'tensor', 'ops'],
  io: ['backends', 'tensor', 'ops'],
  schedules: ['names', 'values'],
  optimizers: ['backends', 'tensor', 'ops', 'names', 'values', 'schedules'],
  activations: ['backends', 'tensor', 'ops', 'names', 'values'],
  initializers: ['backends', 'tensor', 'ops', 'names', 'values'],
  regularizers: ['tensor', 'ops', 'names', 'values'],
  constraints: ['tensor', 'autograd', 'ops', 'names', 'values'],
  losses: ['backends', 'tensor', 'autograd', 'ops', 'names', 'values'],
  metrics: ['backends', 'tensor', 'autograd', 'ops', 'names', 'values', 'losses'],
  layers: [
    ...['backends', 'tensor', 'autograd', 'ops', 'names', 'values'],
    ...['activations', 'initializers', 'regularizers', 'constraints'],
  ],
  models: [
    ...['backends', 'tensor', 'autograd', 'ops', 'names', 'values', 'data', 'io', 'layers'],
    ...['optimizers', 'schedules', 'losses', 'metrics', 'callbacks'],
    ...['activations', 'regularizers', 'constraints'],
  ],
  callbacks: ['tensor', 'ops', 'names', 'values', 'io', 'schedules', 'models'],
  diagnostics: ['autograd', 'tensor', 'names', 'activations', 'layers', 'models', 'callbacks'],
  index: ['*'],
  cli: ['*'],
};

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased by the compiler: `import type`, or only `type` names. */
  readonly typeOnly: boolean;
}

/** Every import, export-from and dynamic import of a source text. */
export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  const add = (specifier: ts.Node | undefined, node: ts.Node, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push({ specifier: specifier.text, line: line + 1, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node, isTypeOnly(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], node, true); // asynchronous: cannot make a loading cycle
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (!clause) return false; // import 'x.js': for its effects
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return (
    !clause.name &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.length > 0 &&
    names.elements.every((element) => element.isTypeOnly)
  );
}

/**
 * Checks sources, given as path below src/ (with `/`) to text. `packages` are the names of
 * dependencies that code may import besides Node's own modules. Returns one sentence per violation.
 */
export function findViolations(
  files: ReadonlyMap<string, string>,
  packages: readonly string[],
  table: Readonly<Record<string, readonly string[]>> = layers,
): string[] {
  const violations: string[] = [];
  const edges = new Map<string, string[]>();
  for (const [path, text] of files) {
    const layer = layerOf(path);
    const allowed = table[layer];
    if (!allowed) {
      violations.push(`src/${path}: layer "${layer}" is not in the table of scripts/layers.ts`);
      continue;
    }
    const targets: string[] = [];
    for (const each of importsOf(path, text)) {
      const where = `src/${path}:${each.line}`;
      if (!each.specifier.startsWith('.')) {
        const name = packageOf(each.specifier);
        if (name !== 'node' && !packages.includes(name))
          violations.push(`${where}: imports "${name}", which is not a runtime dependency`);
        continue;
      }
      const target = posix.join(posix.dirname(path), each.specifier).replace(/\.js$/, '.ts');
      if (!files.has(target)) {
        violations.push(`${where}: imports ${each.specifier}, which is not in src/`);
        continue;
      }
      if (!each.typeOnly) targets.push(target);
      const other = layerOf(target);
      const free = other === layer || other === 'errors' || allowed.includes('*');
      if (!free && !allowed.includes(other))
        violations.push(`${where}: layer "${layer}" may not import layer "${other}"`);
    }
    edges.set(path, targets);
  }
  return [...violations, ...findCycles(edges)];
}

function layerOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '');
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node';
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

/** Files that load each other in a circle, each circle once. */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const target of edges.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return cycles;
}

/** The table in Markdown, as docs/architecture.md quotes it. */
export function markdownTable(): string {
  const rows = Object.entries(layers).map(([name, allowed]): [string, string] => {
    const text = allowed.includes('*') ? 'everything' : allowed.join(', ');
    return [name, text === '' ? '(nothing)' : text];
  });
  rows.unshift(['Layer', 'May import, besides `errors`']);
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0);
  const lines = rows.map(([name, text]) => `| ${name.padEnd(width)} | ${text} |`);
  lines.splice(1, 0, `| ${'-'.repeat(width)} | --- |`);
  return lines.join('\n');
}

/** The repository's root. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The sources below src/ without tests, path to text. */
export function readSources(): Map<string, string> {
  const folder = join(root, 'src');
  const paths = (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => path.split(sep).join('/'))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** Names of the packages that are there at run time. */
export function runtimePackages(): string[] {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  return Object.keys(dependencies);
}
