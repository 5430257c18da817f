/**
 * Every part that has a name is held to figures of Keras: a part added without them fails here. The
 * figures are checked where the parts are tested; those of what is drawn at random, here.
 */

import { describe, expect, it } from 'vitest';

import '../src/models/load.js'; // registers the layers
import '../src/ops/methods.js';

import * as activations from '../src/activations.js';
import { setDevice } from '../src/backends/registry.js';
import * as constraints from '../src/constraints.js';
import * as initializers from '../src/initializers/index.js';
import { computeFans } from '../src/initializers/index.js';
import * as layers from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import { layerNames } from '../src/layers/registry.js';
import * as losses from '../src/losses/index.js';
import * as metrics from '../src/metrics/index.js';
import { plain } from '../src/names.js';
import * as optimizers from '../src/optimizers/index.js';
import * as regularizers from '../src/regularizers.js';
import * as schedules from '../src/schedules.js';
import { full } from '../src/tensor/create.js';
import { seed } from '../src/tensor/random.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';
import { expectSameDistribution, statisticsOf } from './statistics.js';
import type { Statistics } from './statistics.js';

type Case = Readonly<Record<string, unknown>>;

const casesOf = (file: string): readonly Case[] =>
  (golden(file) as { readonly cases: readonly Case[] }).cases;

/** Names of the parts a file has figures of, under one of the words the files use for them. */
const named = (file: string, word = 'class'): string[] =>
  casesOf(file).flatMap((each) => (typeof each[word] === 'string' ? [each[word]] : []));

interface Registry {
  readonly names: readonly string[];
  readonly figures: readonly string[];
  /** Names without figures of Keras or PyTorch, and why. */
  readonly without?: Readonly<Record<string, string>>;
}

const registries: Readonly<Record<string, Registry>> = {
  activations: { names: activations.names, figures: named('activations', 'name') },
  constraints: { names: constraints.names, figures: named('penalties', 'constraint') },
  initializers: { names: initializers.names, figures: named('initializers') },
  layers: {
    names: layerNames(),
    figures: [...named('layers'), ...named('noise')],
    without: {
      MergeLayer: 'abstract',
      Input: 'computes nothing; keras-runs.test.ts trains models',
      Sequential: 'has layers for parts; keras-runs.test.ts trains it curve against curve',
      Functional: 'has layers for parts; functional.test.ts compares it with Sequential',
    },
  },
  losses: { names: losses.names, figures: named('losses') },
  metrics: { names: metrics.names, figures: named('metrics') },
  optimizers: { names: optimizers.names, figures: named('optimizers') },
  regularizers: { names: regularizers.names, figures: named('penalties', 'regularizer') },
  schedules: { names: schedules.names, figures: named('schedules') },
};

describe.each(Object.entries(registries))('every one of the %s', (_, registry) => {
  const { names, figures, without = {} } = registry;
  const known = new Set(figures.map(plain));

  it('has figures of Keras, or a reason why not', () => {
    expect(names.length).toBeGreaterThan(3);
    const missing = names.filter((name) => !known.has(plain(name)) && !(name in without));
    expect(missing, 'without figures in test/golden').toEqual([]);
  });

  it('is named when it is excused, and only then', () => {
    expect(Object.keys(without).filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(without).filter((name) => known.has(plain(name)))).toEqual([]);
  });
});

it('optimizers have figures of 100 steps', () => {
  for (const each of casesOf('optimizers')) {
    expect(Object.keys(each['after'] as object), String(each['class'])).toContain('100');
  }
});

interface Drawn extends Statistics {
  readonly class: string;
  readonly options: Record<string, unknown>;
  readonly shape: readonly number[];
  readonly values?: number[][];
}

interface Noise extends Drawn {
  readonly by: string;
  readonly args: readonly number[];
  readonly training: boolean;
  readonly within: number;
}

const initial = golden('initializers') as {
  readonly by: string;
  readonly inputs: readonly { readonly shape: number[]; readonly fans: [number, number] }[];
  readonly cases: readonly Drawn[];
};
const noise = golden('noise') as {
  readonly inputs: number;
  readonly cases: readonly Noise[];
};
const title = (each: Drawn): string => `${each.class} ${JSON.stringify(each.options)}`;

describe.each(devices)('on %s', (device) => {
  it.each(initial.cases.map((each) => [title(each), each.shape, each] as const))(
    `the initializer %s of shape %j draws as ${initial.by}`,
    (_, shape, { class: className, options: config, values, ...wanted }) => {
      seed(3);
      const x = initializers.get({ className, config }).call(shape, { device, dtype: 'float64' });
      if (values) expect(x.toArray()).toEqual(values);
      else expectSameDistribution(statisticsOf(x.dataSync()), wanted);
    },
  );

  it.each(
    noise.cases.map(
      (each) => [title(each), each.training ? 'training' : 'inference', each.by, each] as const,
    ),
  )('the layer %s in %s makes the noise of %s', (_, __, ___, each) => {
    setDevice(device);
    seed(4);
    const make = layers[each.class as 'Dropout'] as unknown as new (...args: unknown[]) => Layer;
    const layer = new make(...each.args, { ...each.options, dtype: 'float64' });
    const x = full(each.shape, noise.inputs, { dtype: 'float64' });
    const y = layer.apply(x, { training: each.training });
    const [samples, channels] = [each.shape[0], each.shape.at(-1)];
    const spread = y.reshape([samples!, -1, channels!]).variance(1).mean().item();
    expect(Math.abs(spread - each.within)).toBeLessThanOrEqual(0.05 * each.within + 1e-12);
    // Spatial dropout decides once for a channel of a sample.
    const whole = each.class.startsWith('Spatial');
    const draws = whole ? samples! * channels! : each.count;
    expectSameDistribution(statisticsOf(y.dataSync()), each, draws);
  });
});

it(`fans are counted as by ${initial.by}`, () => {
  for (const { shape, fans } of initial.inputs) {
    const { fanIn, fanOut } = computeFans(shape);
    expectClose([fanIn, fanOut], fans, 0, String(shape));
  }
});
