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

// ---- chance ----------------------------------------------------------------------------------

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

// ---- calls -----------------------------------------------------------------------------------

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
class Arguments {
  constructor(
    readonly chance: Chance,
    readonly places: number,
  ) {}

  /** The value, or now and then something odd. */
  or(value: unknown): unknown {
    return this.chance.with(0.02) ? this.chance.one(oddities) : value;
  }

  some = (): unknown => this.or(this.place());
  place = (): Place => new Place(this.chance.below(this.places));
  someOrNone = (): unknown => (this.chance.with(0.5) ? this.some() : null);
  operand = (): unknown => (this.chance.with(0.2) ? this.chance.below(7) / 2 - 1 : this.some());
  axis = (): unknown => this.or(this.chance.below(5) - 2);
  count = (): unknown => this.or(this.chance.below(4));
  extent = (): number => this.chance.below(7) - 1;
  yes = (): boolean => this.chance.with(0.5);

  axes(): unknown {
    return this.chance.one([() => this.chance.list(3, this.axis), () => undefined, this.axis])();
  }

  shape(): unknown {
    const { chance } = this;
    return this.or(this.yes() ? [...chance.one(shapes)] : chance.list(3, this.extent));
  }

  index = (): unknown => {
    const near = this.chance.with(0.9);
    return this.or(near ? this.chance.below(3) : this.chance.below(20) - 10);
  };

  indices(): unknown {
    return this.or(this.chance.with(0.7) ? this.chance.list(4, this.index) : this.place());
  }

  range = (): unknown =>
    this.or(this.chance.one([this.index, () => null, () => this.chance.list(3, this.index)])());

  sizes(): unknown {
    return this.yes() ? this.count() : this.chance.list(3, this.count);
  }
}

/** A random call. */
function randomCall(chance: Chance, places: number): Call {
  const a = new Arguments(chance, places);
  const call = (op: string, ...args: unknown[]): Call => ({ op, args });
  const dtype = (): unknown => a.or(chance.one(dtypes));
  const pairs = (): unknown => chance.list(3, () => [a.count(), a.count()]);
  const activation = (): unknown => (a.yes() ? null : { name: a.or(chance.one(unaries)) });
  const elementwise: readonly (() => Call)[] = [
    () => call(chance.one(unaries), a.some()),
    () => call(chance.one(binaries), a.operand(), a.operand()),
    () => call(chance.one(['elu', 'celu', 'leakyRelu']), a.some(), a.count()),
    () => call('where', a.some(), a.operand(), a.operand()),
    () => call('mulAdd', a.some(), a.operand(), a.operand()),
    () => call('cast', a.some(), dtype()),
    () => call('clip', a.some(), a.axis(), a.count()),
    () => call('affine', a.some(), a.count(), a.count()),
    () => call('dropout', a.some(), a.or(chance.number()), { generator: null }),
  ];
  const combined: readonly (() => Call)[] = [
    () => call(chance.one(reductions), a.some(), a.axes(), { keepDims: a.yes() }),
    () => call(chance.one(alongAxis), a.some(), a.axis()),
    () => call('matmul', a.some(), a.some(), { transposeA: a.yes(), transposeB: a.yes() }),
    () => call('dense', a.some(), a.some(), a.someOrNone(), activation()),
    () => call('softmaxCrossEntropy', a.some(), a.some()),
    () => call('layerNorm', a.some(), null, a.someOrNone(), { axis: a.axis() }),
    () => call('batchNorm', a.some(), a.someOrNone(), a.someOrNone()),
    () => call('topK', a.some(), a.count(), { axis: a.axis(), largest: a.yes() }),
  ];
  const moved: readonly (() => Call)[] = [
    () => call('reshape', a.some(), a.shape()),
    () => call('broadcastTo', a.some(), a.shape()),
    () => call('transpose', a.some(), chance.list(4, a.axis)),
    () => call('swapAxes', a.some(), a.axis(), a.axis()),
    () => call('expandDims', a.some(), a.axis()),
    () => call('tile', a.some(), a.sizes()),
    () => call('slice', a.some(), ...chance.list(3, a.range)),
    () => call('pad', a.some(), a.yes() ? a.count() : pairs()),
    () => call('concat', a.or(chance.list(3, a.some)), a.axis()),
    () => call('stack', a.or(chance.list(3, a.some)), a.axis()),
    () => call('split', a.some(), a.sizes(), a.axis()),
    () => call('gather', a.some(), a.indices(), a.axis()),
    () => call('takeAlongAxis', a.some(), a.indices(), a.axis()),
    () => call('scatterAdd', a.some(), a.indices(), a.some(), a.axis()),
    () => call('oneHot', a.indices(), a.count()),
    () => call('zeros', a.shape(), { dtype: dtype() }),
  ];
  return chance.one(chance.one([elementwise, combined, moved]))();
}

