/**
 * Where tensors' memory comes from and goes to: storages, scopes and the pool.
 *
 * On host devices memory is a typed array that V8 owns, so the collector reclaims what nobody
 * refers to, in synchronous loops too. Where a lifetime is known (a scope ends), memory goes to the
 * pool instead and the next scope takes it from there: a training step allocates nothing after its
 * first round.
 */

import type { Backend, Buffer } from '../backends/backend.js';
import { bytesPerElement } from '../backends/dtype.js';
import type { DType } from '../backends/dtype.js';
import { MemoryError } from '../errors.js';

/** What fills memory once somebody wants its values; see rows.ts. */
export interface Filling {
  fill(out: Buffer): void;
}

/** Memory of one or several tensors (views share it). */
export class Storage {
  /** Counts in-place changes, so that a gradient can tell that a saved value is no longer there. */
  version = 0;
  /** Null once the memory was given back. */
  buffer: Buffer | null;
  /** Null once the memory holds its values: nearly always from the beginning. */
  filling: Filling | null = null;

  constructor(
    readonly backend: Backend,
    readonly dtype: DType,
    readonly size: number,
    buffer: Buffer,
    /** Where the memory goes when it is freed; null when not to the pool but to the collector. */
    readonly shelf: Shelf | null = null,
  ) {
    this.buffer = buffer;
  }

  get bytes(): number {
    return this.size * bytesPerElement[this.dtype];
  }

  /** The memory, or a MemoryError when it was given back. */
  live(): Buffer {
    if (this.buffer === null) {
      throw new MemoryError(
        'this tensor was freed: the scope (or tidy) it was made in has ended, or it was disposed. ' +
          'Return it from tidy, or call scope.keep(tensor), to use it afterwards',
      );
    }
    return this.buffer;
  }

  /** Has the memory hold its values, if it still exists. */
  fill(): void {
    const { filling, buffer } = this;
    this.filling = null;
    if (filling && buffer !== null) filling.fill(buffer);
  }

  /** Gives the memory back. Idempotent. */
  free(): void {
    if (this.buffer === null) return;
    if (this.shelf) pool.give(this.shelf, this.buffer);
    else this.backend.release(this.buffer);
    this.buffer = null;
  }

  /** Shown when inspected; `memory()` finds every storage by having V8 show them all to it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    Storage.shown?.(this);
    const state = this.buffer === null ? ' (freed)' : '';
    return `Storage ${this.dtype}[${this.size}] ${this.backend.device}${state}`;
  }

  /** @internal Called with every storage that is inspected. */
  static shown: ((storage: Storage) => void) | null = null;
}

/** Free buffers of one device, dtype and size. */
class Shelf {
  readonly buffers: Buffer[] = [];

  constructor(
    readonly backend: Backend,
    /** Bytes of one buffer. */
    readonly bytes: number,
  ) {}
}

/** Free memory, ready to be taken again. */
class Pool {
  /** Bytes lying here. */
  bytes = 0;
  /** More than this is not kept but left to the collector (or released, off the host). */
  limit = 1 << 30;
  readonly #shelves = new Map<Backend, Map<number, Shelf>>();
  // Those of the device used last, which is nearly always the only one.
  #backend: Backend | null = null;
  #ofBackend = new Map<number, Shelf>();

  /** Where buffers of a kind lie. */
  shelf(backend: Backend, dtype: DType, size: number): Shelf {
    if (backend !== this.#backend) this.#turnTo(backend);
    // One number for size and kind: bool and uint8 share arrays.
    const key = size * 4 + kindOf[dtype];
    let shelf = this.#ofBackend.get(key);
    if (!shelf) {
      shelf = new Shelf(backend, size * bytesPerElement[dtype]);
      this.#ofBackend.set(key, shelf);
    }
    return shelf;
  }

  give(shelf: Shelf, buffer: Buffer): void {
    if (this.bytes + shelf.bytes > this.limit) {
      shelf.backend.release(buffer);
      return;
    }
    this.bytes += shelf.bytes;
    shelf.buffers.push(buffer);
  }

  take(shelf: Shelf): Buffer | undefined {
    const buffer = shelf.buffers.pop();
    if (buffer) this.bytes -= shelf.bytes;
    return buffer;
  }

  /** Lets go of everything. */
  clear(): void {
    for (const shelves of this.#shelves.values()) {
      for (const { backend, buffers } of shelves.values()) {
        for (const buffer of buffers.splice(0)) backend.release(buffer);
      }
    }
    this.bytes = 0;
  }

  #turnTo(backend: Backend): void {
    let shelves = this.#shelves.get(backend);
    if (!shelves) this.#shelves.set(backend, (shelves = new Map<number, Shelf>()));
    this.#backend = backend;
    this.#ofBackend = shelves;
  }
}

