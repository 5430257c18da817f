/** First values of parameters, by class and by name. */

import { Catalog } from '../names.js';
import type { Serialized } from '../names.js';
import { Constant, Identity, Ones, Zeros } from './constant.js';
import type { Initializer } from './initializer.js';
import { Orthogonal } from './orthogonal.js';
import {
  GlorotNormal,
  GlorotUniform,
  HeNormal,
  HeUniform,
  LecunNormal,
  LecunUniform,
  RandomNormal,
  RandomUniform,
  TruncatedNormal,
  VarianceScaling,
} from './random.js';

export { Constant, Identity, Ones, Zeros } from './constant.js';
export { computeFans, Initializer } from './initializer.js';
export type { InitializerTarget } from './initializer.js';
export { Orthogonal } from './orthogonal.js';
export type { OrthogonalOptions } from './orthogonal.js';
export {
  GlorotNormal,
  GlorotUniform,
  HeNormal,
  HeUniform,
  LecunNormal,
  LecunUniform,
  RandomNormal,
  RandomUniform,
  TruncatedNormal,
  VarianceScaling,
} from './random.js';
export type {
  FanMode,
  NormalOptions,
  ScaledDistribution,
  SeedOptions,
  UniformOptions,
  VarianceScalingOptions,
} from './random.js';

const classes = {
  zeros: Zeros,
  ones: Ones,
  constant: Constant,
  identity: Identity,
  randomNormal: RandomNormal,
  randomUniform: RandomUniform,
  truncatedNormal: TruncatedNormal,
  varianceScaling: VarianceScaling,
  glorotUniform: GlorotUniform,
  glorotNormal: GlorotNormal,
  heUniform: HeUniform,
  heNormal: HeNormal,
  lecunUniform: LecunUniform,
  lecunNormal: LecunNormal,
  orthogonal: Orthogonal,
} as const;

export type InitializerName = keyof typeof classes;

/** What stands for one where one is asked for. */
export type InitializerLike = InitializerName | Initializer | Serialized;

const catalog = new Catalog<Initializer>('initializer', classes, {
  zero: 'zeros',
  one: 'ones',
  normal: 'randomNormal',
  uniform: 'randomUniform',
});

/**
 * An initializer from its name with its defaults (`heNormal`; Keras's `he_normal` and `HeNormal`
 * too), from `{ className, config }`, or itself. Throws ValueError with the names there are.
 */
export const get = (identifier: InitializerLike): Initializer => catalog.get(identifier);

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (initializer: Initializer): Serialized => catalog.serialize(initializer);

/** Makes a class of your own known by name, for loading models saved with it. */
export const register = (own: new (...args: never[]) => Initializer): void => catalog.register(own);
