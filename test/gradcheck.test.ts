/** The gradient checks themselves: they pass what is right and catch what is wrong. */

import { describe, expect, it } from 'vitest';

import {
  customOp,
  DTypeError,
  gradcheck,
  GradientError,
  gradgradcheck,
  tensor,
} from '../src/index.js';
import { isRecording } from '../src/autograd/tape.js';
import type { Tensor } from '../src/index.js';

const point = (): Tensor => tensor([[0.5, -1.25], [2, 0.75]], { dtype: 'float64' }); // prettier-ignore

/** x³ with a gradient of our choice. */
const cubeWith = (slope: (x: Tensor, g: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
  customOp<[Tensor]>({
    name: 'cube',
    forward: (context, x) => {
      context.save(x);
      return x.mul(x).mul(x);
    },
    backward: ({ saved: [x] }, g) => [slope(x!, g)],
  });

const right = cubeWith((x, g) => g.mul(x.square()).mul(3));

describe('gradcheck', () => {
  it('returns the largest error of a right gradient', () => {
    const error = gradcheck(right, [point()]);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(1e-8);
  });

  it('names the elements where a gradient is wrong', () => {
    const wrong = cubeWith((x, g) => g.mul(x.square()).mul(x.greater(1).cast('float64').add(3)));
    expect(() => gradcheck(wrong, [point()])).toThrow(GradientError);
    expect(() => gradcheck(wrong, [point()])).toThrow(/1 of 4 elements[^]*\[2, 2\]\s+\[1, 0\]/);
  });

  it.each([
    ['a wrong sign', (x: Tensor, g: Tensor) => g.mul(x.square()).mul(-3)],
    ['an error of a thousandth', (x: Tensor, g: Tensor) => g.mul(x.square()).mul(3.003)],
    ['a gradient that ignores the upstream one', (x: Tensor) => x.square().mul(3)],
    ['elements in another order', (x: Tensor, g: Tensor) => g.mul(x.square()).mul(3).transpose()],
    ['NaN', (x: Tensor, g: Tensor) => g.mul(x).div(0).mul(0)],
    ['zeros', (_x: Tensor, g: Tensor) => g.mul(0)],
  ])('catches %s', (_what, slope) => {
    expect(() => gradcheck(cubeWith(slope), [point()])).toThrow(GradientError);
  });

  it('catches a gradient that is missing', () => {
    const cut = (x: Tensor): Tensor => x.detach().square();
    expect(() => gradcheck(cut, [point()])).toThrow(GradientError);
  });

  it('adds up what several results and several uses of an input contribute', () => {
    gradcheck((x, y) => [x.mul(y), x.exp(), y.sum()], [point(), point().add(0.5)]);
  });

  it('passes inputs of other dtypes on', () => {
    const index = tensor([1, 0, 1], { dtype: 'int32' });
    gradcheck((x, i) => x.gather(i), [point(), index]);
  });

  it('accepts a result that does not depend on the input', () => {
    expect(gradcheck((x) => x.add(0.1).floor(), [point()])).toBe(0);
  });

  it('refuses what differences cannot check', () => {
    expect(() => gradcheck((x) => x, [tensor([1])])).toThrow(DTypeError);
    expect(() => gradcheck((x) => x.cast('float32'), [point()])).toThrow(/float64.*float32/);
    expect(() => gradcheck(() => 3 as unknown as Tensor, [point()])).toThrow(/return a tensor/);
    let calls = 0;
    const drifting = (x: Tensor): Tensor => x.add(calls++);
    expect(() => gradcheck(drifting, [point()])).toThrow(/different values/);
  });

  it('leaves its inputs as they were', () => {
    const x = point();
    const before = x.toArray();
    gradcheck(right, [x]);
    expect(x.toArray()).toEqual(before);
    expect(x.requiresGrad).toBe(false);
    expect(x.grad).toBeNull();
  });

  it('gives the same error for the same seed, another for another', () => {
    const error = gradcheck(right, [point()], { seed: 5 });
    expect(gradcheck(right, [point()], { seed: 5 })).toBe(error);
    expect(gradcheck(right, [point()], { seed: 6 })).not.toBe(error);
  });
});

describe('gradgradcheck', () => {
  it('passes a gradient whose own gradient is right', () => {
    expect(gradgradcheck(right, [point()])).toBeLessThan(1e-7);
    expect(gradgradcheck((x, y) => [x.pow(y), y.log()], [point().square(), point().square()]))
      .toBeLessThan(1e-6); // prettier-ignore
  });

  it('catches a right gradient that hides its dependence on the input', () => {
    const hidden = cubeWith((x, g) => g.mul(x.detach().square()).mul(3));
    gradcheck(hidden, [point()]);
    expect(() => gradgradcheck(hidden, [point()])).toThrow(GradientError);
  });

  it('catches a gradient that is lost when it is recorded', () => {
    const lost = customOp<[Tensor]>({
      name: 'cube',
      forward: (context, x) => {
        context.save(x);
        return x.pow(3);
      },
      backward: ({ saved: [x] }, g) => [isRecording() ? null : g.mul(x!.square()).mul(3)],
    });
    gradcheck(lost, [point()]);
    expect(() => gradgradcheck(lost, [point()])).toThrow(GradientError);
  });

  it('catches a right gradient that hides its dependence on the upstream gradient', () => {
    const hidden = cubeWith((x, g) => g.detach().mul(x.square()).mul(3));
    gradcheck(hidden, [point()]);
    expect(() => gradgradcheck(hidden, [point()])).toThrow(GradientError);
  });
});
