/** What comes of a run, and the folder it is kept in. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { diagnostics, RateCurve } from 'gradloom';

import type { Judgement } from './judging.js';

/** What a run depends on: with the same settings it has the same result. */
export interface Settings {
  readonly experiment: string;
  readonly about: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly patience: number;
  /** Training images used. */
  readonly images: number;
  readonly device: string;
}

/** A layer's part of {@link Health}. */
export type LayerFigures = Pick<
  diagnostics.LayerHealth,
  'type' | 'variance' | 'signal' | 'updateRatio'
>;

/** Examination of the net by a batch, after an epoch (from 0; −1 is before the first). */
export interface Health {
  readonly epoch: number;
  readonly layers: readonly LayerFigures[];
  /** What is wrong, in words. */
  readonly findings: readonly string[];
}

/** What the learning-rate finder found before training. */
export type Found = Pick<RateCurve, 'rates' | 'losses' | 'smoothed'> & {
  /** The rate it would train with: a peak, where a schedule leads to it. */
  readonly suggestion: number;
};

export interface Result {
  readonly settings: Settings;
  /** Null where nothing is trained. */
  readonly finder: Found | null;
  /** Every logged number of every epoch, `seconds` among them; empty where nothing is trained. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** Epoch (from 1) whose weights the net has; null where nothing is trained. */
  readonly bestEpoch: number | null;
  readonly health: readonly Health[];
  readonly validation: Judgement;
  readonly test: Judgement;
}

/** How many epochs a run had. */
export const epochsOf = ({ history }: Result): number => history['loss']?.length ?? 0;

/** The folder of one run: checkpoints, logs, and at the end its result. */
export class RunFolder {
  constructor(
    readonly path: string,
    readonly settings: Settings,
  ) {}

  /** The path of a file in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The result of a finished run of these settings. */
  async result(): Promise<Result | null> {
    return (await this.#isOurs()) ? readJSON<Result>(this.file('result.json')) : null;
  }

  /** Makes it ready to begin or go on; what other settings left there is removed. */
  async prepare(anew: boolean): Promise<void> {
    if (anew || !(await this.#isOurs())) await rm(this.path, { recursive: true, force: true });
    await mkdir(this.path, { recursive: true });
    await writeJSON(this.file('settings.json'), this.settings);
  }

  async finish(result: Result): Promise<void> {
    await writeJSON(this.file('result.json'), result);
  }

  async #isOurs(): Promise<boolean> {
    const found = await readJSON(this.file('settings.json'));
    return JSON.stringify(found) === JSON.stringify(this.settings);
  }
}

export const writeJSON = (path: string, value: unknown): Promise<void> =>
  writeFile(path, `${JSON.stringify(value)}\n`);

/** What a file holds; null when there is none, or a process was killed while it wrote it. */
async function readJSON<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isAbsent || error instanceof SyntaxError) return null;
    throw error;
  }
}
