/** The tape: what backward and grad give for whole programs, where operations meet. */

import { beforeAll, describe, expect, it } from 'vitest';

import * as g from '../src/index.js';
import { backward, customOp, grad, noGrad, ones, tensor, valueAndGrad } from '../src/index.js';
import type { Tensor } from '../src/index.js';
import { gradientsOf } from '../src/autograd/tape.js';
import { devices } from './devices.js';

const leaf = (values: number[] | number[][]): Tensor =>
  tensor(values, { dtype: 'float64', requiresGrad: true });

/** The gradient of a leaf as numbers. */
const slope = (x: Tensor): unknown => x.grad?.toArray();

describe.each(devices)('on %s', (device) => {
  beforeAll(() => g.setDevice(device));

  describe('backward', () => {
    it('adds up over all the ways a value is used', () => {
      const x = leaf([1, 2, 3]);
      const y = x.square();
      y.add(x).add(y.mul(x)).sum().backward(); // x² + x + x³
      expect(slope(x)).toEqual([1, 2, 3].map((v) => 2 * v + 1 + 3 * v * v));
    });

    it('adds to the gradient that is there', () => {
      const x = leaf([1, 2]);
      x.sum().backward();
      x.square().sum().backward();
      expect(slope(x)).toEqual([3, 5]);
    });

    it('gives each leaf memory of its own', () => {
      const [a, b] = [leaf([1, 2]), leaf([3, 4])];
      const upstream = tensor([1, 1], { dtype: 'float64' });
      a.add(b).backward({ gradient: upstream });
      expect(a.grad!.storage).not.toBe(b.grad!.storage);
      expect([a.grad!.storage, b.grad!.storage]).not.toContain(upstream.storage);
      a.grad!.assign(Float64Array.of(7, 7));
      expect(slope(b)).toEqual([1, 1]);
    });

    it('keeps values readable, and the graph only when asked', () => {
      const x = leaf([2]);
      const y = x.square();
      const loss = y.sum();
      loss.backward({ retainGraph: true });
      loss.backward();
      expect(slope(x)).toEqual([8]);
      expect(y.toArray()).toEqual([4]);
    });

    it('goes through slices, casts and views', () => {
      const x = leaf([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
      const y = x.slice(1).reshape([3, 1]).cast('float32').cast('float64');
      y.mul(tensor([[1], [10], [100]])).sum().backward(); // prettier-ignore
      expect(slope(x)).toEqual([[0, 0, 0], [1, 10, 100]]); // prettier-ignore
      expect(x.grad!.dtype).toBe('float64');
    });

    it('walks a graph of ten thousand operations', () => {
      const x = leaf([1]);
      let y: Tensor = x;
      for (let i = 0; i < 10_000; i++) y = y.add(x);
      y.sum().backward();
      expect(slope(x)).toEqual([10_001]);
    });

    it('is not fooled by a diamond of a million paths', () => {
      const x = leaf([1]);
      let y: Tensor = x;
      for (let i = 0; i < 20; i++) y = y.add(y);
      y.sum().backward();
      expect(slope(x)).toEqual([2 ** 20]);
    });

    it('leaves tensors alone that do not require gradients', () => {
      const x = leaf([1]);
      const constant = tensor([5], { dtype: 'float64' });
      backward(x.mul(constant).sum());
      expect(constant.grad).toBeNull();
    });
  });

  describe('recording', () => {
    it('stops in noGrad, also when the body throws', () => {
      const x = leaf([1]);
      expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
      expect(() => noGrad(() => x.item.call(null as never))).toThrow();
      expect(x.mul(2).requiresGrad).toBe(true);
    });

    it('stops at detach', () => {
      const x = leaf([3]);
      x.mul(x.detach()).sum().backward();
      expect(slope(x)).toEqual([3]);
    });

    it('starts at leaves that require it', () => {
      const x = tensor([1]);
      x.requiresGrad = true;
      expect(x.exp().requiresGrad).toBe(true);
      x.requiresGrad = false;
      expect(x.exp().requiresGrad).toBe(false);
    });
  });

  describe('grad', () => {
    const cube = (x: Tensor): Tensor => x.pow(3).sum();

    it('nests', () => {
      const at = tensor(2, { dtype: 'float64' });
      expect(grad(cube)(at).item()).toBe(12);
      expect(grad(grad(cube))(at).item()).toBe(12);
      expect(grad(grad(grad(cube)))(at).item()).toBe(6);
      expect(grad(grad(grad(grad(cube))))(at).item()).toBe(0);
    });

    it('gives the value too, and the structure of its argument', () => {
      const loss = (p: { w: Tensor; b: Tensor }, x: Tensor): Tensor => x.mul(p.w).add(p.b).sum();
      const p = { w: tensor([1, 2]), b: tensor(0.5) };
      const { value, gradient } = valueAndGrad(loss)(p, tensor([3, 4]));
      expect(value.item()).toBe(12);
      expect(gradient.w.toArray()).toEqual([3, 4]);
      expect(gradient.b.item()).toBe(2);
      const list = grad(([a, b]: readonly Tensor[]) => a!.mul(b!).sum())([tensor(2), tensor(3)]);
      expect(list.map((each) => each.item())).toEqual([3, 2]);
    });

    it('is zero where the function does not depend on the argument', () => {
      expect(grad((x: Tensor) => ones(x.shape).sum())(tensor([1, 2])).toArray()).toEqual([0, 0]);
    });

    it('does not touch .grad, nor require gradients of its argument', () => {
      const x = tensor([1, 2]);
      grad(cube)(x);
      expect(x.grad).toBeNull();
      expect(x.requiresGrad).toBe(false);
    });

    it('keeps inner and outer derivatives of the same tensor apart', () => {
      // d/dx [x · d/dy (x + y) at y = 1] = 1: the classic perturbation confusion.
      const f = (x: Tensor): Tensor => x.mul(grad((y: Tensor) => x.add(y))(tensor(1))).sum();
      expect(grad(f)(tensor(1)).item()).toBe(1);
    });

    it('differentiates a gradient penalty', () => {
      // (d/dx Σ (w x)²)² summed, by w: Σ (2 w² x)², so 16 w³ x² each.
      const penalty = (w: Tensor, x: Tensor): Tensor =>
        grad((z: Tensor) => w.mul(z).square().sum())(x)
          .square()
          .sum();
      const at = tensor([2, 3], { dtype: 'float64' });
      const x = tensor([1, 0.5], { dtype: 'float64' });
      expect(grad(penalty)(at, x).toArray()).toEqual([128, 108]);
    });
  });

  it('a gradient taken inside can be differentiated by weights it was not taken by', () => {
    const w = leaf([2, 3]);
    const x = tensor([1, 0.5], { dtype: 'float64' });
    const gradient = grad((z: Tensor) => w.mul(z).square().sum())(x);
    gradient.square().sum().backward(); // Σ (2 w² x)²
    expect(slope(w)).toEqual([16 * 8, 16 * 27 * 0.25]);
    const numbers = noGrad(() => grad((z: Tensor) => w.mul(z).square().sum())(x));
    expect(numbers.requiresGrad).toBe(false);
    expect(numbers.toArray()).toEqual([8, 9]);
  });

  it('a gradient that depends on nothing else is a plain number', () => {
    expect(grad((z: Tensor) => z.square().sum())(tensor([1])).requiresGrad).toBe(false);
  });

  it('gradients through a fused layer whose weights depend on its input are counted once', () => {
    const x = leaf([[0.5, -0.25], [0.125, 1]]); // prettier-ignore
    const f = (input: Tensor): Tensor =>
      g.dense(input, input.mul(input), null, { name: 'tanh' }).sum();
    const once = gradientsOf(f(x), [x])[0]!;
    const recorded = gradientsOf(f(x), [x], { createGraph: true })[0]!;
    expect(recorded.sub(once).abs().max().item()).toBeLessThan(1e-14);
  });

  it('custom operations are differentiated by their own rule', () => {
    const clipped = customOp<[Tensor, number]>({
      name: 'straightThrough',
      forward: (_context, x, low) => x.maximum(low),
      backward: (_context, upstream) => [upstream],
    });
    const x = leaf([-1, 2]);
    const y = clipped(x, 0);
    expect(y.toArray()).toEqual([0, 2]);
    y.sum().backward();
    expect(slope(x)).toEqual([1, 1]);
  });
});
