/**
 * What a built addon holds for GPUs: its embedded images and the libraries it asks for, read from
 * the ELF file itself. As a program it holds an addon built with nvcc to what is promised, loads
 * it, and says whether `cuda` is available here:
 *
 *     npx tsx scripts/cuda-binary.ts ADDON Static|Shared
 */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { backendOf, describeDevices } from '../src/backends/registry.js';
import { architectures, virtualArchitectures } from './cuda-architectures.js';

/** One image of one source file: machine code of an architecture, or PTX of a virtual one. */
export interface Image {
  readonly kind: 'code' | 'ptx';
  /** 75 for sm_75 or compute_75. */
  readonly architecture: number;
  readonly bytes: number;
  readonly compressed: boolean;
}

export interface Binary {
  readonly images: readonly Image[];
  /** Sources with images of their own. */
  readonly sources: number;
  /** Libraries that the loader is told to load. */
  readonly libraries: readonly string[];
}

/** Sections of a little-endian ELF64 file by name. Throws when it is no such file. */
function sectionsOf(file: Buffer): ReadonlyMap<string, Buffer> {
  if (file.length < 64 || file.readUInt32LE(0) !== 0x464c457f || file[4] !== 2) {
    throw new Error('not a 64-bit ELF file');
  }
  const count = file.readUInt16LE(60);
  const size = file.readUInt16LE(58);
  const table = Number(file.readBigUInt64LE(40));
  const headers = Array.from({ length: count }, (_, i) =>
    file.subarray(table + i * size, table + (i + 1) * size),
  );
  const dataOf = (header: Buffer): Buffer => {
    const start = Number(header.readBigUInt64LE(24));
    const empty = header.readUInt32LE(4) === 8; // SHT_NOBITS
    return file.subarray(start, empty ? start : start + Number(header.readBigUInt64LE(32)));
  };
  const names = dataOf(headers[file.readUInt16LE(62)]!);
  return new Map(headers.map((each) => [textAt(names, each.readUInt32LE(0)), dataOf(each)]));
}

const textAt = (bytes: Buffer, start: number): string =>
  bytes.toString('latin1', start, bytes.indexOf(0, start));

/** DT_NEEDED entries of the dynamic section. */
function librariesOf(sections: ReadonlyMap<string, Buffer>): string[] {
  const entries = sections.get('.dynamic') ?? Buffer.alloc(0);
  const strings = sections.get('.dynstr') ?? Buffer.alloc(0);
  const libraries: string[] = [];
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const tag = entries.readBigUInt64LE(at);
    if (tag === 0n) break;
    if (tag === 1n) libraries.push(textAt(strings, Number(entries.readBigUInt64LE(at + 8))));
  }
  return libraries;
}

const containerMagic = 0xba55ed50;

/**
 * A section .nv_fatbin is containers, one per source, each a header (magic, version, header's size,
 * length of what follows) and images: a header (kind, version, header's size, length) and data.
 */
function containersOf(section: Buffer): Image[][] {
  const containers: Image[][] = [];
  for (let at = 0; at + 16 <= section.length;) {
    if (section.readUInt32LE(at) !== containerMagic) {
      at += 8; // padding
      continue;
    }
    const first = at + section.readUInt16LE(at + 6);
    const end = first + Number(section.readBigUInt64LE(at + 8));
    containers.push(imagesOf(section.subarray(first, end)));
    at = end;
  }
  return containers;
}

/** Ways in which nvcc packs an image, as bits of a number in its header. */
const compressedBits = 0x2000n | 0x8000n | 0x10000n;

function imagesOf(container: Buffer): Image[] {
  const images: Image[] = [];
  for (let at = 0; at < container.length;) {
    const bytes = Number(container.readBigUInt64LE(at + 8));
    images.push({
      kind: container.readUInt16LE(at) === 1 ? 'ptx' : 'code',
      architecture: container.readUInt32LE(at + 28),
      bytes,
      compressed: (container.readBigUInt64LE(at + 40) & compressedBits) !== 0n,
    });
    at += container.readUInt32LE(at + 4) + bytes;
  }
  return images;
}

