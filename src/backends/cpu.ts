/** The `cpu` backend: kernels in SIMD C++ on all cores, through the native addon. */

import { ValueError } from '../errors.js';
import type { Backend, HostArray } from './backend.js';
import type { DType } from './dtype.js';
import { hostMemory } from './host-memory.js';
import type { Addon } from './load-addon.js';

/** The kernels, exported by the addon under the interface's own names. */
type Kernels = Omit<Backend, keyof typeof hostMemory | 'device' | 'host'>;

/** All that the addon exports. */
export interface CpuAddon extends Addon, Kernels {
  /** The instruction set in use: the best one, or the one that GRADLOOM_ISA names. */
  readonly isa: string;
  /** The instruction sets that this build and this machine have, best first. */
  readonly isas: readonly string[];
  /** Asks the system for large pages in an array that has not been used yet. */
  useLargePages(array: HostArray): void;
}

/** Arrays of at least this many bytes get large pages, where the system has them. */
const largeBytes = 1 << 22;

/**
 * The backend over a loaded addon. Its kernels are the addon's own functions: no wrapper between.
 * Throws ValueError where GRADLOOM_THREADS is set and no number of threads.
 */
export function createCpuBackend(addon: Addon): { readonly backend: Backend } {
  const kernels = addon as CpuAddon;
  const setThreads = (count: number): void => {
    if (!Number.isInteger(count) || count < 1 || count > 256) {
      throw new ValueError(`device cpu: ${count} threads asked for, expected 1 to 256`);
    }
    kernels.setThreads(count);
  };
  const wanted = process.env['GRADLOOM_THREADS'];
  if (wanted) {
    if (!/^\d+$/.test(wanted)) {
      throw new ValueError(
        `GRADLOOM_THREADS must be a whole number from 1 to 256, not "${wanted}"`,
      );
    }
    setThreads(Number(wanted));
  }
  const allocate = (dtype: DType, size: number): HostArray => {
    const array = hostMemory.allocate(dtype, size);
    if (array.byteLength >= largeBytes) kernels.useLargePages(array);
    return array;
  };
  const own = { allocate, setThreads };
  return { backend: { device: 'cpu', host: true, ...hostMemory, ...kernels, ...own } };
}
