/** Names of layers: those that were given, and unlike them those that are made. */

import { checkText } from '../values.js';

/** How many layers there are of a name without its number. */
const instances = new Map<string, number>();

/** `BatchNormalization` → `batch_normalization`, `PReLU` → `p_re_lu`, as Keras names layers. */
export function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** A name that no layer has. */
export function uniqueName(className: string): string {
  const base = snakeCase(className);
  const count = instances.get(base) ?? 0;
  instances.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

/** Counts a name that was given as if it had been made, so that none is made twice. */
export function givenName(name: string): string {
  checkText(name, 'the name of a layer');
  const [, base, number] = /^(.+?)(?:_(\d+))?$/.exec(name) ?? [];
  if (base !== undefined) {
    instances.set(base, Math.max(instances.get(base) ?? 0, Number(number ?? 0) + 1));
  }
  return name;
}
