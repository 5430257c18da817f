/** Says once, before all tests, on which devices they run and why not on another. */

import { devices, reports } from './devices.js';

export default function announce(): void {
  console.log(`Devices under test: ${devices.join(', ')}`);
  for (const report of reports) {
    if (devices.includes(report.device)) continue;
    const reason = report.available ? 'not in GRADLOOM_TEST_DEVICES' : report.reason;
    console.log(`The ${report.device} suites DO NOT run: ${reason ?? 'unknown'}`);
  }
}
