/**
 * Which logits probabilities were made from. Cross-entropies ask: computed on the logits they are
 * exact and faster, where a probability may have been rounded to 0 or 1.
 */

import type { Tensor } from '../tensor/tensor.js';

/** How probabilities come from logits. */
export type Squashing = 'softmax' | 'sigmoid';

interface Origin {
  readonly squashing: Squashing;
  readonly logits: Tensor;
  readonly versions: readonly [probabilities: number, logits: number];
}

const origins = new WeakMap<Tensor, Origin>();

/** Notes that `probabilities` are the squashed `logits` (softmax: along the last axis). */
export function rememberLogits(probabilities: Tensor, logits: Tensor, squashing: Squashing): void {
  const versions = [probabilities.storage.version, logits.storage.version] as const;
  origins.set(probabilities, { squashing, logits, versions });
}

/** The logits of probabilities, or null when unknown, freed or changed since. */
export function logitsOf(probabilities: Tensor, squashing: Squashing): Tensor | null {
  const origin = origins.get(probabilities);
  if (origin?.squashing !== squashing) return null;
  const { logits, versions } = origin;
  const unchanged =
    versions[0] === probabilities.storage.version && versions[1] === logits.storage.version;
  return unchanged && logits.storage.buffer !== null ? logits : null;
}
