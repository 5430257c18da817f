/** Activations by name: values and gradients of Keras 3, parameters, fusing, errors. */

import { describe, expect, it } from 'vitest';

import * as activations from '../src/activations.js';
import type { ActivationLike } from '../src/activations.js';
import { gradientsOf } from '../src/autograd/tape.js';
import { ValueError } from '../src/errors.js';
import { dense } from '../src/ops/dense.js';
import { abs, add, div, mul, square } from '../src/ops/elementwise.js';
import { reshape } from '../src/ops/move.js';
import { sum } from '../src/ops/reduce.js';
import { arange, eye, tensor } from '../src/tensor/create.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';

interface Figures {
  readonly by: string;
  readonly inputs: number[][];
  readonly cases: readonly {
    readonly name: activations.ActivationName;
    readonly params: Record<string, number>;
    readonly y: number[][];
    readonly gradient: number[][];
  }[];
}

const { by, inputs, cases } = golden('activations') as Figures;

describe.each(devices)('activations on %s', (device) => {
  for (const { name, params, y: wanted, gradient } of cases) {
    it.each(['float64', 'float32'] as const)(
      `${name} ${JSON.stringify(params)} as ${by}, in %s`,
      (dtype) => {
        const activation = activations.get({ name, params });
        const x = tensor(inputs, { device, dtype, requiresGrad: true });
        const tolerance = dtype === 'float64' ? 1e-7 : 1e-5;
        const y = activation.call(x);
        // e^100 is infinite in float32.
        const inRange = (rows: number[][]): number[][] =>
          dtype === 'float64' ? rows : rows.map((row) => row.map(Math.fround));
        expectClose(y.toArray(), inRange(wanted), tolerance, 'value');
        const weights = reshape(arange(0, 32, 1, { device, dtype }), [4, 8]);
        const slope = gradientsOf(sum(mul(y, weights)), [x])[0]!;
        expectClose(slope.toArray(), inRange(gradient), tolerance, 'gradient');
        // What the dense layer fuses is the same function.
        if (activation.fused) {
          const fused = dense(x, eye(8, 8, { device, dtype }), null, activation.fused);
          expectClose(fused.toArray(), inRange(wanted), tolerance, 'fused');
        }
      },
    );
  }

  it('sigmoid is right down to the smallest number there is', () => {
    const points = [-80, -88.5, -89, -95, -103];
    const y = activations.get('sigmoid').call(tensor(points, { device })).dataSync();
    points.forEach((x, i) => {
      // Up to two units in the last place, of which the smallest numbers have few.
      const allowed = Math.max(Math.exp(x) * 2 ** -22, 2 ** -148);
      expect(Math.abs(y[i]! - Math.exp(x)), `sigmoid(${x}) is ${y[i]}`).toBeLessThanOrEqual(
        allowed,
      );
    });
    expect(y[4]).toBeGreaterThan(0);
  });
});

describe('activations', () => {
  it('are found in any spelling', () => {
    const spellings: readonly [string, string][] = [
      ['leaky_relu', 'leakyRelu'],
      ['LeakyReLU', 'leakyRelu'],
      ['swish', 'silu'],
      ['logistic', 'sigmoid'],
      ['hard_swish', 'hardSilu'],
      ['log_softmax', 'logSoftmax'],
    ];
    for (const [given, name] of spellings) {
      expect(activations.get(given as 'relu').name).toBe(name);
    }
  });

  it('are linear when there is none', () => {
    const x = tensor([1, -1]);
    for (const none of [null, undefined, 'linear'] as const) {
      expect(activations.get(none).call(x)).toBe(x);
    }
  });

  it('take a function of the user', () => {
    const activation = activations.get((x) => square(x));
    expect(activation.call(tensor([3])).item()).toBe(9);
    expect(activation.fused).toBeNull();
    expect(() => activation.config()).toThrow(/cannot be saved.*registerActivation/);
  });

  it('of the user are known by name once they are registered', () => {
    const squash = (x: Tensor): Tensor => div(x, add(abs(x), 2));
    activations.register('squash', squash);
    activations.register('squash', squash);
    expect(activations.names).toContain('squash');
    for (const like of [
      'squash',
      squash,
      { className: 'Activation', config: { name: 'squash' } },
    ]) {
      const activation = activations.get(like);
      expect(activation.call(tensor([2])).item()).toBe(0.5);
      expect(activation.config()).toEqual({ name: 'squash', params: {} });
      expect([activation.isBuiltIn, activation.fused]).toEqual([false, null]);
    }
    expect(() => activations.get('sqash')).toThrow(/Did you mean "squash"\?/);
    expect(() => activations.get({ name: 'squash', params: { a: 1 } })).toThrow(/it has: none/);
    expect(() => activations.register('relu', squash)).toThrow(/"relu" already/);
    expect(() => activations.register('squash', (x) => x)).toThrow(/"squash" already/);
    expect(() => activations.register('other', 3 as never)).toThrow(/a name and a function/);
  });

  it('are made again from their config, through JSON', () => {
    for (const { name, params } of cases) {
      const activation = activations.get({ name, params });
      const text = JSON.stringify(activation.config());
      const again = activations.get(JSON.parse(text) as ActivationLike);
      expect(again.name).toBe(activation.name);
      expect(again.params).toEqual(activation.params);
      expect(again.fused).toEqual(activation.fused);
      expect(activations.get(again)).toBe(again);
    }
  });

  it('are fused where a formula computes them', () => {
    const isFused = (like: ActivationLike): boolean => activations.get(like).fused !== null;
    const fused = ['relu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'tanh', 'leakyRelu'] as const;
    expect(fused.filter((name) => !isFused(name))).toEqual([]);
    // The cross-entropies want the logits of these.
    expect(['softmax', 'sigmoid'].filter((name) => isFused(name as 'softmax'))).toEqual([]);
    expect(isFused({ name: 'relu', params: { maxValue: 3 } })).toBe(false);
  });

  it('refuse unknown names and parameters', () => {
    expect(() => activations.get('geluu')).toThrow(/Did you mean "gelu"\?/);
    const refused: readonly [string, Record<string, number>, RegExp][] = [
      ['elu', { slope: 1 }, /no parameter "slope" \(it has: alpha\)/],
      ['tanh', { alpha: 1 }, /it has: none/],
      ['elu', { alpha: -1 }, /alpha must be a number of 0 or more/],
      ['celu', { alpha: 0 }, /alpha must be a number greater than 0/],
      ['relu', { maxValue: -1 }, /maxValue/],
      ['relu', { threshold: NaN }, /threshold must be a number/],
    ];
    for (const [name, params, message] of refused) {
      const call = (): unknown => activations.get({ name: name as 'elu', params });
      expect(call).toThrow(ValueError);
      expect(call).toThrow(message);
    }
  });
});
