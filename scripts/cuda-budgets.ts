/**
 * Holds what ptxas says of the kernels (registers, shared memory, spills) against
 * native/cuda/budgets.json. Compiles nothing: reads the outputs of `nvcc -arch=sm_80 -Xptxas=-v`,
 * one file per source, from a folder.
 *
 *     npx tsx scripts/cuda-budgets.ts FOLDER [--write]
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const budgetsPath = fileURLToPath(new URL('../native/cuda/budgets.json', import.meta.url));
const keys = ['registers', 'shared', 'spills', 'stack'] as const;

/** Registers and bytes of a thread, but `shared`, which is bytes of a block. */
type Use = Record<(typeof keys)[number], number>;
type Uses = Record<string, Use>;

/**
 * Share of a multiprocessor's warps that blocks of 256 threads keep busy, by the limits of compute
 * capability 8.0 in the CUDA C++ programming guide: 64 warps, 65536 registers, 164 KiB shared.
 */
function occupancy({ registers, shared }: Use): number {
  const byRegisters = Math.floor(65536 / (Math.ceil((registers * 32) / 256) * 256 * 8));
  const byShared = Math.floor((164 * 1024) / (shared + 1024));
  return Math.min(8, byRegisters, byShared) / 8;
}

/** Kernels are many: one budget for all of a template, products by type and tile. */
function groupOf(symbol: string): string {
  const name = symbol
    .replace(/gradloom::cuda::|\(anonymous namespace\)::|^void /g, '')
    .replace(/\(int\)|\(bool\)/g, '');
  const [template = name] = name.split(/[<(]/);
  return template === 'matmulKernel' ? name.slice(0, name.lastIndexOf('>(') + 1) : template;
}

/** The most that any kernel of a group takes, and how many kernels were read. */
function read(folder: string): { uses: Uses; kernels: number } {
  const said = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const text = execFileSync('c++filt', { input: said.join('\n'), encoding: 'utf8' });
  const uses: Uses = {};
  let kernels = 0;
  for (const part of text.split('Compiling entry function ').slice(1)) {
    const symbol = /^'(.*)' for 'sm_80'/.exec(part)?.[1];
    const registers = /Used (\d+) registers/.exec(part)?.[1];
    const local = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill/.exec(part);
    if (symbol === undefined || registers === undefined || !local) {
      throw new Error(`${folder} holds output of ptxas that is not understood: ${part}`);
    }
    kernels++;
    const use: Use = {
      registers: Number(registers),
      shared: Number(/(\d+) bytes smem/.exec(part)?.[1] ?? 0),
      spills: Number(local[2]) + Number(local[3]),
      stack: Number(local[1]),
    };
    const most = (uses[groupOf(symbol)] ??= { ...use });
    for (const key of keys) most[key] = Math.max(most[key], use[key]);
  }
  return { uses, kernels };
}

function problemsOf(uses: Uses, budgets: Uses): string[] {
  const problems = Object.keys(budgets)
    .filter((name) => !(name in uses))
    .map((name) => `${name} has a budget but was not compiled`);
  for (const [name, use] of Object.entries(uses)) {
    const budget = budgets[name];
    if (!budget) problems.push(`${name} has no budget: write them again with --write`);
    for (const key of budget ? keys : []) {
      if (use[key] > budget![key]) {
        problems.push(`${name}: ${key} ${use[key]}, budget ${budget![key]}`);
      }
    }
  }
  return problems;
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder with the outputs of nvcc');
const { uses, kernels } = read(folder);
const sorted = Object.entries(uses).sort(([a], [b]) => (a < b ? -1 : 1));
console.log('most of any kernel of a group'.padEnd(50), keys.join(' '), 'occupancy');
for (const [name, use] of sorted) {
  const figures = keys.map((key) => String(use[key]).padStart(key.length));
  console.log(name.padEnd(50), ...figures, `${Math.round(occupancy(use) * 100)} %`.padStart(9));
}
console.log(`${kernels} kernels in ${sorted.length} groups, compiled for sm_80`);
if (process.argv.includes('--write')) {
  writeFileSync(budgetsPath, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
} else {
  const problems = problemsOf(uses, JSON.parse(readFileSync(budgetsPath, 'utf8')) as Uses);
  for (const problem of problems) console.error(`PROBLEM ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
