/** Optimizers: agreement with Keras 3 and PyTorch, clipping, groups, averages, state, errors. */

import { describe, expect, it } from 'vitest';

import { GradientError, ShapeError, ValueError } from '../src/errors.js';
import * as optimizers from '../src/optimizers/index.js';
import { Adam, AdamW, Nadam, Optimizer, RMSprop, SGD } from '../src/optimizers/index.js';
import { ExponentialDecay } from '../src/schedules.js';
import { tensor } from '../src/tensor/create.js';
import { Scope } from '../src/tensor/storage.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';

interface Figures {
  readonly starts: number[][];
  readonly gradients: number[][][];
  readonly cases: readonly {
    readonly by: string;
    readonly class: string;
    readonly options: Record<string, unknown>;
    readonly after: Record<string, number[][]>;
  }[];
}

const { starts, gradients, cases } = golden('optimizers') as Figures;

const made = (className: string, config: Record<string, unknown>): Optimizer =>
  optimizers.get({ className, config });

function start(device: string, dtype: 'float32' | 'float64' = 'float32'): Tensor[] {
  return starts.map((values) => tensor(values, { device, dtype }));
}

const valuesOf = (tensors: readonly Tensor[]): number[][] =>
  tensors.map((each) => [...each.dataSync()]);

/** Runs steps `from` up to `to` of the golden gradients. */
function run(optimizer: Optimizer, w: readonly Tensor[], from: number, to: number): void {
  const { device, dtype } = w[0]!;
  for (let step = from; step < to; step++) {
    const given = gradients[step]!.map((values) => tensor(values, { device, dtype }));
    optimizer.apply(w, given, ['dense/kernel', 'dense/bias']);
  }
}

