/** Memory whose contents are garbage, so that reading what was never written shows. */

import type { Backend, HostArray } from '../src/backends/backend.js';
import { isFloat } from '../src/backends/dtype.js';
import { backendOf } from '../src/backends/registry.js';

const poisoned = new Set<Backend>();

/**
 * Fills all memory a host device gives from now on: NaN in floats, 77 elsewhere. Operations may not
 * count on zeros: inside a scope, memory comes back from the pool as the last tensor left it.
 */
export function poisonMemory(device: string): void {
  const backend = backendOf(device);
  if (!backend.host || poisoned.has(backend)) return;
  poisoned.add(backend);
  const allocate = backend.allocate.bind(backend);
  backend.allocate = (dtype, size) => {
    const buffer = allocate(dtype, size) as HostArray;
    buffer.fill(isFloat(dtype) ? NaN : 77);
    return buffer;
  };
}
