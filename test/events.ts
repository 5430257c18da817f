/** Reads event files back, written from the format's description alone: a check on the writer. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A field of a message: a number for varints and fixed sizes' bits, bytes otherwise. */
type Field = number | Buffer;

/** Every field of a message, by number. Throws on anything malformed. */
export function decodeMessage(bytes: Buffer): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length) throw new Error('a varint has no end');
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('a field has no end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    let value: Field;
    if (type === 0) value = varint();
    else if (type === 1) value = take(8).readDoubleLE();
    else if (type === 2) value = take(varint());
    else if (type === 5) value = take(4).readFloatLE();
    else throw new Error(`wire type ${type}`);
    const number = Math.floor(tag / 8);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

/** CRC-32C bit by bit. */
function crc(bytes: Buffer): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
    }
  }
  return ~remainder >>> 0;
}

const masked = (sum: number): number => (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;

/** The data of every record, check sums verified. */
export function readRecords(content: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const length = Number(content.readBigUInt64LE(at));
    if (content.readUInt32LE(at + 8) !== masked(crc(content.subarray(at, at + 8)))) {
      throw new Error(`check sum of the length at byte ${at}`);
    }
    const data = content.subarray(at + 12, at + 12 + length);
    if (content.readUInt32LE(at + 12 + length) !== masked(crc(data))) {
      throw new Error(`check sum of the data at byte ${at}`);
    }
    records.push(data);
    at += length + 16;
  }
  return records;
}

export interface ReadEvent {
  readonly step: number;
  readonly tag: string;
  readonly plugin: string;
  /** A scalar, the rows of a histogram, or a text. */
  readonly value: number | number[] | string;
}

const message = (field: Field | undefined): Map<number, Field[]> => decodeMessage(field as Buffer);
const text = (field: Field | undefined): string => String(field);

/** Every summary of every event file of a directory, in order. */
export function readEvents(directory: string): ReadEvent[] {
  const names = readdirSync(directory).filter((name) => name.includes('tfevents'));
  return names.sort().flatMap((name) => {
    const [first, ...rest] = readRecords(readFileSync(join(directory, name))).map(decodeMessage);
    if (text(first!.get(3)?.[0]) !== 'brain.Event:2') throw new Error('no file version');
    return rest.filter((event) => event.has(5)).map(readSummary);
  });
}

function readSummary(event: Map<number, Field[]>): ReadEvent {
  const value = message(message(event.get(5)![0]).get(1)![0]);
  const tensor = message(value.get(8)![0]);
  const metadata = message(value.get(9)![0]);
  const content = tensor.get(4)?.[0] as Buffer | undefined;
  const dtype = tensor.get(1)![0];
  return {
    step: (event.get(2)?.[0] ?? 0) as number,
    tag: text(value.get(1)![0]),
    plugin: text(message(metadata.get(1)![0]).get(1)![0]),
    value:
      dtype === 7
        ? text(tensor.get(8)![0])
        : dtype === 2
          ? Array.from({ length: content!.length / 8 }, (_, i) => content!.readDoubleLE(8 * i))
          : (content?.readFloatLE() ?? NaN),
  };
}
