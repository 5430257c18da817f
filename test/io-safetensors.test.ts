/** Safetensors: what others wrote is read, what we write they read, and nothing hostile passes. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { FileError, ValueError } from '../src/errors.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../src/io/safetensors.js';
import { tensor, zeros } from '../src/tensor/create.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { devices } from './devices.js';
import { python, withPackages } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const golden = new URL('golden/from-python.safetensors', import.meta.url);

/** A file from any header text and data, with the length in front that makes it right. */
function file(header: string | Uint8Array, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = Buffer.from(header);
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([first, text, data]);
}

const entry = (dtype: string, shape: string, begin: number, end: number): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const values = (each: Tensor | undefined): number[] => [...each!.dataSync()];

describe('files of the Python package', () => {
  const { tensors, metadata } = decodeSafetensors(readFileSync(golden));

  test('every element type is read', () => {
    expect(values(tensors.get('F64'))).toEqual([0.1, -1e300, 2 ** -1074, 3]);
    expect(values(tensors.get('F32'))).toEqual([1.5, -2.25, 3.4028234663852886e38]);
    const halves = [0, -0, 1, -2.5, 65504, 2 ** -24, 6.103515625e-5 * 0.9990234375, Infinity];
    expect(values(tensors.get('F16'))).toEqual([...halves, -Infinity, NaN]);
    const brains = [0, 1, -3, 3.3895313892515355e38, 2 ** -133, Infinity];
    expect(values(tensors.get('BF16'))).toEqual(brains);
    expect(values(tensors.get('I64'))).toEqual([-2147483648, 2147483647]);
    expect(values(tensors.get('I32'))).toEqual([-5, 7]);
    expect(values(tensors.get('I16'))).toEqual([-32768, 32767]);
    expect(values(tensors.get('I8'))).toEqual([-128, 127]);
    expect(values(tensors.get('U64'))).toEqual([0, 2147483647]);
    expect(values(tensors.get('U32'))).toEqual([0, 2147483647]);
    expect(values(tensors.get('U16'))).toEqual([0, 65535]);
    expect(values(tensors.get('U8'))).toEqual([0, 255]);
    expect(tensors.get('BOOL')!.toArray()).toEqual([true, false, true]);
  });

  test('shapes, strange names and metadata are read', () => {
    expect(tensors.get('F64')!.shape).toEqual([2, 2]);
    expect(tensors.get('U8')!.dtype).toBe('uint8');
    expect(tensors.get('scalar')!.shape).toEqual([]);
    expect(tensors.get('scalar')!.item()).toBe(7);
    expect(tensors.get('empty')!.shape).toEqual([0, 3]);
    expect(values(tensors.get('ünïcode "name"'))).toEqual([1]);
    expect(Object.fromEntries(metadata)).toEqual({ format: 'pt', note: 'a "b" ü' });
  });
});

const sample = (device: string): Record<string, Tensor> => ({
  bytes: tensor(Uint8Array.of(1, 2, 255), { device }),
  flags: tensor([true, false, true], { device }),
  wide: tensor(Float64Array.of(0.1, -1e-300, Infinity, NaN), { device, shape: [2, 2] }),
  floats: tensor([[1.5, -0, 3e-45]], { device }),
  whole: tensor(Int32Array.of(-2147483648, 2147483647), { device }),
  scalar: tensor(3.25, { device }),
  none: zeros([2, 0, 3], { device }),
  __proto: tensor([1], { device }),
});

describe.each(devices)('on %s', (device) => {
  test('what is written is read back, in file and in memory', async () => {
    const given = sample(device);
    const path = join(folder, `${device}.safetensors`);
    await writeSafetensors(path, given, { note: 'ü' });
    expect(readFileSync(path)).toEqual(Buffer.from(encodeSafetensors(given, { note: 'ü' })));
    const { tensors, metadata } = await readSafetensors(path, { device });
    expect([...tensors.keys()].sort()).toEqual(Object.keys(given).sort());
    for (const [name, each] of tensors) {
      const { shape, dtype } = given[name]!;
      expect({ shape: each.shape, dtype: each.dtype }).toEqual({ shape, dtype });
      expect(each.device).toBe(device);
      expect(Buffer.from(each.dataSync().buffer)).toEqual(
        Buffer.from(given[name]!.dataSync().buffer),
      );
    }
    expect([...metadata]).toEqual([['note', 'ü']]);
  });
});

test('data is aligned and the values are those of the moment of the call', async () => {
  const path = join(folder, 'aligned.safetensors');
  const changing = tensor([1, 2, 3]);
  const writing = writeSafetensors(path, { odd: tensor(Uint8Array.of(1)), changing });
  changing.assign(Float32Array.of(9, 9, 9));
  await writing;
  expect(values((await readSafetensors(path)).tensors.get('changing'))).toEqual([1, 2, 3]);
  const content = readFileSync(path);
  const length = Number(content.readBigUInt64LE(0));
  expect(length % 8).toBe(0);
  const header = JSON.parse(content.subarray(8, 8 + length).toString()) as Record<
    string,
    { data_offsets: number[] }
  >;
  expect(header['changing']!.data_offsets).toEqual([0, 12]);
  expect(header['odd']!.data_offsets).toEqual([12, 13]);
});

