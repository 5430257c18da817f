/**
 * The generated loops of the `js` device: more than a third of the package's code, which other
 * devices never run and should not wait for.
 *
 * From sources they are loaded with all the rest. In the package scripts/bundle.ts puts them into a
 * file of their own and, in place of this module, one that reads that file when it is first asked.
 */

import * as loops from './js-loops.js';

export type Loops = typeof loops;

export const loadLoops = (): Loops => loops;
