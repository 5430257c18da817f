/** What every layer must do, for all layers of layer-cases.ts, on every device. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import '../src/ops/methods.js';

import { gradcheck } from '../src/autograd/gradcheck.js';
import { device as currentDevice, setDevice } from '../src/backends/registry.js';
import type { FloatDType } from '../src/backends/dtype.js';
import { input, Layer } from '../src/layers/index.js';
import * as layers from '../src/layers/index.js';
import { Functional } from '../src/models/functional.js';
import '../src/models/load.js'; // registers the layers
import { layerFromConfig, serializeLayer } from '../src/layers/registry.js';
import { SGD } from '../src/optimizers/index.js';
import { tensor } from '../src/tensor/create.js';
import { seed } from '../src/tensor/random.js';
import { showShape } from '../src/tensor/shape.js';
import type { Nested, Tensor } from '../src/tensor/tensor.js';
import { real } from './case.js';
import { devices } from './devices.js';
import { layerCases } from './layer-cases.js';
import type { LayerCase } from './layer-cases.js';

const batch = 4;
/** Where activations have kinks. */
const kinks = [-3, 0, 1, 3, 6];

/** Inputs of a batch. */
function dataOf(each: LayerCase, dtype: FloatDType): Tensor[] {
  return each.inputs.map((shape) => {
    const { values } = real([batch, ...shape], { from: -2, to: 2, avoid: kinks });
    const { tokens } = each;
    const numbers = tokens ? values.map((v) => Math.floor(((v + 2) / 4) * tokens)) : values;
    return tensor(Float64Array.from(numbers), { dtype, shape: [batch, ...shape] });
  });
}

/** The layer's result for inputs, always of the same random numbers. */
function result(layer: Layer, inputs: readonly Tensor[], training = false): Tensor {
  seed(1);
  return layer.applyAll(inputs, { training })[0]!;
}

/** Weights that are not all alike, so that a wrong order of them shows. */
function shake(layer: Layer): void {
  for (const { value } of layer.weights) {
    const { values } = real(value.shape, { from: 0.5, to: 1.5, avoid: kinks });
    value.assign(
      tensor(Float64Array.from(values), { dtype: value.dtype as FloatDType, shape: value.shape }),
    );
  }
}

function built(each: LayerCase, dtype: FloatDType): Layer {
  const layer = each.make({ dtype });
  layer.ensureBuilt(...each.inputs.map((shape) => [...shape]));
  shake(layer);
  return layer;
}

const before = currentDevice();
afterAll(() => setDevice(before));

it('every layer there is has a case', () => {
  const classes = Object.entries(layers)
    .filter(([, value]) => (value as { prototype?: unknown }).prototype instanceof Layer)
    .map(([name]) => name);
  const covered = new Set<string>(layerCases.map((each) => each.name));
  const bases = ['MergeLayer', 'Input'];
  expect(classes.filter((name) => !covered.has(name) && !bases.includes(name))).toEqual([]);
});

const rows = layerCases.map((each, i) => [`${each.name} (${i})`, each] as const);

describe.each(devices)('layers on %s', (device) => {
  beforeAll(() => setDevice(device));

  describe.each(rows)('%s', (_, each) => {
    it.each(['float32', 'float64'] as const)('has its weights and shapes, in %s', (dtype) => {
      const layer = each.make({ dtype, name: 'own' });
      expect(layer.name).toBe('own');
      expect(layer.built).toBe(false);
      const shapes = each.inputs.map((shape) => [...shape]);
      expect(layer.outputShapes(...shapes)).toEqual([each.output]);
      const y = result(layer, dataOf(each, dtype));
      expect(y.shape).toEqual([batch, ...each.output]);
      expect(y.dtype).toBe(dtype);
      const weights = layer.weights.map(({ name, value, trainable }) => {
        const text = `${name.replace('own/', '')} ${showShape(value.shape)}`;
        return trainable ? text : `(${text})`;
      });
      expect(weights).toEqual(each.weights ?? []);
      for (const { value } of layer.weights) expect(value.dtype).toBe(dtype);
      expect(layer.countParameters()).toBe(
        layer.weights.reduce((n, { value }) => n + value.size, 0),
      );
    });

    it('is made again from its config, and cloned', () => {
      const layer = built(each, 'float32');
      const inputs = dataOf(each, 'float32');
      const again = layerFromConfig(JSON.parse(JSON.stringify(serializeLayer(layer))));
      expect(again.constructor).toBe(layer.constructor);
      expect(again.config()).toEqual(layer.config());
      again.ensureBuilt(...layer.inputShapes);
      again.setWeights(layer.getWeights().map((each) => each.toArray() as Nested));
      const twin = layer.clone();
      const y = result(layer, inputs).toArray();
      expect(result(again, inputs).toArray()).toEqual(y);
      expect(result(twin, inputs).toArray()).toEqual(y);
      const count = layer.weights.length;
      expect(new Set([...layer.weights, ...twin.weights].map((w) => w.value.storage)).size).toBe(
        2 * count,
      );
    });

    it('is random in training only, as it should be', () => {
      const layer = built(each, 'float32');
      const inputs = dataOf(each, 'float32');
      const differs = (training: boolean): boolean => {
        const [a, b] = [1, 2].map(() => layer.applyAll(inputs, { training })[0]!.dataSync());
        return a!.some((value, i) => value !== b![i]);
      };
      expect(differs(false)).toBe(each.random === 'always');
      expect(differs(true)).toBe(each.random !== undefined);
    });

    it('is trained by a step, and not when frozen', () => {
      seed(3);
      const layer = each.make({});
      const xs = each.inputs.map((shape) => input(shape));
      const y = new layers.Dense(1).on(new layers.Flatten().on(layer.on(xs)));
      const model = new Functional({ inputs: xs, outputs: y });
      model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
      const x = dataOf(each, 'float32');
      const target = tensor(new Float32Array(batch).fill(5), { shape: [batch, 1] });
      const values = (): unknown[] =>
        layer.weights.filter((w) => w.trainable).map((w) => w.value.toArray());
      const first = values();
      const { loss } = model.trainOnBatch(x, target);
      expect(Number.isFinite(loss)).toBe(true);
      const second = values();
      second.forEach((value, i) => expect(value).not.toEqual(first[i]));
      layer.trainable = false;
      model.trainOnBatch(x, target);
      expect(values()).toEqual(second);
    });

    it.each([true, false])('has right gradients; training: %s', (training) => {
      const layer = built(each, 'float64');
      const inputs = dataOf(each, 'float64');
      const weights = layer.weights.filter((weight) => weight.trainable);
      const variables = [...(each.tokens ? [] : inputs), ...weights.map((w) => w.value.copy())];
      if (variables.length === 0) return;
      const f = (...given: Tensor[]): Tensor => {
        const xs = each.tokens ? inputs : given.slice(0, inputs.length);
        const own = given.slice(given.length - weights.length);
        // The layer reads its weights where they stand: put others there.
        weights.forEach((weight, i) => Object.assign(weight, { value: own[i] }));
        return result(layer, xs, training);
      };
      expect(gradcheck(f, variables)).toBeLessThan(1e-5);
    });
  });
});
