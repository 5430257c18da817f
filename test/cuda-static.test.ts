/** What is read from NVIDIA's compiler and from the binary: parsers, budgets, occupancy. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { architectures, occupancy, virtualArchitectures } from '../scripts/cuda-architectures.js';
import { nameOf, problemsOf as problemsOfBinary, readBinary } from '../scripts/cuda-binary.js';
import type { Image } from '../scripts/cuda-binary.js';
import {
  budgetsOf,
  budgetsPath,
  groupOf,
  isHot,
  problemsOf,
  tableOf,
} from '../scripts/cuda-budgets.js';
import type { Budget, Budgets } from '../scripts/cuda-budgets.js';
import { readPtx, readPtxas } from '../scripts/ptxas.js';

const native = fileURLToPath(new URL('../native/cuda/', import.meta.url));
const committed = JSON.parse(readFileSync(budgetsPath, 'utf8')) as Budgets;

/** What ptxas says of one kernel; `more` is of a function it calls. */
const said = (symbol: string, architecture: number, stack: number, spills: number, more = '') =>
  `ptxas info    : Compiling entry function '${symbol}' for 'sm_${architecture}'\n${more}` +
  `ptxas info    : Function properties for ${symbol}\n` +
  `    ${stack} bytes stack frame, ${spills} bytes spill stores, ${spills} bytes spill loads\n` +
  'ptxas info    : Used 40 registers, used 1 barriers, 2048 bytes smem, 408 bytes cmem[0]\n';
const called =
  'ptxas info    : Function properties for slow\n' +
  '    72 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads\n';

const float = '_ZN8gradloom4cuda3sumIfEEvPT_'; // void gradloom::cuda::sum<float>(float*)
const double = '_ZN8gradloom4cuda3sumIdEEvPT_';

describe('what ptxas says', () => {
  it('is read by kernel and architecture, without the functions that a kernel calls', () => {
    expect(readPtxas(said(float, 75, 0, 0, called) + said(double, 100, 16, 4))).toEqual([
      { name: 'sum<float>', architecture: 75, registers: 40, shared: 2048, spills: 0, stack: 0 },
      { name: 'sum<double>', architecture: 100, registers: 40, shared: 2048, spills: 8, stack: 16 },
    ]);
  });

  it('is refused where it is not understood', () => {
    expect(() => readPtxas("Compiling entry function 'x' for 'sm_80'\n")).toThrow(/not understood/);
  });

  it('doubles, local memory and calls are seen in PTX', () => {
    const entry = (symbol: string, body: string): string =>
      `.visible .entry ${symbol}(\n.param .u64 a\n)\n{\n${body}\nret;\n}\n`;
    const text =
      entry(float, '\tadd.f64 %d1, %d2, %d3;') +
      entry(double, '\t.local .align 8 .b8 depot[8];\n\tcall.uni slow, ();').replace(
        '.visible ',
        '',
      );
    expect(readPtx(text)).toEqual([
      { name: 'sum<float>', doubles: true, local: false, calls: false },
      { name: 'sum<double>', doubles: false, local: true, calls: true },
    ]);
  });
});

