/** What the machine can do at most, measured by a C program, and what that means for a case. */

import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { NamedCase } from './cases.js';

/** GB/s with all arrays together taking `bytes`. */
export interface Bandwidth {
  readonly bytes: number;
  readonly copy: number;
  readonly triad: number;
  /** Reading alone. */
  readonly sum: number;
}

/** Limits of so many threads. */
export interface Limits {
  readonly threads: number;
  /** Of multiply-adds on registers alone. */
  readonly gflops: number;
  readonly bandwidth: readonly Bandwidth[];
}

export interface Roofline {
  /** One thread, and all. */
  readonly threads: readonly Limits[];
}

const source = fileURLToPath(new URL('roofline.c', import.meta.url));
const run = promisify(execFile);

/** The path of the program, compiled; throws where there is no compiler for it. */
export async function compileRoofline(): Promise<string> {
  const program = fileURLToPath(new URL('../build/bench/roofline', import.meta.url));
  const flags = ['-O3', '-march=native', '-ffp-contract=fast', '-pthread', source, '-o', program];
  await run(process.env['CC'] ?? 'cc', flags, { timeout: 60_000 });
  return program;
}

/** What the program measures in so many seconds for every figure. */
export async function measureRoofline(program: string, seconds: number): Promise<Roofline> {
  const values = [String(availableParallelism()), String(seconds)];
  const { stdout } = await run(program, values, { timeout: 60_000 });
  return JSON.parse(stdout) as Roofline;
}

/** The limits of so many threads; undefined where they were not measured. */
export const limitsOf = (roofline: Roofline, threads: number): Limits | undefined =>
  roofline.threads.find((each) => each.threads === threads);

/** GB/s of a kind of traffic over so many bytes, between the sizes that were measured. */
export function bandwidthAt(
  { bandwidth }: Limits,
  bytes: number,
  kind: 'copy' | 'triad' | 'sum' | 'copyOrTriad',
): number {
  const rate = (each: Bandwidth): number =>
    kind === 'copyOrTriad' ? Math.max(each.copy, each.triad) : each[kind];
  const above = bandwidth.findIndex((each) => each.bytes >= bytes);
  if (above === 0) return rate(bandwidth[0]!);
  if (above < 0) return rate(bandwidth.at(-1)!);
  const [low, high] = [bandwidth[above - 1]!, bandwidth[above]!];
  const share = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return rate(low) + (rate(high) - rate(low)) * share;
}

/**
 * The least time in ms that the arithmetic and the memory traffic of a case leave it: one after the
 * other for a training step, whose optimizer cannot begin before the gradients are there, and the
 * longer of them for the rest.
 */
export function boundOf(each: NamedCase, limits: Limits): number {
  const { gflop = 0, gb = 0, resident = gb } = each;
  const arithmetic = gflop / limits.gflops;
  const traffic = gb === 0 ? 0 : gb / bandwidthAt(limits, resident * 1e9, 'copyOrTriad');
  const serial = each.case.kind === 'step' || each.case.kind === 'epoch';
  return 1000 * (serial ? arithmetic + traffic : Math.max(arithmetic, traffic));
}
