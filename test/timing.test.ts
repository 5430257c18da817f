/** timeOnDevice: what it gives and what it waits for; how long anything takes is not tested. */

import { describe, expect, it } from 'vitest';

import { deviceStatistics } from '../src/backends/registry.js';
import { DeviceError } from '../src/errors.js';
import { matmul } from '../src/ops/matmul.js';
import { ones } from '../src/tensor/create.js';
import { timeOnDevice } from '../src/tensor/timing.js';
import { devices } from './devices.js';

describe.each(devices)('timeOnDevice on %s', (device) => {
  it('gives the result and how long the device worked for it', async () => {
    const a = ones([40, 40], { device });
    const { result, milliseconds } = await timeOnDevice(() => matmul(a, a), { device });
    expect(result.dataSync()[0]).toBe(40);
    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThan(600_000);
  });

  it('waits for async functions', async () => {
    const a = ones([8, 8], { device });
    const body = async (): Promise<ArrayLike<number>> => {
      await Promise.resolve();
      return matmul(a, a).data();
    };
    const { result, milliseconds } = await timeOnDevice(body, { device });
    expect([...new Set(Array.from(result))]).toEqual([8]);
    expect(milliseconds).toBeGreaterThan(0);
  });

  it('throws what the function throws, and measures again', async () => {
    const failing = timeOnDevice(() => Promise.reject(new RangeError('mine')), { device });
    await expect(failing).rejects.toThrow(new RangeError('mine'));
    const measured = await timeOnDevice(() => 7, { device });
    expect(measured).toEqual({ result: 7, milliseconds: expect.any(Number) as number });
    expect(measured.milliseconds).toBeGreaterThanOrEqual(0);
  });

  it('measures several pieces of work within each other', async () => {
    const a = ones([20, 20], { device });
    const outer = await timeOnDevice(
      () => timeOnDevice(() => matmul(a, a), { device }),
      { device },
    ); // prettier-ignore
    expect(outer.milliseconds).toBeGreaterThanOrEqual(outer.result.milliseconds);
  });
});

it.each(devices.filter((each) => !each.startsWith('cuda')))(
  'the time on %s is the host’s',
  async (device) => {
    const began = performance.now();
    let inside = 0;
    const { milliseconds } = await timeOnDevice(
      () => {
        const start = performance.now();
        while (performance.now() - start < 3);
        inside = performance.now() - start;
      },
      { device },
    );
    expect(milliseconds).toBeGreaterThanOrEqual(inside);
    expect(milliseconds).toBeLessThanOrEqual(performance.now() - began);
  },
);

it.each(devices.filter((each) => each === 'cuda-emulated'))(
  'the time on %s is that of its events, which work of before does not count for',
  async (device) => {
    const a = ones([64, 64], { device });
    const before = deviceStatistics(device)!.waits;
    // Nothing is done until someone waits: the host's clock would see all of it in the first.
    matmul(a, a);
    matmul(a, a);
    const nothing = await timeOnDevice(() => undefined, { device });
    const { milliseconds } = await timeOnDevice(() => matmul(a, a), { device });
    expect(nothing.milliseconds).toBeLessThan(milliseconds);
    expect(deviceStatistics(device)!.waits).toBe(before);
  },
);

it('a device that is not there is explained', async () => {
  await expect(timeOnDevice(() => 1, { device: 'cuda:99' })).rejects.toThrow(DeviceError);
});