export function readBinary(file: Buffer): Binary {
  const sections = sectionsOf(file);
  const containers = containersOf(sections.get('.nv_fatbin') ?? Buffer.alloc(0));
  return {
    images: containers.flat(),
    sources: containers.length,
    libraries: librariesOf(sections),
  };
}

/** Names of images as nvcc has them. */
export const nameOf = ({ kind, architecture }: Pick<Image, 'kind' | 'architecture'>): string =>
  `${kind === 'ptx' ? 'compute' : 'sm'}_${architecture}`;

/** What a release has to hold: every source for every architecture, and PTX for later ones. */
const promised = [
  ...architectures.map((architecture) => nameOf({ kind: 'code', architecture })),
  ...virtualArchitectures.map((architecture) => nameOf({ kind: 'ptx', architecture })),
];

/** What is wrong with a binary that was linked with the runtime in this way. */
export function problemsOf(binary: Binary, runtime: 'Static' | 'Shared'): string[] {
  const { images, sources, libraries } = binary;
  const problems = sources === 0 ? ['it holds no code for GPUs: it was built without CUDA'] : [];
  const counts = countsOf(images);
  for (const name of promised) {
    const count = counts.get(name) ?? 0;
    if (count !== sources) problems.push(`${name}: ${count} images of ${sources} sources`);
  }
  for (const name of counts.keys()) {
    if (!promised.includes(name)) problems.push(`${name} was not asked for`);
  }
  // Machine code is NVIDIA's alone; PTX is text that others read, too.
  if (images.some(({ kind, compressed }) => kind === 'ptx' && compressed)) {
    problems.push('its PTX is compressed');
  }
  const ofCuda = libraries.filter((name) => /cuda|cublas|nccl|nvidia/i.test(name));
  const wanted = runtime === 'Shared' ? /^libcudart\.so\.\d+$/ : /(?!)/;
  for (const name of ofCuda) {
    if (!wanted.test(name)) problems.push(`it asks the loader for ${name}`);
  }
  if (runtime === 'Shared' && !ofCuda.some((name) => wanted.test(name))) {
    problems.push('it does not ask the loader for libcudart.so');
  }
  return problems;
}

function countsOf(images: readonly Image[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const image of images) counts.set(nameOf(image), (counts.get(nameOf(image)) ?? 0) + 1);
  return counts;
}

/** Whether `cuda` works here or says why not; throws when it does neither. */
function describeCuda(): string {
  const report = describeDevices().find(({ device }) => device === 'cuda');
  if (report?.available) return `cuda is available: ${report.details ?? ''}`;
  if (!/driver|device/.test(report?.reason ?? '')) {
    throw new Error(`cuda does not say why it is missing: ${JSON.stringify(report)}`);
  }
  try {
    backendOf('cuda');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('cuda was reported as missing, but opens');
}

function main(path: string | undefined, runtime: string | undefined): void {
  if (path === undefined || (runtime !== 'Static' && runtime !== 'Shared')) {
    throw new Error('Give the addon, and how it was linked: Static or Shared');
  }
  const binary = readBinary(readFileSync(path));
  const bytesOf = (name: string): number =>
    binary.images.reduce((sum, each) => sum + (nameOf(each) === name ? each.bytes : 0), 0);
  for (const [name, count] of countsOf(binary.images)) {
    const megabytes = (bytesOf(name) / 1e6).toFixed(1);
    console.log(`${name.padEnd(12)} ${count} images, ${megabytes.padStart(5)} MB`);
  }
  console.log(`libraries: ${binary.libraries.join(', ')}`);
  const problems = problemsOf(binary, runtime);
  for (const problem of problems) console.error(`PROBLEM ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
  process.env['GRADLOOM_ADDON'] = resolve(path);
  console.log(`cpu: ${backendOf('cpu').describe()}`);
  console.log(describeCuda());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(process.argv[2], process.argv[3]);
}
