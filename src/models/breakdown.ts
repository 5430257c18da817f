/** Where a training step goes wrong: what is the first in it to be NaN or infinite. */

import { noGrad } from '../autograd/tape.js';
import type { Layer } from '../layers/layer.js';
import type { Weight } from '../layers/weight.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Batch } from './batches.js';
import type { Model } from './model.js';
import { lossOf } from './step.js';

/** What is not finite in a step, in words. */
export interface Breakdown {
  /** What was seen. */
  readonly message: string;
  /** What to try. */
  readonly advice: string;
}

const smallerSteps = 'a lower learning rate, clipped gradients (globalClipNorm: 1)';

/**
 * Runs the forward pass of a step again and looks at everything in the order in which it is made:
 * the batch, the results of the layers, penalties, the loss. The model must have the weights it had
 * before the step; statistics that layers keep, and random numbers, move on as in a step.
 */
export function findBreakdown(model: Model, batch: Batch): Breakdown {
  const scope = new Scope();
  try {
    return noGrad(() => inBatch(batch) ?? inLayers(model, batch));
  } finally {
    scope.end();
  }
}

/** The first value that is not finite, and the largest that is. */
interface Extent {
  readonly broken: number | null;
  readonly at: number;
  readonly largest: number;
}

function extentOf(tensor: Tensor): Extent {
  const values = tensor.dataSync();
  let largest = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!Number.isFinite(value)) return { broken: value, at, largest };
    largest = Math.max(largest, Math.abs(value));
  }
  return { broken: null, at: -1, largest };
}

const show = (value: number): string => String(Number(value.toPrecision(3)));

function inBatch({ inputs, targets, weights }: Batch): Breakdown | null {
  const parts = { x: inputs, y: targets, sampleWeight: weights };
  for (const [name, tensors] of Object.entries(parts)) {
    for (const tensor of tensors) {
      if (!tensor) continue;
      const { broken, at } = extentOf(tensor);
      if (broken === null) continue;
      const row = Math.floor(at / (tensor.size / tensor.shape[0]!));
      return {
        message: `the data is not finite: ${name} of sample ${row + 1} of the batch holds ${broken}`,
        advice: 'leaving such samples out, or filling in what is missing',
      };
    }
  }
  return null;
}

function inLayers(model: Model, batch: Batch): Breakdown {
  let found = null as Breakdown | null;
  let largest = Math.max(...batch.inputs.map((each) => extentOf(each).largest));
  const penalties: Tensor[] = [];
  const outputs = model.applyAll(batch.inputs, {
    training: true,
    addLoss: (loss) => penalties.push(loss),
    observe: (layer, output) => {
      if (found) return;
      const extent = extentOf(output);
      if (extent.broken !== null) found = inLayer(model, layer, extent.broken, largest);
      largest = extent.largest;
    },
  });
  return found ?? inLoss(model, batch, outputs, penalties);
}

/** All layers before this one were finite, so that its input was. */
function inLayer(model: Model, layer: Layer, value: number, received: number): Breakdown {
  const gave = `layer ${layer.name} is the first to give ${value}`;
  const broken = layer.weights.find((weight) => extentOf(weight.value).broken !== null);
  if (broken) return { message: `${gave}: ${ofUpdate(model, broken)}`, advice: smallerSteps };
  const weights = layer.weights.map((weight) => extentOf(weight.value).largest);
  const size = weights.length > 0 ? `, its weights too (up to ${show(Math.max(...weights))})` : '';
  return {
    message: `${gave}; its input was finite (up to ${show(received)})${size}`,
    advice: `${smallerSteps}, smaller initial weights, inputs scaled to about 1`,
  };
}

/** Weights were made NaN by the step before, backwards through the net: from the last on. */
function ofUpdate(model: Model, first: Weight): string {
  const all = model.weights.filter((weight) => extentOf(weight.value).broken !== null);
  const last = all.at(-1)!;
  const since =
    last === first ? '' : `, as have been ${all.length} weights, the last of them ${last.name}`;
  return (
    `its input was finite, but its weight ${first.name} was NaN or infinite before the step` +
    `${since}; the update before made it so, from a gradient that was not finite`
  );
}

function inLoss(
  model: Model,
  batch: Batch,
  outputs: readonly Tensor[],
  penalties: readonly Tensor[],
): Breakdown {
  const size = show(Math.max(...outputs.map((each) => extentOf(each).largest)));
  const finite = `all layers give finite results (predictions up to ${size})`;
  const { loss, parts } = lossOf(model, model.compiled, outputs, batch, penalties);
  if (extentOf(loss).broken === null) {
    return {
      message: `${finite} and a finite loss when the step is made again: chance is in it`,
      advice: smallerSteps,
    };
  }
  const at = parts.findIndex((part) => extentOf(part).broken !== null);
  const goal = model.compiled.goals[at];
  if (!goal) {
    return {
      message: `${finite}, but a penalty added to the loss (regularizer) is not finite`,
      advice: `a smaller factor of the regularizer, ${smallerSteps}`,
    };
  }
  return {
    message: `${finite}, but the loss ${goal.loss!.name} of ${goal.output} is not finite for them`,
    advice: `targets in the range that the loss is made for, scaled targets, ${smallerSteps}`,
  };
}
