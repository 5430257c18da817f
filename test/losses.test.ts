/** Losses: values, weighting and gradients of Keras 3; logits behind probabilities; errors. */

import { describe, expect, it } from 'vitest';

import * as activations from '../src/activations.js';
import { gradcheck } from '../src/autograd/gradcheck.js';
import { gradientsOf, noGrad } from '../src/autograd/tape.js';
import { ShapeError, ValueError } from '../src/errors.js';
import * as losses from '../src/losses/index.js';
import { mul, square, sub } from '../src/ops/elementwise.js';
import { sum } from '../src/ops/reduce.js';
import { mean } from '../src/ops/statistics.js';
import { tensor, zeros } from '../src/tensor/create.js';
import { Scope } from '../src/tensor/storage.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';

type Rows = number[][];

interface Figures {
  readonly by: string;
  readonly inputs: Record<string, Rows>;
  readonly cases: readonly {
    readonly class: string;
    readonly options: Record<string, unknown>;
    readonly truth: string;
    readonly prediction: string;
    readonly samples: number[];
    readonly value: number | number[];
    readonly gradient: Rows;
    readonly weighted?: number | number[];
  }[];
}

const { by, inputs, cases } = golden('losses') as Figures;

describe.each(devices)('losses on %s', (device) => {
  for (const each of cases) {
    const { class: className, options, truth, prediction } = each;
    const title = `${className} ${JSON.stringify(options)} of ${truth} and ${prediction}`;
    it.each(['float64', 'float32'] as const)(`${title} as ${by}, in %s`, (dtype) => {
      const loss = losses.get({ className, config: options });
      const y = tensor(inputs[truth]!, { device, dtype });
      const p = tensor(inputs[prediction]!, { device, dtype, requiresGrad: true });
      // The limit 1 − 1e-7 is 1 − 2^-23 in float32.
      const coarse = className === 'BinaryCrossentropy' && prediction === 'certain' ? 1e-2 : 2e-5;
      const tolerance = dtype === 'float64' ? 2e-6 : coarse;
      expectClose(loss.call(y, p).toArray(), each.samples, tolerance, 'samples');
      const value = loss.compute(y, p);
      expectClose(value.toArray(), each.value, tolerance, 'value');
      const total = value.rank === 0 ? value : sum(value);
      // At probabilities of exactly 0 and 1 it is a matter of the limits alone.
      if (prediction !== 'certain') {
        expectClose(gradientsOf(total, [p])[0]!.toArray(), each.gradient, tolerance, 'gradient');
      }
      if (each.weighted !== undefined) {
        const weights = tensor(inputs['weights']!, { device, dtype });
        expectClose(loss.compute(y, p, weights).toArray(), each.weighted, tolerance, 'weighted');
      }
    });
  }

  it('computes cross-entropies on the logits behind softmax, also without recording', () => {
    // Far apart: the probability of class 1 rounds to 0 in float32.
    const x = tensor([[200, -100, 0]], { device, requiresGrad: true });
    const softmax = activations.get('softmax');
    const sparse = new losses.SparseCategoricalCrossentropy();
    const label = tensor([1], { device, dtype: 'int32' });
    const loss = sparse.compute(label, softmax.call(x));
    expect(loss.item()).toBe(300);
    expectClose(gradientsOf(loss, [x])[0]!.toArray(), [[1, -1, 0]], 1e-6);
    expect(noGrad(() => sparse.compute(label, softmax.call(x)).item())).toBe(300);
    const oneHot = tensor([[0, 1, 0]], { device });
    expect(losses.get('cce').compute(oneHot, softmax.call(x)).item()).toBe(300);
    // A copy has no logits behind it; the limit is −log 1e-7.
    expectClose(sparse.compute(label, softmax.call(x).copy()).item(), -Math.log(1e-7), 1e-5);
    // Nor has a softmax along another axis.
    const turned = activations.get({ name: 'softmax', params: { axis: 0 } });
    expectClose(sparse.compute(label, turned.call(x)).item(), Math.log(3), 1e-5);
  });

  it('computes binary cross-entropy on the logits behind a sigmoid', () => {
    const x = tensor([[200], [-200]], { device, requiresGrad: true });
    const binary = new losses.BinaryCrossentropy();
    const loss = binary.compute(tensor([0, 0], { device }), activations.get('sigmoid').call(x));
    expect(loss.item()).toBe(100);
    expectClose(gradientsOf(loss, [x])[0]!.toArray(), [[0.5], [0]], 1e-6);
  });

  it('does not take logits that were changed or freed', () => {
    const sparse = new losses.SparseCategoricalCrossentropy();
    const label = tensor([0], { device, dtype: 'int32' });
    const x = tensor([[0, 0]], { device });
    const y = activations.get('softmax').call(x);
    x.assign(tensor([[50, 0]], { device }));
    expectClose(sparse.compute(label, y).item(), Math.LN2, 1e-6);
    const scope = new Scope();
    const inner = activations.get('softmax').call(tensor([[1, 1]], { device }));
    scope.keep(inner);
    scope.end();
    expectClose(sparse.compute(label, inner).item(), Math.LN2, 1e-6);
  });

  it('takes labels of any dtype, [batch] and [batch, 1]', () => {
    const p = tensor([[0.2, 0.8], [0.6, 0.4]], { device }); // prettier-ignore
    const wanted = -(Math.log(0.8) + Math.log(0.6)) / 2;
    for (const dtype of ['int32', 'uint8', 'float32', 'float64'] as const) {
      for (const labels of [
        [1, 0],
        [[1], [0]],
      ]) {
        const y = tensor(labels, { device, dtype });
        expectClose(losses.get('scce').compute(y, p).item(), wanted, 1e-6, dtype);
      }
    }
  });

  it('smooths sparse labels as one-hot ones', () => {
    const logits = tensor(inputs['logits']!, { device });
    const options = { fromLogits: true, labelSmoothing: 0.3 };
    const sparse = new losses.SparseCategoricalCrossentropy(options);
    const dense = new losses.CategoricalCrossentropy(options);
    const a = sparse.call(tensor(inputs['labels']!, { device, dtype: 'int32' }), logits);
    const b = dense.call(tensor(inputs['oneHot']!, { device }), logits);
    expectClose(a.toArray(), b.toArray() as number[], 1e-6);
  });

  it('weighs samples of sequences by one weight each, or one per step', () => {
    const y = tensor(inputs['sequenceLabels']!, { device });
    const p = tensor(inputs['sequence']!, { device });
    const loss = new losses.SparseCategoricalCrossentropy({ fromLogits: true });
    const values = loss.call(y, p).toArray() as Rows;
    const total = (weights: Rows): number =>
      values.flat().reduce((all, value, i) => all + value * weights.flat()[i]!, 0) / 6;
    const perSample = Number(loss.compute(y, p, tensor([2, 0.5], { device })).item());
    expectClose(perSample, total([[2, 2, 2], [0.5, 0.5, 0.5]]), 1e-6); // prettier-ignore
    const each = [[1, 0, 2], [3, 1, 0.5]]; // prettier-ignore
    expectClose(loss.compute(y, p, tensor(each, { device })).item(), total(each), 1e-6);
    const mean = new losses.SparseCategoricalCrossentropy({
      fromLogits: true,
      reduction: 'meanWithSampleWeight',
    });
    const weighted = mean.compute(y, p, tensor([2, 0.5], { device })).item();
    expectClose(weighted, (perSample * 6) / 7.5, 1e-6);
  });

  it('ignores whatever stands in rows of the ignored class', () => {
    const loss = new losses.SparseCategoricalCrossentropy({ fromLogits: true, ignoreClass: -1 });
    const y = tensor([-1, 1, -1], { device, dtype: 'int32' });
    const rows = [[NaN, 1], [0, 0], [Infinity, 0]]; // prettier-ignore
    const p = tensor(rows, { device, requiresGrad: true });
    const value = loss.compute(y, p);
    expectClose(value.item(), Math.LN2, 1e-6);
    expectClose(gradientsOf(value, [p])[0]!.toArray(), [[0, 0], [0.5, -0.5], [0, 0]], 1e-6); // prettier-ignore
    const none = loss.compute(tensor([-1, -1, -1], { device, dtype: 'int32' }), p);
    expect(none.item()).toBe(0);
    expect(gradientsOf(none, [p])[0]!.toArray()).toEqual(rows.map(() => [0, 0]));
  });

  const checked = cases.filter((each) => /Focal|Dice/.test(each.class) || 'ignoreClass' in each.options); // prettier-ignore
  it.each(checked.map((each) => [`${each.class} ${JSON.stringify(each.options)}`, each] as const))(
    'has the gradient of its differences: %s',
    (_, { class: className, options, truth, prediction }) => {
      const loss = losses.get({ className, config: options });
      const y = tensor(inputs[truth]!, { device, dtype: 'float64' });
      // Probabilities near 0 need small steps.
      const p = tensor(inputs[prediction]!, { device, dtype: 'float64' });
      const error = gradcheck((x) => loss.compute(y, x), [p], { epsilon: 1e-6 });
      expect(error).toBeLessThan(1e-4);
    },
  );

  it('sums an empty batch to 0', () => {
    const loss = new losses.MeanSquaredError();
    const empty = zeros([0, 3], { device });
    expect(loss.compute(empty, empty).item()).toBe(0);
  });

  it('takes a function', () => {
    const cube = (y: Tensor, p: Tensor): Tensor => {
      const error = sub(p, y);
      return mean(mul(square(error), error), -1);
    };
    const loss = losses.get(cube);
    const value = loss.compute(tensor([[0, 0]], { device }), tensor([[1, 2]], { device }));
    expect(value.item()).toBe(4.5);
    expect(loss.name).toBe('cube');
    expect(() => losses.serialize(loss)).toThrow(/function and cannot be saved/);
  });
});

