/** Values of every operation, on every device, against the table of cases. */

import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { backward } from '../src/autograd/tape.js';
import { setDevice } from '../src/backends/registry.js';
import { onesLike, Tensor } from '../src/index.js';
import { counters, pool, Scope } from '../src/tensor/storage.js';
import type { Case } from './case.js';
import { cases } from './cases.js';
import { devices } from './devices.js';
import { elsewhere } from './elsewhere.js';
import { poisonMemory } from './poison.js';
import {
  argumentsOf,
  difference,
  expectedOf,
  exported,
  floatsOf,
  inputsOf,
  invoke,
  listOf,
  toPlain,
} from './run-case.js';
import type { Results } from './run-case.js';

const named = cases.map((each): [string, string, Case] => [each.op, each.title, each]);

/** One case of each operation: the first, which is a small one. */
const firsts = named.filter(([op], i) => named.findIndex(([other]) => other === op) === i);

type Method = (...rest: readonly unknown[]) => Results;
const prototype = Tensor.prototype as unknown as Readonly<Record<string, Method | undefined>>;

describe.each(devices)('values on %s', (device) => {
  beforeAll(() => {
    setDevice(device);
    poisonMemory(device);
  });

  it.each(named)('%s: %s', (_op, _title, each) => {
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
  });

  it.each(firsts.filter(([op]) => op in prototype))('%s as a method', (op, _title, each) => {
    const inputs = inputsOf(each, 'float32', device);
    const [self, ...rest] = argumentsOf(each, inputs);
    const results = listOf(prototype[op]!.apply(self as Tensor, rest));
    const expected = invoke(each, inputsOf(each, 'float32', device)).map(toPlain);
    expect(results.map(toPlain)).toEqual(expected);
  });

  it.each(firsts)('%s lets go of its memory', (_op, _title, each) => {
    const inputs = inputsOf(each, 'float32', device, true);
    const round = (): { allocations: number; bytes: number } => {
      const scope = new Scope();
      for (const result of invoke(each, inputs)) {
        if (!result.requiresGrad) continue;
        backward(result, { gradient: onesLike(result) });
        // Gradients of leaves outlive scopes: here they are to be freed as well.
        for (const input of inputs) {
          input.grad?.dispose();
          input.grad = null;
        }
      }
      scope.end();
      return { allocations: counters.allocations, bytes: pool.bytes };
    };
    round();
    const settled = round();
    expect(round()).toEqual(settled);
  });
});

const others = devices.filter((device) => device !== 'js');

describe.runIf(others.length > 0)('agreement', () => {
  describe.each(others)('of %s with js', (device) => {
    it.each(named)('%s: %s', (_op, _title, each) => {
      for (const float of floatsOf(each)) {
        const [wanted, results] = ['js', device].map((name) => {
          setDevice(name);
          return invoke(each, inputsOf(each, float, name));
        });
        results!.forEach((result, i) => {
          const reference = toPlain(wanted![i]!);
          expect(difference(result, reference, float, each.tolerance), float).toBeUndefined();
        });
      }
    });
  });
});

/** What the index exports from the engine; all else is made of it, and has suites of its own. */
function publicFunctions(): string[] {
  const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8');
  const lists = index.matchAll(/export \{([^}]*)\} from '\.\/(?:ops|tensor|autograd|backends)\//g);
  const names = [...lists].flatMap(([, list]) => list!.split(',').map((name) => name.trim()));
  // Classes begin with a capital letter.
  return names.filter((name) => typeof exported[name] === 'function' && !/^[A-Z]/.test(name));
}

describe('the table', () => {
  const covered = new Set(cases.map(({ op }) => op));

  it('has a case for every public function of the engine', () => {
    const functions = publicFunctions();
    expect(functions.length).toBeGreaterThan(100);
    const missing = functions.filter((name) => !covered.has(name) && !(name in elsewhere));
    expect(missing).toEqual([]);
  });

  it('has a case for every method of a tensor', () => {
    const methods = Object.getOwnPropertyNames(Tensor.prototype);
    const missing = methods.filter((name) => !covered.has(name) && !(name in elsewhere));
    expect(missing).toEqual([]);
  });

  it('names elsewhere only what exists and has no case', () => {
    const known = (name: string): boolean => name in exported || name in prototype;
    expect(Object.keys(elsewhere).filter((name) => !known(name) || covered.has(name))).toEqual([]);
  });

  it.each(Object.entries(elsewhere))('leaves %s to %s', (name, file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('has no two cases of one name', () => {
    const names = cases.map(({ op, title }) => `${op}: ${title}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});