describe('budgets', () => {
  const everywhere = architectures.map((each) => said(float, each, 0, 0)).join('');
  const plain = { name: 'sum<float>', doubles: false, local: false, calls: false };
  const found = budgetsOf(readPtxas(everywhere), [plain]);

  it('are the most of a group, and hold themselves', () => {
    expect(found).toEqual({
      sum: {
        registers: architectures.map(() => 40),
        ...{ shared: 2048, stack: 0, spills: 0, doubles: false, calls: false },
      },
    });
    expect(problemsOf(found, found)).toEqual([]);
    expect(tableOf(found)).toMatch(/sum .* 40 +75% .* 2048/);
  });

  const budget = found['sum']!;
  const more = (change: Partial<Budget>): string[] =>
    problemsOf({ sum: { ...budget, ...change } }, found);

  it.each<[Partial<Budget>, RegExp]>([
    [{ registers: budget.registers.map((n, i) => (i === 5 ? n + 1 : n)) }, /sm_100 registers 41/],
    [{ registers: budget.registers.map((n, i) => (i === 0 ? 0 : n)) }, /not compiled for 75/],
    [{ shared: 4096 }, /shared 4096, budget 2048/],
    [{ stack: 8 }, /8 bytes of local memory/],
    [{ spills: 4 }, /4 of spills/],
    [{ doubles: true }, /computes with doubles/],
    [{ calls: true }, /not inlined/],
  ])('%j is told', (change, words) => {
    expect(more(change).join()).toMatch(words);
  });

  it('kernels without one, and budgets without a kernel, are told', () => {
    expect(problemsOf(found, {}).join()).toMatch(/sum has no budget/);
    expect(problemsOf({}, found).join()).toMatch(/sum has a budget but was not compiled/);
  });

  it('allow local memory for functions of angles and of doubles alone', () => {
    expect(groupOf('mapKernel<sin_y, 1, float, float>')).toBe('mapKernel<float> of angles');
    expect(groupOf('mapKernel<sinh_y, 1, float, float>')).toBe('mapKernel<float>');
    for (const [group, { stack, spills }] of Object.entries(committed)) {
      if (isHot(group)) expect([group, stack, spills]).toEqual([group, 0, 0]);
    }
  });

  it('are there for every kernel of the sources', () => {
    const files = readdirSync(native).filter((name) => /\.(cu|h)$/.test(name));
    const kernels = files.flatMap((name) => {
      const text = readFileSync(native + name, 'utf8');
      const starts = /__global__\s+void\s+(?:__launch_bounds__\(\w+(?:, \w+)?\)\s+)?(\w+)/g;
      return [...text.matchAll(starts)].map(([, kernel]) => kernel!);
    });
    expect(kernels.length).toBeGreaterThan(30);
    const groups = new Set(Object.keys(committed).map((group) => group.replace(/<.*/, '')));
    expect(kernels.filter((kernel) => !groups.has(kernel))).toEqual([]);
  });
});

describe('occupancy', () => {
  // Threads, registers and shared memory each as the limit; by hand from the limits of each.
  it.each([
    [75, 32, 0, 1], // 4 blocks of 8 warps are all 32
    [80, 32, 0, 1],
    [80, 40, 0, 6 / 8], // 48 warps of 1280 registers: 6 blocks of 8
    [86, 40, 0, 1],
    [80, 170, 16896, 1 / 8], // 10 warps, 8 in fours: 1 block
    [75, 64, 34816, 1 / 4], // 64 KiB hold one
    [90, 48, 34816, 5 / 8], // 42 warps, 40 in fours
    [120, 32, 34816, 2 / 6], // 100 KiB hold two of 35 KiB
  ] as const)(
    'on sm_%i with %i registers and %i bytes',
    (architecture, registers, shared, share) => {
      expect(occupancy(architecture, registers, shared)).toBeCloseTo(share, 12);
    },
  );
});

