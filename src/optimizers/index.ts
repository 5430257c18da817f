/** Optimizers, by class and by name. */

import { Catalog } from '../names.js';
import type { Serialized } from '../names.js';
import { Adadelta, Adagrad, RMSprop } from './adaptive.js';
import { Adam, Adamax, AdamW, Nadam } from './adam.js';
import type { Optimizer } from './optimizer.js';
import { Lion, SGD } from './sgd.js';

export { Optimizer } from './optimizer.js';
export type { GroupSettings, OptimizerOptions } from './options.js';
export type { OptimizerState } from './state.js';
export { globalNorm } from './norms.js';
export { Lion, SGD } from './sgd.js';
export type { LionOptions, SGDOptions } from './sgd.js';
export { Adadelta, Adagrad, RMSprop } from './adaptive.js';
export type { AdadeltaOptions, AdagradOptions, RMSpropOptions } from './adaptive.js';
export { Adam, Adamax, AdamW, Nadam } from './adam.js';
export type { AdamOptions, MomentOptions, NadamOptions } from './adam.js';

const classes = {
  sgd: SGD,
  adagrad: Adagrad,
  adadelta: Adadelta,
  rmsprop: RMSprop,
  adam: Adam,
  adamw: AdamW,
  adamax: Adamax,
  nadam: Nadam,
  lion: Lion,
} as const;

export type OptimizerName = keyof typeof classes;

/** What stands for one where one is asked for. */
export type OptimizerLike = OptimizerName | Optimizer | Serialized;

const catalog = new Catalog<Optimizer>('optimizer', classes);

/** An optimizer from its name with its defaults, from `{ className, config }`, or itself. */
export const get = (identifier: OptimizerLike): Optimizer => catalog.get(identifier);

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (optimizer: Optimizer): Serialized => catalog.serialize(optimizer);

/** Makes an optimizer class of your own known by name, for loading models saved with it. */
export const register = (own: new (...args: never[]) => Optimizer): void => catalog.register(own);
