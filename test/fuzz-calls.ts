/**
 * Made-up calls of the addon's functions: first a valid one with random sizes, then some of its
 * arguments replaced by something else. In every other call the arrays lie between guard bytes, so
 * that a kernel that writes beyond one is caught without a sanitizer too.
 */

import { distributions, reductions } from '../src/backends/backend.js';
import { hyperNames, kernels, updateNames } from '../src/backends/kernels.js';
import { updates } from '../src/backends/formulas.js';
import type { Update } from '../src/backends/formulas.js';
import { Source } from './conformance/harness.js';

const guard = 64; // bytes on either side
const guardByte = 0xa5;
const arrayTypes = [Float32Array, Float64Array, Int32Array, Uint8Array] as const;
type ArrayType = (typeof arrayTypes)[number];
type Arguments = unknown[];

const sizes = [0, 1, 2, 3, 4, 7, 8, 9, 16, 17, 33];
const numbers = [
  -1, 0, 1, 2, 3, 7, 100, 0.5, -0, NaN, Infinity, -Infinity, 2 ** 31 - 1, 2 ** 31, -(2 ** 31),
  2 ** 32, 2 ** 53, 2 ** 53 + 2, 2 ** 62, 1e300, -1e300, Number.MIN_VALUE,
]; // prettier-ignore

export class CallMaker {
  readonly #source: Source;
  #memory: ArrayBuffer[] = [];
  #guarded = true;

  constructor(seed: number) {
    this.#source = new Source(seed);
  }

  /** Arguments for a call of the function; what it is given before is forgotten. */
  make(name: keyof typeof makers): Arguments {
    this.#memory = [];
    this.#guarded = this.bool();
    const args = makers[name](this);
    const changes = this.chance(0.3) ? 0 : this.#source.integer(1, 2);
    for (let i = 0; i < changes && args.length > 0; i++) {
      args[this.#source.integer(0, args.length - 1)] = this.anything();
    }
    if (this.chance(0.02)) args.length = this.#source.integer(0, args.length);
    return args;
  }

  /** Whether all guard bytes are as they were. Memory given away in between is passed over. */
  guardsIntact(): boolean {
    if (!this.#guarded) return true;
    return this.#memory.every((memory) => {
      if (memory.byteLength === 0) return true;
      const bytes = new Uint8Array(memory);
      const untouched = (byte: number): boolean => byte === guardByte;
      return bytes.subarray(0, guard).every(untouched) && bytes.subarray(-guard).every(untouched);
    });
  }

  chance(probability: number): boolean {
    return this.#source.next() < probability;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.#source.integer(0, list.length - 1)]!;
  }
  size(): number {
    return this.chance(0.03) ? this.pick([65, 130]) : this.pick(sizes);
  }
  bool(): boolean {
    return this.chance(0.5);
  }
  word(): number {
    return this.#source.integer(-(2 ** 31), 2 ** 32 - 1);
  }
  number(): number {
    return this.#source.next() * 4 - 2;
  }
  real(): ArrayType {
    return this.pick([Float32Array, Float64Array]);
  }
  type(): ArrayType {
    return this.pick(arrayTypes);
  }

