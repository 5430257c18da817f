/**
 * Random tensors, and the generators they come from. The numbers themselves are specified in
 * backends/random.ts; here is who uses which part of which stream.
 */

import { distributions } from '../backends/backend.js';
import type { Distribution } from '../backends/backend.js';
import { checkDType, isFloat } from '../backends/dtype.js';
import type { DType, FloatDType } from '../backends/dtype.js';
import { hostMemory } from '../backends/host-memory.js';
import { philoxBlock, philoxWords } from '../backends/random.js';
import { backendOf, defaultBackend } from '../backends/registry.js';
import { describe, DTypeError, ValueError } from '../errors.js';
import type { CreateOptions } from './create.js';
import { checkNumber, share } from '../values.js';
import { checkInteger, checkShape } from './shape.js';
import type { Shape } from './shape.js';
import { empty, fromArray } from './tensor.js';
import type { Tensor } from './tensor.js';

/** Where in which stream an array's numbers begin: unsigned 32-bit halves of key and counter. */
export interface Stream {
  readonly key0: number;
  readonly key1: number;
  readonly counter0: number;
  readonly counter1: number;
}

/** Everything a generator remembers, as plain JSON: lower half first. */
export interface GeneratorState {
  readonly key: readonly [low: number, high: number];
  readonly counter: readonly [low: number, high: number];
}

const word = 2 ** 32;

/**
 * A position in a stream of random numbers (Philox 4x32-10). Equal seeds give equal numbers on
 * every device. Each array takes its numbers from the position on and moves it: one step per four
 * elements, whatever the distribution.
 */
export class Generator {
  #key0 = 0;
  #key1 = 0;
  #counter0 = 0;
  #counter1 = 0;

  /** `seed`: a whole number from 0 to 2^53 − 1; default: from the system's entropy. */
  constructor(seed: number = entropy()) {
    this.seed(seed);
  }

  /** Goes to the beginning of a seed's stream. Throws ValueError for other than 0 … 2^53 − 1. */
  seed(seed: number): this {
    checkInteger(seed, 0, Number.MAX_SAFE_INTEGER, 'seed: the seed');
    this.#key0 = seed % word;
    this.#key1 = Math.floor(seed / word);
    this.#counter0 = this.#counter1 = 0;
    return this;
  }