test('a name that other readers take for metadata is refused', () => {
  expect(() => encodeSafetensors({ __metadata__: tensor(1) })).toThrow(ValueError);
});

test('a missing file, a directory and another kind of file are named', async () => {
  const missing = join(folder, 'no such');
  await expect(readSafetensors(missing)).rejects.toThrow(FileError);
  await expect(readSafetensors(missing)).rejects.toThrow(
    `cannot read ${missing}: there is no such`,
  );
  await expect(readSafetensors(folder)).rejects.toThrow(/cannot read .*: it is a directory/);
  const other = join(folder, 'text.txt');
  writeFileSync(other, 'These are not the tensors that you are looking for');
  await expect(readSafetensors(other)).rejects.toThrow(
    /cannot read .*text.txt: its header is said to have \d+ bytes, but only 42 follow/,
  );
});

const hostile: Record<string, [content: Uint8Array, message: RegExp]> = {
  'an empty file': [new Uint8Array(0), /has 0 bytes/],
  'seven bytes': [new Uint8Array(7), /has 7 bytes/],
  'no header': [file(''), /must begin with \{/],
  'a header longer than the file': [file('{}', new Uint8Array(0), 3n), /only 2 follow/],
  'a header of 2^64 - 1 bytes': [
    file('{}', new Uint8Array(0), 2n ** 64n - 1n),
    /18446744073709551615/,
  ],
  'a blank in front': [file(' {}'), /must begin/],
  'a byte order mark in front': [file('\ufeff{}'), /must begin/],
  'no object': [file('[]'), /must begin/],
  'a cut off object': [file('{"a"'), /: was expected/],
  'something after the object': [file('{}x'), /follows the closing/],
  'a trailing comma': [file('{"a":{},}'), /needs dtype/],
  'a string without end': [file('{"a'), /has no end/],
  'a string ending in a backslash': [file('{"a\\'), /has no end/],
  'a line break in a string': [file('{"a\nb":1}'), /malformed/],
  'no UTF-8': [file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /not UTF-8/],
  'deep nesting': [file(`{"a":${'['.repeat(100_000)}`), /\{ was expected/],
  'a duplicate tensor': [
    file(`{"a":${entry('U8', '[1]', 0, 1)},"a":${entry('U8', '[1]', 1, 2)}}`, new Uint8Array(2)),
    /two tensors are named "a"/,
  ],
  'a duplicate field': [
    file(`{"a":{"dtype":"U8","dtype":"F32"}}`),
    /"dtype" where it has no place/,
  ],
  'two metadata': [file('{"__metadata__":{},"__metadata__":{}}'), /stands twice/],
  'duplicate metadata': [file('{"__metadata__":{"a":"1","a":"2"}}'), /has "a" twice/],
  'metadata that is no string': [file('{"__metadata__":{"a":1}}'), /" was expected/],
  'an unknown dtype': [
    file(`{"a":${entry('F33', '[1]', 0, 4)}}`, new Uint8Array(4)),
    /unknown dtype "F33"/,
  ],
  'a dtype named like a method': [
    file(`{"a":${entry('toString', '[]', 0, 0)}}`),
    /unknown dtype "toString"/,
  ],
  'a missing field': [
    file('{"a":{"dtype":"U8","shape":[]}}'),
    /needs dtype, shape and data_offsets/,
  ],
  'one offset': [file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0]}}'), /needs dtype/],
  'three offsets': [file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1,2]}}'), /more than 2/],
  'a negative size': [file(`{"a":${entry('U8', '[-1]', 0, 0)}}`), /whole number, 0 or more/],
  'a fraction': [file(`{"a":${entry('U8', '[1.5]', 0, 1)}}`, new Uint8Array(1)), /\] was expected/],
  'NaN as a size': [file(`{"a":${entry('U8', '[NaN]', 0, 0)}}`), /whole number/],
  'null as a shape': [file(`{"a":${entry('U8', 'null', 0, 0)}}`), /\[ was expected/],
  'a size beyond 2^53': [file(`{"a":${entry('U8', '[9007199254740993]', 0, 0)}}`), /whole number/],
  'a product beyond 2^64': [
    file(`{"a":${entry('F64', '[4294967296,4294967296]', 0, 0)}}`),
    /needs 1475739525896\d+ bytes but is at bytes 0 to 0/,
  ],
  'an infinite product times nothing': [
    file(`{"a":${entry('F64', `[${'9007199254740991,'.repeat(63)}0]`, 0, 0)}}`),
    /needs NaN bytes/,
  ],
  'a rank of 1000': [file(`{"a":${entry('U8', `[${'1,'.repeat(999)}1]`, 0, 1)}}`), /more than 64/],
  'offsets of another size': [
    file(`{"a":${entry('F32', '[2]', 0, 4)}}`, new Uint8Array(4)),
    /needs 8 bytes but is at bytes 0 to 4/,
  ],
  'an end before the beginning': [
    file(`{"a":${entry('U8', '[1]', 1, 0)}}`, new Uint8Array(1)),
    /needs 1 bytes but is at bytes 1 to 0/,
  ],
  'a tensor outside the file': [
    file(`{"a":${entry('U8', '[1000000000000]', 0, 1e12)}}`, new Uint8Array(4)),
    /have 1000000000000 bytes, but 4 follow/,
  ],
  'overlapping tensors': [
    file(`{"a":${entry('U8', '[2]', 0, 2)},"b":${entry('U8', '[2]', 1, 3)}}`, new Uint8Array(3)),
    /"b" at bytes 1 to 3 overlaps/,
  ],
  'a gap': [
    file(`{"a":${entry('U8', '[1]', 0, 1)},"b":${entry('U8', '[1]', 2, 3)}}`, new Uint8Array(3)),
    /"b" at bytes 2 to 3 leaves a gap/,
  ],
  'data nobody owns': [file('{}', new Uint8Array(1)), /have 0 bytes, but 1 follow/],
  'a boolean of 2': [
    file(`{"a":${entry('BOOL', '[2]', 0, 2)}}`, Uint8Array.of(1, 2)),
    /"a" holds the byte 2/,
  ],
  'an integer too great for us': [
    file(`{"a":${entry('I64', '[1]', 0, 8)}}`, new Uint8Array(BigInt64Array.of(2n ** 31n).buffer)),
    /"a" holds 2147483648, which int32 cannot/,
  ],
};

