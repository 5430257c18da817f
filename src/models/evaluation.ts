/**
 * Evaluation: loss and metrics over all batches, without training. On devices that compute apart
 * from the host, what batches give is noted there and read for many at once, as of training steps.
 */

import type { Backend } from '../backends/backend.js';
import { noGrad } from '../autograd/tape.js';
import type { Layer } from '../layers/layer.js';
import { defaultGenerator } from '../tensor/random.js';
import { Scope } from '../tensor/storage.js';
import { asBatch, sampleShapes, TensorBatches } from './batches.js';
import type { Batch, BatchLike } from './batches.js';
import { allMetrics, checkTargets, logsOf, resetMetrics, RunningTotals } from './compile.js';
import type { Compiled } from './compile.js';
import { canNote } from './journal.js';
import { Ledger } from './ledger.js';
import type { Model } from './model.js';
import type { Source } from './sources.js';
import { evaluateStep, judge } from './step.js';
import type { StepResult } from './step.js';
import { turns } from './turns.js';

/** Mean loss and metrics over all batches; undefined when interrupted. */
export async function evaluateBatches(
  model: Model,
  compiled: Compiled,
  source: Source,
): Promise<Record<string, number>>;
export async function evaluateBatches(
  model: Model,
  compiled: Compiled,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<Record<string, number> | undefined>;
export async function evaluateBatches(
  model: Model,
  compiled: Compiled,
  source: Source,
  signal?: AbortSignal,
): Promise<Record<string, number> | undefined> {
  const totals = new RunningTotals();
  const turn = turns();
  resetMetrics(compiled);
  const evaluation = new Evaluation(model, compiled, (result) => {
    totals.add(result, result.samples);
  });
  try {
    for await (const [backend, batch] of batchesOf(source, model, compiled)) {
      await evaluation.step(backend, batch);
      await turn();
      if (signal?.aborted) return undefined;
    }
    await evaluation.settle();
  } finally {
    evaluation.end();
  }
  return settledLogs(totals, compiled);
}

/** Every batch: the device it is on, and what makes it inside a scope. */
async function* batchesOf(
  source: Source,
  model: Model,
  compiled: Compiled,
): AsyncGenerator<readonly [Backend, () => Batch]> {
  if (source instanceof TensorBatches) {
    const { backend } = source.all.inputs[0]!;
    for (let step = 0; step < source.steps; step++) yield [backend, () => source.batch(step)];
    return;
  }
  for await (const batchLike of source as AsyncIterable<BatchLike>) {
    const batch = asBatch(batchLike, model);
    checkTargets(compiled, batch.targets);
    model.ensureBuilt(...sampleShapes(batch));
    yield [batch.inputs[0]!.backend, () => batch];
  }
}

/** The batches of one evaluation. */
class Evaluation {
  readonly #model: Layer;
  readonly #compiled: Compiled;
  readonly #count: (result: StepResult) => void;
  #ledger: Ledger | null = null;

  /** @param count is told what every batch gave, in order */
  constructor(model: Layer, compiled: Compiled, count: (result: StepResult) => void) {
    this.#model = model;
    this.#compiled = compiled;
    this.#count = count;
  }

  async step(backend: Backend, batch: () => Batch): Promise<void> {
    const now = (): StepResult => evaluateStep(this.#model, this.#compiled, batch);
    if (!canNote(backend)) {
      this.#count(now());
      return;
    }
    const ledger = (this.#ledger ??= new Ledger(backend, this.#compiled, this.#count));
    const place = defaultGenerator.state();
    const scope = new Scope();
    try {
      const judged = ledger.deferring(() =>
        noGrad(() => judge(this.#model, this.#compiled, batch)),
      );
      ledger.note(judged);
      ledger.enter(judged, () => defaultGenerator.restore(place), now);
    } finally {
      scope.end();
    }
    if (ledger.isFull) await ledger.settle();
  }

  /** Counts all batches, without blocking the event loop. */
  async settle(): Promise<void> {
    await this.#ledger?.settle();
  }

  /** Gives the memory back. */
  end(): void {
    this.#ledger?.end();
  }
}

/** Logs after every value has arrived from the device. */
export async function settledLogs(
  totals: RunningTotals,
  compiled: Compiled,
): Promise<Record<string, number>> {
  for (const { metric } of allMetrics(compiled)) await metric.settled();
  return logsOf(totals, compiled);
}