const kindOf: Readonly<Record<DType, number>> = {
  float32: 0,
  float64: 1,
  int32: 2,
  uint8: 3,
  bool: 3,
};

export const pool = new Pool();

/**
 * How often code asked for values of tensors, or put its own into them: what it does with them a
 * recording of kernels cannot tell.
 */
export const hostAccesses = { count: 0 };

/** What was allocated, for `memory()` and for tests that hold "nothing is allocated". */
export const counters = {
  /** How often a device was asked for memory, because the pool had none. */
  allocations: 0,
  /** Bytes of these, and of arrays adopted from JavaScript. */
  allocatedBytes: 0,
  /** Most bytes seen in arrays at once; see {@link samplePeak}. */
  peakBytes: 0,
};

/** Looking costs as long as filling about 100 kB. */
const samplingInterval = 1 << 24;
let nextSample = samplingInterval;

/** Looks how much array memory the process holds now, what awaits the collector included. */
export function samplePeak(): void {
  nextSample = counters.allocatedBytes + samplingInterval;
  const held = process.memoryUsage().arrayBuffers;
  if (held > counters.peakBytes) counters.peakBytes = held;
}

function countBytes(bytes: number): void {
  counters.allocatedBytes += bytes;
  if (counters.allocatedBytes >= nextSample) samplePeak();
}

/**
 * Frees, when it ends, every tensor made while it was the innermost scope, except those kept.
 *
 * ```ts
 * { using scope = new Scope(); … }            // TypeScript 5.2, or Node 24
 * const scope = new Scope(); try { … } finally { scope.end(); }
 * ```
 */
export class Scope {
  readonly #outer: Scope | null = enter(this);
  #storages: Storage[] = [];
  #ended = false;
  #left = false;

  /** Called for every storage made inside. */
  own(storage: Storage): void {
    this.#storages.push(storage);
  }

  /** Lets a tensor outlive this scope: it belongs to the scope around it, or to the collector. */
  keep<T extends { readonly storage: Storage }>(tensor: T): T {
    const at = this.#storages.lastIndexOf(tensor.storage);
    if (at >= 0) {
      this.#storages.splice(at, 1);
      this.#outer?.own(tensor.storage);
    }
    return tensor;
  }

  /** Takes a tensor out of all scopes, which it outlives: only the collector frees it. */
  static release<T extends { readonly storage: Storage }>(tensor: T): T {
    const { storage } = tensor;
    for (let scope = innermost; scope; scope = scope.#outer) {
      const at = scope.#storages.lastIndexOf(storage);
      if (at >= 0) {
        scope.#storages.splice(at, 1);
        break;
      }
    }
    return tensor;
  }

  /** Owns nothing new from now on, and frees what it has only when it ends. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    // Scopes left open inside this one end.
    while (innermost && innermost !== this) innermost.end();
    innermost = this.#outer;
  }

  /** Frees what was made inside and not kept. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.leave();
    for (const storage of this.#storages) storage.free();
    this.#storages = [];
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

let innermost: Scope | null = null;

/** Makes a scope the innermost; returns the one around it. */
function enter(scope: Scope): Scope | null {
  const outer = innermost;
  innermost = scope;
  return outer;
}

/** New memory: from the pool inside a scope, else from the device. Contents are undefined. */
export function allocate(backend: Backend, dtype: DType, size: number): Storage {
  if (!innermost) return new Storage(backend, dtype, size, fresh(backend, dtype, size));
  const shelf = pool.shelf(backend, dtype, size);
  const buffer = pool.take(shelf) ?? fresh(backend, dtype, size);
  return owned(new Storage(backend, dtype, size, buffer, shelf));
}

function fresh(backend: Backend, dtype: DType, size: number): Buffer {
  counters.allocations++;
  countBytes(size * bytesPerElement[dtype]);
  try {
    return backend.allocate(dtype, size);
  } catch (error) {
    if (!(error instanceof MemoryError) || pool.bytes === 0) throw error;
    pool.clear();
    return backend.allocate(dtype, size);
  }
}

/** A storage over memory that already holds values. */
export function adopt(backend: Backend, dtype: DType, size: number, buffer: Buffer): Storage {
  countBytes(size * bytesPerElement[dtype]);
  return owned(new Storage(backend, dtype, size, buffer));
}

function owned(storage: Storage): Storage {
  innermost?.own(storage);
  return storage;
}
