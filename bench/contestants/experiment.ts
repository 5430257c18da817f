/**
 * Experiment 1 of the exercise in this process: peak memory, the longest time the event loop was
 * blocked, device allocations and native calls in the steady state, the input pipeline's share.
 */

import { execFileSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

import { callbacks, device, memory, tidy } from 'gradloom';
import type { Sequential, Tensor } from 'gradloom';

import type { Case, ExperimentFigure } from '../protocol.js';
import { images, net, standardization, usualCallbacks } from './net.js';
import type { Images } from './net.js';
import { median } from './timing.js';

type Wanted = Extract<Case, { kind: 'experiment' }>;

const batchSize = 32;
/** The monitor's clock ticks so often, in milliseconds; a tick's own length is no delay. */
const resolution = 1;

const known = new Map<ExperimentFigure, number>();

/** One figure; what a run of the experiment measures together is measured once. */
export async function experiment({ figure, samples, data }: Wanted): Promise<number> {
  if (!known.has(figure)) {
    if (figure === 'nativeCalls') return nativeCalls();
    const prepared = await prepare(samples, data !== null);
    if (figure === 'inputShare') known.set(figure, await inputShare(prepared));
    else for (const [name, value] of await run(prepared)) known.set(name, value);
  }
  return known.get(figure)!;
}

interface Prepared extends Images {
  readonly model: Sequential;
}

async function prepare(samples: number, cached: boolean): Promise<Prepared> {
  const { x, y } = await images(samples, cached);
  const model = net({ depth: 20, width: 100, first: [standardization(x)] });
  return { x, y, model };
}

/** Two epochs through fit. */
async function run({ x, y, model }: Prepared): Promise<Map<ExperimentFigure, number>> {
  const delay = monitorEventLoopDelay({ resolution });
  const allocations: number[] = [];
  const steps = Math.ceil(x.shape[0]! / batchSize);
  const counting = new callbacks.LambdaCallback({
    onTrainBatchEnd: (step) => {
      // The first epoch warms up; of the second all steps but the last, whose batch is smaller.
      if (step < steps - 1) allocations.push(memory({ collect: false }).allocations);
    },
    onEpochBegin: () => void (allocations.length = 0),
  });
  delay.enable();
  await model.fit(x, y, {
    batchSize,
    epochs: 2,
    verbose: 'silent',
    callbacks: [...usualCallbacks(), counting],
  });
  delay.disable();
  return new Map<ExperimentFigure, number>([
    ['peakMemory', (process.resourceUsage().maxRSS * 1024) / 1e6],
    ['longestBlock', Math.max(0, delay.max / 1e6 - resolution)],
    ['allocations', (allocations.at(-1)! - allocations[1]!) / (allocations.length - 2)],
  ]);
}

/** What makes fit's batches; the package does not export it. */
interface Batches {
  readonly steps: number;
  shuffle(epoch: number): void;
  batch(step: number): { readonly inputs: readonly Tensor[] };
}
type BatchesOf = new (all: object, batchSize: number, model: Sequential) => Batches;

/**
 * Percentage of a step that shuffling, batching, converting, standardizing take: an epoch of
 * these alone, in turns with one of fit. At most that: fit may do them while it computes. (Fit on
 * a ready batch is no measure of the rest: it does not take the same path.)
 */
async function inputShare({ x, y, model }: Prepared): Promise<number> {
  const module = new URL('../../../dist/models/batches.js', import.meta.url).href;
  const { TensorBatches } = (await import(module)) as { TensorBatches: BatchesOf };
  const all = { inputs: [x], targets: [y], weights: [null] };
  const batches = new TensorBatches(all, batchSize, model);
  const standardize = model.layers[0]!;
  const shares: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    batches.shuffle(round);
    for (let step = 0; step < batches.steps; step++) {
      tidy(() => void standardize.apply(batches.batch(step).inputs[0]!));
    }
    const alone = performance.now();
    await model.fit(x, y, { batchSize, verbose: 'silent', callbacks: usualCallbacks() });
    const whole = performance.now() - alone;
    if (round > 0) shares.push((100 * (alone - began)) / whole); // the first round warms up
  }
  return median(shares);
}

/** Calls into the addon for a training step; counted in a process of its own. */
function nativeCalls(): number {
  if (device() !== 'cpu') throw new Error(`the device ${device()} has no native calls to count`);
  const program = fileURLToPath(new URL('count-native-calls.js', import.meta.url));
  return Number(execFileSync(process.execPath, [program]).toString());
}
