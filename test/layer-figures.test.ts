/** Layers against Keras's figures: results, penalties, gradients, moving statistics. */

import { describe, expect, it } from 'vitest';

import '../src/models/load.js'; // registers the layers

import { backward } from '../src/autograd/tape.js';
import type { FloatDType } from '../src/backends/dtype.js';
import { setDevice } from '../src/backends/registry.js';
import * as layers from '../src/layers/index.js';
import type { Layer } from '../src/layers/index.js';
import { add, mul } from '../src/ops/elementwise.js';
import { sum } from '../src/ops/reduce.js';
import { tensor } from '../src/tensor/create.js';
import type { Nested } from '../src/tensor/tensor.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { expectClose, golden } from './golden.js';

interface LayerFigures {
  readonly class: keyof typeof layers;
  readonly options: Record<string, unknown>;
  readonly y: Nested;
  readonly adapt?: string;
  readonly args: readonly unknown[];
  readonly inputs: readonly string[];
  readonly training: boolean;
  readonly weights: readonly Nested[];
  readonly penalty: number;
  readonly inputGradients: readonly Nested[];
  readonly weightGradients: readonly (Nested | null)[];
  readonly weightsAfter: readonly Nested[];
}

const figures = golden('layers') as {
  readonly by: string;
  readonly inputs: Record<string, Nested>;
  readonly cases: readonly LayerFigures[];
};
const moving = golden('moving') as {
  readonly inputs: { readonly batches: readonly Nested[]; readonly after: Nested };
  readonly cases: readonly { readonly mean: Nested; readonly variance: Nested }[];
};

type Make = new (...args: unknown[]) => Layer;

/** The upstream gradients of make-layers.py. */
function upstream(y: Tensor): Tensor {
  const values = Float64Array.from({ length: y.size }, (_, i) => Math.sin(i + 1));
  return tensor(values, { dtype: y.dtype as FloatDType, shape: y.shape });
}

const tolerances = { float64: 1e-9, float32: 2e-5 } as const;
const trained = figures.cases.filter((each) => each.adapt === undefined);
const adapted = figures.cases.filter((each) => each.adapt !== undefined);
const title = (each: LayerFigures): string =>
  `${each.class} ${JSON.stringify(each.options)} ${each.training ? 'in training' : ''}`;

describe.each(devices)(`layers on %s as ${figures.by}`, (device) => {
  describe.each(['float64', 'float32'] as const)('in %s', (dtype) => {
    const tolerance = tolerances[dtype];

    it.each(trained.map((each) => [title(each), each] as const))('%s', (_, each) => {
      setDevice(device);
      // Below Keras, PyTorch multiplies by 1/6 in float32.
      const slopes = each.class === 'HardSigmoid' ? Math.max(tolerance, 1e-8) : tolerance;
      const layer = new (layers[each.class] as unknown as Make)(...each.args, {
        ...each.options,
        dtype,
      });
      const inputs = each.inputs.map((name) =>
        tensor(figures.inputs[name]!, { dtype, requiresGrad: each.class !== 'Embedding' }),
      );
      layer.ensureBuilt(...inputs.map((x) => x.shape.slice(1)));
      layer.setWeights(each.weights.map((value) => tensor(value, { dtype })));
      const penalties: Tensor[] = [];
      const y = layer.applyAll(inputs, {
        training: each.training,
        addLoss: (loss) => void penalties.push(loss),
      })[0]!;
      expectClose(y.toArray(), each.y, tolerance, 'result');
      const penalty = penalties[0] ? (penalties[0].item() as number) : 0;
      expectClose(penalty, each.penalty, tolerance, 'penalty');
      const total = sum(mul(y, upstream(y)));
      backward(penalties[0] ? add(total, penalties[0]) : total);
      each.inputGradients.forEach((wanted, i) => {
        expectClose(inputs[i]!.grad!.toArray(), wanted, slopes, `gradient of input ${i}`);
      });
      layer.weights.forEach(({ name, value }, i) => {
        const wanted = each.weightGradients[i];
        if (wanted) expectClose(value.grad!.toArray(), wanted, tolerance, `gradient of ${name}`);
        else expect(value.grad, name).toBeNull();
        expectClose(value.toArray(), each.weightsAfter[i]!, tolerance, `${name} after`);
      });
    });

    it.each(adapted.map((each) => [JSON.stringify(each.options), each] as const))(
      'Normalization %s after adapt',
      (_, each) => {
        setDevice(device);
        const layer = new layers.Normalization({ ...each.options, dtype });
        const x = tensor(figures.inputs[each.adapt!]!, { dtype });
        expectClose(layer.adapt(x).apply(x).toArray(), each.y, tolerance);
      },
    );

    it('moving statistics of BatchNormalization over 10 steps', () => {
      setDevice(device);
      const layer = new layers.BatchNormalization({ momentum: 0.9, dtype });
      const batches = moving.inputs.batches.map((values) => tensor(values, { dtype }));
      batches.forEach((x, step) => {
        layer.apply(x, { training: true });
        const [, , mean, variance] = layer.getWeights();
        expectClose(mean!.toArray(), moving.cases[step]!.mean, tolerance, 'mean');
        expectClose(variance!.toArray(), moving.cases[step]!.variance, tolerance);
      });
      expectClose(layer.apply(batches[0]!).toArray(), moving.inputs.after, tolerance);
    });
  });
});
