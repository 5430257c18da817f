/**
 * TensorFlow.js. GRADLOOM_BENCH_VARIANT: cpu, wasm, node. Its packages are in bench/package.json,
 * never in gradloom's: `npm install` there first. It has no Nadam; its step is Adam's, a simpler one.
 * With the argument first-op it is the program of the start-up case instead, with import-time that
 * of the import case.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';

const variant = process.env.GRADLOOM_BENCH_VARIANT ?? 'cpu';
const require = createRequire(import.meta.url);

async function load() {
  if (variant === 'node') return require('@tensorflow/tfjs-node');
  const tf = require('@tensorflow/tfjs');
  if (variant === 'wasm') {
    const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
    const entry = require.resolve('@tensorflow/tfjs-backend-wasm/package.json');
    setWasmPaths(`${join(dirname(entry), 'wasm-out')}/`);
  }
  await tf.setBackend(variant);
  await tf.ready();
  return tf;
}

console.warn = () => undefined; // advice to install tfjs-node
const program = process.argv[2];
const began = performance.now();
let tf;
try {
  tf = await load();
} catch (error) {
  const missing = error.code === 'MODULE_NOT_FOUND';
  const reason = missing
    ? 'not installed: run npm install in bench/'
    : error.message.split('\n')[0];
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`);
  process.exit(program ? 1 : 0);
}

if (program) {
  tf.ones([4]).add(1).dataSync();
  const took = performance.now() - began;
  if (program === 'import-time') process.stdout.write(String(took));
  process.exit(0);
}

const { answerRequests } = await import(
  new URL('../../build/bench/contestants/timing.js', import.meta.url).href
);

function step({ batch, depth, width, batchNorm }) {
  if (batchNorm) throw new Error('not measured with batch normalization');
  const weights = [];
  let features = 3072;
  for (const units of [...Array(depth).fill(width), 10]) {
    const deviation = Math.sqrt(2 / features);
    weights.push(tf.variable(tf.randomNormal([features, units], 0, deviation)));
    weights.push(tf.variable(tf.zeros([units])));
    features = units;
  }
  const optimizer = tf.train.adam(5e-5);
  const x = tf.randomNormal([batch, 3072]);
  const y = tf.oneHot(tf.randomUniform([batch], 0, 10, 'int32'), 10);
  const loss = () => {
    let h = x;
    for (let i = 0; i < weights.length; i += 2) {
      h = h.matMul(weights[i]).add(weights[i + 1]);
      if (i < weights.length - 2) h = tf.elu(h);
    }
    return tf.losses.softmaxCrossEntropy(y, h);
  };
  return () => {
    tf.tidy(() => void optimizer.minimize(loss, true, weights).dataSync());
  };
}

function product({ m, n, k, transA, transB }) {
  const a = tf.randomNormal(transA ? [k, m] : [m, k]);
  const b = tf.randomNormal(transB ? [n, k] : [k, n]);
  return () => {
    tf.tidy(() => void tf.matMul(a, b, transA, transB).dataSync());
  };
}

function map({ op, n }) {
  const flat = op === 'log' ? tf.randomNormal([n]).exp() : tf.randomNormal([n]);
  const rows = flat.reshape([n / 1000, 1000]);
  const run = {
    copy: () => tf.add(flat, 0),
    addScaled: () => flat.mul(flat).add(flat),
    elu: () => tf.elu(flat),
    exp: () => tf.exp(flat),
    tanh: () => tf.tanh(flat),
    log: () => tf.log(flat),
    erf: () => tf.erf(flat),
    sum: () => flat.sum(),
    sumRows: () => rows.sum(1),
    sumColumns: () => rows.sum(0),
    max: () => flat.max(),
    softmax: () => tf.softmax(rows),
  }[op];
  return () => {
    tf.tidy(() => void run().dataSync());
  };
}

/** As of gradloom's own contestant: so many operations in one scope. */
const tinyRepetitions = 100;

function tiny({ op }) {
  const a = tf.tensor1d([1, 2, 3, 4]);
  const square = a.reshape([2, 2]);
  const run = {
    add: () => tf.add(a, a),
    exp: () => tf.exp(a),
    sum: () => tf.sum(a),
    matmul: () => tf.matMul(square, square),
  }[op];
  const all = () => {
    for (let i = 0; i < tinyRepetitions; i++) run();
  };
  return { repetition: () => void tf.tidy(all), count: tinyRepetitions };
}

const kinds = { step, matmul: product, map, tiny };
const version = tf.version.tfjs ?? tf.version['tfjs-core'];
answerRequests(`TensorFlow.js ${version} ${variant}`, (wanted) => {
  if (!kinds[wanted.kind]) throw new Error('not measured with TensorFlow.js');
  return kinds[wanted.kind](wanted);
});