// ---- outcomes --------------------------------------------------------------------------------

interface Outcome {
  /** Whether everything was computed in float64. */
  readonly fine: boolean;
  readonly results?: readonly g.Tensor[];
  readonly gradients?: readonly (g.Tensor | null)[];
  readonly error?: g.GradloomError;
}

/** Makes a call on one device, with gradients of its float tensors. Throws what is not ours. */
function attempt({ op, args }: Call, pool: readonly g.Tensor[]): Outcome {
  g.setDevice(pool[0]!.device); // for operations that are given no tensor
  const leaves = new Map<number, g.Tensor>();
  const tensorAt = (index: number): g.Tensor => {
    const leaf = leaves.get(index) ?? pool[index]!.detach();
    leaves.set(index, leaf);
    if (isFloat(leaf.dtype)) leaf.requiresGrad = true;
    return leaf;
  };
  const fine = (): boolean => [...leaves.values()].every((leaf) => leaf.dtype === 'float64');
  const replace = (value: unknown): unknown => {
    if (value instanceof Place) return tensorAt(value.index);
    return Array.isArray(value) ? value.map(replace) : value;
  };
  const rest = args.map((value) =>
    // Each device starts from the same random numbers.
    value instanceof Object && 'generator' in value
      ? { generator: new g.Generator(7) }
      : replace(value),
  );
  try {
    const operation = (g as unknown as Record<string, (...args: unknown[]) => Results>)[op]!;
    const results = listOf(operation(...rest));
    for (const y of results) {
      if (y.requiresGrad) g.backward(y, { gradient: g.onesLike(y), retainGraph: true });
    }
    return { fine: fine(), results, gradients: [...leaves.values()].map((leaf) => leaf.grad) };
  } catch (error) {
    if (error instanceof g.GradloomError) return { fine: fine(), error };
    throw error;
  }
}

/** Rounding of one operation and its gradient, on numbers up to 10. */
const tolerance = { coarse: 1e-4, fine: 1e-10 };

function expectAgreement(a: g.Tensor | null, b: g.Tensor | null, fine: boolean): void {
  if (!a || !b) {
    expect(a).toBe(b);
    return;
  }
  expect([b.shape, b.dtype]).toEqual([a.shape, a.dtype]);
  const [x, y] = [a.dataSync(), b.dataSync()];
  expect(y.length).toBe(x.length);
  const bound = isFloat(a.dtype) ? tolerance[fine ? 'fine' : 'coarse'] : 0;
  const finite = Array.from(x).filter(Number.isFinite).map(Math.abs);
  const scale = Math.max(1, ...finite);
  const wrong = x.findIndex((value, i) => {
    const same = Object.is(value, y[i]) || value === y[i]!;
    return !(same || Math.abs(value - y[i]!) <= bound * scale);
  });
  expect(wrong < 0 ? '' : `at ${wrong}: ${x[wrong]} and ${y[wrong]}`).toBe('');
} // prettier-ignore

function expectSameOutcome(reference: Outcome, other: Outcome, device: string): void {
  const text = ({ error }: Outcome): string | undefined =>
    error && `${error.name}: ${error.message.replaceAll(device, 'js')}`;
  expect(text(other)).toBe(text(reference));
  reference.results?.forEach((result, i) => {
    expectAgreement(result, other.results![i]!, reference.fine);
  });
  reference.gradients?.forEach((gradient, i) => {
    expectAgreement(gradient, other.gradients![i]!, reference.fine);
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
    const call = randomCall(chance, pool.length);
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

describe(`random programs: ${devices.join(' and ')}`, () => {
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
