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
 * Shapes given to `build` and `outputShape` are those of one sample: without the batch axis. To be
 * saved and cloned, a layer with arguments also states them in `config` (and `positional`).
 */

import type { FloatDType } from '../backends/dtype.js';
import { defaultBackend } from '../backends/registry.js';
import * as constraints from '../constraints.js';
import { describe, ShapeError, ValueError } from '../errors.js';
import { checkGiven, checkOptionNames, rememberGiven } from '../names.js';
import * as initializers from '../initializers/index.js';
import * as regularizers from '../regularizers.js';
import { noGrad } from '../autograd/tape.js';
import { affine } from '../ops/elementwise.js';
import { tensor } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkShape, sameShape, showShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import { checkTensor, Tensor } from '../tensor/tensor.js';
import { checkFlag } from '../values.js';
import { givenName, uniqueName } from './layer-names.js';
import { SymbolicCall, SymbolicTensor } from './symbolic.js';
import { firstValue, Weight } from './weight.js';
import type { WeightOptions } from './weight.js';

/** How a layer is being used. */
export interface CallContext {
  /** True in fit: dropout drops, batch normalization uses the batch's statistics. */
  readonly training: boolean;
  /** True in Monte-Carlo prediction: dropout and noise act though nothing is trained. */
  readonly sampling?: boolean;
  /** Adds a scalar to the loss (activity regularization). Absent where there is no loss. */
  readonly addLoss?: (loss: Tensor) => void;
  /** Is shown every layer's output as it is made. */
  readonly observe?: (layer: Layer, output: Tensor) => void;
}

/** Whether dropout and noise act. */
export const isNoisy = (context: CallContext): boolean =>
  context.training || context.sampling === true;

export interface LayerOptions {
  /** Unique within a model; default the class name in snake case, numbered. */
  readonly name?: string;
  /** Whether training changes its weights. Default true. */
  readonly trainable?: boolean;
  /** dtype of the weights. Default float32. */
  readonly dtype?: FloatDType;
  /** Shape of one sample; on the first layer of a Sequential it lets the model build at once. */
  readonly inputShape?: Shape;
  /** Penalizes the layer's output; the penalty is divided by the batch size, as in Keras. */
  readonly activityRegularizer?: regularizers.RegularizerLike | null;
}

/** Throws ValueError unless layers can compute in it. */
function floatOf(dtype: unknown, name: string): FloatDType {
  if (dtype === 'float32' || dtype === 'float64') return dtype;
  throw new ValueError(
    `layer ${name}: dtype must be float32 or float64, not ${describe(dtype)}; inputs of other ` +
      'dtypes come in through an Input layer',
  );
}

/** Grows whenever any layer's weights or trainability change: what caches are compared with. */
let revision = 0;

/** @internal The same number as before: no layer has other weights or trainability than then. */
export const structureRevision = (): number => revision;

/** Classes whose layers say in their config every option they take. */
const complete = new WeakSet();

/** Has layers of a class refuse, when they are built, options that their config does not know. */
export const checkOptionsOf = (made: LayerClass): void => void complete.add(made);

/** What shapes handed to layers and models are, for messages. */
export const sampleShape = "the shape of one sample, without the batch's axis";

export abstract class Layer {
  /**
   * Entries of `config` that the constructor takes one by one, before its options: `['units']` for
   * `new Dense(units, options)`.
   */
  static readonly positional: readonly string[] = [];

  readonly name: string;
  readonly dtype: FloatDType;
  /** Shape of one sample given by the user, or learned when the layer was built. */
  inputShape: Shape | undefined;
  readonly activityRegularizer: regularizers.Regularizer | null;
  readonly #weights: Weight[] = [];
  #inputShapes: readonly Shape[] = [];
  #trainable: boolean;
  #built = false;
  #trained: readonly Weight[] = [];
  #trainedAt = -1;

  constructor(options: LayerOptions = {}) {
    rememberGiven(this, options);
    this.name =
      options.name === undefined ? uniqueName(this.constructor.name) : givenName(options.name);
    this.dtype = floatOf(options.dtype ?? 'float32', this.name);
    this.inputShape =
      options.inputShape && checkShape(options.inputShape, `layer ${this.name}: inputShape`);
    this.activityRegularizer = options.activityRegularizer
      ? regularizers.get(options.activityRegularizer)
      : null;
    this.#trainable = checkFlag(options.trainable ?? true, `layer ${this.name}: trainable`);
  }

  // ---- what a subclass says ---------------------------------------------------------------------

  /** The result for a batch `x` [batch, ...inputShape]. */
  abstract call(x: Tensor, context: CallContext): Tensor;