/** An ELF file with an addon's images, `sources` times, and the libraries it asks for. */
function elf(
  images: readonly (Pick<Image, 'kind' | 'architecture'> & { flags?: bigint })[],
  sources: number,
  libraries: string[],
): Buffer {
  const strings = Buffer.from(`\0${libraries.join('\0')}\0`);
  const dynamic = Buffer.alloc(16 * (libraries.length + 1));
  libraries.forEach((name, i) => {
    dynamic.writeBigUInt64LE(1n, 16 * i);
    dynamic.writeBigUInt64LE(BigInt(strings.indexOf(`${name}\0`)), 16 * i + 8);
  });
  const body = Buffer.concat(
    images.map(({ kind, architecture, flags = 0n }) => {
      const image = Buffer.alloc(64 + 24); // a header and data
      image.writeUInt16LE(kind === 'ptx' ? 1 : 2, 0);
      image.writeUInt32LE(64, 4);
      image.writeBigUInt64LE(24n, 8);
      image.writeUInt32LE(architecture, 28);
      image.writeBigUInt64LE(flags, 40);
      return image;
    }),
  );
  const container = Buffer.alloc(16);
  container.writeUInt32LE(0xba55ed50, 0);
  container.writeUInt16LE(16, 6);
  container.writeBigUInt64LE(BigInt(body.length), 8);
  const fatbin = Buffer.concat(
    Array.from({ length: sources }, () => [container, body, Buffer.alloc(8)]).flat(),
  );
  const names = Buffer.from('\0.nv_fatbin\0.dynamic\0.dynstr\0.shstrtab\0');
  const sections: [string, Buffer][] = [
    ['.nv_fatbin', fatbin],
    ['.dynamic', dynamic],
    ['.dynstr', strings],
    ['.shstrtab', names],
  ];
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02', 'latin1');
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(sections.length, 60);
  header.writeUInt16LE(sections.length - 1, 62);
  let end = 64;
  const table = sections.map(([name, data]) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(names.indexOf(`${name}\0`), 0);
    entry.writeBigUInt64LE(BigInt(end), 24);
    entry.writeBigUInt64LE(BigInt(data.length), 32);
    end += data.length;
    return entry;
  });
  header.writeBigUInt64LE(BigInt(end), 40);
  return Buffer.concat([header, ...sections.map(([, data]) => data), ...table]);
}

describe('the binary', () => {
  const all = [
    ...architectures.map((architecture) => ({ kind: 'code', architecture }) as const),
    ...virtualArchitectures.map((architecture) => ({ kind: 'ptx', architecture }) as const),
  ];
  const alone = ['libstdc++.so.6', 'libc.so.6'];
  const problems = (images: typeof all, libraries: string[], runtime: 'Static' | 'Shared') =>
    problemsOfBinary(readBinary(elf(images, 3, libraries)), runtime).join('\n');

  it('is read: images of every source, and libraries', () => {
    const binary = readBinary(elf(all, 3, alone));
    expect(binary).toMatchObject({ sources: 3, libraries: alone });
    expect(binary.images).toHaveLength(3 * all.length);
    const first = { kind: 'code', architecture: 75, bytes: 24, compressed: false };
    expect(binary.images[0]).toEqual(first);
    expect(problems(all, alone, 'Static')).toBe('');
    expect(problems(all, ['libcudart.so.13', ...alone], 'Shared')).toBe('');
  });

  it('that lacks an architecture, or has one too many, is told', () => {
    for (const missing of all) {
      const others = all.filter((each) => each !== missing);
      expect(problems(others, alone, 'Static')).toBe(`${nameOf(missing)}: 0 images of 3 sources`);
    }
    const more = [...all, { kind: 'code', architecture: 70 } as never];
    expect(problems(more, alone, 'Static')).toBe('sm_70 was not asked for');
  });

  it('whose PTX is compressed is told', () => {
    for (const flags of [0x2000n, 0x8000n]) {
      const packed = all.map((each) => ({ ...each, flags }));
      expect(problems(packed, alone, 'Static')).toBe('its PTX is compressed');
    }
  });

  it('that was linked otherwise, or has nothing for GPUs, is told', () => {
    expect(problems(all, ['libcudart.so.13'], 'Static')).toMatch(/asks the loader for libcudart/);
    expect(problems(all, ['libcuda.so.1', 'libcudart.so.13'], 'Shared')).toMatch(/libcuda\.so\.1/);
    expect(problems(all, alone, 'Shared')).toMatch(/does not ask the loader for libcudart/);
    expect(problemsOfBinary(readBinary(elf([], 0, alone)), 'Static')[0]).toMatch(/without CUDA/);
    expect(() => readBinary(Buffer.from('#!/bin/sh\n'))).toThrow(/not a 64-bit ELF file/);
  });

  it('is compiled for what is promised', () => {
    const cmake = readFileSync(`${native}cuda.cmake`, 'utf8');
    const list = /"([^"]*75-real[^"]*)"/.exec(cmake)![1]!.split(';');
    expect(list).toEqual([
      ...architectures.map((each) => `${each}-real`),
      ...virtualArchitectures.map((each) => `${each}-virtual`),
    ]);
  });
});
