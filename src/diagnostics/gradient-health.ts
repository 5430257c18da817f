/** Examining a model while it is being trained. */

import { setImmediate as nextTurn } from 'node:timers/promises';

import { Callback } from '../callbacks/callback.js';
import type { CallbackState } from '../callbacks/callback.js';
import { say } from '../callbacks/say.js';
import type { Data } from '../models/data.js';
import { checkOptionNames } from '../names.js';
import { checkInteger } from '../tensor/shape.js';
import { examine } from './diagnose.js';
import type { Finding } from './findings.js';
import type { LayerHealth } from './measure.js';
import { HealthReport } from './report.js';

export interface GradientHealthOptions {
  /** Epochs between examinations. Default 1: after every epoch, and before the first. */
  readonly every?: number;
  /**
   * Told of every examination; `epoch` is that just trained, −1 before the first. Default: writes
   * findings to standard error, each kind once.
   */
  readonly onReport?: (report: HealthReport, epoch: number) => void;
}

/** A report as plain JSON. */
interface Recorded {
  readonly epoch: number;
  readonly loss: number;
  readonly layers: readonly (Omit<LayerHealth, 'layer'> & { readonly layer: null })[];
  readonly findings: readonly Finding[];
}

/**
 * Examines the model by a batch of its data (see `diagnose`), and keeps the reports. The event loop
 * has its turns between the passes of the step, and between those over each layer's values. A pass
 * is one piece: for 256 images and twenty layers 100 ms on `js`, a tenth of that on `cpu`.
 */
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
    checkOptionNames('GradientHealth', options, ['every', 'onReport']);
    this.#x = x;
    this.#y = y;
    this.#every = checkInteger(options.every ?? 1, 1, Infinity, 'GradientHealth: every');
    this.#onReport = options.onReport ?? ((report, epoch) => this.#tell(report, epoch));
  }

  override async onTrainBegin(): Promise<void> {
    await this.#examine(-1);
  }

  override async onEpochEnd(epoch: number): Promise<void> {
    if ((epoch + 1) % this.#every === 0) await this.#examine(epoch);
  }

  override state(): CallbackState {
    const reports = this.reports.map(({ epoch, report }): Recorded => {
      const layers = report.layers.map((each) => ({ ...each, layer: null }));
      return { epoch, loss: report.loss, layers, findings: report.findings };
    });
    return { values: { reports, told: [...this.#told] } };
  }

  override restore({ values }: CallbackState): void {
    // What the examination before training has just seen, in the same order.
    const seen = this.reports.at(-1)!.report.layers;
    const reports = (values['reports'] as readonly Recorded[]).map((each) => {
      const layers = each.layers.map((figures, i) => ({ ...figures, layer: seen[i]!.layer }));
      return { epoch: each.epoch, report: new HealthReport(each.loss, layers, each.findings) };
    });
    this.reports.splice(0, Infinity, ...reports);
    for (const kind of values['told'] as readonly string[]) this.#told.add(kind);
  }

  async #examine(epoch: number): Promise<void> {
    const examination = examine(this.model, [this.#x, this.#y]);
    for (;;) {
      await nextTurn();
      const { done, value } = examination.next();
      if (!done) continue;
      this.reports.push({ epoch, report: value });
      this.#onReport(value, epoch);
      return;
    }
  }

  #tell(report: HealthReport, epoch: number): void {
    const when = epoch < 0 ? 'before training' : `after epoch ${epoch + 1}`;
    for (const { kind, message, advice } of report.findings) {
      if (this.#told.has(kind)) continue;
      this.#told.add(kind);
      say(`GradientHealth, ${when}`, `${message}. Try: ${advice}`);
    }
  }
}
