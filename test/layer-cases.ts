/** One row per layer: how it is made and what it takes; layer-suite.test.ts runs over all rows. */

import type { DType } from '../src/backends/dtype.js';
import * as layers from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import type { LayerOptions } from '../src/layers/layer.js';

export interface LayerCase {
  readonly name: keyof typeof layers;
  readonly make: (options: LayerOptions) => Layer;
  /** Shapes of one sample of each input. */
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
  /** Weights: name and shape, those not trained in parentheses. */
  readonly weights?: readonly string[];
  /** Whether the result differs from call to call in training; in inference it never does. */
  readonly random?: 'training' | 'always';
  /** Data of whole numbers below this bound, which have no gradient. */
  readonly tokens?: number;
  readonly dtype?: DType;
}

const plain = (name: keyof typeof layers): LayerCase => ({
  name,
  make: (options) => new (layers[name] as unknown as new (o: LayerOptions) => Layer)(options),
  inputs: [[5]],
  output: [5],
});

const merge = (name: keyof typeof layers, count = 3): LayerCase => ({
  ...plain(name),
  inputs: Array.from({ length: count }, () => [2, 3]),
  output: [2, 3],
});

const noise = (
  name: keyof typeof layers,
  inputs: readonly number[] = [40],
  random: 'training' | 'always' = 'training',
): LayerCase => ({
  name,
  make: (options) =>
    new (layers[name] as unknown as new (r: number, o: LayerOptions) => Layer)(0.4, options),
  inputs: [inputs],
  output: inputs,
  random,
});

