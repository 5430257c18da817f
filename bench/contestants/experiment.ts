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
  select(step: number): void;
  selected(): { readonly inputs: readonly Tensor[] };
}
type BatchesOf = new (all: object, batchSize: number, model: Sequential) => Batches;
/** What runs kernels again as fit does. */
interface Recordings {
  of(
    backend: object,
    body: () => unknown,
  ): { readonly recording: { replay(): boolean; end(): void } | null };
}

const internal = async (path: string): Promise<Record<string, unknown>> =>
  (await import(new URL(`../../../dist/${path}`, import.meta.url).href)) as Record<string, unknown>;

/**
 * Percentage of a step that shuffling, batching, converting, standardizing take. They are recorded
 * by themselves, as fit records them with the rest of a step, and run once more before every step
 * of an epoch of fit: there caches and threads are as they are when fit runs them. What they take
 * is divided by what the same epoch takes without.
 */
async function inputShare({ x, y, model }: Prepared): Promise<number> {
  const { TensorBatches } = (await internal('models/batches.js')) as { TensorBatches: BatchesOf };
  const { Recording } = (await internal('tensor/recording.js')) as { Recording: Recordings };
  const batches = new TensorBatches(
    { inputs: [x], targets: [y], weights: [null] },
    batchSize,
    model,
  );
  const standardize = model.layers[0]!;
  batches.shuffle(0);
  batches.select(0);
  tidy(() => void standardize.apply(batches.selected().inputs[0]!)); // takes its constants
  const { recording } = Recording.of((x as unknown as { backend: object }).backend, () =>
    standardize.apply(batches.selected().inputs[0]!),
  );
  if (!recording) throw new Error('the input pipeline cannot be recorded');
  let spent = 0;
  const timed = (body: () => void): void => {
    const began = performance.now();
    body();
    spent += performance.now() - began;
  };
  const whole = Math.floor(x.shape[0]! / batchSize);
  const probe = new callbacks.LambdaCallback({
    onEpochBegin: () => timed(() => batches.shuffle(model.epochsSeen)),
    onTrainBatchBegin: (step) => {
      // The last batch is smaller: another one in its place.
      timed(() => {
        batches.select(step % whole);
        recording.replay();
      });
    },
  });
  const epoch = async (more: readonly callbacks.Callback[] = []): Promise<number> => {
    const began = performance.now();
    const all = [...usualCallbacks(), ...more];
    await model.fit(x, y, { batchSize, verbose: 'silent', callbacks: all });
    return performance.now() - began;
  };
  const shares: number[] = [];
  for (let round = 0; round < 4; round++) {
    spent = 0;
    await epoch([probe]);
    const pipeline = spent;
    const share = (100 * pipeline) / (await epoch());
    if (round > 0) shares.push(share); // the first round warms up
  }
  recording.end();
  return median(shares);
}

/** Calls into the addon for a training step; counted in a process of its own. */
function nativeCalls(): number {
  if (device() !== 'cpu') throw new Error(`the device ${device()} has no native calls to count`);
  const program = fileURLToPath(new URL('count-native-calls.js', import.meta.url));
  return Number(execFileSync(process.execPath, [program]).toString());
}
