/** One step of training or evaluation: what happens to a batch. */

import { gradientsOf, noGrad } from '../autograd/tape.js';
import type { Loss } from '../losses/index.js';
import type { Metric } from '../metrics/index.js';
import type { Optimizer } from '../optimizers/index.js';
import { add } from '../ops/elementwise.js';
import { ShapeError, ValueError } from '../errors.js';
import { showShape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Layer } from '../layers/layer.js';
import type { Batch } from './batches.js';

/** What `compile` settled. */
export interface Compiled {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** Loss and metric results under their logged names. */
export function logsOf(loss: number, compiled: Compiled): Record<string, number> {
  const logs: Record<string, number> = { loss };
  for (const metric of compiled.metrics) logs[metric.name] = metric.result();
  return logs;
}

/** A running mean weighted by sample counts. */
export class RunningMean {
  #sum = 0;
  #count = 0;

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#count += weight;
  }

  get value(): number {
    return this.#count === 0 ? NaN : this.#sum / this.#count;
  }

  reset(): void {
    this.#sum = this.#count = 0;
  }
}

/**
 * Forward, loss, gradients, update and metrics of one batch, in a scope: memory of the step goes
 * back to the pool, so that from the second step on none is allocated. `batch` is called inside the
 * scope. Returns the loss (with regularization) and the number of samples.
 */
export function trainStep(
  model: Layer,
  compiled: Compiled,
  batch: () => Batch,
): { loss: number; samples: number } {
  const scope = new Scope();
  try {
    const { x, y, sampleWeight } = noGrad(batch);
    const weights = model.trainableWeights;
    const penalties: Tensor[] = [];
    const predicted = model.apply(x, { training: true, addLoss: (loss) => penalties.push(loss) });
    let loss = lossOf(compiled, predicted, y, sampleWeight);
    for (const weight of weights) {
      if (weight.regularizer) loss = add(loss, weight.regularizer.call(weight.value));
    }
    for (const penalty of penalties) loss = add(loss, penalty);

    const parameters = weights.map((weight) => weight.value);
    // A model without trainable weights still reports its loss.
    if (parameters.length > 0) {
      const gradients = gradientsOf(loss, parameters);
      noGrad(() => {
        compiled.optimizer.apply(parameters, gradients);
        for (const weight of weights) weight.constraint?.apply(weight.value);
      });
    }
    noGrad(() => updateMetrics(compiled, y!, predicted, sampleWeight));
    return { loss: loss.item() as number, samples: x.shape[0]! };
  } finally {
    scope.end();
  }
}

/** Loss and metrics of one batch, without training. As {@link trainStep}. */
export function evaluateStep(
  model: Layer,
  compiled: Compiled,
  batch: () => Batch,
): { loss: number; samples: number } {
  const scope = new Scope();
  try {
    return noGrad(() => {
      const { x, y, sampleWeight } = batch();
      const predicted = model.apply(x, { training: false });
      let loss = lossOf(compiled, predicted, y, sampleWeight);
      for (const { regularizer, value } of model.trainableWeights) {
        if (regularizer) loss = add(loss, regularizer.call(value));
      }
      updateMetrics(compiled, y!, predicted, sampleWeight);
      return { loss: loss.item() as number, samples: x.shape[0]! };
    });
  } finally {
    scope.end();
  }
}

function lossOf(
  { loss }: Compiled,
  predicted: Tensor,
  y: Tensor | null,
  sampleWeight: Tensor | null | undefined,
): Tensor {
  if (!y) throw new ValueError('training and evaluation need targets y; this batch has none');
  if (y.shape[0] !== predicted.shape[0]) {
    throw new ShapeError(
      `the batch has targets of shape ${showShape(y.shape)} for predictions of shape ` +
        showShape(predicted.shape),
    );
  }
  return loss.compute(y, predicted, sampleWeight ?? undefined);
}

function updateMetrics(
  { metrics }: Compiled,
  y: Tensor,
  predicted: Tensor,
  sampleWeight: Tensor | null | undefined,
): void {
  for (const metric of metrics) metric.update(y, predicted, sampleWeight ?? undefined);
}
