/** Memory of CUDA devices: running out of it, limits; and several devices beside each other. */

import { afterEach, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import {
  backendOf,
  device as currentDevice,
  deviceStatistics,
  setDevice,
  setMemoryLimit,
} from '../src/backends/registry.js';
import { DeviceError, MemoryError } from '../src/errors.js';
import { add, mul } from '../src/ops/elementwise.js';
import { matmul } from '../src/ops/matmul.js';
import { tensor, zeros } from '../src/tensor/create.js';
import { clearPool, tidy } from '../src/tensor/memory.js';
import { devices } from './devices.js';

const first = currentDevice();
afterEach(() => setDevice(first));

it('a device that is not there is explained', () => {
  expect(() => backendOf('cuda:77')).toThrow(DeviceError);
});

describe.each(devices.filter((each) => each.startsWith('cuda')))('memory of %s', (device) => {
  const mebibyte = 2 ** 20;

  afterEach(() => setMemoryLimit(Infinity, device));

  it('that runs out is a MemoryError, after which everything works', () => {
    setDevice(device);
    clearPool();
    const { memory } = deviceStatistics()!;
    setMemoryLimit(memory.inUse + memory.cached + 16 * mebibyte);
    const kept = zeros([2 * mebibyte]);
    expect(() => zeros([4 * mebibyte])).toThrow(MemoryError);
    expect(() => zeros([4 * mebibyte])).toThrow(
      /cannot allocate 16777216 bytes.*the limit set is \d+ bytes.*Use a smaller shape/s,
    );
    expect(add(tensor([1, 2]), 1).toArray()).toEqual([2, 3]);
    kept.dispose();
    const fits = zeros([3 * mebibyte]);
    expect(fits.sum().item()).toBe(0);
    fits.dispose();
  });

  it('kept for reuse is given back before it runs out', () => {
    setDevice(device);
    clearPool();
    const { memory } = deviceStatistics()!;
    setMemoryLimit(memory.inUse + memory.cached + 32 * mebibyte);
    // Leaves 24 MiB in the pool of scopes, of a size that the next one does not have.
    tidy(() => mul(zeros([3 * mebibyte]), 1).dispose());
    const larger = tidy(() => zeros([4 * mebibyte]));
    expect(larger.sum().item()).toBe(0);
    larger.dispose();
  });

  it('says what it is', () => {
    setDevice(device);
    const before = deviceStatistics()!.memory;
    const some = zeros([mebibyte]);
    const during = deviceStatistics()!.memory;
    expect(during.inUse - before.inUse).toBe(4 * mebibyte);
    expect(during.peak).toBeGreaterThanOrEqual(during.inUse);
    expect(during.allocations).toBe(before.allocations + 1);
    some.dispose();
    expect(deviceStatistics()!.memory.inUse).toBe(before.inUse);
  });

  const second = `${device}:1`;
  const there = ((): boolean => {
    try {
      return backendOf(second).device === second;
    } catch {
      return false;
    }
  })();

  // The emulated machine has two; a real one may have one.
  it.runIf(there || device === 'cuda-emulated')('is apart from that of the second device', () => {
    const here = tensor([[1, 2], [3, 4]], { device: `${device}:0` }); // prettier-ignore
    const other = tensor([[5, 6], [7, 8]], { device: second }); // prettier-ignore
    expect([here.device, other.device]).toEqual([device, second]);
    expect(matmul(other, other).toArray()).toEqual([[67, 78], [91, 106]]); // prettier-ignore
    expect(add(here, other.to(device)).toArray()).toEqual([[6, 8], [10, 12]]); // prettier-ignore
    expect(() => add(here, other)).toThrow(DeviceError);
    expect(() => add(here, other)).toThrow(new RegExp(`${device}.*${second}`, 's'));
    expect(() => matmul(here, other)).toThrow(DeviceError);
    // The kernels refuse too.
    expect(() => here.backend.fill(other.buffer, 1)).toThrow(/not memory of this device/);
  });
});
