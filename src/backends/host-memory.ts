/** Memory of the host devices (`js` and `cpu`): typed arrays that V8 owns and collects. */

import { totalmem } from 'node:os';
import { MemoryError } from '../errors.js';
import type { HostArray } from './backend.js';
import { bytesPerElement, typedArray, typedArrayOn } from './dtype.js';
import type { DType } from './dtype.js';

/** Bytes this process may have: the machine's memory or, when smaller, its container's. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory(); // 0 or huge when there is none
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** A number of bytes in the unit that fits. */
export function readable(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

/**
 * Arrays of at most this many bytes are cut from chunks. V8 keeps typed arrays of up to 64 bytes in
 * its own heap and must move them out before C++ may see them, and memory of its own costs a small
 * array several times what using it does: cut from chunks, making one and adding two into it takes
 * 0.15 instead of 0.4 µs for 4 bytes, 0.26 instead of 0.7 µs for 256. A chunk lives as long as the
 * last array in it, so it is kept small.
 */
const smallBytes = 256;
const chunkBytes = 2048;
/** Where small arrays begin: at a cache line. */
const lineBytes = 64;

let chunk = new ArrayBuffer(0);
let used = 0;

function cut(dtype: DType, size: number, bytes: number): HostArray {
  if (used + bytes > chunk.byteLength) {
    chunk = new ArrayBuffer(chunkBytes);
    used = 0;
  }
  const part = typedArrayOn(dtype, chunk, used, size);
  used += (bytes + lineBytes - 1) & -lineBytes;
  return part;
}

function allocate(dtype: DType, size: number): HostArray {
  const bytes = size * bytesPerElement[dtype];
  if (bytes <= smallBytes) return cut(dtype, size, bytes);
  try {
    // The system would promise more memory than it has, and kill the process when it is used.
    if (bytes > 2 ** 20 && bytes > memoryLimit()) throw new RangeError('more than the machine has');
    return typedArray(dtype, size);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new MemoryError(
      `cannot allocate ${readable(bytes)} (${bytes} bytes) for ${size} ${dtype} elements: ` +
        `this process may have ${readable(memoryLimit())}. ` +
        'Use a smaller shape or batch, or drop references to tensors no longer needed.',
      { cause },
    );
  }
}

/** The memory functions of the Backend interface; see backend.ts. */
export const hostMemory = {
  allocate,
  release: (): void => undefined, // the collector does it
  view: (buffer: HostArray, start: number, size: number): HostArray =>
    buffer.subarray(start, start + size),
  write(buffer: HostArray, values: HostArray): void {
    buffer.set(values);
  },
  readSync: (buffer: HostArray): HostArray => buffer.slice(),
  read: (buffer: HostArray): Promise<HostArray> => Promise.resolve(buffer.slice()),
};
