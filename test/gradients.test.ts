/** Gradients of every operation, on every device, against differences and against float64. */

import { beforeAll, describe, expect, it } from 'vitest';

import { gradcheck, gradgradcheck } from '../src/autograd/gradcheck.js';
import type { Checkable } from '../src/autograd/gradcheck.js';
import { backward } from '../src/autograd/tape.js';
import { fillRandom } from '../src/backends/random.js';
import type { FloatDType } from '../src/backends/dtype.js';
import { setDevice } from '../src/backends/registry.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { cases } from './cases.js';
import { ulps } from './case.js';
import type { Case } from './case.js';
import { devices } from './devices.js';
import { plain, sizeOf } from './plain.js';
import type { Plain } from './plain.js';
import {
  difference,
  differentiableOf,
  floatsOf,
  inputsOf,
  invoke,
  isVariable,
  toPlain,
  toTensor,
} from './run-case.js';

/** Cases with something to differentiate: a float input and a float result. */
const differentiable = cases.filter((each) => {
  const variable = each.inputs.some((_, which) => isVariable(each, which));
  return (
    variable && differentiableOf(each, invoke(each, inputsOf(each, 'float64', 'js'))).length > 0
  );
});

/** Differences cost two calls per element: not for long arrays. */
const small = (each: Case): boolean =>
  each.inputs.reduce((total, x) => total + sizeOf(x.shape), 0) <= 64;

const named = (list: readonly Case[]): [string, string, Case][] =>
  list.map((each) => [each.op, each.title, each]);

const given = differentiable.filter((each) => each.gradient && 'upstream' in each.gradient);
const smooth = differentiable.filter(
  (each) => !each.gradient || !('none' in each.gradient || 'upstream' in each.gradient),
);

/** The float64 variables of a case, and its operation as a function of them alone. */
function asFunction(each: Case, device: string): [Checkable, Tensor[]] {
  const inputs = inputsOf(each, 'float64', device);
  const positions = inputs.flatMap((_, which) => (isVariable(each, which) ? [which] : []));
  const f: Checkable = (...variables) => {
    const all = inputs.map((x, which) => variables[positions.indexOf(which)] ?? x);
    return differentiableOf(each, invoke(each, all));
  };
  return [f, positions.map((which) => inputs[which]!)];
}

/** Gradients of the inputs for given (or random, always equal) gradients of the results. */
function gradientsOf(
  each: Case,
  float: FloatDType,
  device: string,
  upstream?: readonly number[],
): (Plain | null)[] {
  const inputs = inputsOf(each, float, device, true);
  const results = differentiableOf(each, invoke(each, inputs));
  results.forEach((result, which) => {
    if (!result.requiresGrad) return;
    const weights = new Float32Array(result.size);
    if (upstream) weights.set(upstream);
    else fillRandom('uniform', weights, which, 7, 0, 0, 0.5, 1.5);
    const gradient = toTensor(
      plain(result.shape, Array.from(weights), result.dtype),
      float,
      device,
    );
    backward(result, { gradient, retainGraph: true });
  });
  return inputs.map((x) => (x.grad ? toPlain(x.grad) : null));
}

const references = new Map<Case, readonly (Plain | null)[]>();

/** What float64 on `js` gives, which differences have confirmed. */
function reference(each: Case): readonly (Plain | null)[] {
  let gradients = references.get(each);
  if (!gradients) references.set(each, (gradients = gradientsOf(each, 'float64', 'js')));
  return gradients;
}

/**
 * A gradient adds rounding errors of its own to the value's, and sums of a hundred terms of about 1
 * have those errors also where they cancel: 64 units in the last place, and 256 of 1 (float32:
 * 3.1e-5, float64: 5.7e-14).
 */
const agreement = ulps(64, 256);

describe.each(devices)('gradients on %s', (device) => {
  beforeAll(() => setDevice(device));

  describe('agree with central differences', () => {
    it.each(named(smooth.filter(small)))('%s: %s', (_op, _title, each) => {
      const [f, variables] = asFunction(each, device);
      gradcheck(f, variables);
    });
  });

  describe('have gradients that agree with central differences', () => {
    const twice = smooth.filter((each) => small(each) && !each.gradient);
    it.each(named(twice))('%s: %s', (_op, _title, each) => {
      const [f, variables] = asFunction(each, device);
      gradgradcheck(f, variables);
    });
  });

  describe('follow the convention at kinks and ties', () => {
    it.each(named(given))('%s: %s', (_op, _title, each) => {
      if (!each.gradient || !('upstream' in each.gradient)) return;
      const { upstream, gradients } = each.gradient;
      for (const float of floatsOf(each)) {
        gradientsOf(each, float, device, upstream).forEach((gradient, which) => {
          expectClose(gradient, gradients[which]!, float, device);
        });
      }
    });
  });

  describe('agree with float64 on js', () => {
    it.each(named(smooth))('%s: %s', (_op, _title, each) => {
      for (const float of floatsOf(each)) {
        if (device === 'js' && float === 'float64') continue;
        const wanted = reference(each);
        gradientsOf(each, float, device).forEach((gradient, which) => {
          expectClose(gradient, wanted[which]!, float, device);
        });
      }
    });
  });
});

function expectClose(
  actual: Plain | null,
  wanted: Plain | null,
  float: FloatDType,
  device: string,
): void {
  if (actual === null || wanted === null) {
    expect(actual).toBe(wanted);
    return;
  }
  expect(actual.dtype).toBe(float);
  const wrong = difference(
    toTensor(actual, float, device),
    plain(wanted.shape, wanted.values, float),
    float,
    agreement,
  );
  expect(wrong, float).toBeUndefined();
}
