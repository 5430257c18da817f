/**
 * The conditions under which SELU keeps mean 0 and variance 1 from layer to layer (Klambauer et
 * al. 2017): standardized inputs, LeCun initialization, alpha dropout, layers one after another.
 */

import { noGrad } from '../autograd/tape.js';
import {
  AlphaDropout,
  Dense,
  Dropout,
  GaussianDropout,
  MergeLayer,
  SpatialDropout1D,
  SpatialDropout2D,
} from '../layers/index.js';
import type { Layer } from '../layers/index.js';
import { defaultGenerator } from '../tensor/random.js';
import { Scope } from '../tensor/storage.js';
import { listOf, show } from './findings.js';
import type { Finding } from './findings.js';
import { activationOf } from './flatness.js';
import type { FeatureStatistics, LayerHealth, Measurement } from './measure.js';

/** What counts as standardized: for a feature over a batch, and for all of them together. */
const standard = { mean: 0.5, least: 0.5, most: 2, share: 0.25 } as const;
/** Variance of a kernel times its inputs, 1 in theory. */
const gain = { least: 0.75, most: 1.33 } as const;

/**
 * What breaks self-normalization; nothing for models with fewer than two SELU layers. Others may
 * have their turn where it yields.
 */
export function* selfNormalization(measurement: Measurement): Generator<void, Finding[]> {
  const { layers, received } = measurement;
  const selus = layers.filter(({ layer }) => activationOf(layer)?.name === 'selu');
  if (selus.length < 2) return [];
  const rules = [
    received && unstandardized(received, layers[0]!),
    yield* wrongInitializer(layers),
    plainDropout(layers),
    branches(layers),
  ];
  return rules.flatMap((found) => (found ? [{ ...found, kind: 'selfNormalization' }] : []));
}

type Words = Omit<Finding, 'kind'>;

function unstandardized(received: FeatureStatistics, first: LayerHealth): Words | null {
  const { means, deviations } = received;
  const count = means.length;
  const off = means.filter((mean, i) => {
    const deviation = deviations[i]!;
    return (
      Math.abs(mean) > standard.mean || deviation < standard.least || deviation > standard.most
    );
  }).length;
  if (off <= standard.share * count) return null;
  const average = (values: readonly number[]): string =>
    show(values.reduce((a, b) => a + b, 0) / count);
  return {
    layers: [first.name],
    message:
      `SELU needs standardized inputs: ${off} of ${count} features are not near mean 0 and ` +
      `deviation 1 (on average they have mean ${average(means)} and deviation ` +
      `${average(deviations)})`,
    advice:
      'standardize every feature: new layers.Normalization() with adapt(trainingData) as the ' +
      'first layer',
  };
}

function* wrongInitializer(layers: readonly LayerHealth[]): Generator<void, Words | null> {
  const wrong: { name: string; gain: number }[] = [];
  for (const { layer } of layers) {
    // Of the layers that feed a SELU: their own activation, or one that follows them.
    if (!(layer instanceof Dense) || !feedsSelu(layer, layers)) continue;
    yield;
    const found = initialGain(layer);
    if (found < gain.least || found > gain.most) wrong.push({ name: layer.name, gain: found });
  }
  if (wrong.length === 0) return null;
  return {
    layers: wrong.map((each) => each.name),
    message:
      `SELU needs weights of variance 1 / inputs: the initializer of ${listOf(wrong)} gives ` +
      `${show(wrong[0]!.gain)} times that`,
    advice: "give these layers kernelInitializer: 'lecunNormal'",
  };
}

function feedsSelu(layer: Dense, layers: readonly LayerHealth[]): boolean {
  if (activationOf(layer)?.name === 'selu') return true;
  const next = layers[layers.findIndex((each) => each.layer === layer) + 1];
  return activationOf(layer) === null && !!next && activationOf(next.layer)?.name === 'selu';
}

/** Variance · inputs of a kernel as the layer's initializer makes it. */
function initialGain(layer: Dense): number {
  const shape = layer.weights[0]!.value.shape;
  const random = defaultGenerator.state();
  const scope = new Scope();
  try {
    const values = noGrad(() => layer.kernelParts.initializer.call(shape)).dataSync();
    let squares = 0;
    for (const value of values) squares += value ** 2;
    return (squares / values.length) * shape[0]!;
  } finally {
    scope.end();
    defaultGenerator.restore(random);
  }
}

const isPlainDropout = (layer: Layer): boolean =>
  [Dropout, GaussianDropout, SpatialDropout1D, SpatialDropout2D].some(
    (each) => layer instanceof each,
  );

function plainDropout(layers: readonly LayerHealth[]): Words | null {
  const dropping = layers.filter(({ layer }) => isPlainDropout(layer));
  if (dropping.length === 0) return null;
  return {
    layers: dropping.map((each) => each.name),
    message: `plain dropout (${listOf(dropping)}) moves the mean and variance that SELU keeps`,
    advice: `use ${AlphaDropout.name} of the same rate`,
  };
}

function branches(layers: readonly LayerHealth[]): Words | null {
  const merging = layers.filter(({ layer }) => layer instanceof MergeLayer);
  if (merging.length === 0) return null;
  return {
    layers: merging.map((each) => each.name),
    message:
      `SELU normalizes itself in plain stacks only: ${listOf(merging)} joins branches, which ` +
      'changes mean and variance',
    advice: 'use another activation with batch normalization in nets with branches',
  };
}
