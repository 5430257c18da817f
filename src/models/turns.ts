/** Letting the event loop have its turns during long work. */

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest stretch of work before the event loop gets a turn, in milliseconds. */
const stretch = 20;

/** A function that gives the event loop a turn when it has waited long enough. */
export function turns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < stretch) return;
    await nextTurn();
    last = performance.now();
  };
}
