/** Uses the installed package as its reader would: every entry point, and a few training steps. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import * as gradloom from 'gradloom';

const manifest = JSON.parse(readFileSync('node_modules/gradloom/package.json', 'utf8'));
for (const entry of Object.keys(manifest.exports)) {
  if (entry.endsWith('.json')) continue;
  const names = Object.keys(await import(`gradloom${entry.slice(1)}`));
  assert.ok(names.length > 0, `gradloom${entry.slice(1)} exports nothing`);
}

gradloom.seed(1);
const x = gradloom.tensor([
  [0, 1],
  [2, 3],
]);
assert.deepEqual(x.matmul(x).toArray(), [
  [2, 3],
  [6, 11],
]);
const w = gradloom.tensor([3], { requiresGrad: true });
w.square().sum().backward();
assert.deepEqual(w.grad.toArray(), [6]);
console.log(`smoke: ${Object.keys(manifest.exports).length} entry points on ${gradloom.device()}`);
