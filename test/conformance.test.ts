/** Values of every operation, on every device, against the table of cases. */

import { beforeAll, describe, expect, it } from 'vitest';

import { setDevice } from '../src/backends/registry.js';
import { cases } from './cases.js';
import { devices } from './devices.js';
import { difference, expectedOf, floatsOf, inputsOf, invoke } from './run-case.js';

describe.each(devices)('values on %s', (device) => {
  beforeAll(() => setDevice(device));

  it.each(cases.map((each) => [each.op, each.title, each] as const))(
    '%s: %s',
    (_op, _title, each) => {
      for (const float of floatsOf(each)) {
        const results = invoke(each, inputsOf(each, float, device));
        const expected = expectedOf(each, float);
        expect(results.length).toBe(expected.length);
        results.forEach((result, i) => {
          const wrong = difference(result, expected[i]!, float, each.tolerance);
          expect(wrong, `result ${i} in ${float}`).toBeUndefined();
          expect(result.device).toBe(device);
        });
      }
    },
  );
});