  /** Makes the weights. Called once, with the shape of one sample, before the first call. */
  build?(...inputShapes: Shape[]): void;

  /**
   * Shape of one result sample for one input sample. Default: unchanged. Throws ShapeError for
   * shapes the layer does not take: by default, with weights, all but that it was built with.
   */
  outputShape(...inputShapes: Shape[]): Shape {
    const [shape] = inputShapes as [Shape];
    if (this.#weights.length === 0 || !this.#built || sameShape(shape, this.inputShape!)) {
      return shape;
    }
    throw new ShapeError(
      `layer ${this.name} was built for samples of shape ${showShape(this.inputShape!)} and gets ` +
        showShape(shape),
    );
  }

  /** The arguments that make an equal layer, as plain JSON. */
  config(): Record<string, unknown> {
    const { activityRegularizer: penalty } = this;
    return {
      name: this.name,
      trainable: this.#trainable,
      dtype: this.dtype,
      ...(this.inputShape ? { inputShape: [...this.inputShape] } : {}),
      ...(penalty ? { activityRegularizer: regularizers.serialize(penalty) } : {}),
    };
  }

  /** Layers inside this one. */
  get sublayers(): readonly Layer[] {
    return [];
  }

  // ---- calling ----------------------------------------------------------------------------------

  get built(): boolean {
    return this.#built;
  }

  /** Shapes the layer was built with, one per input. */
  get inputShapes(): readonly Shape[] {
    return this.#inputShapes;
  }

  /** Builds the layer if it is not yet built, for samples of these shapes. */
  ensureBuilt(...inputShapes: Shape[]): void {
    if (this.#built) return;
    for (const shape of inputShapes) checkShape(shape, `layer ${this.name}: ${sampleShape}`);
    const [first] = inputShapes;
    if (this.inputShape && first && !sameShape(this.inputShape, first)) {
      throw new ShapeError(
        `layer ${this.name}: inputShape ${showShape(this.inputShape)} was given, but the layer ` +
          `receives samples of shape ${showShape(first)}`,
      );
    }
    this.#checkOptions();
    this.build?.(...inputShapes);
    this.inputShape = first;
    this.#inputShapes = inputShapes;
    this.#built = true;
    this.#markTrained();
  }

  #checkOptions(): void {
    if (!complete.has(this.constructor)) return;
    let known: string[];
    try {
      known = Object.keys(this.config());
    } catch {
      return; // made with a function: it cannot be saved, nor tell its options
    }
    // Those a config leaves out while they are not set.
    checkGiven(this, [...new Set([...known, 'inputShape', 'activityRegularizer'])]);
  }

  /** The result for a batch, building the layer if needed. */
  apply(x: Tensor, context: CallContext = { training: false }): Tensor {
    if (!(x instanceof Tensor)) throw noTensor(this.name, x);
    if (!this.#built) this.ensureBuilt(x.shape.slice(1));
    return this.finish(this.call(x, context), context);
  }

  /** {@link apply} for layers of any number of inputs and outputs. */
  applyAll(inputs: readonly Tensor[], context: CallContext = { training: false }): Tensor[] {
    this.#checkOne(inputs.length);
    return [this.apply(inputs[0]!, context)];
  }

  /** What is done with every output: penalties, observers. */
  protected finish(output: Tensor, context: CallContext): Tensor {
    checkTensor(`the result of the layer ${this.name}`, output);
    if (this.activityRegularizer && context.addLoss) {
      const penalty = this.activityRegularizer.call(output);
      context.addLoss(affine(penalty, 1 / Math.max(1, output.shape[0]!), 0));
    }
    context.observe?.(this, output);
    return output;
  }

  /** Places the layer in a functional model: what it will give for what others will give. */
  on(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    const outputs = this.onAll(inputs);
    if (outputs.length === 1) return outputs[0]!;
    throw new ValueError(`${this.name} has ${outputs.length} outputs; place it with onAll()`);
  }

  /** {@link on} for layers of several outputs. */
  onAll(inputs: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    const list = Array.isArray(inputs)
      ? (inputs as readonly SymbolicTensor[])
      : [inputs as SymbolicTensor];
    for (const each of list) {
      if (each instanceof SymbolicTensor) continue;
      throw new ValueError(
        `${this.name}.on: takes what input() or another layer's on() returned; to compute the ` +
          'result for a tensor use apply()',
      );
    }
    const shapes = list.map((each) => each.shape);
    const outputs = this.outputShapes(...shapes);
    this.ensureBuilt(...shapes);
    return new SymbolicCall(this, list, outputs).outputs;
  }

  /** Shapes of one sample of each output. */
  outputShapes(...inputShapes: Shape[]): readonly Shape[] {
    this.#checkOne(inputShapes.length);
    return [this.outputShape(...inputShapes)];
  }

  #checkOne(count: number): void {
    if (count === 1) return;
    throw new ValueError(`layer ${this.name} takes one input, got ${count}`);
  }

