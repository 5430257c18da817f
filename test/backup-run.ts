/**
 * A training with everything in it that could differ after a break: dropout, batch normalization,
 * shuffling, early stopping, a falling rate, files. As a program it may kill itself on the way:
 * `backup-run.ts DIRECTORY FREQUENCY EPOCH STEP`; a step of −1 means while the epoch ends.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { callbacks, layers, optimizers, seed, Sequential, tensor } from 'gradloom';

export interface Death {
  readonly epoch: number;
  readonly step: number;
}

/** Kills the process with no time for farewells. */
class Killer extends callbacks.Callback {
  #epoch = 0;

  constructor(readonly death: Death) {
    super();
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override onTrainBatchEnd(step: number): void {
    this.#strike(step);
  }

  override onEpochEnd(): void {
    this.#strike(-1);
  }

  #strike(step: number): void {
    const { death } = this;
    if (this.#epoch === death.epoch && step === death.step) process.kill(process.pid, 'SIGKILL');
  }
}

/** What is left of a training when it is over. */
export interface Outcome {
  readonly weights: string;
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly epochs: readonly number[];
  readonly iterations: number;
  readonly bestEpoch: number;
  readonly epochsSeen: number;
}

export const epochs = 12;

/** Trains 7 steps in each of at most 12 epochs. */
export async function train(
  directory: string,
  saveFrequency: 'epoch' | number,
  death?: Death,
): Promise<Outcome> {
  seed(11);
  // Named, so that files are equal whatever was made before.
  const model = new Sequential(
    [
      new layers.Dense(16, { inputShape: [5], activation: 'elu', name: 'first' }),
      new layers.BatchNormalization({ name: 'norm' }),
      new layers.Dropout(0.3, { name: 'drop' }),
      new layers.GaussianNoise(0.05, { name: 'noise' }),
      new layers.Dense(3, { activation: 'softmax', name: 'last' }),
    ],
    { name: 'net' },
  ).compile({
    optimizer: new optimizers.Nadam({ learningRate: 0.02, useEma: true }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy', { className: 'F1Score', config: {} }],
  });
  // By hand, so that the data takes no random numbers.
  const wave = (i: number): number => Math.sin(i * i + 0.5 * i);
  const x = tensor(
    Float32Array.from({ length: 640 }, (_, i) => wave(i)),
    { shape: [128, 5] },
  );
  const label = (i: number): number => (wave(5 * i) > 0 ? 1 : 0) + (wave(5 * i + 1) > 0.2 ? 1 : 0);
  const y = tensor(Int32Array.from({ length: 128 }, (_, i) => label(i)));
  const early = new callbacks.EarlyStopping({
    patience: 3,
    minDelta: 0.03,
    restoreBestWeights: true,
  });
  const { history, epochs: seen } = await model.fit(x, y, {
    batchSize: 16,
    epochs,
    validationSplit: 0.15,
    verbose: 'silent',
    callbacks: [
      new callbacks.BackupAndRestore(join(directory, 'backup'), { saveFrequency }),
      early,
      new callbacks.ReduceLROnPlateau({
        monitor: 'accuracy',
        factor: 0.5,
        patience: 1,
        cooldown: 1,
      }),
      // Asked twice for one epoch it would fall twice.
      new callbacks.LearningRateScheduler((_, rate) => rate * 0.97),
      new callbacks.CSVLogger(join(directory, 'log.csv')),
      new callbacks.TensorBoard({ logDirectory: join(directory, 'logs'), graph: false }),
      new callbacks.ModelCheckpoint(join(directory, 'best.safetensors'), { saveBestOnly: true }),
      ...(death ? [new Killer(death)] : []),
    ],
  });
  const hash = createHash('sha256');
  for (const { value } of model.weights) hash.update(Buffer.from(value.dataSync().buffer));
  return {
    weights: hash.digest('hex'),
    history,
    epochs: seen,
    iterations: model.optimizer.iterations,
    bestEpoch: early.bestEpoch,
    epochsSeen: model.epochsSeen,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [directory, frequency, epoch, step] = process.argv.slice(2) as [
    string,
    string,
    string,
    string,
  ];
  const saveFrequency = frequency === 'epoch' ? 'epoch' : Number(frequency);
  await train(directory, saveFrequency, { epoch: Number(epoch), step: Number(step) });
}
