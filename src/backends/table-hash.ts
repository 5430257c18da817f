/**
 * What proves that the addon was made from the same rows of formulas.ts as the code that calls it.
 * scripts/bundle.ts writes the number into the package: there the rows do not change any more.
 */

import { formulas, updatePrelude, updates } from './formulas.js';

/** FNV-1a over everything the two sides must agree on. */
export const tableHash: number = (() => {
  let hash = 0x811c9dc5;
  const text = JSON.stringify([formulas, updates, updatePrelude]);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
})();
