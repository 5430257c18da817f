/** The experiments of the exercise: what each of them trains, and how. */

import { callbacks, layers, optimizers, Sequential } from 'gradloom';
import type { Layer, Tensor } from 'gradloom';

import { unknownName } from '../../src/names.js';

/** A net and the way it is trained. */
export interface Recipe {
  /** Layers between the flattened pixels and the softmax; `images` are those to be trained on. */
  readonly layers: (images: Tensor) => readonly Layer[];
  readonly optimizer: (learningRate: number) => optimizers.Optimizer;
  /** Chosen on the validation images. */
  readonly learningRate: number;
  readonly batchSize: number;
  /** At most. */
  readonly epochs: number;
  /** Changes the rate while training. */
  readonly schedule: (learningRate: number) => callbacks.Callback;
  /** Whether the schedule climbs to the rate and fills the run, which is then not stopped early. */
  readonly oneCycle: boolean;
}

export interface Experiment {
  readonly name: string;
  /** What it is in one line, preprocessing included. */
  readonly about: string;
  /** Published accuracies on the validation images: the lowest and the highest. */
  readonly published: readonly [number, number];
  /** How to train; or the name of the experiment whose net is asked again, without training. */
  readonly recipe: Recipe | string;
}

const depth = 20;
const units = 100;

const stack = (block: () => readonly Layer[]): Layer[] =>
  Array.from({ length: depth }, block).flat();

const elu = (): Layer[] => [
  new layers.Dense(units, { activation: 'elu', kernelInitializer: 'heNormal' }),
];

const selu = (): Layer[] => [
  new layers.Dense(units, { activation: 'selu', kernelInitializer: 'lecunNormal' }),
];

/** Dense, normalized over the batch, ELU; the offset of the normalization makes biases needless. */
const normalizedBlock = (): Layer[] => [
  new layers.Dense(units, { useBias: false, kernelInitializer: 'heNormal' }),
  new layers.BatchNormalization(),
  new layers.Activation('elu'),
];

/** Brings every pixel to mean 0 and deviation 1 over the training images. */
function standardization(images: Tensor): Layer {
  return new layers.Normalization().adapt(images.reshape([images.shape[0]!, -1]));
}

const selfNormalizing = (images: Tensor): Layer[] => [standardization(images), ...stack(selu)];

/** One layer of alpha dropout is enough: more of it, the net learns less. */
const withAlphaDropout = (images: Tensor): Layer[] => [
  ...selfNormalizing(images),
  new layers.AlphaDropout(0.1),
];

/**
 * The exercise's way of training, with the chapter's performance scheduling: the rate is halved
 * after an epoch without a lower validation loss. The first rate is searched for every net.
 */
const nadam = {
  optimizer: (learningRate: number) => new optimizers.Nadam({ learningRate }),
  schedule: () => new callbacks.ReduceLROnPlateau({ factor: 0.5, patience: 1 }),
  oneCycle: false,
  batchSize: 32,
  epochs: 100,
};

export const experiments: readonly Experiment[] = [
  {
    name: 'plain',
    about: 'He normal, ELU; standardized pixels',
    published: [0.476, 0.476],
    recipe: {
      ...nadam,
      layers: (images) => [standardization(images), ...stack(elu)],
      learningRate: 6e-4,
    },
  },
  {
    name: 'batch-norm',
    about: 'batch normalization before every ELU and of the raw pixels',
    published: [0.54, 0.54],
    recipe: {
      ...nadam,
      layers: () => [new layers.BatchNormalization(), ...stack(normalizedBlock)],
      learningRate: 1e-3,
    },
  },
  {
    name: 'selu',
    about: 'LeCun normal, SELU; standardized pixels',
    published: [0.479, 0.503],
    recipe: { ...nadam, layers: selfNormalizing, learningRate: 4e-4 },
  },
  {
    name: 'alpha-dropout',
    about: 'SELU with alpha dropout of 10 % before the output; standardized pixels',
    published: [0.489, 0.498],
    recipe: { ...nadam, layers: withAlphaDropout, learningRate: 4e-4 },
  },
  {
    name: 'mc-dropout',
    about: 'the net of alpha-dropout, asked 100 times with dropout acting',
    published: [0.489, 0.498],
    recipe: 'alpha-dropout',
  },
  {
    name: '1cycle',
    about: 'the net of alpha-dropout, SGD along one cycle of learning rates; its last weights',
    published: [0.52, 0.524],
    recipe: {
      layers: withAlphaDropout,
      optimizer: (learningRate) => new optimizers.SGD({ learningRate: learningRate / 10 }),
      schedule: (learningRate) => new callbacks.OneCycleScheduler(learningRate),
      oneCycle: true,
      learningRate: 0.1,
      batchSize: 64,
      epochs: 15,
    },
  },
];

/** The experiment of a name. Throws ValueError naming the nearest one. */
export function experimentNamed(name: string): Experiment {
  const found = experiments.find((each) => each.name === name);
  if (found) return found;
  throw unknownName('experiment', name, [...experiments.map((each) => each.name), 'all']);
}

/** The recipe an experiment trains by, or whose net it asks again. */
export function recipeOf({ recipe }: Experiment): Recipe {
  return typeof recipe === 'string' ? recipeOf(experimentNamed(recipe)) : recipe;
}

/** The net of a recipe, ready to be trained. */
export function netOf(recipe: Recipe, learningRate: number, images: Tensor): Sequential {
  const model = new Sequential([
    new layers.Flatten({ inputShape: [32, 32, 3] }),
    ...recipe.layers(images),
    new layers.Dense(10, { activation: 'softmax' }),
  ]);
  return model.compile({
    optimizer: recipe.optimizer(learningRate),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}
