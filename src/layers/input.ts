/** Where a model's data comes in. */

import { checkDType, isFloat } from '../backends/dtype.js';
import type { DType } from '../backends/dtype.js';
import { ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { checkShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';
import { SymbolicCall } from './symbolic.js';
import type { SymbolicTensor } from './symbolic.js';

export interface InputOptions extends Pick<LayerOptions, 'name'> {
  /** What data is converted to. Default float32. */
  readonly dtype?: DType;
}

/** States the shape (and dtype) of samples; passes them on. */
export class Input extends Layer {
  static override readonly positional = ['shape'];
  /** Shape of one sample. */
  readonly shape: Shape;
  /** What data is converted to. */
  readonly dataType: DType;

  constructor(shape: Shape, options: InputOptions = {}) {
    if (typeof (Object(shape) as { shape?: unknown }).shape === 'object') {
      throw new ValueError('Input: the shape comes first, input([4], { name }), not as an option');
    }
    checkOptionNames('Input', options, ['name', 'shape', 'dtype']);
    const dataType = checkDType(options.dtype ?? 'float32', 'Input');
    super({
      ...(options.name === undefined ? {} : { name: options.name }),
      inputShape: [...checkShape(shape, 'Input')],
      ...(isFloat(dataType) ? { dtype: dataType } : {}),
    });
    this.shape = [...shape];
    this.dataType = dataType;
  }

  override call(x: Tensor): Tensor {
    return x;
  }

  override config(): Record<string, unknown> {
    return { name: this.name, shape: [...this.shape], dtype: this.dataType };
  }
}

/**
 * The beginning of a functional model: samples of this shape (without the batch axis).
 *
 * ```ts
 * const x = input([784]);
 * const y = new Dense(10).on(new Dense(100, { activation: 'relu' }).on(x));
 * const model = new Functional({ inputs: x, outputs: y });
 * ```
 */
export function input(shape: Shape, options: InputOptions = {}): SymbolicTensor {
  const layer = new Input(shape, options);
  layer.ensureBuilt(layer.shape);
  return new SymbolicCall(layer, [], [layer.shape]).outputs[0]!;
}
