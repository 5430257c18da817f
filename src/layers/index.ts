/** The layers there are. */

export { Layer, Weight } from './layer.js';
export type { CallContext, LayerOptions, WeightOptions } from './layer.js';
export { Activation } from './activation.js';
export { BatchNormalization } from './batch-normalization.js';
export type { BatchNormalizationOptions } from './batch-normalization.js';
export { Dense } from './dense.js';
export type { DenseOptions } from './dense.js';
export { AlphaDropout, Dropout } from './regularizing.js';
export { Flatten, Reshape } from './shaping.js';
