/**
 * Random calls of random operations, right and wrong ones. Each must succeed, with values and
 * gradients that agree on all devices, or throw one of our errors, the same on all devices: never a
 * TypeError, never a crash. GRADLOOM_FUZZ_SEED=n repeats one program; without a second device only
 * the kind of outcome is checked.
 */

import { afterAll, describe, expect, it } from 'vitest';

import * as g from '../src/index.js';
import { dtypes, isFloat } from '../src/backends/dtype.js';
import type { DType } from '../src/backends/dtype.js';
import { devices } from './devices.js';
import { listOf } from './run-case.js';
import type { Results } from './run-case.js';

const programs = 400;
const callsEach = 20;
const secondsAtMost = 10;

// ---- chance --------------------------------------------------------------------------------------

/** Numbers of a seed (mulberry32), and choices made with them. */
class Chance {
  constructor(private state: number) {}

  number(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.number() * n);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** True this often. */
  with(probability: number): boolean {
    return this.number() < probability;
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

const shapes = [
  [], [1], [3], [3], [5], [2, 3], [2, 3], [3, 2], [2, 1], [1, 3], [3, 3], [2, 2, 3], [1, 2, 3],
  [2, 3, 1, 2], [0], [2, 0], [0, 3],
] as const; // prettier-ignore
const kinds: readonly DType[] = [...dtypes, 'float32', 'float32', 'float64'];

/** Numbers that arguments go wrong with, between ordinary ones. */
const oddities = [NaN, Infinity, -1, 0.5, 1e12, -1e12, 2 ** 53, null, undefined, 'x', {}, [], true];

// ---- calls ---------------------------------------------------------------------------------------

/** A call that can be made on any device: arguments hold places in the pool instead of tensors. */
interface Call {
  readonly op: string;
  readonly args: readonly unknown[];
}
class Place {
  constructor(readonly index: number) {}
}

const unaries = [
  'neg', 'abs', 'sign', 'square', 'reciprocal', 'sqrt', 'rsqrt', 'floor', 'ceil', 'round', 'exp',
  'expm1', 'log', 'log1p', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh',
  'erf', 'sigmoid', 'logSigmoid', 'softplus', 'softsign', 'relu', 'relu6', 'leakyRelu', 'elu',
  'celu', 'selu', 'gelu', 'silu', 'mish', 'hardSigmoid', 'hardSilu', 'isNaN', 'isFinite', 'isInf',
  'logicalNot', 'flatten', 'squeeze', 'transpose', 'flip', 'zerosLike', 'onesLike',
]; // prettier-ignore
const binaries = [
  'add', 'sub', 'mul', 'div', 'pow', 'minimum', 'maximum', 'mod', 'floorDiv', 'atan2', 'prelu',
  'squaredDifference', 'equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual',
  'logicalAnd', 'logicalOr', 'logicalXor', 'matmul',
]; // prettier-ignore
const reductions = [
  'sum', 'mean', 'prod', 'max', 'min', 'any', 'all', 'argMax', 'argMin', 'variance', 'std',
  'logSumExp', 'norm',
]; // prettier-ignore
const alongAxis = ['softmax', 'logSoftmax', 'cumsum', 'sort', 'argsort'];

/** Random arguments for every kind of operation, wrong ones now and then. */
function makers(chance: Chance, pool: readonly g.Tensor[]): readonly (() => Call)[] {
  const wrong = (): unknown => chance.one(oddities);
  const or = <T>(value: T): unknown => (chance.with(0.02) ? wrong() : value);
  const place = (): Place => new Place(chance.below(pool.length));
  const some = (): unknown => or(place());
  const operand = (): unknown => (chance.with(0.2) ? chance.below(7) / 2 - 1 : some());
  const axis = (): unknown => or(chance.below(5) - 2);
  const axes = (): unknown => (chance.with(0.3) ? chance.list(3, axis) : chance.with(0.3) ? undefined : axis());
  const shape = (): unknown => or(chance.with(0.5) ? [...chance.one(shapes)] : chance.list(3, () => chance.below(7) - 1));
  const index = (): unknown => or(chance.with(0.9) ? chance.below(3) : chance.below(20) - 10);
  const indices = (): unknown => or(chance.with(0.7) ? chance.list(4, index) : place());
  const range = (): unknown => or(chance.with(0.3) ? index() : chance.with(0.3) ? null : chance.list(3, index));
  const call = (op: string, ...args: unknown[]): Call => ({ op, args });
  const generator = (): { generator: g.Generator } => ({ generator: new g.Generator(7) });
  return [
    () => call(chance.one(unaries), some()),
    () => call(chance.one(unaries), some()),
    () => call(chance.one(binaries), operand(), operand()),
    () => call(chance.one(binaries), operand(), operand()),
    () => call(chance.one(reductions), some(), axes(), { keepDims: chance.with(0.3) }),
    () => call(chance.one(alongAxis), some(), axis()),
    () => call('where', some(), operand(), operand()),
    () => call('cast', some(), or(chance.one(dtypes))),
    () => call('clip', some(), or(chance.below(4) - 2), or(chance.below(4) - 1)),
    () => call('matmul', some(), some(), { transposeA: chance.with(0.5), transposeB: chance.with(0.5) }),
    () => call('dense', some(), some(), chance.with(0.5) ? null : some(), chance.with(0.5) ? null : { name: or(chance.one(unaries)) }),
    () => call('softmaxCrossEntropy', some(), some()),
    () => call('layerNorm', some(), null, chance.with(0.3) ? some() : null, { axis: axis() }),
    () => call('batchNorm', some(), chance.with(0.3) ? some() : null, chance.with(0.3) ? some() : null),
    () => call('reshape', some(), shape()),
    () => call('broadcastTo', some(), shape()),
    () => call('transpose', some(), chance.list(4, axis)),
    () => call('swapAxes', some(), axis(), axis()),
    () => call('expandDims', some(), axis()),
    () => call('tile', some(), or(chance.list(3, () => chance.below(4)))),
    () => call('slice', some(), ...chance.list(3, range)),
    () => call('pad', some(), chance.with(0.5) ? or(chance.below(3)) : chance.list(3, () => [or(1), chance.below(3)])),
    () => call('concat', or(chance.list(3, some)), axis()),
    () => call('stack', or(chance.list(3, some)), axis()),
    () => call('split', some(), or(chance.with(0.5) ? chance.below(4) : chance.list(3, index)), axis()),
    () => call('gather', some(), indices(), axis()),
    () => call('takeAlongAxis', some(), indices(), axis()),
    () => call('scatterAdd', some(), indices(), some(), axis()),
    () => call('oneHot', indices(), or(chance.below(5))),
    () => call('topK', some(), or(chance.below(4)), { axis: axis(), largest: chance.with(0.5) }),
    () => call('dropout', some(), or(chance.number()), generator()),
    () => call('zeros', shape(), { dtype: or(chance.one(dtypes)) }),
  ];
} // prettier-ignore

// ---- outcomes ------------------------------------------------------------------------------------

interface Outcome {
  readonly results?: readonly g.Tensor[];
  readonly gradients?: readonly (g.Tensor | null)[];
  readonly error?: g.GradloomError;
}

/** Makes a call on one device, with gradients of its float tensors. Throws what is not ours. */
function attempt({ op, args }: Call, pool: readonly g.Tensor[]): Outcome {
  const leaves = new Map<number, g.Tensor>();
  const tensorAt = (index: number): g.Tensor => {
    const leaf = leaves.get(index) ?? pool[index]!.detach();
    leaves.set(index, leaf);
    if (isFloat(leaf.dtype)) leaf.requiresGrad = true;
    return leaf;
  };
  const replace = (value: unknown): unknown => {
    if (value instanceof Place) return tensorAt(value.index);
    return Array.isArray(value) ? value.map(replace) : value;
  };
  const rest = args.map((value) =>
    // Each device starts from the same random numbers.
    value instanceof Object && 'generator' in value ? { generator: new g.Generator(7) } : replace(value),
  ); // prettier-ignore
  try {
    const operation = (g as unknown as Record<string, (...args: unknown[]) => Results>)[op]!;
    const results = listOf(operation(...rest));
    for (const y of results) {
      if (y.requiresGrad) g.backward(y, { gradient: g.onesLike(y), retainGraph: true });
    }
    return { results, gradients: [...leaves.values()].map((leaf) => leaf.grad) };
  } catch (error) {
    if (error instanceof g.GradloomError) return { error };
    throw error;
  }
}

/** Rounding of one operation and its gradient, on numbers up to 10. */
const tolerance = { float32: 1e-4, float64: 1e-10 };

function expectAgreement(a: g.Tensor | null, b: g.Tensor | null): void {
  if (!a || !b) {
    expect(a).toBe(b);
    return;
  }
  expect([b.shape, b.dtype]).toEqual([a.shape, a.dtype]);
  const [x, y] = [a.dataSync(), b.dataSync()];
  expect(y.length).toBe(x.length);
  const bound = isFloat(a.dtype) ? tolerance[a.dtype] : 0;
  const finite = Array.from(x).filter(Number.isFinite).map(Math.abs);
  const scale = Math.max(1, ...finite);
  const wrong = x.findIndex((value, i) => {
    const other = y[i]!;
    return !(Object.is(value, other) || value === other || Math.abs(value - other) <= bound * scale);
  });
  expect(wrong < 0 ? '' : `at ${wrong}: ${x[wrong]} and ${y[wrong]}`).toBe('');
} // prettier-ignore

function expectSameOutcome(reference: Outcome, other: Outcome, device: string): void {
  const text = ({ error }: Outcome): string | undefined =>
    error && `${error.name}: ${error.message.replaceAll(device, 'js')}`;
  expect(text(other)).toBe(text(reference));
  reference.results?.forEach((result, i) => {
    expectAgreement(result, other.results![i]!);
  });
  reference.gradients?.forEach((gradient, i) => {
    expectAgreement(gradient, other.gradients![i]!);
  });
}

/** Small enough to go on with: large numbers overflow differently in float32 and in double. */
const tame = (x: g.Tensor): boolean =>
  x.size <= 64 && x.dataSync().every((value) => Math.abs(value) <= 10);

function start(chance: Chance, device: string): g.Tensor[] {
  return Array.from({ length: 8 }, () => {
    const dtype = chance.one(kinds);
    const shape = chance.one(shapes);
    const values = g.zeros(shape, { dtype, device });
    const data = values.dataSync();
    for (let i = 0; i < data.length; i++) {
      const whole = chance.below(7) - (dtype === 'uint8' || dtype === 'bool' ? 0 : 3);
      data[i] = isFloat(dtype) && chance.with(0.7) ? chance.number() * 6 - 3 : whole;
    }
    return values.assign(data);
  });
}

const outcomes = { succeeded: 0, refused: 0, ran: 0 };

function run(seed: number): void {
  const chance = new Chance(seed);
  const [reference, ...others] = devices;
  const pools = new Map([[reference!, start(chance, reference!)]]);
  const pool = pools.get(reference!)!;
  for (const device of others) pools.set(device, pool.map((x) => x.to(device)));
  for (let step = 0; step < callsEach; step++) {
    const call = chance.one(makers(chance, pool))();
    const what = `seed ${seed}, call ${step}: ${call.op}(${call.args.map(String).join(', ')})`;
    try {
      const outcome = attempt(call, pool);
      for (const device of others) {
        expectSameOutcome(outcome, attempt(call, pools.get(device)!), device);
      }
      if (outcome.error) outcomes.refused++;
      else outcomes.succeeded++;
      for (const result of outcome.results ?? []) {
        if (!tame(result)) continue;
        const index = chance.below(pool.length);
        pool[index] = result.detach();
        for (const device of others) pools.get(device)![index] = result.detach().to(device);
      }
    } catch (error) {
      throw new Error(what, { cause: error });
    }
  }
} // prettier-ignore

describe(`random programs on ${devices.join(' and ')}`, () => {
  const given = process.env['GRADLOOM_FUZZ_SEED'];

  it('succeed alike or are refused alike', { timeout: 60_000 }, () => {
    const end = Date.now() + secondsAtMost * 1000;
    const seeds = given ? [Number(given)] : Array.from({ length: programs }, (_, i) => i + 1);
    for (const seed of seeds) {
      if (Date.now() > end) break;
      run(seed);
      outcomes.ran++;
    }
    // Neither kind of outcome is rare, or this tests nothing.
    if (!given) {
      expect(outcomes.succeeded).toBeGreaterThan(outcomes.ran * 3);
      expect(outcomes.refused).toBeGreaterThan(outcomes.ran * 3);
    }
  });

  afterAll(() => {
    const { ran, succeeded, refused } = outcomes;
    console.log(`${ran} random programs: ${succeeded} calls succeeded, ${refused} were refused`);
  });
});
