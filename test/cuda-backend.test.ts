/** The CUDA backends under the conformance suite, where there are any. */

import { describe, expect, it } from 'vitest';

import { backendOf } from '../src/backends/registry.js';
import { DeviceError } from '../src/errors.js';
import { describeBackend } from './backend-conformance.js';
import { devices, reports } from './devices.js';

const found = devices.filter((device) => device.startsWith('cuda'));

for (const device of found) describeBackend(device, () => backendOf(device));

describe('devices of CUDA', () => {
  it('that are not there are explained', () => {
    const there = reports.filter(({ available }) => available).map(({ device }) => device);
    const missing = ['cuda', 'cuda-emulated', 'cuda:99'].filter((name) => !there.includes(name));
    expect(missing).not.toEqual([]);
    for (const name of missing) {
      expect(() => backendOf(name)).toThrow(DeviceError);
      expect(() => backendOf(name)).toThrow(/is not available: .+/);
    }
  });
});
