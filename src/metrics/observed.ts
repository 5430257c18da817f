/** Batches as metrics see them, and how targets and weights are read from them. */

import type { HostArray } from '../backends/backend.js';
import { ShapeError } from '../errors.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';

/** Values of one batch. The arrays may be tensor memory: metrics read them and keep nothing. */
export interface Observed {
  readonly truth: HostArray;
  readonly truthShape: Shape;
  readonly prediction: HostArray;
  readonly predictionShape: Shape;
  /** One weight per sample, or null: 1 each. */
  readonly weights: HostArray | null;
}

/** Predictions in a row: classes, or 1 when there is one prediction per sample. */
export const columnsOf = ({ predictionShape }: Observed): number =>
  predictionShape.length < 2 ? 1 : predictionShape.at(-1)!;

/** Whether targets are one class number per row of predictions. */
export function hasLabels({ truthShape, predictionShape }: Observed): boolean {
  const outer = predictionShape.slice(0, -1);
  return sameShape(truthShape, outer) || sameShape(truthShape, [...outer, 1]);
}

/** How targets stand for classes, judged by shapes as Keras does. */
export function formOf(truth: Shape, prediction: Shape): 'binary' | 'sparse' | 'categorical' {
  if (prediction.length < 2 || prediction.at(-1) === 1) return 'binary';
  return truth.length < prediction.length || truth.at(-1) === 1 ? 'sparse' : 'categorical';
}

export function unfit(batch: Observed, name: string, wanted: string): ShapeError {
  const { truthShape, predictionShape } = batch;
  return new ShapeError(
    `${name}: targets ${showShape(truthShape)} do not fit predictions ` +
      `${showShape(predictionShape)}; expected ${wanted}`,
  );
}

/** Targets as yes or no per prediction: given so, or as class numbers. */
export function truthReader(
  batch: Observed,
  name: string,
): (row: number, column: number) => boolean {
  const { truth, prediction } = batch;
  const columns = columnsOf(batch);
  if (truth.length === prediction.length) {
    return (row, column) => truth[row * columns + column] !== 0;
  }
  if (hasLabels(batch)) return (row, column) => truth[row] === column;
  throw unfit(batch, name, 'one shape, or one class number per sample');
}

/** The weight of each of `count` values: one weight is for as many neighbours as there are. */
export function weightReader(
  weights: HostArray | null,
  count: number,
  name: string,
): (i: number) => number {
  if (weights === null) return () => 1;
  if (weights.length === 0 || count % weights.length !== 0) {
    throw new ShapeError(`${name}: ${weights.length} sample weights for ${count} values`);
  }
  const group = count / weights.length;
  return group === 1 ? (i) => weights[i]! : (i) => weights[Math.floor(i / group)]!;
}

/** Position of the largest of `count` values from `from` on, counted from there. */
export function argMaxAt(values: HostArray, from: number, count: number): number {
  let best = 0;
  let largest = values[from]!;
  for (let i = 1; i < count; i++) {
    const value = values[from + i]!;
    if (value > largest) {
      largest = value;
      best = i;
    }
  }
  return best;
}
