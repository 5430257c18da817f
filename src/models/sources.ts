/** What `fit` was given, made into batches for training and for validation. */

import { ValueError } from '../errors.js';
import { checkInteger } from '../tensor/shape.js';
import { fromArray, Tensor } from '../tensor/tensor.js';
import { checkNumber, partialShare } from '../values.js';
import { gathered, sampleShapes, TensorBatches } from './batches.js';
import type { Batch, BatchIterable } from './batches.js';
import type { Data } from './data.js';
import type { FitOptions, Model, ValidationData } from './model.js';
import { isPlainObject } from './structure.js';

export type Source = TensorBatches | BatchIterable;

/** Whether a value is iterated for batches rather than being data itself. */
export function isIterableOfBatches(value: unknown): value is BatchIterable {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (ArrayBuffer.isView(value) || value instanceof Tensor) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

/** The sources of a call of fit; builds the model where shapes are known. */
export function sources(
  model: Model,
  data: Data | BatchIterable,
  targets: Data | null | undefined,
  options: FitOptions,
  batchSize: number,
): { training: Source; validation: Source | null } {
  const size = checkInteger(
    options.validationBatchSize ?? Math.max(batchSize, 256),
    1,
    Infinity,
    'fit: validationBatchSize',
  );
  const given = options.validationData
    ? validationSource(options.validationData, size, model)
    : null;
  if (targets === null) {
    if (options.validationSplit || options.classWeight || options.sampleWeight !== undefined) {
      throw new ValueError(
        'fit: validationSplit, classWeight and sampleWeight need tensors, not an iterable',
      );
    }
    return { training: data as BatchIterable, validation: given };
  }
  if (typeof (data as unknown) === 'function') {
    throw new ValueError('fit: data is a function; call it, fit(batches()), or make an iterable');
  }
  if (targets === undefined) {
    throw new ValueError('fit: give targets too, fit(x, y, options), or an iterable of batches');
  }
  const { validationSplit = 0 } = options;
  const share = checkNumber(validationSplit, 'fit: validationSplit', partialShare);
  const all = weighted(gathered(data as Data, targets, options.sampleWeight, model), options);
  const whole = new TensorBatches(all, batchSize, model);
  model.ensureBuilt(...sampleShapes(all));
  const { samples } = whole;
  const kept = given || share === 0 ? samples : Math.floor(samples * (1 - share));
  if (kept === samples) return { training: whole, validation: given };
  return {
    training: whole.part(0, kept, batchSize, model),
    validation: whole.part(kept, samples, size, model),
  };
}

function validationSource(data: ValidationData, size: number, model: Model): Source {
  if (isIterableOfBatches(data)) return data;
  const { x, y, sampleWeight } = isPlainObject(data)
    ? data
    : { x: data[0], y: data[1], sampleWeight: data[2] };
  if (!(x as unknown) || !(y as unknown)) {
    throw new ValueError(
      'fit: validationData must be [x, y], { x, y } or an iterable of batches of these',
    );
  }
  return new TensorBatches(gathered(x, y, sampleWeight, model), size, model);
}

/** The batch with the weights of classes among the weights of samples. */
function weighted(batch: Batch, { classWeight }: FitOptions): Batch {
  if (!classWeight) return batch;
  if (batch.targets.length > 1) {
    throw new ValueError('fit: classWeight is for models of one output; give sampleWeight instead');
  }
  for (const [label, value] of Object.entries(classWeight)) {
    const isLabel = Number.isInteger(Number(label));
    if (isLabel && typeof value === 'number' && value >= 0 && value < Infinity) continue;
    throw new ValueError(
      'fit: classWeight gives a weight of 0 or more to labels, as { 0: 1, 1: 2.5 }; got ' +
        `${label}: ${String(value)}`,
    );
  }
  const weight = weightsOfClasses(batch.targets[0]!, classWeight, batch.weights[0]!);
  return { ...batch, weights: [weight] };
}

/** A weight per sample from its label (or the largest of its class probabilities). */
function weightsOfClasses(
  y: Tensor,
  classWeight: Readonly<Record<number, number>>,
  weight: Tensor | null,
): Tensor {
  const samples = y.shape[0]!;
  const values = y.dataSync();
  const width = y.size / samples;
  const given = weight?.dataSync();
  const result = new Float32Array(samples);
  for (let i = 0; i < samples; i++) {
    let label = values[i * width]!;
    if (width > 1) {
      const row = values.subarray(i * width, (i + 1) * width);
      label = row.indexOf(Math.max(...row));
    }
    result[i] = (classWeight[label] ?? 1) * (given?.[i] ?? 1);
  }
  return fromArray(result, [samples], 'float32', y.backend);
}
