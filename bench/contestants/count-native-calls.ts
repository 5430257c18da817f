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

const { normal, randint, setDevice } = await import('gradloom');
const { net } = await import('./net.js');
setDevice('cpu');
const model = net({ depth: 20, width: 100 });
const [x, y] = [normal([32, 3072]), randint([32], { high: 10 })];
// The first steps build the model and may record what later ones replay.
for (let i = 0; i < 20; i++) model.trainOnBatch(x, y);
const before = calls;
const steps = 20;
for (let i = 0; i < steps; i++) model.trainOnBatch(x, y);
console.log((calls - before) / steps);
