/**
 * Holds what NVIDIA's compiler makes of the kernels against native/cuda/budgets.json, for every
 * architecture, and prints it as a table with the occupancy that follows. Compiles nothing: reads
 * the log of a build with `-Xptxas=-v` and the folder in which its `-keep` left the PTX.
 *
 *     npx tsx scripts/cuda-budgets.ts LOG FOLDER [--write]
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { architectures, occupancy, virtualArchitectures } from './cuda-architectures.js';
import { readPtx, readPtxas } from './ptxas.js';
import type { CompiledKernel, Instructions } from './ptxas.js';

export const budgetsPath = fileURLToPath(new URL('../native/cuda/budgets.json', import.meta.url));

/** The most that any kernel of a group takes. */
export interface Budget {
  /** Of a thread, by architecture, in the order of `architectures`. */
  readonly registers: readonly number[];
  /** Bytes of a block. */
  readonly shared: number;
  /** Bytes of a thread: of local memory in all, and of registers put there for want of room. */
  readonly stack: number;
  readonly spills: number;
  /** Whether kernels without doubles in their arguments compute with doubles. */
  readonly doubles: boolean;
  /** Whether functions are called that were not inlined. */
  readonly calls: boolean;
}

export type Budgets = Readonly<Record<string, Budget>>;

/** Functions that need local memory: large angles are reduced with a table in it. */
const trigonometric = /^(?:sin|cos|tan)_/;

/**
 * Kernels are many: one budget for all of a template, but maps by their type and by whether they
 * may use local memory, and products by what they are made for.
 */
export function groupOf(name: string): string {
  const [template = name, inside = ''] = name.split(/<(.*)>$/);
  const [first = '', ...others] = inside.split(/, /);
  if (template === 'mapKernel') {
    const angles = trigonometric.test(first) ? ' of angles' : '';
    return `mapKernel<${others.at(-1) ?? ''}>${angles}`;
  }
  return /matmul|product/i.test(template) ? name : template;
}

/**
 * Whether training spends its time there: such kernels may not use local memory. Elementwise ones
 * of doubles keep a register on the stack while they divide, which is a call.
 */
export const isHot = (group: string): boolean =>
  !group.endsWith(' of angles') && group !== 'mapKernel<double>';