export const layerCases: readonly LayerCase[] = [
  {
    name: 'Dense',
    make: (options) => new layers.Dense(4, { activation: 'tanh', ...options }),
    inputs: [[3]],
    output: [4],
    weights: ['kernel [3, 4]', 'bias [4]'],
  },
  {
    name: 'Dense',
    make: (options) =>
      new layers.Dense(4, {
        useBias: false,
        kernelInitializer: 'heNormal',
        kernelRegularizer: 'l2',
        kernelConstraint: 'maxNorm',
        activityRegularizer: 'l1',
        ...options,
      }),
    inputs: [[2, 3]],
    output: [2, 4],
    weights: ['kernel [3, 4]'],
  },
  {
    name: 'BatchNormalization',
    make: (options) => new layers.BatchNormalization(options),
    inputs: [[3]],
    output: [3],
    weights: ['gamma [3]', 'beta [3]', '(movingMean [3])', '(movingVariance [3])'],
  },
  {
    name: 'BatchNormalization',
    make: (options) => new layers.BatchNormalization({ axis: 1, scale: false, ...options }),
    inputs: [[3, 2]],
    output: [3, 2],
    weights: ['beta [3]', '(movingMean [3])', '(movingVariance [3])'],
  },
  {
    name: 'LayerNormalization',
    make: (options) => new layers.LayerNormalization(options),
    inputs: [[4]],
    output: [4],
    weights: ['gamma [4]', 'beta [4]'],
  },
  {
    name: 'LayerNormalization',
    make: (options) => new layers.LayerNormalization({ axis: 1, ...options }),
    inputs: [[3, 4]],
    output: [3, 4],
    weights: ['gamma [3]', 'beta [3]'],
  },
  {
    name: 'PReLU',
    make: (options) => new layers.PReLU({ alphaInitializer: 'randomUniform', ...options }),
    inputs: [[2, 3]],
    output: [2, 3],
    weights: ['alpha [2, 3]'],
  },
  {
    name: 'PReLU',
    make: (options) => new layers.PReLU({ sharedAxes: [1], ...options }),
    inputs: [[2, 3]],
    output: [2, 3],
    weights: ['alpha [1, 3]'],
  },
  {
    name: 'Embedding',
    make: (options) => new layers.Embedding(7, 3, options),
    inputs: [[4]],
    output: [4, 3],
    weights: ['embeddings [7, 3]'],
    tokens: 7,
  },
  {
    name: 'Normalization',
    make: (options) => new layers.Normalization(options),
    inputs: [[3]],
    output: [3],
    weights: ['(mean [3])', '(variance [3])'],
  },
  {
    name: 'Normalization',
    make: (options) =>
      new layers.Normalization({ axis: null, mean: 2, variance: 4, invert: true, ...options }),
    inputs: [[3]],
    output: [3],
    weights: ['(mean [1])', '(variance [1])'],
  },
  {
    ...plain('Rescaling'),
    make: (options) => new layers.Rescaling(0.5, { offset: 1, ...options }),
  },
  { ...plain('Flatten'), inputs: [[2, 3]], output: [6] },
  {
    name: 'Reshape',
    make: (options) => new layers.Reshape([-1, 2], options),
    inputs: [[3, 4]],
    output: [6, 2],
  },
  {
    name: 'Permute',
    make: (options) => new layers.Permute([3, 1, 2], options),
    inputs: [[2, 3, 4]],
    output: [4, 2, 3],
  },
  { ...plain('Activation'), make: (options) => new layers.Activation('gelu', options) },
  { ...plain('RepeatVector'), make: (o) => new layers.RepeatVector(3, o), output: [3, 5] },
  plain('Identity'),
  plain('UnitNormalization'),
  {
    ...plain('UnitNormalization'),
    make: (options) => new layers.UnitNormalization({ axis: [1, 2], ...options }),
    inputs: [[2, 3]],
    output: [2, 3],
  },
  {
    ...plain('Activation'),
    make: (options) => new layers.Activation({ name: 'elu', params: { alpha: 0.3 } }, options),
  },
  plain('ReLU'),
  {
    ...plain('ReLU'),
    make: (options) => new layers.ReLU({ maxValue: 1, negativeSlope: 0.1, ...options }),
  },
  { ...plain('LeakyReLU'), make: (o) => new layers.LeakyReLU({ negativeSlope: 0.2, ...o }) },
  plain('ELU'),
  { ...plain('CELU'), make: (options) => new layers.CELU({ alpha: 2, ...options }) },
  { ...plain('GELU'), make: (options) => new layers.GELU({ approximate: true, ...options }) },
  plain('GELU'),
  plain('ReLU6'),
  plain('SELU'),
  plain('SiLU'),
  plain('Mish'),
  plain('Softplus'),
  plain('Softsign'),
  plain('Tanh'),
  plain('Sigmoid'),
  plain('HardSigmoid'),
  plain('Exponential'),
  plain('Softmax'),
  {
    ...plain('Softmax'),
    make: (o) => new layers.Softmax({ axis: 1, ...o }),
    inputs: [[2, 3]],
    output: [2, 3],
  },
  plain('LogSoftmax'),
  { ...plain('RReLU'), inputs: [[40]], output: [40], random: 'training' },
  noise('Dropout'),
  noise('AlphaDropout'),
  noise('GaussianDropout'),
  noise('GaussianNoise'),
  noise('SpatialDropout1D', [5, 40]),
  noise('SpatialDropout2D', [2, 3, 40]),
  noise('SpatialDropout3D', [2, 2, 3, 40]),
  noise('MCDropout', [40], 'always'),
  noise('MCAlphaDropout', [40], 'always'),
  {
    ...plain('ActivityRegularization'),
    make: (o) => new layers.ActivityRegularization({ l1: 0.1, ...o }),
  },
  merge('Add'),
  merge('Multiply'),
  merge('Average'),
  merge('Maximum', 2),
  merge('Minimum', 2),
  merge('Subtract', 2),
  { ...merge('Dot', 2), make: (o) => new layers.Dot(2, o), output: [2, 2] },
  {
    ...merge('Dot', 2),
    make: (options) => new layers.Dot([1, 2], { normalize: true, ...options }),
    inputs: [[3], [2, 3]],
    output: [2],
  },
  { ...merge('Add', 2), inputs: [[2, 3], [3]] },
  {
    ...merge('Concatenate', 2),
    inputs: [
      [2, 3],
      [2, 1],
    ],
    output: [2, 4],
  },
  {
    ...merge('Concatenate', 2),
    make: (options) => new layers.Concatenate({ axis: 1, ...options }),
    inputs: [
      [2, 3],
      [1, 3],
    ],
    output: [3, 3],
  },
];
