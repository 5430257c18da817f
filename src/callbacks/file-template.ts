/** File names with numbers in them: `{epoch:02d}-{val_loss:.2f}`, as Python writes them. */

import { describe, ValueError } from '../errors.js';
import { unknownName } from '../names.js';

const field = /\{([^{}:]*)(?::([^{}]*))?\}/g;
const format = /^(0?)(\d*)(?:\.(\d{1,2}))?([dfegi%]?)$/;

/** Throws ValueError unless a callback was told where to write. */
export function checkPath(callback: string, path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  throw new ValueError(`${callback}: expected a path to write to, got ${describe(path)}`);
}

/** Fills the fields of a template. Throws ValueError for a name or a format that there is not. */
export function fillTemplate(template: string, values: Readonly<Record<string, number>>): string {
  return template.replaceAll(field, (text, name: string, spec: string | undefined) => {
    const value = values[name];
    if (value === undefined) throw unknownName(`number for ${text}`, name, Object.keys(values));
    return formatNumber(value, spec ?? '', text);
  });
}

/** Python's format of a number: `[0][width][.digits][d, f, e, g or %]`. */
function formatNumber(value: number, spec: string, text: string): string {
  const parts = format.exec(spec);
  if (!parts) {
    throw new ValueError(
      `the format in ${text} is not known; write {name}, {epoch:02d}, {val_loss:.4f} or the like`,
    );
  }
  const [, zero, width, digits, kind] = parts;
  const body = bodyOf(value, kind!, digits === undefined ? undefined : Number(digits));
  const sign = body.startsWith('-') ? '-' : '';
  const padded = body.slice(sign.length).padStart(Number(width) - sign.length, zero ? '0' : ' ');
  return zero ? sign + padded : padded.replace(/^ */, (blanks) => blanks + sign);
}

function bodyOf(value: number, kind: string, digits: number | undefined): string {
  if (!Number.isFinite(value)) return String(value).toLowerCase().replace('infinity', 'inf');
  switch (kind) {
    case 'd':
    case 'i':
      return value.toFixed(0);
    case 'f':
      return value.toFixed(digits ?? 6);
    case '%':
      return `${(100 * value).toFixed(digits ?? 6)}%`;
    case 'e':
      // Python writes at least two digits of exponent.
      return value.toExponential(digits ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    default:
      return digits === undefined ? String(value) : String(Number(value.toPrecision(digits || 1)));
  }
}
