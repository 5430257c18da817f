/** `gradloom info`: what was found on this machine, what is used, and why not something else. */

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { join } from 'node:path';

import { loadAddon, packageRoot } from '../backends/load-addon.js';
import { describeDevices, device, threads } from '../backends/registry.js';
import { findToolchain } from './toolchain.js';

/** Environment variables that change what is used. */
const settings = [
  'GRADLOOM_DEVICE',
  'GRADLOOM_THREADS',
  'GRADLOOM_ISA',
  'GRADLOOM_PRECISION',
  'GRADLOOM_CUDA_MATMUL',
  'GRADLOOM_ADDON',
  'GRADLOOM_CACHE',
  'GRADLOOM_DEBUG',
];

/** Runs the command; returns the exit code. */
export function info(): number {
  const rows: [string, string][] = [
    ['gradloom', packageVersion()],
    ['Node.js', `${process.versions.node} (${process.platform} ${process.arch})`],
    ['processor', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} usable`],
    ['memory', `${gibibytes(usableMemory())} usable, ${gibibytes(freemem())} free`],
    ['addon', addon()],
    ['compiler', compiler()],
  ];
  for (const name of settings) {
    const value = process.env[name];
    if (value) rows.push([name, value]);
  }
  rows.push(...devices());
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  for (const [name, text] of rows) console.log(name.padEnd(width) + text);

  try {
    const count = threads();
    console.log(`\nUsing ${device()} with ${count} thread${count === 1 ? '' : 's'}.`);
    return 0;
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function devices(): [string, string][] {
  return describeDevices().map((report) => [
    report.device,
    report.available
      ? `available: ${report.details ?? ''}`
      : `not available: ${report.reason ?? 'unknown'}`,
  ]);
}

function addon(): string {
  const loaded = loadAddon();
  return 'path' in loaded ? loaded.path : `none: ${loaded.reason}`;
}

function compiler(): string {
  const found = findToolchain();
  return found.kind === 'none' ? `none: ${found.missing}` : found.kind;
}

function packageVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The machine's memory, or less where a container limits it. */
function usableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
