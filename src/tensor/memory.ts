/** What memory tensors hold, and giving it back early. None of this is needed: see storage.ts. */

import { nodeV8 } from '../backends/node-modules.js';
import { ValueError } from '../errors.js';
import { counters, pool, samplePeak, Scope, Storage } from './storage.js';
import { Tensor } from './tensor.js';

/** What can be known without running the collector. Since the program started. */
export interface MemoryCounters {
  /** Bytes of freed memory lying ready for the next scope. */
  readonly pooled: number;
  /**
   * Most bytes of array memory held at once: tensors, the pool, other typed arrays, and what the
   * collector had not yet taken. Measured every 16 MiB of allocations.
   */
  readonly peak: number;
  /** How often a device was asked for memory, because none was pooled. */
  readonly allocations: number;
}

export interface MemoryReport extends MemoryCounters {
  /** Tensors with memory of their own (views share theirs) that can still be reached. */
  readonly tensors: number;
  /** Bytes of their memory. */
  readonly bytes: number;
}

/**
 * The memory that tensors hold. Runs a full garbage collection first (tens of milliseconds), so
 * that `tensors` and `bytes` are exactly what the program can still reach, whatever happened
 * before. With `{ collect: false }` only the counters, at once.
 *
 * Before Node 20.13 `tensors` and `bytes` cannot be known and are NaN.
 */
export function memory(options: { readonly collect: false }): MemoryCounters;
export function memory(options?: { readonly collect?: boolean }): MemoryReport;
export function memory(options: { readonly collect?: boolean } = {}): MemoryCounters {
  samplePeak();
  const { peakBytes, allocations } = counters;
  const cheap = { pooled: pool.bytes, peak: peakBytes, allocations };
  return options.collect === false ? cheap : { ...reachable(), ...cheap };
}

/** Counts storages by letting V8 show them: it lists what survives a full collection. */
function reachable(): { tensors: number; bytes: number } {
  const { queryObjects } = nodeV8() as Partial<ReturnType<typeof nodeV8>>;
  if (!queryObjects) return { tensors: NaN, bytes: NaN };
  let tensors = 0;
  let bytes = 0;
  Storage.shown = (storage) => {
    if (storage.buffer === null) return;
    tensors++;
    bytes += storage.bytes;
  };
  try {
    withoutWarnings(() => void queryObjects(Storage, { format: 'summary' }));
  } finally {
    Storage.shown = null;
  }
  return { tensors, bytes };
}

/** Node warns once that queryObjects is experimental, which is no concern of our callers. */
function withoutWarnings(body: () => void): void {
  const own = Object.getOwnPropertyDescriptor(process, 'emitWarning')!;
  Object.defineProperty(process, 'emitWarning', { ...own, value: () => undefined });
  try {
    body();
  } finally {
    Object.defineProperty(process, 'emitWarning', own);
  }
}

/** Lets go of the memory kept for reuse. */
export function clearPool(): void {
  pool.clear();
}

/**
 * Runs `body` and frees every tensor made in it, except those it returns: a tensor, or arrays and
 * plain objects of them however nested. Gradients stay with their parameters. `body` must be
 * synchronous; a promise throws ValueError.
 */
export function tidy<T>(body: () => T): T {
  const scope = new Scope();
  try {
    const result = body();
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
      throw new ValueError(
        'tidy: the function returned a promise, but tensors are freed when it returns; make a ' +
          'new Scope() and call its end() after the last await',
      );
    }
    keepAll(scope, result, new Set());
    return result;
  } finally {
    scope.end();
  }
}

/** Keeps the tensors in a value; `seen` guards against circles. */
function keepAll(scope: Scope, value: unknown, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Tensor) scope.keep(value);
  else if (!ArrayBuffer.isView(value)) {
    for (const each of Object.values(value)) keepAll(scope, each, seen);
  }
}
