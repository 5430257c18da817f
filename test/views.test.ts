/** Which operations share memory with their input, and what follows from sharing. */

import { describe, expect, it } from 'vitest';

import { concat, GradientError, ones, split, stack, tensor } from '../src/index.js';
import type { Tensor } from '../src/index.js';
import { devices } from './devices.js';

const numbers = (device: string): Tensor =>
  tensor(Float32Array.from({ length: 24 }, (_, i) => i), { shape: [4, 3, 2], device }); // prettier-ignore

const sharing: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  reshape: (x) => x.reshape([2, -1]),
  'reshape to the same shape': (x) => x.reshape([4, 3, 2]),
  flatten: (x) => x.flatten(1),
  'flatten and fold again': (x) => x.flatten().reshape([6, 4]),
  expandDims: (x) => x.expandDims(1),
  squeeze: (x) => x.reshape([4, 1, 6]).squeeze(),
  'rows of a slice': (x) => x.slice([1, 3]),
  'one row': (x) => x.slice(-1),
  'part of one row': (x) => x.slice(1, [1, 3]),
  'one element': (x) => x.slice(1, 2, 0),
  'a slice of everything': (x) => x.slice(null, [null, null], [0, 99]),
  'a slice of nothing': (x) => x.slice([2, 2]),
  'a slice of a slice': (x) => x.slice([1, null]).slice([1, null]),
  'split rows': (x) => split(x, [1, 3])[1]!,
  'transposed axes of size 1': (x) => x.reshape([4, 1, 6]).transpose([1, 0, 2]),
  'a cast to its own dtype': (x) => x.cast('float32'),
  'a broadcast to its own shape': (x) => x.broadcastTo([4, 3, 2]),
  detach: (x) => x.detach(),
};

const copying: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  transpose: (x) => x.transpose(),
  swapAxes: (x) => x.swapAxes(0, 1),
  'every other row': (x) => x.slice([null, null, 2]),
  'rows backwards': (x) => x.slice([null, null, -1]),
  columns: (x) => x.slice(null, [0, 2]),
  'one column': (x) => x.slice(null, null, 1),
  'split columns': (x) => split(x, 3, 1)[0]!,
  flip: (x) => x.flip(0),
  pad: (x) => x.pad([[0, 1], [0, 0], [0, 0]]), // prettier-ignore
  tile: (x) => x.tile([2, 1, 1]),
  concat: (x) => concat([x, x]),
  stack: (x) => stack([x]).squeeze(0),
  copy: (x) => x.copy(),
};

/** The same indexing done on nested arrays, to tell where a view must look. */
const flat = (x: Tensor): number[] => Array.from(x.dataSync());

describe.each(devices)('on %s', (device) => {
  it.each(Object.keys(sharing))('shares memory: %s', (name) => {
    const x = numbers(device);
    const view = sharing[name]!(x);
    expect(view.storage).toBe(x.storage);
    const before = flat(view);
    x.assign(x.add(100));
    expect(flat(view)).toEqual(before.map((value) => value + 100));
  });

  it.each(Object.keys(copying))('copies: %s', (name) => {
    const x = numbers(device);
    const copy = copying[name]!(x);
    const before = flat(copy);
    x.assign(x.add(100));
    expect(flat(copy)).toEqual(before);
  });

  it('looks at the right place', () => {
    const x = numbers(device);
    expect(flat(x.slice([1, 3]).slice(1, [1, 2]))).toEqual([14, 15]);
    expect(x.slice([2, null]).reshape([-1, 4]).slice(0).toArray()).toEqual([12, 13, 14, 15]);
    expect(x.slice(3).matmul([[1], [0]]).toArray()).toEqual([[18], [20], [22]]); // prettier-ignore
    expect(x.slice(3, 2, 1).item()).toBe(23);
    expect(x.slice([3, null]).sum([0, 2]).toArray()).toEqual([37, 41, 45]);
  });

  it('writes through a view into what it views', () => {
    const x = numbers(device);
    x.slice([1, 2]).assign(ones([1, 3, 2], { device }));
    expect(flat(x.slice(1))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(flat(x.slice(0))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(flat(x.slice(2))).toEqual([12, 13, 14, 15, 16, 17]);
  });

  it('notices that a saved value was changed through another view', () => {
    const w = ones([3, 2], { device, requiresGrad: true });
    const x = numbers(device);
    const y = w.mul(x.slice(0)).sum();
    x.slice(3).assign(x.slice(2));
    expect(() => y.backward()).toThrow(GradientError);
  });

  it('adds up gradients of overlapping views', () => {
    const x = tensor([1, 2, 3, 4], { device, requiresGrad: true });
    x.slice([0, 3])
      .add(x.slice([1, 4]))
      .mul([1, 10, 100])
      .sum()
      .backward();
    expect(x.grad!.toArray()).toEqual([1, 11, 110, 100]);
  });
});
