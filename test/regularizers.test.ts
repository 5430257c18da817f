/** Regularizers and constraints: figures of Keras 3, gradients, saving, errors. */

import { describe, expect, it } from 'vitest';

import { gradientsOf } from '../src/autograd/tape.js';
import * as constraints from '../src/constraints.js';
import { ShapeError, ValueError } from '../src/errors.js';
import * as regularizers from '../src/regularizers.js';
import { tensor } from '../src/tensor/create.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';

interface Figures {
  readonly by: string;
  readonly inputs: number[][];
  readonly cases: readonly {
    readonly regularizer?: string;
    readonly constraint?: string;
    readonly options: Record<string, unknown>;
    readonly value: number | number[][];
  }[];
}

const { by, inputs: w, cases } = golden('penalties') as Figures;

describe.each(devices)('penalties on %s', (device) => {
  for (const { regularizer, constraint, options: config, value } of cases) {
    const className = (regularizer ?? constraint)!;
    it(`${className} ${JSON.stringify(config)} as ${by}`, () => {
      for (const dtype of ['float64', 'float32'] as const) {
        const parameter = tensor(w, { device, dtype, requiresGrad: true });
        const tolerance = dtype === 'float64' ? 1e-7 : 2e-6;
        if (regularizer) {
          const penalty = regularizers.get({ className, config }).call(parameter);
          expectClose(penalty.toArray(), value, tolerance);
        } else {
          constraints.get({ className, config }).apply(parameter);
          expectClose(parameter.toArray(), value, tolerance);
          expect(parameter.node).toBeNull();
        }
      }
    });
  }

  it('has the gradient of its penalty', () => {
    const h = 1e-5;
    for (const each of cases.filter(({ regularizer }) => regularizer)) {
      const penalty = regularizers.get({ className: each.regularizer!, config: each.options });
      const at = (values: number[][]): Tensor =>
        penalty.call(tensor(values, { device, dtype: 'float64' }));
      const parameter = tensor(w, { device, dtype: 'float64', requiresGrad: true });
      const got = gradientsOf(penalty.call(parameter), [parameter])[0]!.toArray();
      const wanted = w.map((row, i) =>
        row.map((_, j) => {
          const moved = (by: number): number[][] =>
            w.map((r, a) => r.map((x, b) => (a === i && b === j ? x + by : x)));
          return (Number(at(moved(h)).item()) - Number(at(moved(-h)).item())) / (2 * h);
        }),
      );
      expectClose(got, wanted, 1e-7, each.regularizer);
    }
  });

  it('leaves allowed weights nearly alone and can be repeated', () => {
    const parameter = tensor(w, { device, dtype: 'float64' });
    const maxNorm = new constraints.MaxNorm(1);
    maxNorm.apply(parameter);
    const once = parameter.toArray();
    maxNorm.apply(parameter);
    expectClose(parameter.toArray(), once, 1e-6);
  });
});

describe('regularizers and constraints', () => {
  it('are found by name; by name both factors of L1L2 are 0.01', () => {
    expect(regularizers.get('l2')).toBeInstanceOf(regularizers.L2);
    expect(regularizers.get('l1_l2' as 'l1L2').config()).toEqual({ l1: 0.01, l2: 0.01 });
    expect(new regularizers.L1L2().config()).toEqual({ l1: 0, l2: 0 });
    expect(constraints.get('max_norm' as 'maxNorm').config()).toEqual({ maxValue: 2, axis: 0 });
    expect(() => regularizers.get('l3' as 'l2')).toThrow(/no regularizer named "l3"/);
    expect(() => constraints.get('maxNrom' as 'maxNorm')).toThrow(/Did you mean "maxNorm"/);
  });

  it('are made again from their config', () => {
    for (const { regularizer, constraint, options: config } of cases) {
      if (regularizer) {
        const one = regularizers.get({ className: regularizer, config });
        expect(regularizers.get(regularizers.serialize(one)).config()).toEqual(one.config());
      } else {
        const one = constraints.get({ className: constraint!, config });
        expect(constraints.get(constraints.serialize(one)).config()).toEqual(one.config());
      }
    }
  });

  it('refuse what makes no sense', () => {
    expect(() => new regularizers.L2(-1)).toThrow(ValueError);
    expect(() => new regularizers.L1L2({ l1: NaN })).toThrow(/l1 must be a number/);
    expect(() => new regularizers.Orthogonal({ mode: 'both' as 'rows' })).toThrow(
      /mode must be one of rows, columns, not "both"/,
    );
    expect(() => new regularizers.Orthogonal().call(tensor([1, 2]))).toThrow(ShapeError);
    expect(() => new constraints.MaxNorm(-1)).toThrow(/maxValue must be a number of 0 or more/);
    expect(() => new constraints.MinMaxNorm({ minValue: 2 })).toThrow(
      /maxValue must be a number of 2 or more, not 1/,
    );
    expect(() => new constraints.MinMaxNorm({ rate: 2 })).toThrow(
      /rate must be a number from 0 to 1/,
    );
  });
});
