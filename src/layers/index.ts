/** The layers there are. */

export { Layer } from './layer.js';
export type { CallContext, CloneOptions, LayerOptions } from './layer.js';
export { Weight } from './weight.js';
export type { WeightOptions } from './weight.js';
export { SymbolicTensor } from './symbolic.js';
export { Input, input } from './input.js';
export type { InputOptions } from './input.js';
export {
  Activation,
  CELU,
  ELU,
  Exponential,
  GELU,
  HardSigmoid,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from './activation.js';
export type { ReLUOptions } from './activation.js';
export { PReLU, RReLU } from './rectifiers.js';
export type { PReLUOptions, RReLUOptions } from './rectifiers.js';
export { BatchNormalization } from './batch-normalization.js';
export type { BatchNormalizationOptions } from './batch-normalization.js';
export { LayerNormalization } from './layer-normalization.js';
export type { LayerNormalizationOptions } from './layer-normalization.js';
export { Dense } from './dense.js';
export type { DenseOptions } from './dense.js';
export { Dot, UnitNormalization } from './dot.js';
export type { DotOptions, UnitNormalizationOptions } from './dot.js';
export { Embedding } from './embedding.js';
export type { EmbeddingOptions } from './embedding.js';
export {
  AlphaDropout,
  Dropout,
  GaussianDropout,
  MCAlphaDropout,
  MCDropout,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
} from './dropout.js';
export { ActivityRegularization, GaussianNoise } from './regularizing.js';
export type { ActivityRegularizationOptions } from './regularizing.js';
export {
  Add,
  Average,
  Concatenate,
  Maximum,
  MergeLayer,
  Minimum,
  Multiply,
  Subtract,
} from './merging.js';
export type { ConcatenateOptions } from './merging.js';
export { Normalization, Rescaling } from './preprocessing.js';
export type { NormalizationOptions, RescalingOptions } from './preprocessing.js';
export { Flatten, Identity, Permute, RepeatVector, Reshape } from './shaping.js';
