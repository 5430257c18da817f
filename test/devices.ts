/**
 * The devices that suites run on: `describe.each(devices)('on %s', (device) => …)`. All available
 * ones; GRADLOOM_TEST_DEVICES=js,cpu names instead those that must be there: a missing one fails.
 */

import { backendOf, describeDevices, type DeviceReport } from '../src/backends/registry.js';

const wanted = process.env['GRADLOOM_TEST_DEVICES']?.split(',').filter((name) => name !== '');

/** Devices found on this machine, best first. */
export const reports: readonly DeviceReport[] = describeDevices();

/** Names of the devices under test. Loading this file throws when a wanted one is missing. */
export const devices: readonly string[] = (
  wanted ?? reports.filter((report) => report.available).map((report) => report.device)
).map((name) => {
  try {
    backendOf(name); // by name, since not all GPUs are described
    return name;
  } catch (error) {
    throw new Error(`GRADLOOM_TEST_DEVICES asks for it: ${(error as Error).message}`, {
      cause: error,
    });
  }
});
