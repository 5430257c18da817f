/** The `js` backend: all kernels in JavaScript. It needs nothing but Node. */

import { ValueError } from '../errors.js';
import { distributions } from './backend.js';
import type { Backend, HostArray } from './backend.js';
import { hostMemory } from './host-memory.js';
import { dense, denseBackward } from './js-dense.js';
import { cast, fill, map, mapStrided, select } from './js-elementwise.js';
import { matmul } from './js-matmul.js';
import { copy, gather, loadRows, putAlongAdd, scatterAdd, takeAlong } from './js-move.js';
import { batchNorm, batchNormBackward } from './js-normalize.js';
import { cumsum, reduce } from './js-reduce.js';
import { crossEntropy, scaleRows, softmax, softmaxBackward } from './js-rows.js';
import { sort } from './js-sort.js';
import { loadLoops } from './load-loops.js';
import { dropout, fillRandom } from './random.js';

/** See `random` in backend.ts. */
function random(
  distribution: number,
  out: HostArray,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  p: number,
  q: number,
): void {
  fillRandom(distributions[distribution]!, out, key0, key1, counter0, counter1, p, q);
}

/** See `update` in backend.ts. */
function update(
  number: number,
  parameters: readonly HostArray[],
  gradients: readonly HostArray[],
  states: readonly HostArray[],
  hyper: Float64Array,
): void {
  const count = parameters.length === 0 ? 0 : states.length / parameters.length;
  const { float32Updates, float64Updates } = loadLoops();
  parameters.forEach((parameter, i) => {
    const updates = parameter instanceof Float32Array ? float32Updates : float64Updates;
    updates[number]!(parameter, gradients[i]!, states.slice(i * count, (i + 1) * count), hyper);
  });
}

function setThreads(count: number): void {
  if (count !== 1) {
    throw new ValueError(`device js computes on one thread: got ${count}; use device cpu for more`);
  }
}

export function createJsBackend(): Backend {
  return {
    device: 'js',
    host: true,
    ...hostMemory,
    map,
    mapStrided,
    select,
    cast,
    fill,
    copy,
    gather,
    scatterAdd,
    takeAlong,
    putAlongAdd,
    sort,
    reduce,
    cumsum,
    matmul,
    dense,
    denseBackward,
    softmax,
    softmaxBackward,
    crossEntropy,
    scaleRows,
    batchNorm,
    batchNormBackward,
    random,
    dropout,
    update,
    loadRows,
    threads: () => 1,
    setThreads,
    describe: () => `JavaScript, V8 ${process.versions.v8}, 1 thread`,
  };
}
