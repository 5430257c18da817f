/**
 * The header of a safetensors file: a JSON object from tensor names to dtype, shape and place, and
 * `__metadata__` from strings to strings. It is read by a parser of exactly this grammar, which
 * trusts nothing: files come from anywhere, and JSON.parse would let duplicate names pass and build
 * whatever the text says. Format: https://github.com/huggingface/safetensors#format
 */

import { FileError } from '../errors.js';
import type { Shape } from '../tensor/shape.js';
import { formats, isFormat } from './safetensors-formats.js';
import type { Format } from './safetensors-formats.js';

/** Where one tensor lies, in bytes from the end of the header. */
export interface TensorEntry {
  readonly format: Format;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Headers above this are refused, as the reference implementation does. */
export const maxHeaderBytes = 100_000_000;
const maxEntries = 1_000_000;
const maxRank = 64;
export const metadataKey = '__metadata__';

/**
 * Length of the header that follows the file's first 8 bytes, a little-endian 64-bit number.
 * Throws FileError when it cannot be right for a file of `fileBytes`.
 */
export function headerLength(first8: Uint8Array, fileBytes: number): number {
  if (fileBytes < 8 || first8.length < 8) {
    throw new FileError(`it has ${fileBytes} bytes; a safetensors file has at least 8`);
  }
  const view = new DataView(first8.buffer, first8.byteOffset, 8);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(fileBytes - 8)) {
    throw new FileError(
      `its header is said to have ${length.toString()} bytes, but only ${fileBytes - 8} follow: it ` +
        'is cut off, or no safetensors file',
    );
  }
  if (length > BigInt(maxHeaderBytes)) {
    throw new FileError(`its header has ${length.toString()} bytes; at most 100 MB are allowed`);
  }
  return Number(length);
}

/** The header's content, checked in full. Throws FileError saying what is wrong. */
export function parseHeader(bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileError('its header is not UTF-8 text: it is damaged, or no safetensors file');
  }
  const header = new HeaderParser(text).header();
  checkPlaces(header.entries, dataBytes);
  return header;
}

/** Every byte belongs to exactly one tensor: no overlaps, no holes, nothing outside. */
function checkPlaces(entries: ReadonlyMap<string, TensorEntry>, dataBytes: number): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of sorted) {
    if (begin !== at) {
      const what = begin < at ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw new FileError(`tensor ${show(name)} at bytes ${begin} to ${end} ${what}`);
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw new FileError(`its tensors have ${at} bytes, but ${dataBytes} follow the header`);
  }
}

/** A name as it can stand in a message, however long or strange. */
export function show(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

/** Reads the header's grammar; JSON with nothing in it but what a header has. */
class HeaderParser {
  #at = 0;

  constructor(readonly text: string) {}

  header(): SafetensorsHeader {
    const entries = new Map<string, TensorEntry>();
    let metadata: ReadonlyMap<string, string> | undefined;
    if (!this.text.startsWith('{')) this.#fail('it must begin with {');
    this.#object((name) => {
      if (name === metadataKey) {
        if (metadata) this.#fail(`${metadataKey} stands twice`);
        metadata = this.#metadata();
        return;
      }
      if (entries.has(name)) this.#fail(`two tensors are named ${show(name)}`);
      if (entries.size === maxEntries) this.#fail(`there are more than ${maxEntries} tensors`);
      entries.set(name, this.#entry(name));
    });
    this.#space();
    if (this.#at !== this.text.length) this.#fail('something follows the closing }');
    return { entries, metadata: metadata ?? new Map<string, string>() };
  }

  #metadata(): ReadonlyMap<string, string> {
    const metadata = new Map<string, string>();
    this.#object((key) => {
      if (metadata.has(key)) this.#fail(`${metadataKey} has ${show(key)} twice`);
      if (metadata.size === maxEntries) this.#fail(`${metadataKey} is too long`);
      metadata.set(key, this.#string());
    });
    return metadata;
  }

  #entry(name: string): TensorEntry {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let place: number[] | undefined;
    this.#object((key) => {
      if (key === 'dtype' && dtype === undefined) dtype = this.#string();
      else if (key === 'shape' && !shape) shape = this.#numbers(maxRank);
      else if (key === 'data_offsets' && !place) place = this.#numbers(2);
      else this.#fail(`tensor ${show(name)} has ${show(key)} where it has no place`);
    });
    if (dtype === undefined || !shape || place?.length !== 2) {
      this.#fail(`tensor ${show(name)} needs dtype, shape and data_offsets [begin, end]`);
    }
    if (!isFormat(dtype)) this.#fail(`tensor ${show(name)} has the unknown dtype ${show(dtype)}`);
    const [begin, end] = place as [number, number];
    const bytes = shape.reduce((product, extent) => product * extent, formats[dtype].bytes);
    // A product beyond 2^53 is inexact, and beyond any file.
    if (end - begin !== bytes || bytes > Number.MAX_SAFE_INTEGER) {
      this.#fail(
        `tensor ${show(name)}, ${dtype} [${shape.join(', ')}], needs ${bytes} bytes but is at ` +
          `bytes ${begin} to ${end}`,
      );
    }
    return { format: dtype, shape, begin, end };
  }

  // ---- the parts of JSON ----------------------------------------------------------------------

  #object(member: (key: string) => void): void {
    this.#expect('{');
    if (this.#take('}')) return;
    do {
      const key = this.#string();
      this.#expect(':');
      member(key);
    } while (this.#take(','));
    this.#expect('}');
  }

  #numbers(most: number): number[] {
    const list: number[] = [];
    this.#expect('[');
    if (this.#take(']')) return list;
    do {
      if (list.length === most) this.#fail(`a list has more than ${most} numbers`);
      list.push(this.#number());
    } while (this.#take(','));
    this.#expect(']');
    return list;
  }

  #number(): number {
    this.#space();
    const digits = /\d{1,20}/y;
    digits.lastIndex = this.#at;
    const found = digits.exec(this.text)?.[0];
    const value = Number(found);
    if (found === undefined || !Number.isSafeInteger(value) || /^0\d/.test(found)) {
      this.#fail('a whole number, 0 or more, was expected');
    }
    this.#at += found.length;
    return value;
  }

  #string(): string {
    this.#expect('"');
    let end = this.#at;
    for (; this.text[end] !== '"'; end++) {
      if (end >= this.text.length) this.#fail('a string has no end');
      if (this.text[end] === '\\') end++;
    }
    const literal = this.text.slice(this.#at - 1, end + 1);
    try {
      const value = JSON.parse(literal) as string;
      this.#at = end + 1;
      return value;
    } catch {
      return this.#fail('a string is malformed');
    }
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#fail(`${character} was expected`);
  }

  #take(character: string): boolean {
    this.#space();
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (' \n\r\t'.includes(this.text[this.#at] ?? 'x')) this.#at++;
  }

  #fail(what: string): never {
    throw new FileError(`its header is wrong at character ${this.#at}: ${what}`);
  }
}
