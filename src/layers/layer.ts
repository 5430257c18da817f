/**
 * What a layer is: a function of a tensor with weights of its own.
 *
 * A layer of your own needs `call`, and `build` when it has weights:
 *
 * ```ts
 * class Scale extends Layer {
 *   #factor!: Weight;
 *   override build(inputShape: Shape) {
 *     this.#factor = this.addWeight('factor', inputShape.slice(-1), { initializer: 'ones' });
 *   }
 *   call(x: Tensor) { return x.mul(this.#factor.value); }
 * }
 * ```
 *
 * Shapes given to `build` and `outputShape` are those of one sample: without the batch axis.
 */

import type { Constraint } from '../constraints.js';
import * as constraints from '../constraints.js';
import type { FloatDType } from '../backends/dtype.js';
import { defaultBackend } from '../backends/registry.js';
import { ShapeError, ValueError } from '../errors.js';
import * as initializers from '../initializers/index.js';
import * as regularizers from '../regularizers.js';
import type { Regularizer } from '../regularizers.js';
import { noGrad } from '../autograd/tape.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';

/** How a layer is being used. */
export interface CallContext {
  /** True in fit: dropout drops, batch normalization uses the batch's statistics. */
  readonly training: boolean;
  /** Adds a scalar to the loss (activity regularization). Absent outside training. */
  readonly addLoss?: (loss: Tensor) => void;
}

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
  readonly initializer?: initializers.InitializerLike;
  readonly trainable?: boolean;
  readonly regularizer?: regularizers.RegularizerLike | null;
  readonly constraint?: constraints.ConstraintLike | null;
}

export interface LayerOptions {
  /** Unique within a model; default the class name in snake case, numbered. */
  readonly name?: string;
  /** Whether training changes its weights. Default true. */
  readonly trainable?: boolean;
  /** dtype of the weights. Default float32. */
  readonly dtype?: FloatDType;
  /** Shape of one sample; on the first layer of a Sequential it lets the model build at once. */
  readonly inputShape?: Shape;
}

const instances = new Map<string, number>();

/** `BatchNormalization` → `batch_normalization`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

function uniqueName(className: string): string {
  const base = snakeCase(className);
  const count = instances.get(base) ?? 0;
  instances.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

export abstract class Layer {
  readonly name: string;
  readonly dtype: FloatDType;
  /** Shape of one sample given by the user, or learned when the layer was built. */
  inputShape: Shape | undefined;
  readonly #weights: Weight[] = [];
  #trainable: boolean;
  #built = false;

  constructor(options: LayerOptions = {}) {
    this.name = options.name ?? uniqueName(this.constructor.name);
    this.dtype = options.dtype ?? 'float32';
    this.inputShape = options.inputShape;
    this.#trainable = options.trainable ?? true;
  }

  /** The result for a batch `x` [batch, ...inputShape]. */
  abstract call(x: Tensor, context: CallContext): Tensor;

  /** Makes the weights. Called once, with the shape of one sample, before the first call. */
  build(inputShape: Shape): void {
    void inputShape;
  }

  /** Shape of one result sample for one input sample. Default: unchanged. */
  outputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  /** The arguments that make an equal layer, as plain JSON. */
  config(): Record<string, unknown> {
    return {
      name: this.name,
      trainable: this.trainable,
      dtype: this.dtype,
      ...(this.inputShape ? { inputShape: [...this.inputShape] } : {}),
    };
  }

  get built(): boolean {
    return this.#built;
  }

  /** Builds the layer if it is not yet built; checks the shape if it is. */
  ensureBuilt(inputShape: Shape): void {
    if (this.#built) return;
    if (this.inputShape && !sameShape(this.inputShape, inputShape)) {
      throw new ShapeError(
        `layer ${this.name}: inputShape ${showShape(this.inputShape)} was given, but the layer ` +
          `receives samples of shape ${showShape(inputShape)}`,
      );
    }
    this.inputShape = inputShape;
    this.build(inputShape);
    this.#built = true;
    this.#markTrained();
  }

  /** Builds if needed and calls. */
  apply(x: Tensor, context: CallContext = { training: false }): Tensor {
    if (!this.#built) this.ensureBuilt(x.shape.slice(1));
    return this.call(x, context);
  }

  /** Whether training changes its weights; frozen layers behave as in inference. */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    this.#trainable = value;
    for (const layer of this.sublayers) layer.trainable = value;
    this.#markTrained();
  }

  #markTrained(): void {
    for (const weight of this.#weights) {
      weight.value.requiresGrad = weight.trainable && this.#trainable;
    }
  }

  /** Layers inside this one. */
  get sublayers(): readonly Layer[] {
    return [];
  }

  /** All weights, those of inner layers too, in the order they were made. */
  get weights(): Weight[] {
    return [...this.#weights, ...this.sublayers.flatMap((layer) => layer.weights)];
  }

  /** The weights the optimizer changes. */
  get trainableWeights(): Weight[] {
    return this.weights.filter((weight) => weight.value.requiresGrad);
  }

  /** Copies of all weights' values, in the order of `weights`. */
  getWeights(): Tensor[] {
    return noGrad(() => this.weights.map((weight) => weight.value.copy()));
  }

  /** Sets all weights, in the order of `weights`. Throws naming the first that does not fit. */
  setWeights(values: readonly Tensor[]): void {
    const weights = this.weights;
    if (values.length !== weights.length) {
      throw new ValueError(
        `${this.name}.setWeights: expected ${weights.length} tensors, got ${values.length}`,
      );
    }
    weights.forEach((weight, i) => {
      if (!sameShape(weight.value.shape, values[i]!.shape)) {
        throw new ShapeError(
          `${this.name}.setWeights: weight ${i}, ${weight.name}, has shape ` +
            `${showShape(weight.value.shape)}; the value given has ${showShape(values[i]!.shape)}`,
        );
      }
    });
    weights.forEach((weight, i) => weight.value.assign(values[i]!));
  }

  /** Number of weight values. */
  countParameters(): number {
    return this.weights.reduce((sum, weight) => sum + weight.value.size, 0);
  }

  /** Makes a weight; for use in `build`. Its name is `<layer>/<name>`. */
  protected addWeight(name: string, shape: Shape, options: WeightOptions = {}): Weight {
    const initializer = initializers.get(options.initializer ?? 'glorotUniform');
    const value = noGrad(() =>
      initializer.call([...shape], { dtype: this.dtype, device: defaultBackend().device }),
    );
    // Weights live as long as the layer, whatever scope it was built in.
    Scope.release(value.storage);
    const weight = new Weight(
      `${this.name}/${name}`,
      value,
      options.trainable ?? true,
      options.regularizer ? regularizers.get(options.regularizer) : null,
      options.constraint ? constraints.get(options.constraint) : null,
    );
    this.#weights.push(weight);
    return weight;
  }
}
