/** Conformance of the optimizer updates. */

import { describe, it } from 'vitest';

import type { Backend, Buffer } from '../../src/backends/backend.js';
import type { FloatDType } from '../../src/backends/dtype.js';
import { parse } from '../../src/backends/expression.js';
import { updates } from '../../src/backends/formulas.js';
import type { Update, UpdateName } from '../../src/backends/formulas.js';
import { hyperNames, updateNames } from '../../src/backends/kernels.js';
import { type Bench, expectClose, floatDTypes, roundoff, Source } from './harness.js';
import { evaluateFloat } from './reference.js';
import type { Float } from './reference.js';

const sizes = [1, 0, 7, 64, 1001];

/** A plausible value for every hyper-parameter. */
const hyperValues: Readonly<Record<string, number>> = {
  gradientScale: 0.5, gradientLimit: 0.75, decay: 0.01, rate: 0.1, momentum: 0.9, rho: 0.95,
  epsilon: 1e-3, beta1: 0.9, beta2: 0.99, rateMomentum: 0.05, rateGradient: 0.02, secondScale: 3,
}; // prettier-ignore

/** One element: the prelude and the steps, with error bounds. Returns w and the state. */
function updateElement(
  name: UpdateName,
  hyper: Readonly<Record<string, number>>,
  w: number,
  g: number,
  state: readonly number[],
  unit: number,
): Float[] {
  const row: Update = updates[name];
  const limit = hyper['gradientLimit']!;
  const scaled = g * hyper['gradientScale']!;
  const names: Record<string, number | Float> = {
    ...hyper,
    g: { value: Math.max(-limit, Math.min(limit, scaled)), error: unit * Math.abs(scaled) },
    w: { value: w - w * hyper['decay']!, error: 3 * unit * Math.abs(w) },
  };
  row.state.forEach((variable, index) => (names[variable] = state[index]!));
  for (const [target, text] of row.steps) names[target] = evaluateFloat(parse(text), names, unit);
  return ['w', ...row.state].map((variable) => {
    const found = names[variable]!;
    const { value, error } = typeof found === 'number' ? { value: found, error: 0 } : found;
    return { value, error: 2 * error + 2 * unit * Math.abs(value) };
  });
}

function check(
  bench: Bench,
  dtype: FloatDType,
  name: UpdateName,
  change: Readonly<Record<string, number>>,
): void {
  const row: Update = updates[name];
  const hyper = { ...hyperValues, ...change };
  const source = new Source(31);
  const parameters = sizes.map((size) => source.values(dtype, size));
  const gradients = sizes.map((size) => source.values(dtype, size));
  const states = sizes.flatMap((size) =>
    row.state.map((variable) => {
      const values = source.values(dtype, size, 1);
      // All but momenta are averages of squares or magnitudes; the centred one needs v > average².
      const signed = variable === 'm';
      values.forEach((value, i) => {
        if (!signed) values[i] = variable === 'average' ? value * 0.1 : Math.abs(value) + 0.5;
      });
      return values;
    }),
  );
  const put = (list: typeof parameters): Buffer[] => list.map((values) => bench.put(values));
  const [parameterBuffers, stateBuffers] = [put(parameters), put(states)];
  const values = Float64Array.from(hyperNames(name), (each) => hyper[each]!);
  bench.backend.update(
    updateNames.indexOf(name), parameterBuffers, put(gradients), stateBuffers, values,
  ); // prettier-ignore
  const count = row.state.length;
  sizes.forEach((_, index) => {
    const outcomes = Array.from(parameters[index]!, (w, i) => {
      const state = row.state.map((_, s) => states[index * count + s]![i]!);
      return updateElement(name, hyper, w, gradients[index]![i]!, state, roundoff[dtype]);
    });
    const found = [parameterBuffers[index]!, ...stateBuffers.slice(index * count, (index + 1) * count)]; // prettier-ignore
    found.forEach((buffer, s) => {
      const wanted = outcomes.map((outcome) => outcome[s]!.value);
      const tolerances = outcomes.map((outcome) => outcome[s]!.error);
      const label = `${name} ${dtype}, ${['w', ...row.state][s]} of parameter ${index}`;
      expectClose(bench.get(buffer), wanted, tolerances, label);
    });
  });
}

export function trainingTests(bench: Bench): void {
  describe.each(updateNames)('update %s', (name) => {
    it.each(floatDTypes)('%s', (dtype) => {
      check(bench, dtype, name, {});
      check(bench, dtype, name, { gradientScale: 1, gradientLimit: Infinity, decay: 0 });
    });
  });

  it('update of no parameters does nothing', () => {
    const hyper = Float64Array.from(hyperNames('sgd'), () => 1);
    const { backend }: { backend: Backend } = bench;
    backend.update(updateNames.indexOf('sgd'), [], [], [], hyper);
  });
}
