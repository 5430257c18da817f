/** The named arrays of a layer, and the options that say how they begin and are kept in bounds. */

import * as constraints from '../constraints.js';
import type { Constraint, ConstraintLike } from '../constraints.js';
import { ValueError } from '../errors.js';
import * as initializers from '../initializers/index.js';
import type { Initializer, InitializerLike, InitializerTarget } from '../initializers/index.js';
import * as regularizers from '../regularizers.js';
import type { Regularizer, RegularizerLike } from '../regularizers.js';
import { zeros } from '../tensor/create.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** One named array of a layer. */
export class Weight {
  constructor(
    readonly name: string,
    /** Its values; `requiresGrad` follows whether it is being trained. */
    readonly value: Tensor,
    /** Whether the optimizer may change it: false for statistics such as moving averages. */
    readonly trainable: boolean,
    readonly regularizer: Regularizer | null,
    readonly constraint: Constraint | null,
  ) {}
}

export interface WeightOptions {
  /** Default glorotUniform. */
  readonly initializer?: InitializerLike;
  /** Default true. */
  readonly trainable?: boolean;
  readonly regularizer?: RegularizerLike | null;
  readonly constraint?: ConstraintLike | null;
}

/** Options of a layer that concern its weight `Name`: `kernelInitializer` and so on. */
export type WeightArguments<Name extends string> = Readonly<
  Partial<Record<`${Name}Initializer`, InitializerLike>> &
    Partial<Record<`${Name}Regularizer`, RegularizerLike | null>> &
    Partial<Record<`${Name}Constraint`, ConstraintLike | null>>
>;

/** The parts that such options name. */
export interface WeightParts {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | null;
  readonly constraint: Constraint | null;
}

/** Finds the parts that a layer's options name for one weight. Throws for names there are not. */
export function weightParts<Name extends string>(
  name: Name,
  options: WeightArguments<Name>,
  initializer: InitializerLike,
): WeightParts {
  const given = options as Readonly<Record<string, unknown>>;
  const first = given[`${name}Initializer`] as InitializerLike | undefined;
  const regularizer = given[`${name}Regularizer`] as RegularizerLike | null | undefined;
  const constraint = given[`${name}Constraint`] as ConstraintLike | null | undefined;
  return {
    initializer: initializers.get(first ?? initializer),
    regularizer: regularizer ? regularizers.get(regularizer) : null,
    constraint: constraint ? constraints.get(constraint) : null,
  };
}

/** The entries of a layer's config that {@link weightParts} makes equal parts from. */
export function weightConfig(name: string, parts: WeightParts): Record<string, unknown> {
  const { initializer, regularizer, constraint } = parts;
  return {
    [`${name}Initializer`]: initializers.serialize(initializer),
    [`${name}Regularizer`]: regularizer && regularizers.serialize(regularizer),
    [`${name}Constraint`]: constraint && constraints.serialize(constraint),
  };
}

// ---- first values -------------------------------------------------------------------------------

/** How many weight values may yet be made without initializing them; null: initialize. */
let blanks: number | null = null;

/**
 * Runs `make` with weights at 0 instead of their first values: others are about to be put in their
 * place. Throws ValueError, before memory is taken, where there would be more than `most`.
 * @internal
 */
export function withoutInitialization<T>(most: number, make: () => T): T {
  const outer = blanks;
  blanks = most;
  try {
    return make();
  } finally {
    blanks = outer;
  }
}

/** First values of a layer's weight: the initializer's, or 0 within `withoutInitialization`. */
export function firstValue(
  shape: Shape,
  initializer: Initializer,
  target: InitializerTarget,
  layer: string,
): Tensor {
  if (blanks === null) return initializer.call([...shape], target);
  const size = sizeOf(shape);
  if (!(size <= blanks)) {
    throw new ValueError(
      `layer ${layer} has a weight of shape ${showShape(shape)}, more than there are values for`,
    );
  }
  blanks -= size;
  return zeros(shape, target);
}
