/** Losses, by class, by name, and from functions. */

import { ValueError } from '../errors.js';
import { Catalog } from '../names.js';
import type { Serialized } from '../names.js';
import type { Tensor } from '../tensor/tensor.js';
import * as crossentropy from './crossentropy.js';
import * as overlap from './dice.js';
import { Loss } from './loss.js';
import * as margins from './margins.js';
import * as regression from './regression.js';

export * from './crossentropy.js';
export * from './dice.js';
export { Loss } from './loss.js';
export type { LossOptions, Reduction } from './loss.js';
export * from './margins.js';
export * from './regression.js';

const classes = {
  meanSquaredError: regression.MeanSquaredError,
  meanAbsoluteError: regression.MeanAbsoluteError,
  meanAbsolutePercentageError: regression.MeanAbsolutePercentageError,
  meanSquaredLogarithmicError: regression.MeanSquaredLogarithmicError,
  huber: regression.Huber,
  logCosh: regression.LogCosh,
  binaryCrossentropy: crossentropy.BinaryCrossentropy,
  categoricalCrossentropy: crossentropy.CategoricalCrossentropy,
  sparseCategoricalCrossentropy: crossentropy.SparseCategoricalCrossentropy,
  binaryFocalCrossentropy: crossentropy.BinaryFocalCrossentropy,
  categoricalFocalCrossentropy: crossentropy.CategoricalFocalCrossentropy,
  dice: overlap.Dice,
  hinge: margins.Hinge,
  squaredHinge: margins.SquaredHinge,
  categoricalHinge: margins.CategoricalHinge,
  klDivergence: margins.KLDivergence,
  poisson: regression.Poisson,
  cosineSimilarity: regression.CosineSimilarity,
} as const;

const aliases = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  bce: 'binaryCrossentropy',
  cce: 'categoricalCrossentropy',
  scce: 'sparseCategoricalCrossentropy',
  kld: 'klDivergence',
} as const;

export type LossName = keyof typeof classes | keyof typeof aliases;

/** A loss of the user's own: from (yTrue, yPred [batch, …]) the losses of the samples. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** What stands for a loss where one is asked for. */
export type LossLike = LossName | Loss | LossFunction | Serialized;

/** A function as a loss. */
class FunctionLoss extends Loss {
  constructor(readonly call: LossFunction) {
    super({ name: call.name || 'customLoss' });
  }

  /** Throws: a function cannot be written to a file. */
  override config(): never {
    throw new ValueError(
      `the loss ${this.name} is a function and cannot be saved; make it a class that extends ` +
        'Loss and register() it',
    );
  }
}

const catalog = new Catalog<Loss>('loss', classes, aliases);

/** A loss from its name with its defaults, a function, `{ className, config }`, or itself. */
export const get = (identifier: LossLike): Loss =>
  typeof identifier === 'function' && !isClass(identifier)
    ? new FunctionLoss(identifier)
    : catalog.get(identifier as Exclude<LossLike, LossFunction>);

/** Whether a class of losses was given in place of a loss. */
const isClass = (given: { readonly prototype?: unknown } | LossFunction): boolean =>
  'prototype' in given && given.prototype instanceof Loss;

/** Every name {@link get} knows, without aliases; what is registered later joins. */
export const names: readonly string[] = catalog.names;

/** Class name and config, for files. */
export const serialize = (loss: Loss): Serialized => catalog.serialize(loss);

/** Makes a class of your own known by name, for loading models saved with it. */
export const register = (own: new (...args: never[]) => Loss): void => catalog.register(own);
