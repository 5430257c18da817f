/**
 * Prints how many calls from JavaScript into the addon a training step of the exercise makes. The
 * addon's functions are wrapped before the package, which copies them, is imported.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../../Release/gradloom.node', import.meta.url));
const addon = createRequire(import.meta.url)(path) as Record<string, unknown>;
let calls = 0;
for (const [name, value] of Object.entries(addon)) {
  if (typeof value !== 'function') continue;
  const own = value as (...parameters: unknown[]) => unknown;
  addon[name] = (...parameters: unknown[]) => {
    calls++;
    return own.apply(addon, parameters);
  };
}

const { callbacks, normal, randint, setDevice } = await import('gradloom');
const { net } = await import('./net.js');
setDevice('cpu');
const model = net({ depth: 20, width: 100 });
const steps = 60;
const [x, y] = [normal([32 * steps, 3072]), randint([32 * steps], { high: 10 })];
const after: number[] = []; // calls made when each step ended
const counting = new callbacks.LambdaCallback({ onTrainBatchEnd: () => void after.push(calls) });
await model.fit(x, y, { batchSize: 32, epochs: 1, verbose: 'silent', callbacks: [counting] });
// The first steps build the model and record what later ones replay.
const first = 20;
console.log((after.at(-1)! - after[first]!) / (steps - 1 - first));
