/** The `cpu` backend: kernels in SIMD C++ on all cores, through the native addon. */

import type { Backend } from './backend.js';
import { hostMemory } from './host-memory.js';
import type { Addon } from './load-addon.js';

/** What the addon exports besides its table hash: the kernels under the interface's own names. */
type Kernels = Omit<Backend, keyof typeof hostMemory | 'device' | 'host'>;

/** The backend over a loaded addon. Its methods are the addon's own functions: no wrapper between. */
export function createCpuBackend(addon: Addon): { readonly backend: Backend } {
  return {
    backend: { ...(addon as unknown as Kernels), device: 'cpu', host: true, ...hostMemory },
  };
}
