/**
 * Things that users call by name: finding them, suggesting the right name, writing them to files
 * and reading them back.
 */

import { describe, ValueError, withArticle } from './errors.js';

/** How a part stands in a saved model: its class and what its constructor takes. */
export interface Serialized {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A part whose constructor accepts its own `config()`. */
export interface Configurable {
  config(): Record<string, unknown>;
}

type Constructor<T> = new (...args: never[]) => T;

/** Classes of the library's own, which know every option they take. */
const own = new WeakSet();

/** One kind of part (initializers, losses, …): its classes by name. */
export class Catalog<T extends Configurable> {
  readonly #entries = new Map<string, Constructor<T>>();
  readonly #names: string[] = [];

  /**
   * @param kind what one is called in messages, such as `initializer`
   * @param classes by camelCase name; `HeNormal`, `heNormal` and `he_normal` all find one
   * @param aliases other names, each with the name it stands for
   */
  constructor(
    readonly kind: string,
    classes: Readonly<Record<string, Constructor<T>>>,
    aliases: Readonly<Record<string, string>> = {},
  ) {
    for (const [name, each] of Object.entries(classes)) {
      own.add(each);
      this.#add(name, each);
    }
    for (const [alias, name] of Object.entries(aliases)) {
      this.#entries.set(plain(alias), this.find(name));
    }
  }

  /** Every name, without aliases; what is registered later joins. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Makes a class of the user's own known by name, so that saved models can name it. */
  register(each: Constructor<T>): void {
    this.#add(each.name, each);
  }

  /** The class of a name. Throws ValueError with the names there are. */
  find(name: string): Constructor<T> {
    const found = this.#entries.get(plain(name));
    if (!found) throw unknownName(this.kind, name, this.#names);
    return found;
  }

  /** A part from its name, from what {@link serialize} gave, or itself. */
  get(identifier: string | T | Serialized): T {
    const part = this.#find(identifier);
    checkPart(part);
    return part;
  }

  #find(identifier: string | T | Serialized): T {
    if (typeof identifier === 'string') return this.#make(this.find(identifier), undefined);
    if (isSerialized(identifier)) {
      return this.#make(this.find(identifier.className), identifier.config);
    }
    if (typeof (identifier as Partial<T> | null)?.config === 'function') return identifier;
    const what = withArticle(this.kind);
    throw new ValueError(
      `expected ${what}, the name of one, or its { className, config }; got ` +
        (typeof identifier === 'function' ? ofFunction(identifier) : JSON.stringify(identifier)),
    );
  }

  /** Class name and config, from which {@link get} makes an equal part. */
  serialize(part: T): Serialized {
    return { className: part.constructor.name, config: part.config() };
  }

  #add(name: string, each: Constructor<T>): void {
    for (const key of new Set([plain(name), plain(each.name)])) {
      if (this.#entries.has(key)) {
        throw new ValueError(
          `register: the ${this.kind} "${key}" is there already; give the class another name`,
        );
      }
      this.#entries.set(key, each);
    }
    this.#names.push(name);
  }

  #make(each: Constructor<T>, config: unknown): T {
    const make = each as unknown as new (config?: unknown) => T;
    return config === undefined ? new make() : new make(config);
  }
}

/** What to say of a function where a part was expected: most likely `new` was left out. */
const ofFunction = ({ name }: { readonly name: string }): string =>
  `the class or function ${name}; if a class, make one: new ${name}()`;

/** Whether a value is `{ className, config }`. */
export function isSerialized(value: unknown): value is Serialized {
  const { className, config } = Object(value) as Record<string, unknown>;
  return typeof className === 'string' && typeof config === 'object' && config !== null;
}

// ---- names of options ---------------------------------------------------------------------------

/** What parts were made with, to be held against what they know once that can be asked. */
const given = new WeakMap<object, object>();

/**
 * For constructors: keeps the options a part is made with, for {@link checkGiven}. Throws
 * ValueError unless they are an object.
 */
export function rememberGiven(part: object, options: unknown): void {
  given.set(part, optionsObject(part.constructor.name, options));
}

/** Throws ValueError for an option that a part of the library was made with and does not know. */
export function checkPart(part: Configurable): void {
  if (own.has(part.constructor)) checkGiven(part, Object.keys(part.config()));
}

/** Throws ValueError for an option a part was made with and that is not among those known. */
export function checkGiven(part: object, known: readonly string[]): void {
  const options = given.get(part);
  if (options) checkOptionNames(part.constructor.name, options, known);
}

/** Throws ValueError for options that are no object, or hold one that is not among those known. */
export function checkOptionNames(what: string, options: unknown, known: readonly string[]): void {
  for (const [name, value] of Object.entries(optionsObject(what, options))) {
    if (value !== undefined && !known.includes(name)) {
      throw unknownName(`option of ${what}`, name, known);
    }
  }
}

function optionsObject(what: string, options: unknown): object {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options;
  throw new ValueError(
    `${what}: options are given by name, { name: value }; got ${describe(options)}`,
  );
}

/** The error for a name that is not there: the nearest one, and all of them. */
export function unknownName(kind: string, name: unknown, names: readonly string[]): ValueError {
  const near = typeof name === 'string' ? nearest(name, names) : undefined;
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  const given = typeof name === 'string' ? `"${name}"` : String(name);
  return new ValueError(`there is no ${kind} named ${given}.${hint} Known: ${names.join(', ')}`);
}

/** The most similar of several names, or one that it abbreviates; none where none is similar. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((each) => ({ each, distance: editDistance(plain(name), plain(each)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best && best.distance <= Math.max(2, name.length / 3)) return best.each;
  return names
    .filter((each) => abbreviates(plain(name), plain(each)))
    .sort((a, b) => a.length - b.length)[0];
}

/** Whether a word is another with letters left out, not the first: `saveFreq`, `minLr`. */
function abbreviates(short: string, long: string): boolean {
  if (short.length < 2 || !long.startsWith(short.charAt(0))) return false;
  let found = 0;
  for (const letter of long) if (letter === short[found]) found++;
  return found === short.length;
}

/** `he_normal`, `HeNormal`, `heNormal`: one key. @internal */
export const plain = (name: string): string => name.replace(/[_\s-]/g, '').toLowerCase();

/** Fewest insertions, deletions and substitutions that turn one word into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