  /** What {@link restore} needs to go on from here; survives JSON. */
  state(): GeneratorState {
    return { key: [this.#key0, this.#key1], counter: [this.#counter0, this.#counter1] };
  }

  /** Goes to a position given by {@link state}. Throws ValueError when it is not one. */
  restore(state: GeneratorState): this {
    const { key, counter } = Object(state) as Partial<GeneratorState>;
    if (!isPair(key) || !isPair(counter)) {
      throw new ValueError(
        'Generator.restore: expected { key: [low, high], counter: [low, high] } of whole numbers ' +
          `from 0 to 2^32 - 1, got ${JSON.stringify(state)}`,
      );
    }
    [this.#key0, this.#key1] = key;
    [this.#counter0, this.#counter1] = counter;
    return this;
  }

  /** Another generator at the same position. */
  clone(): Generator {
    return new Generator(0).restore(this.state());
  }

  /**
   * A generator of a stream of its own, decided by this one's position, which moves by one step:
   * for parts of a program that must not disturb each other's numbers.
   */
  fork(): Generator {
    const { key0, key1, counter0, counter1 } = this.take(4);
    const words = new Uint32Array(4);
    philoxBlock(words, 0, counter0, counter1, 0, 0, key0, key1);
    return new Generator(0).restore({ key: [words[0]!, words[1]!], counter: [0, 0] });
  }

  /** @internal The place of the next `elements` numbers; moves behind them. */
  take(elements: number): Stream {
    const place = {
      key0: this.#key0,
      key1: this.#key1,
      counter0: this.#counter0,
      counter1: this.#counter1,
    };
    const next = this.#counter0 + Math.ceil(elements / 4);
    this.#counter0 = next % word;
    this.#counter1 = (this.#counter1 + Math.floor(next / word)) % word;
    return place;
  }
}

/** Two unsigned 32-bit numbers. */
function isPair(value: unknown): value is readonly [number, number] {
  const fits = (each: unknown): boolean =>
    Number.isInteger(each) && (each as number) >= 0 && (each as number) < word;
  return Array.isArray(value) && value.length === 2 && value.every(fits);
}

/**
 * A seed nobody chose. V8 seeds `Math.random` from the system's entropy, for every thread anew;
 * asking the system oneself would load all of Web Crypto first.
 */
function entropy(): number {
  return Math.floor(Math.random() * 2 ** 53);
}

/** The generator used where none is given. Unseeded, it differs from run to run. */
export const defaultGenerator = new Generator();

/** Seeds the default generator: everything random after it is the same in every run. */
export function seed(value: number): void {
  defaultGenerator.seed(value);
}

export interface RandomOptions<D extends DType = DType> extends CreateOptions<D> {
  /** Where the numbers come from; default the default generator (see {@link seed}). */
  readonly generator?: Generator;
}

/** The one way random tensors are made: parameters p and q as the backend's kernel has them. */
function fill<D extends DType>(
  distribution: Distribution,
  shape: Shape,
  dtype: D,
  options: RandomOptions,
  p: number,
  q: number,
): Tensor<D> {
  const backend = options.device === undefined ? defaultBackend() : backendOf(options.device);
  const result = empty(backend, [...shape], dtype);
  const { key0, key1, counter0, counter1 } = (options.generator ?? defaultGenerator).take(
    result.size,
  );
  if (result.size > 0) {
    const number = distributions.indexOf(distribution);
    backend.random(number, result.buffer, key0, key1, counter0, counter1, p, q);
  }
  if (options.requiresGrad) result.requiresGrad = true;
  return result;
}

function floatDType<D extends DType>(dtype: D | undefined, name: string): D {
  const wanted = dtype === undefined ? 'float32' : checkDType(dtype, name);
  if (isFloat(wanted)) return wanted as DType as D;
  throw new DTypeError(`${name}: dtype must be float32 or float64, not ${wanted}; see randint()`);
}

function checkParameters(name: string, values: Readonly<Record<string, number>>): void {
  for (const [what, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) {
      throw new ValueError(`${name}: ${what} must be a finite number, not ${describe(value)}`);
    }
    if (what === 'std' && value < 0) {
      throw new ValueError(`${name}: std must be 0 or more, not ${value}`);
    }
  }
}

/** Numbers spread evenly over [low, high). Default [0, 1). */
export function uniform<D extends FloatDType = 'float32'>(
  shape: Shape,
  options: RandomOptions<D> & { readonly low?: number; readonly high?: number } = {},
): Tensor<D> {
  const { low = 0, high = 1 } = options;
  checkParameters('uniform', { low, high });
  if (low > high) {
    throw new ValueError(`uniform: low ${low} must not be greater than high ${high}`);
  }
  const dtype = floatDType(options.dtype, 'uniform');
  return fill('uniform', checkShape(shape, 'uniform'), dtype, options, low, high);
}

/** Normal numbers of a mean (default 0) and a standard deviation (default 1). */
export function normal<D extends FloatDType = 'float32'>(
  shape: Shape,
  options: RandomOptions<D> & { readonly mean?: number; readonly std?: number } = {},
): Tensor<D> {
  const { mean = 0, std = 1 } = options;
  checkParameters('normal', { mean, std });
  const dtype = floatDType(options.dtype, 'normal');
  return fill('normal', checkShape(shape, 'normal'), dtype, options, mean, std);
}

/**
 * Normal numbers no further than 2 · std from the mean. `std` (default 1) is that of the normal
 * distribution before it is cut; afterwards it is 0.8796 times as large.
 */
export function truncatedNormal<D extends FloatDType = 'float32'>(
  shape: Shape,
  options: RandomOptions<D> & { readonly mean?: number; readonly std?: number } = {},
): Tensor<D> {
  const { mean = 0, std = 1 } = options;
  checkParameters('truncatedNormal', { mean, std });
  const dtype = floatDType(options.dtype, 'truncatedNormal');
  return fill('truncatedNormal', checkShape(shape, 'truncatedNormal'), dtype, options, mean, std);
}

/** 1 with the given probability (default 0.5), else 0. Any dtype; default float32. */
export function bernoulli<D extends DType = 'float32'>(
  shape: Shape,
  options: RandomOptions<D> & { readonly probability?: number } = {},
): Tensor<D> {
  const { probability = 0.5 } = options;
  checkNumber(probability, 'bernoulli: probability', share);
  const dtype = checkDType(options.dtype ?? 'float32', 'bernoulli') as D;
  return fill('bernoulli', checkShape(shape, 'bernoulli'), dtype, options, probability, 0);
}

/** Whole numbers from low (default 0) to high − 1, all equally likely; int32. */
export function randint(
  shape: Shape,
  options: Omit<RandomOptions, 'dtype' | 'requiresGrad'> & {
    readonly low?: number;
    readonly high: number;
  },
): Tensor<'int32'> {
  const { low = 0, high } = options;
  checkInteger(low, -(2 ** 31), 2 ** 31 - 1, 'randint: low');
  checkInteger(high, low + 1, 2 ** 31, 'randint: high');
  return fill('uniform', checkShape(shape, 'randint'), 'int32', options, low, high);
}

/** The numbers 0 … count − 1 in random order; int32 [count]. */
export function permutation(
  count: number,
  options: Omit<RandomOptions, 'dtype' | 'requiresGrad'> = {},
): Tensor<'int32'> {
  checkInteger(count, 0, 2 ** 31 - 1, 'permutation: count');
  const { key0, key1, counter0, counter1 } = (options.generator ?? defaultGenerator).take(count);
  const backend = options.device === undefined ? defaultBackend() : backendOf(options.device);
  const order = permutationArray(count, key0, key1, counter0, counter1);
  return fromArray(order, [count], 'int32', backend);
}

/** Words made at a time: a multiple of a block's four. */
const chunkSize = 1024;

/**
 * @internal The numbers 0 … count − 1 in the order that a stream decides: Fisher and Yates's
 * shuffle from the end, position i exchanged with floor(word_i · 2^-32 · (i + 1)). Throws
 * MemoryError when there is no room for them.
 */
export function permutationArray(
  count: number,
  key0: number,
  key1 = 0,
  counter0 = 0,
  counter1 = 0,
): Int32Array {
  const order = hostMemory.allocate('int32', count) as Int32Array;
  for (let i = 0; i < count; i++) order[i] = i;
  const words = new Uint32Array(chunkSize);
  for (let start = count - 1 - ((count - 1) % chunkSize); start >= 0; start -= chunkSize) {
    const end = Math.min(start + chunkSize, count);
    const counter = counter0 + start / 4;
    const carried = counter1 + Math.floor(counter / word);
    philoxWords(words, end - start, key0, key1, counter % word, carried);
    for (let i = end - 1; i >= start; i--) {
      const j = Math.floor((words[i - start]! / word) * (i + 1));
      const held = order[i]!;
      order[i] = order[j]!;
      order[j] = held;
    }
  }
  return order;
}

/** As {@link uniform}. */
export const rand = uniform;
/** As {@link normal}. */
export const randn = normal;
