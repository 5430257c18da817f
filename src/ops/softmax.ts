/** Softmax, its logarithm, and the cross-entropy fused with it. */

import { isFloat } from '../backends/dtype.js';
import { gradientsByTwin } from '../autograd/fused.js';
import { isRecording, noGrad, track, tracks } from '../autograd/tape.js';
import { ShapeError, ValueError } from '../errors.js';
import { asTensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxis, sameShape, showShape } from '../tensor/shape.js';
import { checkTensor, empty, emptyLike } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { checkFloat, checkSameDevice, equal, mul, neg, sub, exp } from './elementwise.js';
import { sumAxes } from './broadcast.js';
import { dropAxes } from './reduction.js';
import { expandDims, swapAxes } from './move.js';
import { arange } from '../tensor/create.js';

/** eˣ / Σ eˣ along an axis (default the last), computed without overflow. */
export function softmax(x: TensorLike, axis = -1): Tensor {
  return alongLast('softmax', x, axis, false);
}

/** The logarithm of softmax, computed without underflow. */
export function logSoftmax(x: TensorLike, axis = -1): Tensor {
  return alongLast('logSoftmax', x, axis, true);
}

function alongLast(name: string, value: TensorLike, axis: number, logarithm: boolean): Tensor {
  const x = asTensor(value);
  checkFloat(name, x);
  const at = checkAxis(axis, x.rank, name);
  if (at === x.rank - 1) return lastAxis(name, x, logarithm);
  return swapAxes(lastAxis(name, swapAxes(x, at, -1), logarithm), at, -1);
}

function lastAxis(name: string, x: Tensor, logarithm: boolean): Tensor {
  const columns = x.shape.at(-1)!;
  const rows = columns === 0 ? 0 : x.size / columns;
  const y = emptyLike(x);
  if (y.size > 0) y.backend.softmax(y.buffer, x.buffer, rows, columns, logarithm);
  if (!tracks(x)) return y;
  return track(y, name, [x], [y], (g) => {
    if (isRecording()) {
      // d softmax = y·(g − Σ g·y); d log-softmax = g − softmax·Σ g.
      const last = [x.rank - 1];
      return logarithm
        ? [sub(g, mul(exp(y), sumAxes(g, last)))]
        : [mul(y, sub(g, sumAxes(mul(g, y), last)))];
    }
    const dx = emptyLike(x);
    if (x.size > 0) {
      x.backend.softmaxBackward(dx.buffer, g.buffer, y.buffer, rows, columns, logarithm);
    }
    return [dx];
  });
}

/**
 * Cross-entropy −Σ target · log softmax(logits) of each row, in one pass. logits [rows, classes];
 * target: int32 labels [rows], or probabilities [rows, classes]. The result is [rows]. No gradient
 * flows to the target. Throws ValueError naming the first label outside [0, classes).
 */
export function softmaxCrossEntropy(logits: Tensor, target: Tensor): Tensor {
  checkTensor('softmaxCrossEntropy', logits);
  checkTensor('softmaxCrossEntropy', target);
  checkFloat('softmaxCrossEntropy', logits);
  checkSameDevice('softmaxCrossEntropy', logits, target);
  const sparse = target.rank === 1;
  const fits = sparse ? target.shape[0] === logits.shape[0] : sameShape(target.shape, logits.shape);
  if (logits.rank !== 2 || !fits) {
    throw new ShapeError(
      `softmaxCrossEntropy: logits ${showShape(logits.shape)} and target ` +
        `${showShape(target.shape)} do not fit; expected [rows, classes] and labels [rows] or ` +
        'probabilities [rows, classes]',
    );
  }
  if (logits.size === 0 && logits.shape[0]! > 0) {
    throw new ShapeError(`softmaxCrossEntropy: logits ${showShape(logits.shape)} have no classes`);
  }
  const truth = noGrad(() => (sparse ? labelsOf(target) : cast(target, logits.dtype)));
  const [rows, classes] = logits.shape as [number, number];
  const loss = empty(logits.backend, [rows], logits.dtype);
  const tracked = tracks(logits);
  const difference = tracked ? emptyLike(logits) : null;
  if (rows > 0) {
    const wrong = logits.backend.crossEntropy(
      loss.buffer,
      difference?.buffer ?? null,
      logits.buffer,
      truth.buffer,
      rows,
      classes,
    );
    if (wrong >= 0) {
      throw new ValueError(
        `softmaxCrossEntropy: label ${truth.dataSync()[wrong]} in row ${wrong} is outside ` +
          `0 … ${classes - 1} (${classes} classes)`,
      );
    }
  }
  if (!difference) return loss;
  return track(loss, 'softmaxCrossEntropy', [logits], [difference, logits, truth], (g) => {
    if (isRecording()) return gradientsByTwin((x) => composed(x, truth), [logits], g);
    const dlogits = emptyLike(logits);
    if (dlogits.size > 0) {
      dlogits.backend.scaleRows(dlogits.buffer, difference.buffer, g.buffer, rows, classes, 1);
    }
    return [dlogits];
  });
}

/** Labels as int32. Floats are welcome when they are whole numbers. */
function labelsOf(target: Tensor): Tensor<'int32'> {
  const labels = cast(target, 'int32');
  if (!isFloat(target.dtype)) return labels;
  const [given, used] = [target.dataSync(), labels.dataSync()];
  const row = given.findIndex((value, i) => value !== used[i]);
  if (row < 0) return labels;
  throw new ValueError(
    `softmaxCrossEntropy: label ${given[row]} in row ${row} is not a whole number that int32 holds`,
  );
}

function composed(logits: Tensor, truth: Tensor): Tensor {
  const classes = arange(0, logits.shape[1], 1, { dtype: 'int32', device: logits.device });
  const weights =
    truth.rank === 1 ? cast(equal(expandDims(truth, -1), classes), logits.dtype) : truth;
  return dropAxes(sumAxes(neg(mul(weights, logSoftmax(logits))), [1]), [1], false);
}
