/**
 * Calls the addon's functions with made-up arguments: `fuzz-child.ts SEED COUNT`. Ends with status
 * 1
 * and a line on stderr when a call does anything but return or throw an error that names the
 * function; a crash says itself what it was. Every call is made from its own seed, SEED + its
 * number.
 */

import { writeSync } from 'node:fs';

import type { CpuAddon } from '../src/backends/cpu.js';
import { loadAddon } from '../src/backends/load-addon.js';
import { CallMaker, makers } from './fuzz-calls.js';

const [seed, count] = process.argv.slice(2).map(Number) as [number, number];
const loaded = loadAddon();
if ('reason' in loaded) throw new Error(loaded.reason);
const addon = loaded.addon as CpuAddon;
const functions = addon as unknown as Record<string, (...args: unknown[]) => unknown>;
const names = Object.keys(makers) as (keyof typeof makers)[];
/** With GRADLOOM_FUZZ_TRACE every call is announced, to find the one that crashes. */
const trace = process.env['GRADLOOM_FUZZ_TRACE'] !== undefined;
/** A call that takes longer has lost its way in sizes. */
const longest = 5000; // milliseconds

let returned = 0;

function fail(name: string, number: number, problem: string): never {
  writeSync(2, `${name}, seed ${number}: ${problem}\n`);
  process.exit(1);
}

function isOurs(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false;
  if (error.message === 'from a getter') return true;
  const typed = error instanceof TypeError || error instanceof RangeError;
  return typed && error.message.startsWith(`${name}: `);
}

for (let i = 0; i < count; i++) {
  const name = names[i % names.length]!;
  const number = seed + i;
  if (trace) writeSync(2, `${name} ${number}\n`);
  const maker = new CallMaker(number);
  const args = maker.make(name);
  const started = performance.now();
  try {
    functions[name]!(...args);
    returned++;
  } catch (error) {
    if (!isOurs(error, name)) fail(name, number, `threw ${String(error)}`);
  }
  if (performance.now() - started > longest) fail(name, number, 'took too long');
  if (!maker.guardsIntact()) fail(name, number, 'wrote beyond an array');
}
console.log(`${returned} of ${count} calls returned`);
