/**
 * Numbers and flags that are none, for every option of every part that has a name: what a part's
 * config holds as a number, a flag or nothing must refuse a text, and a number NaN.
 */

import { describe, expect, it } from 'vitest';

import { ValueError } from '../src/errors.js';
import * as activations from '../src/activations.js';
import * as constraints from '../src/constraints.js';
import * as initializers from '../src/initializers/index.js';
import '../src/models/load.js'; // registers the layers

import { Layer, makeLayer } from '../src/layers/layer.js';
import type { LayerClass } from '../src/layers/layer.js';
import * as losses from '../src/losses/index.js';
import * as metrics from '../src/metrics/index.js';
import * as optimizers from '../src/optimizers/index.js';
import * as regularizers from '../src/regularizers.js';
import * as schedules from '../src/schedules.js';
import { checkChoice, checkFlag, checkNumber } from '../src/values.js';
import { golden } from './golden.js';
import { layerCases } from './layer-cases.js';

type Config = Record<string, unknown>;

/** A part: what it is made with, and making another one with something else. */
interface Part {
  readonly title: string;
  readonly config: Config;
  readonly make: (config: Config) => unknown;
}

interface Catalog {
  readonly names: readonly string[];
  // Every catalog finds its own kind by class name and config.
  readonly get: (identifier: never) => { config(): Config };
}

const partsOf = ({ names, get }: Catalog): Part[] =>
  names.map((name) => ({
    title: name,
    config: get(name as never).config(),
    make: (config) => get({ className: name, config } as never),
  }));

const catalogs = { constraints, initializers, losses, metrics, optimizers, regularizers };

const ofSchedules = (golden('schedules') as { cases: { class: string; options: Config }[] }).cases;

const kinds: Record<string, readonly Part[]> = {
  ...Object.fromEntries(
    Object.entries(catalogs).map(([kind, each]) => [kind, partsOf(each as Catalog)]),
  ),
  schedules: ofSchedules.map(({ class: className, options }) => {
    const make = (config: Config): schedules.Schedule => schedules.get({ className, config });
    return { title: className, config: make(options).config(), make };
  }),
  layers: layerCases.map(({ name, make }) => {
    const layer = make({});
    const config = layer.config();
    delete config['name'];
    const made = layer.constructor as LayerClass;
    return { title: name, config, make: (changed) => makeLayer(made, changed) };
  }),
  activations: activations.names.map((name) => ({
    title: name,
    config: { ...activations.get(name).params },
    make: (params) => activations.get({ name, params: params as Record<string, number> }),
  })),
};

describe.each(Object.entries(kinds))('%s', (_, parts) => {
  it('refuse a text for a number or a flag', () => {
    let tried = 0;
    for (const { title, config, make } of parts) {
      for (const [option, value] of Object.entries(config)) {
        const isAsked = typeof value === 'number' || typeof value === 'boolean' || value === null;
        if (!isAsked) continue;
        expect(() => make({ ...config, [option]: '1' }), `${title}: ${option}`).toThrow(ValueError);
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(3);
  });

  it('refuse NaN for a number, naming the option', () => {
    for (const { title, config, make } of parts) {
      for (const [option, value] of Object.entries(config)) {
        if (typeof value !== 'number') continue;
        const wrong = (): unknown => make({ ...config, [option]: NaN });
        expect(wrong, `${title}: ${option}`).toThrow(ValueError);
        expect(wrong, `${title}: ${option}`).toThrow(/NaN/);
      }
    }
  });

  it('refuse an option that there is not, naming themselves', () => {
    for (const { title, config, make } of parts) {
      const use = (): void => {
        const made = make({ ...config, nothing: 1 });
        // Layers look when they are built.
        const inputs = layerCases.find(({ name }) => name === title)?.inputs ?? [];
        if (made instanceof Layer) made.ensureBuilt(...inputs);
      };
      expect(use, title).toThrow(
        /there is no option of \w+ named "nothing"|has no parameter "nothing"/,
      );
    }
  });

  it('are made again from what they were made with', () => {
    for (const { title, config, make } of parts) expect(() => make(config), title).not.toThrow();
  });
});

describe('what values must be is said in words', () => {
  const cases: readonly [() => unknown, string][] = [
    [() => checkNumber('1', 'a'), 'a must be a number, not "1"'],
    [() => checkNumber(Infinity, 'a'), 'a must be a number, not Infinity'],
    [() => checkNumber(-1, 'a', { min: 0 }), 'a must be a number of 0 or more, not -1'],
    [() => checkNumber(0, 'a', { above: 0 }), 'a must be a number greater than 0, not 0'],
    [() => checkNumber(2, 'a', { min: 0, max: 1 }), 'a must be a number from 0 to 1, not 2'],
    [() => checkNumber(1, 'a', { min: 0, below: 1 }), 'a must be a number from 0 to below 1, not 1'],
    [() => checkNumber(3, 'a', { above: 0, max: 1 }), 'a must be a number greater than 0, at most 1, not 3'],
    [() => checkNumber(3, 'a', { max: 1 }), 'a must be a number of 1 or less, not 3'],
    [() => checkNumber(0.5, 'a', { min: 1, whole: true }), 'a must be a whole number of 1 or more, not 0.5'],
    [() => checkFlag('no', 'a'), 'a must be true or false, not "no"'],
    [() => checkChoice('marco', 'a', ['macro', 'micro']), 'a must be one of macro, micro, not "marco". Did you mean "macro"?'],
  ]; // prettier-ignore
  it.each(cases)('%#', (call, message) => {
    expect(call).toThrow(new ValueError(message));
  });

  it('those that fit are given back', () => {
    expect(checkNumber(Infinity, 'a', { infinite: true })).toBe(Infinity);
    expect(checkNumber(1, 'a', { min: 1, max: 1, whole: true })).toBe(1);
    expect(checkFlag(false, 'a')).toBe(false);
    expect(checkChoice('b', 'a', ['a', 'b'])).toBe('b');
  });
});
