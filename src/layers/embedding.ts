/** Learned vectors for whole numbers. */

import { isFloat } from '../backends/dtype.js';
import { ValueError } from '../errors.js';
import { cast } from '../ops/cast.js';
import { clip, equal, floor, where } from '../ops/elementwise.js';
import { gather } from '../ops/gather.js';
import { checkInteger } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';
import { weightConfig, weightParts } from './weight.js';
import type { Weight, WeightArguments, WeightParts } from './weight.js';

/** Default embeddingsInitializer: randomUniform. */
export interface EmbeddingOptions extends LayerOptions, WeightArguments<'embeddings'> {}

/**
 * Turns whole numbers 0 … inputDim − 1 into learned vectors: [batch, ...] gives
 * [batch, ..., outputDim]. Inputs may be of any dtype (a model makes floats of them). Throws
 * ValueError for fractions and for numbers outside.
 */
export class Embedding extends Layer {
  static override readonly positional = ['inputDim', 'outputDim'];
  readonly inputDim: number;
  readonly outputDim: number;
  readonly #parts: WeightParts;
  #embeddings!: Weight;

  constructor(inputDim: number, outputDim: number, options: EmbeddingOptions = {}) {
    super(options);
    this.inputDim = checkInteger(inputDim, 1, Infinity, 'Embedding: inputDim');
    this.outputDim = checkInteger(outputDim, 1, Infinity, 'Embedding: outputDim');
    this.#parts = weightParts('embeddings', options, 'randomUniform');
  }

  override build(): void {
    this.#embeddings = this.addWeight('embeddings', [this.inputDim, this.outputDim], this.#parts);
  }

  override call(x: Tensor): Tensor {
    try {
      return gather(this.#embeddings.value, this.#rows(x));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const wrong = x.dataSync().find((value) => !this.#isRow(value));
      throw new ValueError(
        `layer ${this.name}: Embedding(${this.inputDim}, ${this.outputDim}) takes whole numbers ` +
          `from 0 to ${this.inputDim - 1}, not ${wrong}`,
        { cause: error },
      );
    }
  }

  /** Row numbers; where x is none, one that is out of range, for the kernel to refuse. */
  #rows(x: Tensor): Tensor {
    if (!isFloat(x.dtype)) return cast(x, 'int32');
    // Bounded first: what a float beyond int32 becomes is nowhere written.
    return cast(where(equal(x, floor(x)), clip(x, -1, this.inputDim), -1), 'int32');
  }

  #isRow(value: number): boolean {
    return Number.isInteger(value) && value >= 0 && value < this.inputDim;
  }

  override outputShape(inputShape: Shape): Shape {
    return [...inputShape, this.outputDim];
  }

  override config(): Record<string, unknown> {
    const { inputDim, outputDim } = this;
    return { ...super.config(), inputDim, outputDim, ...weightConfig('embeddings', this.#parts) };
  }
}
