/**
 * What training steps found, counted in the order of the steps: at once on devices of the host. On
 * others steps are noted (see journal.ts) and counted when someone looks, or when enough of them
 * have gathered; so the host prepares the next steps while the device makes the ones before.
 */

import type { Metric } from '../metrics/metric.js';
import * as metrics from '../metrics/index.js';
import { noGrad } from '../autograd/tape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { logNames } from './compile.js';
import type { Compiled } from './compile.js';
import { Journal } from './journal.js';
import type { Noted, Notebook } from './journal.js';
import { countMetrics, lossesOf } from './step.js';
import type { Learned, StepResult } from './step.js';

/** How long the device's work should take that results wait for, in milliseconds. */
const stretch = 20;

/** A step that was made and not counted yet. */
interface Entry {
  readonly learned: Learned;
  /** Undoes what it did on the host. */
  readonly undo: () => void;
  /** Makes it again, waiting for every answer. */
  readonly redo: () => StepResult;
  /** To be called once it is counted. */
  readonly counted: (() => void)[];
}

type Logs = Record<string, number>;

const builtIn = new Set<unknown>(Object.values(metrics));
builtIn.delete(metrics.MeanMetric); // computes with a function of the user's

/**
 * Whether a metric can be given copies on the host. One that computes with tensors in a way of the
 * user's may expect them to be where the model is.
 */
const takesCopies = (metric: Metric<unknown>): boolean =>
  metric.update === metrics.Metric.prototype.update || builtIn.has(metric.constructor);

export class Ledger {
  readonly #compiled: Compiled;
  readonly #journal: Journal;
  readonly #count: (result: StepResult) => void;
  #entries: Entry[] = [];
  /** Steps to be noted before they are counted. */
  #limit = 4;
  /** When the first of the entries was noted. */
  #began = 0;

  /** @param count is told what every step found */
  constructor(
    readonly backend: Notebook,
    compiled: Compiled,
    count: (result: StepResult) => void,
  ) {
    this.#compiled = compiled;
    this.#count = count;
    this.#journal = new Journal(backend);
  }

  /** Whether it is time to {@link settle}, for those who wait for figures. */
  get isDue(): boolean {
    return this.#entries.length >= this.#limit || this.isFull;
  }

  /** Whether {@link settle} must come before the next step, which would wait for it otherwise. */
  get isFull(): boolean {
    return this.#journal.isFull;
  }

  /** Runs kernels without waiting for what they refuse. */
  deferring<T>(body: () => T): T {
    return this.#journal.deferring(body);
  }

  /** Makes room for a step, which a recorded one needs that notes itself when made again. */
  prepare(learned: Learned): Tensor[] {
    const tensors = this.#tensorsOf(learned);
    if (!this.#journal.fits(tensors)) this.flush();
    this.#journal.arrange(tensors);
    return tensors;
  }

  /** Notes a step. */
  note(learned: Learned): void {
    this.#journal.note(this.prepare(learned));
  }

  /** Enters a step that was noted. */
  enter(learned: Learned, undo: () => void, redo: () => StepResult): void {
    this.#journal.advance();
    if (this.#entries.length === 0) this.#began = performance.now();
    this.#entries.push({ learned, undo, redo, counted: [] });
    noGrad(() => countMetrics(this.#compiled, learned, (metric) => !takesCopies(metric)));
  }

  /** Counts all steps, without blocking the event loop. */
  async settle(): Promise<void> {
    const steps = this.#entries.length;
    if (steps === 0) return;
    this.#deliver(await this.#journal.take());
    const took = performance.now() - this.#began;
    this.#limit = Math.max(1, Math.round((steps * stretch) / took));
  }

  /** Counts all steps; waits for the device. */
  flush(): void {
    if (this.#entries.length > 0) this.#deliver(this.#journal.takeSync());
  }

  /** What `make` gives once the last step is counted: when someone looks, or before. */
  logs(make: () => Logs): Logs {
    const last = this.#entries.at(-1);
    if (!last) return make();
    const names = logNames(this.#compiled);
    if (!names) {
      this.flush();
      return make();
    }
    const logs: Logs = {};
    const set = (name: string, value: number): void => {
      Object.defineProperty(logs, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    };
    for (const name of names) {
      Object.defineProperty(logs, name, {
        enumerable: true,
        configurable: true,
        get: () => (this.flush(), logs[name]),
        set: (value: number) => set(name, value),
      });
    }
    last.counted.push(() => {
      for (const [name, value] of Object.entries(make())) set(name, value);
    });
    return logs;
  }

  /** Gives the memory back; steps not counted yet are never counted. */
  end(): void {
    this.#journal.end();
    this.#entries = [];
  }

  /** The tensors that results are computed from. */
  #tensorsOf({ batch, outputs, loss, parts }: Learned): Tensor[] {
    const { goals } = this.#compiled;
    const found = new Set([loss, ...(goals.length > 1 ? parts.filter(Boolean) : [])]);
    goals.forEach((goal, i) => {
      const [target, weight] = [batch.targets[i], batch.weights[i]];
      for (const { metric, weighted } of target ? goal.metrics : []) {
        if (!takesCopies(metric)) continue;
        found.add(target!).add(outputs[i]!);
        if (weighted && weight) found.add(weight);
      }
    });
    return [...found];
  }

  #deliver(noted: readonly Noted[]): void {
    const entries = this.#entries;
    this.#entries = [];
    const wrong = noted.findIndex(({ refused }) => refused);
    const good = wrong < 0 ? entries.length : wrong;
    for (let i = 0; i < good; i++) {
      this.#counted(entries[i]!, this.#resultOf(entries[i]!.learned, noted[i]!.tensors));
    }
    if (wrong >= 0) this.#redo(entries.slice(wrong));
  }

  #counted({ counted }: Entry, result: StepResult): void {
    this.#count(result);
    for (const tell of counted) tell();
  }

  /** From the copies of {@link #tensorsOf}, as step.ts does from the tensors. */
  #resultOf(learned: Learned, copies: readonly Tensor[]): StepResult {
    const scope = new Scope();
    try {
      const copyOf = new Map(this.#tensorsOf(learned).map((each, i) => [each, copies[i]!]));
      const here = <T extends Tensor | null>(each: T): T =>
        ((each && copyOf.get(each)) ?? each) as T;
      const { batch, outputs, loss, parts } = learned;
      const copied: Learned = {
        batch: { ...batch, targets: batch.targets.map(here), weights: batch.weights.map(here) },
        outputs: outputs.map(here),
        loss: here(loss),
        parts: parts.map(here),
      };
      noGrad(() => countMetrics(this.#compiled, copied, takesCopies));
      return lossesOf(this.#compiled, copied);
    } finally {
      scope.end();
    }
  }

  /**
   * An index or a label was out of range in the first of these steps, and nothing was updated
   * since. Made again, it says which.
   */
  #redo(entries: readonly Entry[]): void {
    for (const { undo } of [...entries].reverse()) undo();
    this.#journal.forgetRefusals();
    for (const entry of entries) this.#counted(entry, entry.redo());
  }
}
