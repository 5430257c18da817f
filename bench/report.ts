/** What a run has found, as it is kept in a file. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem, type } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Unit } from './cases.js';
import type { Roofline } from './roofline.js';

/** One case for one contestant. */
export interface Result {
  readonly suite: string;
  readonly name: string;
  readonly contestant: string;
  /** One per round, or per undisturbed round where there are any; empty if it could not. */
  readonly values: readonly number[];
  readonly unit: Unit;
  readonly error?: string;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
}

export interface Report {
  readonly format: 1;
  readonly date: string;
  readonly quick: boolean;
  /** Share of the processors that other work took when the run began, from 0 to 1. */
  readonly busy: number;
  /** Share of the measurements during which the cores were ours alone; absent: nobody looked. */
  readonly free?: number;
  /** Whether the images were CIFAR-10's rather than random ones. */
  readonly realData: boolean;
  readonly machine: Machine;
  /** What each contestant says of itself. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why contestants took no part. */
  readonly absent: Readonly<Record<string, string>>;
  readonly roofline: Roofline | { readonly reason: string };
  readonly results: readonly Result[];
  /** Seconds that the run took. */
  readonly seconds: number;
}

export const thisMachine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${process.arch}`,
  node: process.version,
});

/** Share of the processors' time that is taken while this process waits. */
export async function busyShare(milliseconds = 1000): Promise<number> {
  const ticks = (): { idle: number; all: number } => {
    const times = cpus().map((each) => each.times);
    const idle = times.reduce((sum, each) => sum + each.idle, 0);
    const all = times.flatMap((each) => Object.values(each)).reduce((sum, each) => sum + each, 0);
    return { idle, all };
  };
  const before = ticks();
  await sleep(milliseconds);
  const after = ticks();
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
}

/** What to say of it: times on a machine that works for others are worth little. */
export const busyWarning = (busy: number): string | undefined =>
  busy < 0.1
    ? undefined
    : `${Math.round(100 * busy)} % of the processors were busy with other work when the run began: ` +
      'its times say little';

/** How many measurements nothing disturbed; undefined where nobody looked. */
export const freeText = ({ free }: Pick<Report, 'free'>): string | undefined =>
  free === undefined
    ? undefined
    : `${Math.round(100 * free)} % of the measurements had the cores to themselves`;

/** Replaces the file at once, so that an interrupted run leaves a whole one. */
export function saveReport(path: string, report: Report): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, `${JSON.stringify(report, null, 1)}\n`);
  renameSync(`${path}.part`, path);
}

/** Throws, naming the file, when it is none of ours. */
export function loadReport(path: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if ((value as Partial<Report> | null)?.format !== 1) {
    throw new Error(`${path} is not a result of this benchmark`);
  }
  return value as Report;
}

/** The values of a case for a contestant; empty where it was not measured. */
export function valuesOf(
  { results }: Report,
  suite: string,
  name: string,
  contestant: string,
): readonly number[] {
  const found = results.find(
    (each) => each.suite === suite && each.name === name && each.contestant === contestant,
  );
  return found?.values ?? [];
}
