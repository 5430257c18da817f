/** What a planted fault is, and which of many are tried where there is no time for all. */

/** What the emulated device, or a comparison of values, calls faults. */
export const kinds = [
  'race',
  'out of bounds',
  'uninitialised read',
  'misaligned address',
  'barrier divergence',
  'warp divergence',
  'fragment',
  'invalid configuration',
  'use after free',
  'missing synchronisation',
  'host access',
  'wrong stream',
  'wrong device',
  'wrong direction',
  'capture violation',
  'wrong values',
] as const;

export interface Mutant {
  readonly fault: string;
  /** Beneath native/. */
  readonly file: string;
  /** The source that is compiled with it, where the file is a header. */
  readonly unit?: string;
  /** Text that occurs once in the file, and what takes its place. */
  readonly from: string;
  readonly to: string;
  /** What must be said of it. Begins with its kind. */
  readonly says: string;
}

export const barrier = '__syncthreads();';

export function kindOf({ says }: Mutant): (typeof kinds)[number] {
  const kind = kinds.find((each) => says.startsWith(each));
  if (kind === undefined) throw new Error(`"${says}" begins with no kind of fault`);
  return kind;
}

export const sourceOf = ({ file, unit = file }: Mutant): string => unit;

/** The text with the fault in it; null where what it replaces doesn't occur exactly once. */
export function planted(text: string, { from, to }: Mutant): string | null {
  const parts = text.split(from);
  return parts.length === 2 ? parts.join(to) : null;
}

/** The number of faults to plant, from the command line. Throws unless it is 1 or more. */
export function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--some takes a whole number of faults, 1 or more, not "${text}"`);
}

/** The list beginning elsewhere, where the text `seed` says. */
export function rotated<T>(all: readonly T[], seed: string): T[] {
  let hash = 0;
  for (const letter of seed) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  const start = hash % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

/**
 * At least `count` faults (or all, if there are fewer), one of every kind among them. Which ones
 * follows from the text `seed`, so that other seeds try others.
 */
export function someOf(all: readonly Mutant[], count: number, seed: string): Mutant[] {
  const order = rotated(all, seed);
  const chosen = new Map([...order].reverse().map((each) => [kindOf(each), each])); // the first
  const some = new Set(chosen.values());
  for (const each of order) if (some.size < count) some.add(each);
  return all.filter((each) => some.has(each));
}