describe.each(devices)('optimizers on %s', (device) => {
  for (const { by, class: name, options, after } of cases) {
    const title = `${name} ${JSON.stringify(options)} takes the steps of ${by}`;
    it.each(['float64', 'float32'] as const)(`${title} in %s`, (dtype) => {
      const optimizer = made(name, options);
      const w = start(device, dtype);
      // Keras computes norms in float32 and PyTorch its decay from the other side.
      const exact =
        by.startsWith('Keras') && !('clipNorm' in options || 'globalClipNorm' in options);
      const tolerance = dtype === 'float32' ? 5e-6 : exact ? 1e-12 : 1e-7;
      let done = 0;
      for (const [step, wanted] of Object.entries(after)) {
        run(optimizer, w, done, Number(step));
        done = Number(step);
        expectClose(valuesOf(w), wanted, tolerance, `step ${step}`);
      }
      const every = optimizer.gradientAccumulationSteps ?? 1;
      expect(optimizer.iterations).toBe(Math.floor(100 / every));
    });
  }

  it('goes on exactly where a restored state was', () => {
    for (const { class: name, options } of cases) {
      const [w, other] = [start(device), start(device)];
      const first = made(name, options);
      run(first, w, 0, 20);
      const state = first.state(w);
      other.forEach((each, i) => each.assign(w[i]!));
      // Through JSON, as numbers in files are.
      const numbers = JSON.parse(JSON.stringify(state.numbers)) as Record<string, number>;
      const second = made(name, first.config());
      second.restore({ ...state, numbers }, other);
      run(first, w, 20, 40);
      run(second, other, 20, 40);
      expect(valuesOf(other), name).toEqual(valuesOf(w));
    }
  });

  it('keeps state made inside a scope alive', () => {
    const w = start(device);
    const nadam = new Nadam();
    const scope = new Scope();
    run(nadam, w, 0, 1);
    scope.end();
    run(nadam, w, 1, 3);
    const again = start(device);
    run(new Nadam(), again, 0, 3);
    expect(valuesOf(w)).toEqual(valuesOf(again));
  });

  it('goes on from a state in the middle of accumulated gradients, with averages shown', () => {
    const options = { useEma: true, gradientAccumulationSteps: 4 };
    const [w, other] = [start(device), start(device)];
    const [first, second] = [new Nadam(options), new Nadam(options)];
    run(first, w, 0, 10);
    first.showAverages(w, true);
    const state = first.state(w);
    other.forEach((each, i) => each.assign(w[i]!));
    second.restore({ ...state, numbers: { ...state.numbers } }, other);
    run(first, w, 10, 15);
    run(second, other, 10, 15);
    expect(first.iterations).toBe(3);
    expect(valuesOf(other)).toEqual(valuesOf(w));
    expect(() => new Nadam({ gradientAccumulationSteps: 1 })).toThrow(/2 or more, not 1/);
  });

  it('gives groups their own rate and decay', () => {
    const optimizer = new SGD({ learningRate: 0.1, weightDecay: 0.5 });
    const w = [1, 1, 1].map((value) => tensor([value], { device }));
    optimizer.group([w[1]!], { rateMultiplier: 10 });
    optimizer.group([w[2]!], { weightDecay: 0 });
    optimizer.apply(
      w,
      w.map(() => tensor([1], { device })),
    );
    // w − w · decay · rate − rate
    expectClose(valuesOf(w), [[0.85], [-0.5], [0.9]], 1e-6);
    optimizer.group([w[0]!], { learningRate: 0.01 });
    optimizer.learningRate = 0;
    optimizer.apply(
      w,
      w.map(() => tensor([1], { device })),
    );
    expectClose(valuesOf(w), [[0.83575], [-0.5], [0.9]], 1e-6);
  });

  it('spares weights the decay by their names, and parameters given themselves', () => {
    const options = { learningRate: 0.1, weightDecay: 0.5 };
    const names = ['dense/kernel', 'dense/bias', 'norm/gamma'];
    const ones = (): Tensor[] => names.map(() => tensor([1], { device }));
    const none = names.map(() => tensor([0], { device }));
    const after = (optimizer: Optimizer, w = ones()): number[] => {
      optimizer.apply(w, none, names);
      return valuesOf(w).flat();
    };
    const byName = new SGD({ ...options, excludeFromWeightDecay: ['bias'] });
    expectClose(after(byName), [0.95, 1, 0.95], 1e-7);
    byName.excludeFromWeightDecay(['^norm/']);
    expectClose(after(byName), [0.95, 1, 1], 1e-7);
    const again = optimizers.get(optimizers.serialize(byName));
    expectClose(after(again), [0.95, 1, 1], 1e-7);
    // The settings of a group hold otherwise.
    const w = ones();
    const grouped = new SGD(options);
    grouped.group([w[0]!, w[1]!], { rateMultiplier: 2 });
    grouped.excludeFromWeightDecay([w[1]!]);
    expectClose(after(grouped, w), [0.9, 1, 0.95], 1e-7);
    grouped.apply(w, w.map(() => tensor([1], { device }))); // prettier-ignore
    expectClose(valuesOf(w)[1]!, [0.8], 1e-7);
    const rest = ones();
    const restored = new SGD(options);
    restored.restore(grouped.state(w), rest);
    expectClose(after(restored, rest), [0.9, 1, 0.95], 1e-7);
    expect(() => byName.apply(ones(), none)).toThrow(/goes by the names of a model's weights/);
    const wrong = (what: unknown) => () => byName.excludeFromWeightDecay(what as string[]);
    expect(wrong('bias')).toThrow(/takes an array of names or parameters.*not "bias"/);
    expect(wrong([3])).toThrow(/expected a name or a parameter, got 3/);
    expect(wrong(['('])).toThrow(/excludeFromWeightDecay: Invalid regular expression/);
  });

  it('keeps groups in its state', () => {
    const [w, other] = [start(device), start(device)];
    const optimizer = new Nadam();
    optimizer.group([w[1]!], { rateMultiplier: 0.1, weightDecay: 0.2 });
    run(optimizer, w, 0, 2);
    const again = new Nadam();
    again.group([other[0]!], { rateMultiplier: 7 });
    other.forEach((each, i) => each.assign(w[i]!));
    again.restore(optimizer.state(w), other);
    run(optimizer, w, 2, 5);
    run(again, other, 2, 5);
    expect(valuesOf(other)).toEqual(valuesOf(w));
    const broken = { ...optimizer.state(w), groups: [{ parameters: [2], settings: {} }] };
    expect(() => new Nadam().restore(broken, w)).toThrow(/group with parameter 2, but there are 2/);
    const group = (settings: object) => () => optimizer.group(w, settings);
    expect(group({ learningrate: 1 })).toThrow(/Did you mean "learningRate"/);
    expect(group({ learningRate: -1 })).toThrow(/learningRate must be a number of 0 or more/);
    expect(group({ learningRate: 1, rateMultiplier: 1 })).toThrow(/one of/);
  });

  it('advances once per step however many groups there are', () => {
    const [w, other] = [start(device), start(device)];
    const grouped = new Nadam();
    grouped.group([w[0]!], { rateMultiplier: 1 });
    run(grouped, w, 0, 10);
    run(new Nadam(), other, 0, 10);
    expect(valuesOf(w)).toEqual(valuesOf(other));
  });

  it('leaves parameters without a gradient alone', () => {
    const w = start(device);
    const adam = new Adam({ learningRate: 1, weightDecay: 0.1 });
    adam.apply(w, [tensor(gradients[0]![0]!, { device }), null]);
    expect(valuesOf(w)[1]).toEqual(valuesOf(start(device))[1]);
    expect(valuesOf(w)[0]).not.toEqual(valuesOf(start(device))[0]);
    expect(Object.keys(adam.state(w).tensors)).toEqual(['0/m', '0/v']);
  });

  it('takes gradients from .grad with step()', () => {
    const w = tensor([1, 2], { device, requiresGrad: true });
    w.grad = tensor([1, -1], { device });
    new SGD({ learningRate: 0.5 }).step([w]);
    expect(valuesOf([w])).toEqual([[0.5, 2.5]]);
    expect(w.grad).toBeNull();
  });

  it('keeps and exchanges moving averages', () => {
    const w = start(device);
    const optimizer = new SGD({ learningRate: 0.1, useEma: true, emaMomentum: 0.5 });
    const seen: number[] = [];
    for (let step = 0; step < 3; step++) {
      run(optimizer, w, step, step + 1);
      seen.push(valuesOf(w)[0]![0]!);
    }
    const average = (seen[0]! * 0.5 + seen[1]! * 0.5) * 0.5 + seen[2]! * 0.5;
    const trained = valuesOf(w);
    optimizer.showAverages(w, true);
    optimizer.showAverages(w, true);
    expectClose(valuesOf(w)[0]![0]!, average, 1e-6);
    optimizer.showAverages(w, false);
    expect(valuesOf(w)).toEqual(trained);
    optimizer.overwriteWithAverages(w);
    expectClose(valuesOf(w)[0]![0]!, average, 1e-6);
  });

  it('clips to the limit and no further', () => {
    const step = (options: object, gradient: number[]): number[] => {
      const w = tensor([0, 0], { device });
      new SGD({ learningRate: 1, ...options }).apply([w], [tensor(gradient, { device })]);
      return [...w.dataSync()];
    };
    expectClose(step({ clipNorm: 1 }, [3, 4]), [-0.6, -0.8], 1e-6);
    expectClose(step({ clipNorm: 5.1 }, [3, 4]), [-3, -4], 0);
    expectClose(step({ globalClipNorm: 1 }, [3, 4]), [-0.6, -0.8], 1e-6);
    expectClose(step({ clipValue: 3.5 }, [3, -4]), [-3, 3.5], 0);
    expect(step({ globalClipNorm: 1 }, [NaN, 4])).toEqual([NaN, NaN]);
  });

  it('measures the norm of several gradients together', () => {
    const list = [tensor([3], { device }), null, tensor([4], { device, dtype: 'float64' })];
    expect(optimizers.globalNorm(list)).toBe(5);
    expect(optimizers.globalNorm([null])).toBe(0);
  });

  it('counts a change of the parameters, which gradients notice', () => {
    const w = start(device);
    const before = w[0]!.storage.version;
    run(new Nadam(), w, 0, 1);
    expect(w[0]!.storage.version).toBeGreaterThan(before);
  });
});

describe('optimizers', () => {
  it('are found by name, in any spelling, and made again from their config', () => {
    for (const name of ['nadam', 'Nadam', 'NADAM'] as never[]) {
      expect(optimizers.get(name)).toBeInstanceOf(Nadam);
    }
    const rmsprop = new RMSprop({ learningRate: 0.3, rho: 0.8, centered: true, clipNorm: 2 });
    const again = optimizers.get(
      JSON.parse(JSON.stringify(optimizers.serialize(rmsprop))) as ReturnType<
        typeof optimizers.serialize
      >,
    );
    expect(again).toBeInstanceOf(RMSprop);
    expect(again.config()).toEqual(rmsprop.config());
    expect(() => optimizers.get('nadma' as never)).toThrow(/no optimizer named "nadma".*"nadam"/s);
  });

  it('have the defaults of Keras 3', () => {
    const rates = { sgd: 0.01, adagrad: 1e-3, adadelta: 1e-3, rmsprop: 1e-3, lion: 1e-3 };
    for (const [name, rate] of Object.entries(rates)) {
      expect(optimizers.get(name as 'sgd').learningRate, name).toBe(rate);
    }
    expect(new AdamW().weightDecay).toBe(0.004);
    expect(new Nadam().config()).toMatchObject({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  });

  it('follow a schedule, which cannot be overwritten', () => {
    const schedule = new ExponentialDecay({
      initialLearningRate: 1,
      decaySteps: 1,
      decayRate: 0.5,
    });
    const sgd = new SGD({ learningRate: schedule });
    const w = [tensor([0])];
    for (const rate of [1, 0.5, 0.25]) {
      expect(sgd.learningRate).toBe(rate);
      sgd.apply(w, [tensor([1])]);
    }
    expect(w[0]!.item()).toBe(-1.75);
    expect(() => (sgd.learningRate = 3)).toThrow(/follows ExponentialDecay/);
    const constant = new SGD();
    constant.learningRate = 0.5;
    expect(constant.learningRate).toBe(0.5);
  });

  it('refuse options out of range', () => {
    const refused: readonly [() => unknown, RegExp][] = [
      [() => new SGD({ learningRate: -1 }), /learningRate must be/],
      [() => new SGD({ learningRate: NaN }), /learningRate must be/],
      [() => new SGD({ momentum: 1 }), /momentum must be a number from 0 to below 1, not 1/],
      [() => new Adam({ beta2: 1.5 }), /beta2/],
      [() => new Adam({ clipNorm: 1, clipValue: 1 }), /clipNorm and clipValue/],
      [() => new Adam({ clipNorm: 0 }), /clipNorm must be a number greater than 0, not 0/],
      [() => new Adam({ weightDecay: -1 }), /weightDecay/],
      [() => new Adam({ useEma: true, emaOverwriteFrequency: 0.5 }), /whole number/],
    ];
    for (const [make, message] of refused) {
      expect(make).toThrow(ValueError);
      expect(make).toThrow(message);
    }
  });

  it('refuse what their constructors refuse when it is set', () => {
    const sgd = new SGD({ momentum: 0.9 });
    for (const option of ['learningRate', 'weightDecay', 'iterations', 'momentum'] as const) {
      const before = sgd[option];
      for (const wrong of ['1', NaN, -1, null]) {
        const set = (): unknown => ((sgd as unknown as Record<string, unknown>)[option] = wrong);
        expect(set, `${option} = ${wrong}`).toThrow(ValueError);
        expect(set, `${option} = ${wrong}`).toThrow(new RegExp(`sgd: ${option} must be`));
      }
      expect(sgd[option]).toBe(before);
    }
    sgd.weightDecay = 0.1;
    sgd.momentum = 0;
    sgd.momentum = 0.5;
    expect(sgd.config()).toMatchObject({ weightDecay: 0.1, momentum: 0.5 });
    expect(() => (new SGD().momentum = 0.5)).toThrow(/without momentum; make one with/);
    // What the optimizer is made of once and for all cannot be set at all.
    for (const option of ['useEma', 'emaMomentum', 'clipNorm', 'gradientAccumulationSteps']) {
      const set = (): unknown => ((sgd as unknown as Record<string, unknown>)[option] = 2);
      expect(set).toThrow(`Cannot assign to read only property '${option}'`);
    }
  });

  it('refuse gradients that do not fit', () => {
    const w = tensor([1, 2]);
    const sgd = new SGD();
    expect(() => sgd.apply([w], [])).toThrow(/1 parameters and 0 gradients/);
    expect(() => sgd.apply([w], [null])).toThrow(GradientError);
    expect(() => sgd.apply([w], [tensor([1])])).toThrow(ShapeError);
    expect(() => sgd.apply([w], [tensor([1])])).toThrow(/parameter 0 is \[2\].*gradient \[1\]/);
    expect(() => sgd.apply([w], [tensor([1, 2], { dtype: 'float64' })])).toThrow(/float64/);
    expect(sgd.iterations).toBe(0);
    expect([...w.dataSync()]).toEqual([1, 2]);
  });

  it("refuse another optimizer's state", () => {
    const w = [tensor([1, 2])];
    const adam = new Adam();
    adam.apply(w, [tensor([1, 1])]);
    const state = adam.state(w);
    expect(() => new SGD().restore(state, w)).toThrow(/holds "0\/m"/);
    expect(() => new Nadam().restore(state, w)).toThrow(/no "momentumProduct"/);
    expect(() => new Adam().restore(state, [])).toThrow(/0 parameters/);
    expect(() => new Adam().restore(state, [tensor([1])])).toThrow(/is \[2\].*parameter \[1\]/);
  });

  it('can be written by the user', () => {
    class SignDescent extends Optimizer {
      constructor(options = {}) {
        super('lion', 0.1, options);
      }

      protected fill(hyper: Float64Array, rate: number): void {
        hyper.set([rate, 0, 0], 3);
      }

      protected ownConfig(): Record<string, unknown> {
        return {};
      }
    }
    optimizers.register(SignDescent);
    const found = optimizers.get('signDescent' as never);
    const w = tensor([0, 0]);
    found.apply([w], [tensor([5, -2])]);
    expectClose([...w.dataSync()], [-0.1, 0.1], 1e-7);
  });
});