  /** An array with small random numbers, between guards or (for AddressSanitizer) all by itself. */
  array(type: ArrayType, size: number): InstanceType<ArrayType> {
    const margin = this.#guarded ? guard : 0;
    const memory = new ArrayBuffer(margin + size * type.BYTES_PER_ELEMENT + margin);
    const array = new type(memory, margin, size);
    if (this.#guarded) new Uint8Array(memory).fill(guardByte);
    for (let i = 0; i < size; i++) array[i] = this.#source.integer(-3, 9);
    this.#memory.push(memory);
    return array;
  }
  maybe(type: ArrayType, size: number): unknown {
    return this.chance(0.4) ? null : this.array(type, size);
  }
  /** Full length, or one element for all. */
  repeating(type: ArrayType, size: number): unknown {
    return this.array(type, this.chance(0.3) ? 1 : size);
  }
  indices(count: number, n: number): Int32Array {
    const index = this.array(Int32Array, count) as Int32Array;
    for (let i = 0; i < count; i++) {
      index[i] = this.chance(0.01) ? this.word() : this.#source.integer(0, Math.max(0, n - 1));
    }
    return index;
  }
  /** Small numbers, now and then one that reaches far. */
  walk(length: number, first: readonly number[] = []): Int32Array {
    const walk = this.array(Int32Array, length) as Int32Array;
    for (let i = 0; i < length; i++) {
      walk[i] = first[i] ?? (this.chance(0.05) ? this.word() : this.#source.integer(-1, 4));
    }
    return walk;
  }

  /** A value of any kind. */
  anything(): unknown {
    const kind = this.#source.integer(0, 15);
    if (kind < 5) return this.pick(numbers);
    if (kind < 9) return this.array(this.type(), this.size());
    if (kind === 9) return this.detached();
    if (kind === 10) return this.pick([null, undefined]);
    if (kind === 11) return this.pick([true, false]);
    if (kind === 12) return this.pick(['1', '', 'softmax']);
    if (kind === 13) return this.#oddArray();
    if (kind === 14) return this.#list();
    return this.pick([{}, [], () => 1, Symbol('x'), 10n, new Proxy([], {}), { length: 3 }]);
  }
  detached(): unknown {
    const array = new Float32Array(8);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  }
  #oddArray(): unknown {
    return this.pick([
      new BigInt64Array(4),
      new Uint8ClampedArray(4),
      new DataView(new ArrayBuffer(8)),
      new ArrayBuffer(8),
      new Float32Array(new SharedArrayBuffer(32)),
      new Proxy(new Float32Array(4), {}),
      new Uint16Array(3),
    ]);
  }
  /** A list that runs JavaScript while it is read, and takes memory away from the call's arrays. */
  #list(): unknown {
    const list: unknown[] = [this.array(Float32Array, 4), this.array(Float32Array, 4)];
    const memory = this.#memory;
    Object.defineProperty(list, this.#source.integer(0, 2), {
      enumerable: true,
      get: () => {
        const taken = memory[0];
        if (taken && taken.byteLength > 0) structuredClone(taken, { transfer: [taken] });
        if (memory.length > 1 && memory.length % 3 === 0) throw new Error('from a getter');
        return new Float32Array(4);
      },
    });
    return list;
  }
}

const kernelOperands = (r: CallMaker, kernel: number): [ArrayType, ArrayType, number] => {
  const { kind, operands } = kernels[kernel]!;
  const type = kind === 'float' ? r.real() : r.type();
  return [type, kind === 'compare' ? Uint8Array : type, operands.length];
};

const indexed = (r: CallMaker, adds: boolean, along: boolean): Arguments => {
  const [outer, n, count, inner] = [r.size(), r.size(), r.size(), r.size()];
  const type = r.type();
  const whole = r.array(type, outer * n * inner);
  const part = r.array(type, outer * count * inner);
  const index = r.indices(along ? outer * count * inner : count, n);
  return [adds ? whole : part, adds ? part : whole, index, outer, n, count, inner];
};

/** The number of a row's kernel; -1 for none. */
const activations = (ending: string): number[] =>
  kernels.flatMap(({ name, operands }, number) =>
    name.endsWith(ending) && !operands.includes('b') ? [number] : [],
  );

