/**
 * The tensor: a shape and a dtype over a part of a storage, and its place on the tape.
 *
 * Operations are functions in src/ops; src/ops/methods.ts hangs them on this class. Tensors are
 * always contiguous and row-major, so that every kernel sees plain memory; a view is a range.
 */

import type { Backend, Buffer, HostArray } from '../backends/backend.js';
import type { DataTypes, DType } from '../backends/dtype.js';
import { dtypeOf, isFloat } from '../backends/dtype.js';
import { backendOf } from '../backends/registry.js';
import type { Device } from '../backends/registry.js';
import { describe, DTypeError, GradientError, ShapeError } from '../errors.js';
import { printTensor } from './print.js';
import { sameShape, showShape, sizeOf } from './shape.js';
import type { Shape } from './shape.js';
import { adopt, allocate, hostAccesses, type Storage } from './storage.js';

/** What the tape knows of a tensor made by a differentiable operation (see src/autograd). */
export interface TapeNode {
  /** Later operations have greater numbers. */
  readonly order: number;
  readonly name: string;
}

/** Numbers (or booleans) nested as deep as the tensor has axes. */
export type Nested<T = number> = T | readonly Nested<T>[];

/** A JavaScript value for one element: a boolean for bool, else a number. */
export type ElementOf<D extends DType> = D extends 'bool' ? boolean : number;

export class Tensor<D extends DType = DType> {
  /** Gradient of the last `backward()` with respect to this leaf, or null. */
  grad: Tensor | null = null;
  /** Set by the tape on results of differentiable operations. */
  node: TapeNode | null = null;
  /** Number of elements. */
  readonly size: number;
  #requiresGrad = false;
  readonly #buffer: Buffer;

  /** For operations: use `tensor()`, `zeros()` and so on to make one. */
  constructor(
    readonly storage: Storage,
    readonly shape: Shape,
    readonly dtype: D,
    readonly offset = 0,
  ) {
    this.size = sizeOf(shape);
    const whole = storage.live();
    this.#buffer =
      offset === 0 && this.size === storage.size
        ? whole
        : storage.backend.view(whole, offset, this.size);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Where its memory is. */
  get device(): Device {
    return this.storage.backend.device;
  }

  /** @internal */
  get backend(): Backend {
    return this.storage.backend;
  }

  /** @internal The memory kernels work on: exactly `size` elements. */
  get buffer(): Buffer {
    const { storage } = this;
    if (storage.buffer === null) storage.live();
    if (storage.filling !== null) storage.fill();
    return this.#buffer;
  }

  /**
   * Whether operations on it are recorded. Settable on leaves only (tensors not made by a recorded
   * operation), and only for float dtypes.
   */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    if (value && !isFloat(this.dtype)) {
      throw new DTypeError(
        `requiresGrad: only float tensors have gradients, this is ${this.dtype}`,
      );
    }
    if (!value && this.node) {
      throw new GradientError(
        `requiresGrad: this tensor is the result of ${this.node.name}; use detach() to cut it off`,
      );
    }
    this.#requiresGrad = value;
  }

  /** Values as a fresh typed array, without blocking the event loop on a device. */
  async data(): Promise<DataTypes[D]> {
    hostAccesses.count++;
    return (await this.backend.read(this.buffer)) as DataTypes[D];
  }

  /** Values as a fresh typed array; waits for the device. */
  dataSync(): DataTypes[D] {
    hostAccesses.count++;
    return this.backend.readSync(this.buffer) as DataTypes[D];
  }

  /** The value of a one-element tensor. Throws ShapeError when it has more or none. */
  item(): ElementOf<D> {
    if (this.size !== 1) {
      throw new ShapeError(
        `item: needs exactly one element, shape ${showShape(this.shape)} has ${this.size}; ` +
          'use toArray() or data()',
      );
    }
    hostAccesses.count++;
    const buffer = this.buffer;
    const value = this.backend.host ? (buffer as HostArray)[0]! : this.dataSync()[0]!;
    return (this.dtype === 'bool' ? value !== 0 : value) as ElementOf<D>;
  }

  /** Values as nested arrays (a plain value for a scalar); booleans for bool. */
  toArray(): Nested<ElementOf<D>> {
    const values = this.dataSync();
    const isBool = this.dtype === 'bool';
    const build = (axis: number, from: number, count: number): Nested<number | boolean> => {
      if (axis === this.rank) return isBool ? values[from] !== 0 : values[from]!;
      const extent = this.shape[axis]!;
      const step = extent === 0 ? 0 : count / extent;
      return Array.from({ length: extent }, (_, i) => build(axis + 1, from + i * step, step));
    };
    return build(0, 0, this.size) as Nested<ElementOf<D>>;
  }

