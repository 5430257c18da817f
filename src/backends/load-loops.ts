/**
 * The generated loops of the `js` device, for which nothing else on the way to the first operation
 * waits: they are half of the package's code, and other devices never run them.
 *
 * From sources they are loaded with all the rest. In the package scripts/bundle.ts puts them into a
 * file of their own and, in place of this module, one that reads that file when it is first asked.
 */

import * as loops from './js-loops.js';

export type Loops = typeof loops;

export const loadLoops = (): Loops => loops;