/** What the compiler made of all kernels, by group. */
export function budgetsOf(
  compiled: readonly CompiledKernel[],
  instructions: readonly Instructions[],
): Budgets {
  const found: Record<string, Budget> = {};
  for (const { name, architecture, registers, ...use } of compiled) {
    const group = groupOf(name);
    const most = (found[group] ??= {
      ...{ registers: architectures.map(() => 0), shared: 0, stack: 0, spills: 0 },
      ...{ doubles: false, calls: false },
    });
    found[group] = {
      ...most,
      registers: most.registers.map((count, i) =>
        architectures[i] === architecture ? Math.max(count, registers) : count,
      ),
      shared: Math.max(most.shared, use.shared),
      stack: Math.max(most.stack, use.stack),
      spills: Math.max(most.spills, use.spills),
    };
  }
  for (const { name, doubles, calls } of instructions) {
    const group = groupOf(name);
    const most = found[group];
    if (!most) throw new Error(`${name} is in the PTX, but ptxas says nothing of it`);
    found[group] = {
      ...most,
      doubles: most.doubles || (doubles && !name.includes('double')),
      calls: most.calls || calls,
    };
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is beyond its budget, has none, or is not allowed at all. */
export function problemsOf(found: Budgets, budgets: Budgets): string[] {
  const problems = Object.keys(budgets)
    .filter((group) => !(group in found))
    .map((group) => `${group} has a budget but was not compiled`);
  for (const [group, use] of Object.entries(found)) {
    if (isHot(group) && use.stack + use.spills > 0) {
      problems.push(`${group}: ${use.stack} bytes of local memory, ${use.spills} of spills`);
    }
    const missing = architectures.filter((_, i) => use.registers[i] === 0);
    if (missing.length > 0) problems.push(`${group} was not compiled for ${missing.join(', ')}`);
    const budget = budgets[group];
    if (!budget) problems.push(`${group} has no budget: write them again with --write`);
    else problems.push(...excesses(use, budget).map((excess) => `${group}: ${excess}`));
  }
  return problems;
}

function excesses(use: Budget, budget: Budget): string[] {
  const problems = architectures.flatMap((architecture, i) => {
    const [taken, allowed] = [use.registers[i]!, budget.registers[i] ?? 0];
    return taken > allowed ? [`sm_${architecture} registers ${taken}, budget ${allowed}`] : [];
  });
  for (const key of ['shared', 'stack', 'spills'] as const) {
    if (use[key] > budget[key]) problems.push(`${key} ${use[key]}, budget ${budget[key]}`);
  }
  if (use.doubles && !budget.doubles) problems.push('computes with doubles');
  if (use.calls && !budget.calls) problems.push('calls functions that were not inlined');
  return problems;
}

/** A row for each group: registers and occupancy by architecture. */
export function tableOf(budgets: Budgets): string {
  const width = Math.max(...Object.keys(budgets).map((group) => group.length));
  const heads = architectures.map((each) => `sm_${each}`.padStart(9));
  const head = `${'registers, occupancy'.padEnd(width)}${heads.join('')}   shared  stack`;
  const rows = Object.entries(budgets).map(([group, { registers, shared, stack, ...more }]) => {
    const cells = architectures.map((architecture, i) => {
      const share = occupancy(architecture, registers[i]!, shared);
      return `${registers[i]!} ${`${Math.round(100 * share)}%`.padStart(4)}`.padStart(9);
    });
    const remarks = `${more.doubles ? ' doubles' : ''}${more.calls ? ' calls' : ''}`;
    const memory = `${String(shared).padStart(9)}${String(stack).padStart(7)}`;
    return `${group.padEnd(width)}${cells.join('')}${memory}${remarks}`;
  });
  return [head, ...rows].join('\n');
}

/** PTX of the architectures that are kept, of all kernels; fails if a source left none. */
function readInstructions(folder: string): Instructions[] {
  const sources = readFileSync(new URL('../native/sources.txt', import.meta.url), 'utf8');
  const stems = [...sources.matchAll(/^cuda cuda\/(\w+)\.cu$/gm)].map(([, stem]) => stem!);
  const files = new Set(readdirSync(folder));
  return stems.flatMap((stem) =>
    virtualArchitectures.flatMap((architecture) => {
      const file = `${stem}.compute_${architecture}.ptx`;
      if (!files.has(file)) throw new Error(`${folder} has no ${file}: build with -keep`);
      return readPtx(readFileSync(join(folder, file), 'utf8'));
    }),
  );
}

/** One line for each group, as a table. */
function asText(budgets: Budgets): string {
  const lines = Object.entries(budgets).map(([group, budget]) => {
    const fields = Object.entries(budget).map(([key, value]) => {
      const list = Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
      return `"${key}": ${list}`;
    });
    return `  ${JSON.stringify(group)}: { ${fields.join(', ')} }`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

function main(log: string | undefined, folder: string | undefined): void {
  if (log === undefined || folder === undefined) {
    throw new Error('Give the log of a build with -Xptxas=-v and the folder of its PTX');
  }
  const compiled = readPtxas(readFileSync(log, 'utf8'));
  const found = budgetsOf(compiled, readInstructions(folder));
  console.log(tableOf(found));
  const groups = Object.keys(found).length;
  console.log(`${compiled.length} kernels of all architectures in ${groups} groups`);
  if (process.argv.includes('--write')) {
    writeFileSync(budgetsPath, asText(found));
    return;
  }
  const problems = problemsOf(found, JSON.parse(readFileSync(budgetsPath, 'utf8')) as Budgets);
  for (const problem of problems) console.error(`PROBLEM ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(process.argv[2], process.argv[3]);
}
