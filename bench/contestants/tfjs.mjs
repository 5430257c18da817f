/**
 * TensorFlow.js. GRADLOOM_BENCH_VARIANT: cpu, wasm, node. Its packages are in bench/package.json,
 * never in gradloom's: `npm install` there first. It has no Nadam; its step is Adam's, a simpler one.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const variant = process.env.GRADLOOM_BENCH_VARIANT ?? 'cpu';
const require = createRequire(import.meta.url);
const refuse = (reason) => {
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`);
  process.exit(0);
};

let tf;
try {
  if (variant === 'node') tf = require('@tensorflow/tfjs-node');
  else {
    tf = require('@tensorflow/tfjs');
    if (variant === 'wasm') {
      const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
      const entry = require.resolve('@tensorflow/tfjs-backend-wasm/package.json');
      setWasmPaths(`${join(dirname(entry), 'wasm-out')}/`);
    }
    await tf.setBackend(variant);
  }
  await tf.ready();
} catch (error) {
  refuse(`not installed: run npm install in bench/ (${error.message.split('\n')[0]})`);
}

const { answerRequests } = await import('./timing.js');

function step({ batch, depth, width, batchNorm }) {
  const model = tf.sequential();
  let features = 3072;
  for (let i = 0; i < depth; i++) {
    const shape = i === 0 ? { inputShape: [features] } : {};
    if (batchNorm) model.add(tf.layers.batchNormalization(shape));
    const options = { units: width, activation: 'elu', kernelInitializer: 'heNormal' };
    model.add(tf.layers.dense({ ...options, ...(batchNorm ? {} : shape) }));
    features = width;
  }
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  model.compile({ optimizer: tf.train.adam(5e-5), loss: 'sparseCategoricalCrossentropy' });
  const x = tf.randomNormal([batch, 3072]);
  const y = tf.randomUniform([batch, 1], 0, 10, 'int32').toFloat();
  return () => model.trainOnBatch(x, y);
}

function product({ m, n, k, transA, transB }) {
  const a = tf.randomNormal(transA ? [k, m] : [m, k]);
  const b = tf.randomNormal(transB ? [n, k] : [k, n]);
  return () => {
    const result = tf.matMul(a, b, transA, transB);
    result.dataSync();
    result.dispose();
  };
}

function map({ op, n }) {
  const x = tf.randomNormal(op === 'softmax' ? [n / 1000, 1000] : [n]);
  const run = {
    elu: () => tf.elu(x),
    exp: () => tf.exp(x),
    tanh: () => tf.tanh(x),
    addScaled: () => x.mul(2).add(1),
    sum: () => x.sum(),
    softmax: () => tf.softmax(x),
    copy: () => x.clone().add(0),
  }[op];
  return () => {
    tf.tidy(() => void run().dataSync());
  };
}

answerRequests(
  `TensorFlow.js ${tf.version.tfjs ?? tf.version['tfjs-core']} ${variant}`,
  (wanted) => {
    const kinds = { step, matmul: product, map };
    if (!kinds[wanted.kind]) throw new Error('not measured with TensorFlow.js');
    return kinds[wanted.kind](wanted);
  },
);
