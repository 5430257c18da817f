/** The examination of a model by one batch. */

import { asBatch, sampleShapes } from '../models/batches.js';
import type { BatchLike } from '../models/batches.js';
import { checkTargets } from '../models/compile.js';
import type { Data } from '../models/data.js';
import type { Model } from '../models/model.js';
import { findingsOf } from './findings.js';
import { measure } from './measure.js';
import { HealthReport } from './report.js';
import { selfNormalization } from './self-normalization.js';

/**
 * Measures what one training step on a batch would do to each layer of a compiled model, and says
 * in words what is wrong: vanishing or exploding gradients, dying or saturated units, steps of the
 * wrong size, inputs of the wrong scale, SELU nets that cannot normalize themselves. The batch is
 * `x, y`, or one of those `fit` iterates: [x, y] or { x, y }. Model, optimizer and random numbers
 * stay as they are. Give a batch of 32 samples or more: shares of dead units mean little in fewer.
 */
export function diagnose(model: Model, batch: BatchLike): HealthReport;
export function diagnose(model: Model, x: Data, y: Data): HealthReport;
export function diagnose(model: Model, first: Data | BatchLike, y?: Data): HealthReport {
  const examination = examine(model, y === undefined ? (first as BatchLike) : [first as Data, y]);
  for (;;) {
    const { done, value } = examination.next();
    if (done) return value;
  }
}

/** {@link diagnose}; others may have their turn where it yields. */
export function* examine(model: Model, batchLike: BatchLike): Generator<void, HealthReport> {
  const batch = asBatch(batchLike, model);
  checkTargets(model.compiled, batch.targets);
  model.ensureBuilt(...sampleShapes(batch));
  yield;
  const measurement = yield* measure(model, batch);
  const findings = findingsOf(measurement);
  const finite = findings[0]?.kind !== 'nonFinite';
  const ofSelu = finite ? yield* selfNormalization(measurement) : [];
  return new HealthReport(measurement.loss, measurement.layers, [...findings, ...ofSelu]);
}
