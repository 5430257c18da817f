/** One step of training or evaluation: what happens to a batch. */

import { gradientsOf, noGrad } from '../autograd/tape.js';
import { ShapeError, ValueError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { add, affine } from '../ops/elementwise.js';
import { showShape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Batch } from './batches.js';
import type { Compiled, Goal, LoggedMetric, Totals } from './compile.js';

/** What a step found. */
export interface StepResult extends Totals {
  readonly samples: number;
}

/** Tensors of a step: what it was given and what came of it. */
export interface Learned {
  readonly batch: Batch;
  readonly outputs: readonly Tensor[];
  readonly loss: Tensor;
  readonly parts: readonly Tensor[];
}

/** Is given the loss of a step before the update. */
export type LossObserver = (loss: Tensor) => void;

/**
 * Forward, loss, gradients, update and metrics of one batch, in a scope: memory of the step goes
 * back to the pool, so that from the second step on none is allocated. `batch` is called inside the
 * scope. The loss includes regularization.
 */
export function trainStep(
  model: Layer,
  compiled: Compiled,
  batch: () => Batch,
  observe?: LossObserver | null,
): StepResult {
  const scope = new Scope();
  try {
    const learned = learn(model, compiled, batch, observe);
    return noGrad(() => resultOf(compiled, learned));
  } finally {
    scope.end();
  }
}

/** Forward, loss, gradients and update of one batch: all of a step that is kernels. */
export function learn(
  model: Layer,
  compiled: Compiled,
  makeBatch: () => Batch,
  observe?: LossObserver | null,
): Learned {
  const { learned, update } = differentiate(model, compiled, makeBatch);
  observe?.(learned.loss);
  update();
  return learned;
}

/** The step as far as the gradients; `update` is the rest. */
export function differentiate(
  model: Layer,
  compiled: Compiled,
  makeBatch: () => Batch,
): { readonly learned: Learned; readonly update: () => void } {
  const batch = noGrad(makeBatch);
  const weights = model.trainableWeights;
  const penalties: Tensor[] = [];
  const outputs = model.applyAll(batch.inputs, {
    training: true,
    addLoss: (loss) => penalties.push(loss),
  });
  const { loss, parts } = lossOf(model, compiled, outputs, batch, penalties);
  const learned = { batch, outputs, loss, parts };
  const parameters = weights.map((weight) => weight.value);
  // A model without trainable weights still reports its loss.
  if (parameters.length === 0) return { learned, update: () => undefined };
  const gradients = gradientsOf(loss, parameters);
  const update = (): void =>
    noGrad(() => {
      const names = weights.map((weight) => weight.name);
      compiled.optimizer.apply(parameters, gradients, names);
      for (const weight of weights) weight.constraint?.apply(weight.value);
    });
  return { learned, update };
}

/** Loss and metrics of one batch, without training. As {@link trainStep}. */
export function evaluateStep(model: Layer, compiled: Compiled, batch: () => Batch): StepResult {
  const scope = new Scope();
  try {
    return noGrad(() => resultOf(compiled, judge(model, compiled, batch)));
  } finally {
    scope.end();
  }
}

/** Forward and loss of one batch: all of {@link evaluateStep} that is kernels. */
export function judge(model: Layer, compiled: Compiled, makeBatch: () => Batch): Learned {
  const batch = makeBatch();
  const penalties: Tensor[] = [];
  const outputs = model.applyAll(batch.inputs, {
    training: false,
    addLoss: (loss) => penalties.push(loss),
  });
  const { loss, parts } = lossOf(model, compiled, outputs, batch, penalties);
  return { batch, outputs, loss, parts };
}

/** What is minimized: weighted losses of the outputs, penalties of weights and of activities. */
export function lossOf(
  model: Layer,
  { goals }: Compiled,
  outputs: readonly Tensor[],
  batch: Batch,
  penalties: readonly Tensor[],
): { loss: Tensor; parts: readonly Tensor[] } {
  const parts: Tensor[] = [];
  let total: Tensor | null = null;
  goals.forEach((goal, i) => {
    if (!goal.loss) return;
    const part = goalLoss(goal, outputs[i]!, batch.targets[i] ?? null, batch.weights[i] ?? null);
    parts[i] = part;
    const weighted = goal.weight === 1 ? part : affine(part, goal.weight, 0);
    total = total ? add(total, weighted) : weighted;
  });
  let loss: Tensor = total!;
  for (const { regularizer, value } of model.trainableWeights) {
    if (regularizer) loss = add(loss, regularizer.call(value));
  }
  for (const penalty of penalties) loss = add(loss, penalty);
  return { loss, parts };
}

function goalLoss(
  { output, loss }: Goal,
  predicted: Tensor,
  target: Tensor | null,
  weight: Tensor | null,
): Tensor {
  if (!target) {
    throw new ValueError(
      `training and evaluation need targets y; this batch has none for the output "${output}"`,
    );
  }
  if (target.shape[0] !== predicted.shape[0]) {
    throw new ShapeError(
      `the batch has targets of shape ${showShape(target.shape)} for predictions of shape ` +
        showShape(predicted.shape),
    );
  }
  return loss!.compute(target, predicted, weight);
}

/** Updates metrics and reads the loss. */
export function resultOf(compiled: Compiled, learned: Learned): StepResult {
  countMetrics(compiled, learned);
  return lossesOf(compiled, learned);
}

/** Updates all metrics, or those wanted. */
export function countMetrics(
  { goals }: Compiled,
  { batch, outputs }: Learned,
  wanted: (metric: LoggedMetric['metric']) => boolean = () => true,
): void {
  for (let i = 0; i < goals.length; i++) {
    const target = batch.targets[i];
    if (!target) continue;
    for (const { metric, weighted } of goals[i]!.metrics) {
      if (!wanted(metric)) continue;
      metric.update(target, outputs[i]!, weighted ? (batch.weights[i] ?? null) : null);
    }
  }
}

/** Reads the loss. */
export function lossesOf({ goals }: Compiled, { batch, loss, parts }: Learned): StepResult {
  return {
    loss: loss.item() as number,
    parts: goals.length > 1 ? parts.map((part) => part.item() as number) : [],
    samples: batch.inputs[0]!.shape[0]!,
  };
}