  // ---- weights ----------------------------------------------------------------------------------

  /** Whether training changes its weights; frozen batch normalization behaves as in inference. */
  get trainable(): boolean {
    return this.#trainable;
  }

  /**
   * Freezes or unfreezes this layer and those inside it, from the next step on. Throws ValueError
   * for what is neither true nor false.
   */
  set trainable(value: boolean) {
    this.#trainable = checkFlag(value, `layer ${this.name}: trainable`);
    for (const layer of this.sublayers) layer.trainable = value;
    this.#markTrained();
  }

  #markTrained(): void {
    for (const weight of this.#weights) {
      weight.value.requiresGrad = weight.trainable && this.#trainable;
    }
    Layer.structureChanged();
  }

  /** To be called when a container's layers change: what is cached of weights is found anew. */
  protected static structureChanged(): void {
    revision++;
  }

  /** All weights, those of inner layers too, in the order they were made; shared ones once. */
  get weights(): Weight[] {
    const inner = this.sublayers;
    if (inner.length === 0) return [...this.#weights];
    return [...new Set([...this.#weights, ...inner.flatMap((layer) => layer.weights)])];
  }

  /** The weights the optimizer changes. */
  get trainableWeights(): readonly Weight[] {
    if (this.#trainedAt !== revision) {
      this.#trained = this.weights.filter((weight) => weight.value.requiresGrad);
      this.#trainedAt = revision;
    }
    return this.#trained;
  }

  /** Copies of all weights' values, in the order of `weights`. */
  getWeights(): Tensor[] {
    return noGrad(() => this.weights.map((weight) => weight.value.copy()));
  }

  /**
   * Sets all weights, in the order of `weights`, to tensors or nested arrays. Throws naming the
   * first that does not fit.
   */
  setWeights(given: readonly TensorLike[]): void {
    const weights = this.weights;
    if (!Array.isArray(given) || given.length !== weights.length) {
      const got = Array.isArray(given) ? given.length : describe(given);
      throw new ValueError(
        `${this.name}.setWeights: expected an array of ${weights.length} tensors, got ${got}`,
      );
    }
    const values = (given as readonly TensorLike[]).map((each, i): Tensor => {
      if (each instanceof Tensor) return each;
      const { dtype, device } = weights[i]!.value;
      return tensor(each, { dtype, device });
    });
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
    const target = { dtype: this.dtype, device: defaultBackend().device };
    const value = noGrad(() => firstValue(shape, initializer, target, this.name));
    // Weights live as long as the layer, whatever scope it was built in.
    Scope.release(value);
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

  // ---- copies -----------------------------------------------------------------------------------

  /**
   * A layer of the same name and arguments with weights of its own: copies of this one's, or fresh
   * ones with `{ weights: false }`.
   */
  clone(options: CloneOptions = {}): this {
    checkOptionNames('clone', options, ['weights']);
    const twin = this.remake();
    if (!this.#built) return twin;
    twin.ensureBuilt(...this.#inputShapes);
    if (options.weights ?? true) twin.setWeights(this.weights.map((weight) => weight.value));
    return twin;
  }

  /** An equal layer, not built. Containers remake the layers inside. */
  protected remake(): this {
    return makeLayer(this.constructor as LayerClass, this.config()) as this;
  }
}

export interface CloneOptions {
  /** Copy the weights' values. Default true. */
  readonly weights?: boolean;
}

/** A class of layers that can be made from a config. */
export interface LayerClass {
  new (...args: never[]): Layer;
  readonly positional: readonly string[];
}

/** A layer from its class and what its `config()` gave. */
export function makeLayer(made: LayerClass, config: Readonly<Record<string, unknown>>): Layer {
  const leading = made.positional.map((name) => config[name]);
  const construct = made as unknown as new (...args: unknown[]) => Layer;
  return new construct(...leading, config);
}

/** The error for what is given to `apply` in place of a tensor. */
function noTensor(name: string, given: unknown): ValueError {
  const instead = Array.isArray(given)
    ? 'several inputs go to applyAll([a, b])'
    : given instanceof SymbolicTensor
      ? 'on(input) places it in a functional model'
      : 'make one with tensor()';
  return new ValueError(
    `layer ${name}: apply() takes a tensor, got ${describe(given)}; ${instead}`,
  );
}
