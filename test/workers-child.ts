/**
 * Loads the addon in several workers at once, again and again, and never in the main thread: every
 * round the last worker to end takes the addon, and the threads it had started, with it. Prints
 * `done` when all results were right.
 */

import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { addonCandidates } from '../src/backends/load-addon.js';

const path = addonCandidates().find((candidate) => existsSync(candidate));
if (path === undefined) throw new Error('the addon has not been built');

/** Runs in a worker: large sums, so that all of them want the helpers. */
const source = `
const { workerData, parentPort } = require('node:worker_threads');
const addon = require(workerData.path);
const n = 1 << 18;
const a = new Float32Array(n).fill(workerData.value);
const sum = new Float32Array(1);
const out = new Float32Array(n);
let wrong = 0;
addon.setThreads(2 + (workerData.value % 3));
for (let round = 0; round < 20; round++) {
  addon.map(0, out, a, a, null, null, 0, 0); // a + a
  addon.reduce(0, sum, out, 1, n, 1);
  if (sum[0] !== 2 * workerData.value * n) wrong++;
}
parentPort.postMessage(wrong);
`;

function run(value: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData: { path, value } });
    let wrong = Infinity;
    worker.on('message', (count: number) => (wrong = count));
    worker.on('error', reject);
    worker.on('exit', () => resolve(wrong));
  });
}

for (let round = 0; round < 5; round++) {
  const wrong = await Promise.all([1, 2, 3, 4].map(run));
  if (wrong.some((count) => count !== 0)) throw new Error(`wrong sums: ${wrong.join(', ')}`);
}
console.log('done');
