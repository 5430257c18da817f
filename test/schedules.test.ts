/** Learning-rate schedules: rates of Keras 3 step by step, saving, errors. */

import { describe, expect, it } from 'vitest';

import { ValueError } from '../src/errors.js';
import * as schedules from '../src/schedules.js';
import {
  CosineDecay,
  ExponentialDecay,
  OneCycle,
  PiecewiseConstantDecay,
} from '../src/schedules.js';
import { expectClose, golden } from './golden.js';

interface Figures {
  readonly by: string;
  readonly inputs: number[];
  readonly cases: readonly {
    readonly class: string;
    readonly options: Record<string, unknown>;
    readonly rates: number[];
  }[];
}

const { by, inputs: steps, cases } = golden('schedules') as Figures;

describe('schedules', () => {
  for (const { class: className, options, rates } of cases) {
    it(`${className} ${JSON.stringify(options)} has the rates of ${by}`, () => {
      const schedule = schedules.get({ className, config: options });
      expectClose(steps.map((step) => schedule.at(step)), rates, 1e-9, className); // prettier-ignore
      const text = JSON.stringify(schedules.serialize(schedule));
      const again = schedules.get(JSON.parse(text) as ReturnType<typeof schedules.serialize>);
      expect(steps.map((step) => again.at(step))).toEqual(steps.map((step) => schedule.at(step)));
    });
  }

  it('anneal 1cycle along cosines as well, through the same corners', () => {
    const options = { maxLearningRate: 1, totalSteps: 100, lastSteps: 20 };
    const line = new OneCycle(options);
    const curve = new OneCycle({ ...options, annealing: 'cosine' });
    for (const corner of [0, 40, 80, 100, 200]) {
      expectClose(curve.at(corner), line.at(corner), 1e-12, `step ${corner}`);
    }
    expectClose([line.at(0), line.at(40), line.at(80), line.at(100)], [0.1, 1, 0.1, 1e-4], 1e-12);
    // Flat at the corners: slower than the line at first, faster in the middle.
    expect(curve.at(5)).toBeLessThan(line.at(5));
    expectClose(curve.at(20), line.at(20), 1e-12);
    expect(curve.at(35)).toBeGreaterThan(line.at(35));
  });

  it('refuse options that make no sense', () => {
    const refused: readonly [() => unknown, RegExp][] = [
      [() => new PiecewiseConstantDecay({ boundaries: [1], values: [1] }), /need 2 values, got 1/],
      [
        () => new PiecewiseConstantDecay({} as never),
        /arrays of numbers, not undefined and undefined/,
      ],
      [
        () => new CosineDecay({ decaySteps: 9 } as never),
        /CosineDecay: initialLearningRate must be a number/,
      ],
      [() => new CosineDecay(...([] as unknown as [never])), /CosineDecay: initialLearningRate/],
      [
        () => new ExponentialDecay({ initialLearningRate: 1 } as never),
        /decaySteps must be a number greater than 0, not undefined/,
      ],
      [
        () => new PiecewiseConstantDecay({ boundaries: [3, 3], values: [1, 2, 3] }),
        /must increase/,
      ],
      [
        () =>
          new schedules.ExponentialDecay({ initialLearningRate: 1, decaySteps: 0, decayRate: 1 }),
        /ExponentialDecay: decaySteps must be a number greater than 0/,
      ],
      [() => new OneCycle({ maxLearningRate: 1, totalSteps: 10, lastSteps: 10 }), /lastSteps/],
      [() => schedules.get({ className: 'CosineDecy', config: {} }), /"cosineDecay"/],
    ];
    for (const [call, message] of refused) {
      expect(call).toThrow(ValueError);
      expect(call).toThrow(message);
    }
  });
});
