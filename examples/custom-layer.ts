/**
 * Layers of your own: one with weights, used several times in a functional model with skip
 * connections, saved, and loaded again.
 *
 *     npx tsx examples/custom-layer.ts
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { Functional, input, Layer, layers, loadModel, registerLayer, seed } from 'gradloom';
import type { LayerOptions, Model, Shape, Tensor, Weight } from 'gradloom';

import { patterns, percent } from './patterns.js';

/** A gate: passes each feature on to a learned share between 0 and 1. */
class Gate extends Layer {
  static override readonly positional = ['opening'];
  #logits!: Weight;

  /** @param opening logit of the share at the beginning */
  constructor(
    readonly opening: number,
    options: LayerOptions = {},
  ) {
    super(options);
  }

  override build(inputShape: Shape): void {
    this.#logits = this.addWeight('logits', inputShape.slice(-1), { initializer: 'zeros' });
  }

  override call(x: Tensor): Tensor {
    return x.mul(this.#logits.value.add(this.opening).sigmoid());
  }

  // What the constructor takes, for files and copies.
  override config(): Record<string, unknown> {
    return { ...super.config(), opening: this.opening };
  }
}

registerLayer(Gate);

const classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Three gated blocks with skip connections, and a head. */
function gatedNet(): Functional {
  const x = input([64]);
  let y = new layers.Dense(32, { activation: 'swish' }).on(x);
  for (let block = 0; block < 3; block++) {
    const branch = new layers.Dense(32, { activation: 'swish' }).on(y);
    y = new layers.Add().on([y, new Gate(-2).on(branch)]);
  }
  const outputs = new layers.Dense(classes.length, { activation: 'softmax' }).on(y);
  return new Functional({ inputs: x, outputs });
}

/** Test accuracy of the trained model, and of the one loaded from its file. */
export interface Accuracies {
  readonly trained: number;
  readonly loaded: number;
}

/** Trains, saves to `path`, loads and compares. */
export async function main(
  path = join(tmpdir(), 'gradloom-custom-layer.safetensors'),
): Promise<Accuracies> {
  seed(1);
  const model = gatedNet();
  model.compile({
    optimizer: 'nadam',
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  console.log(model.summary());
  const training = patterns(4000, classes, 1);
  const test = patterns(1000, classes, 2);
  await model.fit(training.x, training.y, { epochs: 5, validationSplit: 0.1 });
  await model.save(path);
  const loaded = await loadModel(path);
  const accuracy = async (each: Model): Promise<number> =>
    (await each.evaluate(test.x, test.y))['accuracy']!;
  const result = { trained: await accuracy(model), loaded: await accuracy(loaded) };
  console.log(
    `accuracy ${percent(result.trained)}, loaded from ${path}: ${percent(result.loaded)}`,
  );
  return result;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
