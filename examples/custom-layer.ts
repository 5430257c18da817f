/**
 * Layers of your own: one with weights, used several times in a functional model with skip
 * connections, saved, and loaded again.
 *
 *     npx tsx examples/custom-layer.ts
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Functional, input, Layer, layers, loadModel, registerLayer, seed } from 'gradloom';
import type { LayerOptions, Shape, Tensor, Weight } from 'gradloom';

import { patterns } from './patterns.js';

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
seed(1);

const x = input([64]);
let y = new layers.Dense(32, { activation: 'swish' }).on(x);
for (let block = 0; block < 3; block++) {
  const branch = new layers.Dense(32, { activation: 'swish' }).on(y);
  y = new layers.Add().on([y, new Gate(-2).on(branch)]);
}
const model = new Functional({
  inputs: x,
  outputs: new layers.Dense(10, { activation: 'softmax' }).on(y),
});
model.compile({
  optimizer: 'nadam',
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});
console.log(model.summary());

const classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const training = patterns(4000, classes, 1);
const test = patterns(1000, classes, 2);
await model.fit(training.x, training.y, { epochs: 5, validationSplit: 0.1 });

const path = join(tmpdir(), 'gradloom-custom-layer.safetensors');
await model.save(path);
const loaded = await loadModel(path);
const [before, after] = [
  await model.evaluate(test.x, test.y),
  await loaded.evaluate(test.x, test.y),
];
console.log(`accuracy ${before['accuracy']}, loaded from ${path}: ${after['accuracy']}`);
