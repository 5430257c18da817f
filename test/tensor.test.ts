/** The tensor itself: reading, printing, copying, assigning, moving between devices. */

import { afterAll, describe, expect, it } from 'vitest';

import * as g from '../src/index.js';
import { ones, Tensor, tensor, zeros } from '../src/index.js';
import { devices } from './devices.js';

const before = g.device();
afterAll(() => g.setDevice(before));

describe.each(devices)('on %s', (device) => {
  const on = { device } as const;

  it('knows its shape, size, rank, dtype and device', () => {
    const x = zeros([2, 0, 3], { dtype: 'int32', ...on });
    expect(x).toBeInstanceOf(Tensor);
    expect([x.shape, x.size, x.rank, x.dtype, x.device]).toEqual([
      [2, 0, 3],
      0,
      3,
      'int32',
      device,
    ]);
    expect(x.constructor).toBe(Tensor);
    expect(x.buffer).toHaveLength(0);
    expect(x.backend.device).toBe(device);
  });

  it('gives fresh arrays', async () => {
    const x = tensor([1, 2, 3], on);
    const read = x.dataSync();
    read[0] = 9;
    (await x.data())[1] = 9;
    expect(x.toArray()).toEqual([1, 2, 3]);
    expect(await x.data()).toEqual(Float32Array.of(1, 2, 3));
  });

  it('copies what it is made of', () => {
    const values = Float32Array.of(1, 2);
    const shape = [2];
    const x = tensor(values, { shape, ...on });
    values[0] = 9;
    shape[0] = 5;
    expect(x.toArray()).toEqual([1, 2]);
    expect(x.shape).toEqual([2]);
  });

  it('gives values of one element, booleans for bool', () => {
    expect(tensor([[2.5]], on).item()).toBe(2.5);
    expect(tensor(true, on).item()).toBe(true);
    expect(tensor([[true], [false]], on).toArray()).toEqual([[true], [false]]);
    expect(zeros([2, 0], on).toArray()).toEqual([[], []]);
  });

  it('prints as numpy prints arrays', () => {
    expect(tensor([[1, 2.5], [-3, 4]], on).toString()).toBe('[[ 1.   2.5]\n [-3.   4. ]]'); // prettier-ignore
    expect(tensor(NaN, on).toString()).toBe('nan');
    expect(zeros([0], on).toString()).toBe('[]');
  });

  it('shares memory in views and detached tensors, not in copies', () => {
    const x = tensor([[1, 2], [3, 4]], on); // prettier-ignore
    const [row, flat, copy, detached] = [x.slice(1), x.reshape([4]), x.copy(), x.detach()];
    x.assign(Float32Array.of(5, 6, 7, 8));
    expect(row.toArray()).toEqual([7, 8]);
    expect(flat.toArray()).toEqual([5, 6, 7, 8]);
    expect(detached.toArray()).toEqual([[5, 6], [7, 8]]); // prettier-ignore
    expect(copy.toArray()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    row.assign(zeros([2], on));
    expect(x.toArray()).toEqual([[5, 6], [0, 0]]); // prettier-ignore
  });

  it('assigns from an overlapping view of itself', () => {
    const x = tensor([1, 2, 3, 4], on);
    x.slice([1, 4]).assign(x.slice([0, 3]));
    expect(x.toArray()).toEqual([1, 1, 2, 3]);
  });

  it('keeps bools 0 and 1, whatever is assigned', () => {
    const x = tensor([true, false], on).assign(Uint8Array.of(0, 7));
    expect(x.dataSync()).toEqual(Uint8Array.of(0, 1));
    expect(x.sum().item()).toBe(1);
  });

  it('gives memory back once', () => {
    const x = ones([3], on);
    x.dispose();
    x.dispose();
    expect(() => x.dataSync()).toThrow(g.MemoryError);
    expect((x as unknown as Record<symbol, () => string>)[Symbol.for('nodejs.util.inspect.custom')]!())
      .toContain('freed'); // prettier-ignore
  });

  it.each(devices)('moves to %s', (other) => {
    const x = tensor([[1, 2], [3, 4]], { dtype: 'int32', ...on }); // prettier-ignore
    const y = x.to(other);
    expect([y.device, y.dtype, y.toArray()]).toEqual([other, 'int32', x.toArray()]);
    if (other === device) expect(y).toBe(x);
    else
      expect(y.assign(zeros([2, 2], { dtype: 'int32', device: other })) === (y as Tensor)).toBe(
        true,
      );
    expect(x.toArray()).toEqual(other === device ? y.toArray() : [[1, 2], [3, 4]]); // prettier-ignore
  });

  it.each(devices)('sends gradients back from %s', (other) => {
    const x = tensor([1, 2, 3], { requiresGrad: true, ...on });
    x.to(other).square().sum().backward();
    expect([x.grad!.device, x.grad!.toArray()]).toEqual([device, [2, 4, 6]]);
    // Gradients of gradients too, there and back.
    const cube = (t: Tensor): Tensor => t.to(other).pow(3).to(device).sum();
    expect(
      g
        .grad(g.grad(cube))(tensor([2], on))
        .toArray(),
    ).toEqual([12]);
  });

  it('is made on the default device', () => {
    g.setDevice(device);
    expect(g.device()).toBe(device);
    expect(zeros([1]).device).toBe(device);
    expect(tensor([1]).add(1).device).toBe(device);
  });

  it('computes with as many threads as it is told to', () => {
    g.setDevice(device);
    const count = g.threads();
    expect(count).toBeGreaterThanOrEqual(1);
    g.setThreads(1);
    expect(g.threads()).toBe(1);
    g.setThreads(count);
  });
});

it('a device in the process has no statistics, and no memory to limit', () => {
  expect(g.deviceStatistics('js')).toBeNull();
  expect(() => g.setMemoryLimit(1e6, 'js')).toThrow(/device "js" has no memory of its own/);
  expect(() => g.setMemoryLimit(-1, 'js')).toThrow(/-1 is no number of bytes/);
});

describe('describeDevices', () => {
  it('gives every device, with details or with the reason why it is missing', () => {
    const reports = g.describeDevices();
    expect(reports.map((report) => report.device)).toContain('js');
    for (const { available, details, reason } of reports) {
      expect(available ? details : reason).toMatch(/\w/);
    }
  });
});
