/** Examining a model while it is being trained. */

import { Callback } from '../callbacks/callback.js';
import type { Data } from '../models/data.js';
import { checkInteger } from '../tensor/shape.js';
import { diagnose } from './diagnose.js';
import type { HealthReport } from './report.js';

export interface GradientHealthOptions {
  /** Epochs between examinations. Default 1: after every epoch, and before the first. */
  readonly every?: number;
  /**
   * Told of every examination; `epoch` is that just trained, −1 before the first. Default: writes
   * findings to standard error, each kind once.
   */
  readonly onReport?: (report: HealthReport, epoch: number) => void;
}

/** Examines the model by a batch of its data (see {@link diagnose}), and keeps the reports. */
export class GradientHealth extends Callback {
  /** Every examination so far; −1 is before the first epoch. */
  readonly reports: { readonly epoch: number; readonly report: HealthReport }[] = [];
  readonly #x: Data;
  readonly #y: Data;
  readonly #every: number;
  readonly #onReport: (report: HealthReport, epoch: number) => void;
  readonly #told = new Set<string>();

  /** x, y: a batch of 32 samples or more, of the form `fit` takes. */
  constructor(x: Data, y: Data, options: GradientHealthOptions = {}) {
    super();
    this.#x = x;
    this.#y = y;
    this.#every = checkInteger(options.every ?? 1, 1, Infinity, 'GradientHealth: every');
    this.#onReport = options.onReport ?? ((report, epoch) => this.#tell(report, epoch));
  }

  override onTrainBegin(): void {
    this.#examine(-1);
  }

  override onEpochEnd(epoch: number): void {
    if ((epoch + 1) % this.#every === 0) this.#examine(epoch);
  }

  #examine(epoch: number): void {
    const report = diagnose(this.model, this.#x, this.#y);
    this.reports.push({ epoch, report });
    this.#onReport(report, epoch);
  }

  #tell(report: HealthReport, epoch: number): void {
    const when = epoch < 0 ? 'before training' : `after epoch ${epoch + 1}`;
    for (const { kind, message, advice } of report.findings) {
      if (this.#told.has(kind)) continue;
      this.#told.add(kind);
      process.stderr.write(`GradientHealth, ${when}: ${message}. Try: ${advice}\n`);
    }
  }
}