test.each(Object.entries(hostile))('%s is refused', async (name, [content, message]) => {
  expect(() => decodeSafetensors(content)).toThrow(FileError);
  expect(() => decodeSafetensors(content)).toThrow(message);
  const path = join(folder, `${name.replaceAll(/\W/g, '-')}.safetensors`);
  writeFileSync(path, content);
  await expect(readSafetensors(path)).rejects.toThrow(FileError);
  await expect(readSafetensors(path)).rejects.toThrow(message);
});

test('blanks and escapes that JSON allows are read', () => {
  const text = `{ "\\u0061\\"" :\n{ "shape" : [ 1 , 1 ] ,\t"data_offsets":[0,1],"dtype":"U8"} }   `;
  const { tensors } = decodeSafetensors(file(text, Uint8Array.of(5)));
  expect(tensors.get('a"')!.toArray()).toEqual([[5]]);
});

test('ten thousand damaged files give tensors or a FileError, nothing else', () => {
  const good = encodeSafetensors(sample('js'), { note: 'x' });
  // xorshift: the same damage in every run.
  let state = 88172645;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const header = 8 + Number(Buffer.from(good).readBigUInt64LE(0));
  let refused = 0;
  for (let round = 0; round < 10_000; round++) {
    const bad = Uint8Array.from(
      good.subarray(0, random(4) === 0 ? random(good.length) : undefined),
    );
    for (let flips = 1 + random(3); flips > 0; flips--) {
      if (bad.length > 0) bad[random(Math.min(header, bad.length))] = random(256);
    }
    try {
      for (const each of decodeSafetensors(bad).tensors.values()) {
        expect(each.dataSync().length).toBe(each.size);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(9_000);
});

test('a header at the limit is refused before memory is taken for it', () => {
  const before = process.memoryUsage().arrayBuffers;
  const content = file('{}', new Uint8Array(1000), 1000n);
  expect(() => decodeSafetensors(content)).toThrow(FileError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});

test.skipIf(!withPackages('numpy'))(
  'a reader written from the format description agrees',
  async () => {
    const path = join(folder, 'for-python.safetensors');
    await writeSafetensors(path, sample('js'), { note: 'ü' });
    const script = new URL('golden/read-safetensors.py', import.meta.url).pathname;
    const read = JSON.parse(execFileSync(python!, [script, path]).toString()) as unknown;
    expect(read).toEqual({
      metadata: { note: 'ü' },
      tensors: {
        bytes: ['uint8', [3], [1, 2, 255]],
        flags: ['bool', [3], [true, false, true]],
        wide: ['float64', [2, 2], [0.1, -1e-300, 'inf', 'nan']],
        floats: ['float32', [1, 3], [1.5, -0, 2.802596928649634e-45]],
        whole: ['int32', [2], [-2147483648, 2147483647]],
        scalar: ['float32', [], [3.25]],
        none: ['float32', [2, 0, 3], []],
        __proto: ['float32', [1], [1]],
      },
    });
  },
);