describe('losses', () => {
  const labels = tensor([0, 1]);
  const refused: readonly [string, () => unknown, RegExp][] = [
    [
      'class numbers where one-hot is needed',
      () => losses.get('categoricalCrossentropy').call(labels, zeros([2, 3])),
      /Then use sparseCategoricalCrossentropy/,
    ],
    [
      'one-hot where class numbers are needed',
      () => losses.get('scce').call(zeros([2, 3]), zeros([2, 3])),
      /Then use categoricalCrossentropy/,
    ],
    [
      'one output for many classes',
      () => losses.get('scce').call(labels, zeros([2, 1])),
      /2 classes or more.*binaryCrossentropy/,
    ],
    [
      'shapes that would broadcast',
      () => losses.get('mse').call(zeros([2, 3]), zeros([2, 1])),
      /targets \[2, 3\] do not fit predictions \[2, 1\]/,
    ],
    [
      'too few weights',
      () => losses.get('mse').compute(zeros([3, 2]), zeros([3, 2]), zeros([2])),
      /one weight per sample, \[3\]/,
    ],
  ];
  it.each(refused)('refuse %s', (_, call, message) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });

  it('name a label that is out of range', () => {
    const call = (): unknown => losses.get('scce').compute(tensor([0, 7]), zeros([2, 3]));
    expect(call).toThrow(ValueError);
    expect(call).toThrow(/label 7 in row 1 is outside 0 … 2/);
  });

  it('refuse options out of range and unknown names', () => {
    expect(() => new losses.CategoricalCrossentropy({ labelSmoothing: 2 })).toThrow(/from 0 to 1/);
    const label = { ignoreClass: 0.5 };
    expect(() => new losses.SparseCategoricalCrossentropy(label)).toThrow(
      /ignoreClass must be a whole number, not 0.5/,
    );
    const weighted = (): unknown => losses.get('dice').compute(labels, labels, labels);
    expect(weighted).toThrow(/whole batch; give axis/);
    expect(() => new losses.Huber({ delta: 0 })).toThrow(/greater than 0/);
    expect(() => new losses.Huber({ reduction: 'mean' as 'sum' })).toThrow(/sumOverBatchSize/);
    expect(() => losses.get('crossentrpy' as 'mse')).toThrow(/no loss named "crossentrpy"/);
  });

  it('are found by name in any spelling and made again from their config', () => {
    for (const name of ['MeanSquaredError', 'mean_squared_error', 'MSE'] as never[]) {
      expect(losses.get(name)).toBeInstanceOf(losses.MeanSquaredError);
    }
    for (const { class: className, options } of cases) {
      const loss = losses.get({ className, config: options });
      expect(losses.get(losses.serialize(loss)).config()).toEqual(loss.config());
    }
  });
});
