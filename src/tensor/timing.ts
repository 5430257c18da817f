/** How long work takes on the device that does it. */

import { backendOf, device as defaultDevice } from '../backends/registry.js';
import type { Device } from '../backends/registry.js';

export interface TimeOptions {
  /** Whose work is measured. Default: the default device. */
  readonly device?: Device;
}

/** What a function gave, and how long its work took. */
export interface Timed<T> {
  readonly result: T;
  readonly milliseconds: number;
}

/**
 * Calls `body`, which may be async, and measures how long a device works for it, in milliseconds.
 * CUDA devices do their work after the calls that ask for it have returned, so the host's clock
 * says little of them: there, two events in the order of their work are read, to half a
 * microsecond. What was asked for before counts no more than what comes after; gaps in which the
 * device waits for JavaScript do. Other devices are done when the call returns, and the host's
 * clock is read.
 *
 * Does not block the event loop. Measure a second or third call: the first includes what is made
 * once, as memory. Throws what `body` throws; DeviceError for a device that is not available.
 */
export async function timeOnDevice<T>(
  body: () => T | PromiseLike<T>,
  options: TimeOptions = {},
): Promise<Timed<T>> {
  const backend = backendOf(options.device ?? defaultDevice());
  const stop = backend.startTimer?.() ?? startClock();
  let result: T;
  try {
    result = await body();
  } catch (error) {
    await stop();
    throw error;
  }
  return { result, milliseconds: await stop() };
}

/** The host's clock, as {@link Backend.startTimer}. */
function startClock(): () => number {
  const began = performance.now();
  return () => performance.now() - began;
}
