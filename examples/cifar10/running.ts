/** Running one experiment: training its net, or asking a trained one again, and judging it. */

import { callbacks, device, findLearningRate, GradientHealth, loadModel, seed } from 'gradloom';
import type { datasets, Model, RateCurve, Tensor } from 'gradloom';

import { netOf, recipeOf } from './experiments.js';
import type { Experiment, Recipe } from './experiments.js';
import { judge } from './judging.js';
import type { Judgement } from './judging.js';
import type { Values } from './options.js';
import type { Found, Health, Result, RunFolder, Settings } from './results.js';

type Data = datasets.Cifar10Datasets;

/** Predictions of each image that Monte-Carlo dropout averages. */
const samples = 100;
/** Images that a net's health is examined by, and the epochs between examinations. */
const examination = { images: 256, every: 5 } as const;
/** The net with its best weights so far; with one cycle, its last ones. */
export const checkpointName = 'model.safetensors';

/** What a run of an experiment depends on, by the command line. */
export function settingsOf(
  experiment: Experiment,
  of: number,
  values: Values,
  data: Data,
): Settings {
  const recipe = recipeOf(experiment);
  return {
    experiment: experiment.name,
    about: experiment.about,
    seed: of,
    epochs: values.epochs ?? recipe.epochs,
    batchSize: values.batchSize ?? recipe.batchSize,
    learningRate: values.learningRate ?? recipe.learningRate,
    patience: values.patience,
    images: data.train.x.shape[0]!,
    device: device(),
  };
}

/** Trains from the beginning, or from where an earlier run was interrupted. */
export async function train(
  recipe: Recipe,
  folder: RunFolder,
  data: Data,
  signal: AbortSignal,
): Promise<Result> {
  const { settings } = folder;
  const { x, y } = data.train;
  seed(settings.seed);
  const model = netOf(recipe, settings.learningRate, x);
  const checkpoint = folder.file(checkpointName);
  const health = examiner(data.train);
  const stopping = new callbacks.EarlyStopping({
    patience: settings.patience,
    restoreBestWeights: true,
  });
  const { schedule, oneCycle } = recipe;
  // Leaves net, optimizer and random numbers as they were: the run is the same without it.
  const curve = await findLearningRate(model, x, y, { batchSize: settings.batchSize });
  const { history } = await model.fit(x, y, {
    epochs: settings.epochs,
    batchSize: settings.batchSize,
    validationData: data.validation,
    signal,
    callbacks: [
      stopwatch(),
      schedule(settings.learningRate),
      ...(oneCycle ? [] : [stopping]),
      new callbacks.ModelCheckpoint(checkpoint, { saveBestOnly: !oneCycle }),
      new callbacks.CSVLogger(folder.file('history.csv')),
      new callbacks.TensorBoard({ logDirectory: folder.file('tensorboard') }),
      health,
      new callbacks.BackupAndRestore(folder.path),
    ],
  });
  const bestEpoch = oneCycle ? (history['loss']?.length ?? 0) : stopping.bestEpoch + 1;
  const judged = await judgeBy((images) => model.predict(images), data);
  const finder = foundBy(curve, recipe);
  return { settings, finder, history, bestEpoch, health: figuresOf(health), ...judged };
}

/** Asks a trained net again, with dropout acting. */
export async function askAgain(
  checkpoint: string,
  settings: Settings,
  data: Data,
): Promise<Result> {
  seed(settings.seed);
  const model = (await loadModel(checkpoint)) as Model<Tensor>;
  const judged = await judgeBy(
    async (images) => (await model.predictMC(images, { samples })).mean,
    data,
  );
  return { settings, finder: null, history: {}, bestEpoch: null, health: [], ...judged };
}

async function judgeBy(
  predict: (images: Tensor) => Promise<Tensor>,
  { validation, test }: Data,
): Promise<{ validation: Judgement; test: Judgement }> {
  return {
    validation: judge(await predict(validation.x), validation.y),
    test: judge(await predict(test.x), test.y),
  };
}

/** Four digits are plenty to draw, and keep files small. */
const round = (value: number): number => Number(value.toPrecision(4));

function foundBy({ rates, losses, smoothed, ...curve }: RateCurve, recipe: Recipe): Found {
  return {
    rates: rates.map(round),
    losses: losses.map(round),
    smoothed: smoothed.map(round),
    suggestion: round(recipe.oneCycle ? curve.highest : curve.suggestion),
  };
}

/** Examines the net by the first images now and then; the report shows what was found. */
function examiner({ x, y }: datasets.Dataset): GradientHealth {
  const few: [number, number] = [0, Math.min(examination.images, x.shape[0]!)];
  const onReport = (): void => undefined;
  return new GradientHealth(x.slice(few), y.slice(few), { every: examination.every, onReport });
}

/** Logs how many seconds each epoch took, validation included. */
function stopwatch(): callbacks.Callback {
  let began = 0;
  return new callbacks.LambdaCallback({
    onEpochBegin: () => {
      began = performance.now();
    },
    onEpochEnd: (_epoch, logs) => {
      logs['seconds'] = (performance.now() - began) / 1000;
    },
  });
}

function figuresOf({ reports }: GradientHealth): Health[] {
  return reports.map(({ epoch, report }) => ({
    epoch,
    findings: report.findings.map(({ message }) => message),
    layers: report.layers.map(({ type, variance, signal, updateRatio }) => {
      return { type, variance, signal, updateRatio };
    }),
  }));
}