  /** Printed as numpy prints arrays, long axes abbreviated. */
  toString(): string {
    return printTensor(this.dataSync(), this.shape, this.dtype);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    if (this.storage.buffer === null) return `Tensor ${showShape(this.shape)} (freed)`;
    const grad = this.requiresGrad ? ' requiresGrad' : '';
    return `Tensor ${showShape(this.shape)} ${this.dtype} ${this.device}${grad}\n${this.toString()}`;
  }

  /** The same values, cut off from the tape; shares memory. */
  detach(): Tensor<D> {
    return new Tensor(this.storage, this.shape, this.dtype, this.offset);
  }

  /** A detached tensor with memory of its own. */
  copy(): Tensor<D> {
    const result = emptyLike(this);
    if (this.size > 0) {
      this.backend.copy(result.buffer, 0, this.buffer, 0, Int32Array.of(1, this.size, 1, 1));
    }
    return result;
  }

  /**
   * Replaces the values in place, by those of a tensor of the same shape and dtype, or a typed
   * array of the same length. Not recorded: a tensor that is the result of a recorded operation
   * refuses, and gradients that still need the old values will say so. Returns this tensor.
   */
  assign(values: Tensor | DataTypes[D]): this {
    if (this.node) {
      throw new GradientError(
        `assign: this tensor is the result of ${this.node.name} and part of a gradient; ` +
          'assign to a detached copy()',
      );
    }
    if (values instanceof Tensor) this.#assignTensor(values);
    else {
      this.#checkValues(values);
      hostAccesses.count++;
      const truths = this.dtype === 'bool'; // stored as 0 and 1
      this.backend.write(this.buffer, truths ? values.map((each) => (each ? 1 : 0)) : values);
    }
    this.storage.version++;
    return this;
  }

  #checkValues(values: DataTypes[D]): void {
    const kind = this.dtype === 'bool' ? 'uint8' : this.dtype;
    const own = dtypeOf(values);
    if (own === kind && values.length === this.size) return;
    const got = own ? `a ${values.constructor.name} of ${values.length}` : describe(values);
    throw new ShapeError(
      `assign: expected ${this.size} ${this.dtype} values for shape ${showShape(this.shape)}, ` +
        `got ${got}`,
    );
  }

  #assignTensor(values: Tensor): void {
    if (!sameShape(values.shape, this.shape) || values.dtype !== this.dtype) {
      throw new ShapeError(
        `assign: expected shape ${showShape(this.shape)} ${this.dtype}, ` +
          `got ${showShape(values.shape)} ${values.dtype}`,
      );
    }
    const source = onDevice(values, this.device);
    // A copy onto overlapping memory (two views of one storage) goes through a temporary.
    const apart = source.storage === this.storage ? source.copy() : source;
    if (this.size > 0) {
      this.backend.copy(this.buffer, 0, apart.buffer, 0, Int32Array.of(1, this.size, 1, 1));
    }
  }

  /**
   * Gives the memory back now instead of when nobody refers to it. Views of the same memory are
   * freed with it. Never needed; useful for very large tensors.
   */
  dispose(): void {
    this.storage.free();
  }
}

/** @internal Throws DTypeError unless `value` is a tensor. */
export function checkTensor(name: string, value: unknown): void {
  if (value instanceof Tensor) return;
  throw new DTypeError(
    `${name}: expected a tensor, got ${describe(value)}; make one with tensor()`,
  );
}

/** @internal The same values on a device, not recorded; the tensor itself when it is there. */
export function onDevice<D extends DType>(x: Tensor<D>, device: Device): Tensor<D> {
  const backend = backendOf(device);
  return backend === x.backend ? x : fromArray(x.dataSync(), x.shape, x.dtype, backend);
}

/** @internal An uninitialised tensor. */
export function empty<D extends DType>(backend: Backend, shape: Shape, dtype: D): Tensor<D> {
  return new Tensor(allocate(backend, dtype, sizeOf(shape)), shape, dtype);
}

/** @internal An uninitialised tensor of the same shape, dtype and device. */
export function emptyLike<D extends DType>(tensor: Tensor<D>): Tensor<D> {
  return empty(tensor.backend, tensor.shape, tensor.dtype);
}

/** @internal A tensor of given values; host devices adopt the array, which must be unshared. */
export function fromArray<D extends DType>(
  values: DataTypes[D],
  shape: Shape,
  dtype: D,
  backend: Backend,
): Tensor<D> {
  if (backend.host) return new Tensor(adopt(backend, dtype, values.length, values), shape, dtype);
  const result = empty(backend, shape, dtype);
  backend.write(result.buffer, values);
  return result;
}