/** Valid calls, by function. */
export const makers = {
  map(r: CallMaker): Arguments {
    const kernel = r.pick([...kernels.keys()]);
    const [type, outType, count] = kernelOperands(r, kernel);
    const n = r.size();
    const x = [0, 1, 2, 3].map((i) => (i < count ? r.repeating(type, n) : null));
    return [kernel, r.array(outType, n), ...x, r.number(), r.number()];
  },
  mapStrided(r: CallMaker): Arguments {
    const kernel = r.pick([...kernels.keys()]);
    const [type, outType, count] = kernelOperands(r, kernel);
    const counts = [r.pick([1, 2, 5]), r.pick([0, 1, 3]), r.pick([1, 7, 70])];
    const n = counts[0]! * counts[1]! * counts[2]!;
    const strides = [counts[1]! * counts[2]!, counts[2]!, 1];
    const walk = r.walk(15, [...counts, ...(r.bool() ? strides : [])]);
    const x = [0, 1, 2, 3].map((i) => (i < count ? r.array(type, n) : null));
    if (r.bool()) for (let i = 3; i < 15; i++) walk[i] = r.bool() ? 0 : strides[i % 3]!;
    return [kernel, r.array(outType, n), ...x, r.number(), r.number(), walk];
  },
  select(r: CallMaker): Arguments {
    const [type, n] = [r.type(), r.size()];
    const out = r.array(type, n);
    return [out, r.repeating(Uint8Array, n), r.repeating(type, n), r.repeating(type, n)];
  },
  cast(r: CallMaker): Arguments {
    const [n, toBool] = [r.size(), r.bool()];
    return [r.array(toBool ? Uint8Array : r.type(), n), r.array(r.type(), n), toBool];
  },
  fill: (r: CallMaker): Arguments => [r.array(r.type(), r.size()), r.pick(numbers)],
  copy(r: CallMaker): Arguments {
    const type = r.type();
    const rank = r.pick([1, 2, 3, 8]);
    const walk = r.walk(1 + 3 * rank, [rank]);
    const [out, a] = [r.array(type, 33 * r.size()), r.array(type, 33 * r.size())];
    return [out, r.pick([0, 1, 50]), a, r.pick([0, 1, 50]), walk];
  },
  gather: (r: CallMaker): Arguments => indexed(r, false, false),
  scatterAdd: (r: CallMaker): Arguments => indexed(r, true, false),
  takeAlong: (r: CallMaker): Arguments => indexed(r, false, true),
  putAlongAdd: (r: CallMaker): Arguments => indexed(r, true, true),
  sort(r: CallMaker): Arguments {
    const [rows, n, type] = [r.size(), r.size(), r.type()];
    const k = Math.min(n, r.size());
    const [values, index] = [r.array(type, rows * k), r.array(Int32Array, rows * k)];
    return [values, index, r.array(type, rows * n), rows, n, k, r.bool()];
  },
  reduce(r: CallMaker): Arguments {
    const number = r.pick([...reductions.keys()]);
    const [outer, n, inner, type] = [r.size(), r.size(), r.size(), r.type()];
    const name = reductions[number]!;
    let outType: ArrayType = type === Uint8Array ? Int32Array : type;
    if (name === 'any' || name === 'all') outType = Uint8Array;
    else if (name.startsWith('arg')) outType = Int32Array;
    else if (name === 'max' || name === 'min') outType = type;
    return [
      number,
      r.array(outType, outer * inner),
      r.array(type, outer * n * inner),
      outer,
      n,
      inner,
    ];
  },
  cumsum(r: CallMaker): Arguments {
    const [outer, n, inner, type] = [r.size(), r.size(), r.size(), r.type()];
    const outType = type === Uint8Array ? Int32Array : type;
    const total = outer * n * inner;
    return [r.array(outType, total), r.array(type, total), outer, n, inner, r.bool()];
  },
  matmul(r: CallMaker): Arguments {
    const type = r.real();
    const [batch, m, n, k] = [r.pick([0, 1, 2, 5]), r.size(), r.size(), r.size()];
    const [repeatA, repeatB] = [r.bool(), r.bool()];
    const out = r.array(type, batch * m * n);
    const a = r.array(type, (repeatA ? 1 : batch) * m * k);
    const b = r.array(type, (repeatB ? 1 : batch) * k * n);
    const strides = [repeatA ? 0 : m * k, repeatB ? 0 : k * n];
    return [out, a, b, batch, m, n, k, ...strides, r.bool(), r.bool(), r.bool()];
  },
  dense(r: CallMaker): Arguments {
    const [type, rows, units, features] = [r.real(), r.size(), r.size(), r.size()];
    const [out, pre] = [r.array(type, rows * units), r.maybe(type, rows * units)];
    const [x, w] = [r.array(type, rows * features), r.array(type, features * units)];
    const activation = r.pick([-1, ...activations('.y')]);
    const bias = r.maybe(type, units);
    return [out, pre, x, w, bias, rows, units, features, activation, r.number(), r.number()];
  },
  denseBackward(r: CallMaker): Arguments {
    const [type, rows, units, features] = [r.real(), r.size(), r.size(), r.size()];
    const outputs = [
      r.maybe(type, rows * features),
      r.maybe(type, features * units),
      r.maybe(type, units),
    ];
    const [scratch, g] = [r.array(type, rows * units), r.array(type, rows * units)];
    const [x, w] = [r.array(type, rows * features), r.array(type, features * units)];
    const [y, pre] = [r.array(type, rows * units), r.array(type, rows * units)];
    const derivative = r.pick([-1, ...activations('.da')]);
    return [
      ...outputs, r.bool() ? scratch : g, g, x, w, y, pre, rows, units, features, derivative,
      r.number(), r.number(), r.bool(),
    ]; // prettier-ignore
  },
  softmax(r: CallMaker): Arguments {
    const [type, rows, columns] = [r.real(), r.size(), r.size()];
    return [r.array(type, rows * columns), r.array(type, rows * columns), rows, columns, r.bool()];
  },
  softmaxBackward(r: CallMaker): Arguments {
    const [type, rows, columns] = [r.real(), r.size(), r.size()];
    const [out, g, y] = [0, 1, 2].map(() => r.array(type, rows * columns));
    return [out, g, y, rows, columns, r.bool()];
  },
  crossEntropy(r: CallMaker): Arguments {
    const [type, rows, classes] = [r.real(), r.size(), r.size()];
    const difference = r.maybe(type, rows * classes);
    const logits = r.array(type, rows * classes);
    const target = r.bool() ? r.indices(rows, classes) : r.array(type, rows * classes);
    return [r.array(type, rows), difference, logits, target, rows, classes];
  },
  scaleRows(r: CallMaker): Arguments {
    const [type, rows, columns] = [r.real(), r.size(), r.size()];
    const [out, a] = [r.array(type, rows * columns), r.array(type, rows * columns)];
    return [out, a, r.array(type, rows), rows, columns, r.number()];
  },
  batchNorm(r: CallMaker): Arguments {
    const [type, rows, channels] = [r.real(), r.size(), r.size()];
    const statistics = [0, 1, 2].map(() => r.array(type, channels));
    const [out, x] = [r.array(type, rows * channels), r.array(type, rows * channels)];
    const [gamma, beta] = [r.maybe(type, channels), r.maybe(type, channels)];
    return [out, ...statistics, x, gamma, beta, rows, channels, 0.001];
  },
  batchNormBackward(r: CallMaker): Arguments {
    const [type, rows, channels] = [r.real(), r.size(), r.size()];
    const outputs = [
      r.maybe(type, rows * channels),
      r.maybe(type, channels),
      r.maybe(type, channels),
    ];
    const [g, x] = [r.array(type, rows * channels), r.array(type, rows * channels)];
    const [mean, inverse] = [r.array(type, channels), r.array(type, channels)];
    return [...outputs, g, x, mean, inverse, r.maybe(type, channels), rows, channels];
  },
  random(r: CallMaker): Arguments {
    const number = r.pick([...distributions.keys()]);
    const words = [r.word(), r.word(), r.word(), r.word()];
    const type = distributions[number] === 'bernoulli' ? r.type() : r.real();
    if (r.chance(0.2)) return [0, r.array(Int32Array, r.size()), ...words, -3, 7];
    return [number, r.array(type, r.size()), ...words, r.number(), r.number()];
  },
  dropout(r: CallMaker): Arguments {
    const [type, n] = [r.real(), r.size()];
    const words = [r.word(), r.word(), r.word(), r.word()];
    const [a, b, c] = [r.number(), r.number(), r.number()];
    return [r.array(type, n), r.array(type, n), r.number(), a, b, c, ...words];
  },
  update(r: CallMaker): Arguments {
    const number = r.pick([...updateNames.keys()]);
    const name = updateNames[number]!;
    const { state } = updates[name] as Update;
    const [type, shapes] = [r.real(), [r.size(), r.size(), r.size()]];
    const arrays = (): unknown[] => shapes.map((size) => r.array(type, size));
    const states = shapes.flatMap((size) => state.map(() => r.array(type, size)));
    return [number, arrays(), arrays(), states, r.array(Float64Array, hyperNames(name).length)];
  },
  loadRows(r: CallMaker): Arguments {
    const [type, n, count, width] = [r.real(), r.size(), r.size(), r.size()];
    const [out, data] = [r.array(type, count * width), r.array(r.type(), n * width)];
    const parameters = r.pick([1, width, null]);
    const parameter = () => (parameters === null ? null : r.array(type, parameters));
    const index = r.chance(0.2) ? null : r.indices(count, n);
    return [out, data, index, parameter(), parameter(), n, count, width];
  },
  startRecording: (r: CallMaker): Arguments => [r.word(), r.word(), r.word(), r.word()],
  finishRecording: (): Arguments => [],
  replay: (r: CallMaker): Arguments => [
    r.pick([1, 2, 3, 5, 8, 13, 21]),
    ...[r.word(), r.word(), r.word(), r.word()],
  ],
  forget: (r: CallMaker): Arguments => [r.pick([1, 2, 3, 5, 8, 13, 21])],
  threads: (): Arguments => [],
  setThreads: (r: CallMaker): Arguments => [r.pick([1, 2, 3, 4])],
  describe: (): Arguments => [],
  useLargePages: (r: CallMaker): Arguments => [r.array(r.type(), r.size())],
};
