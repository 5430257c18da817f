/**
 * Named tensors in one file, in the safetensors format that PyTorch, JAX, Keras and others read and
 * write: 8 bytes of header length, the header, the bytes of the tensors.
 */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { bytesPerElement } from '../backends/dtype.js';
import { backendOf, defaultBackend } from '../backends/registry.js';
import type { Device } from '../backends/registry.js';
import type { Backend, HostArray } from '../backends/backend.js';
import { FileError, MemoryError, ValueError } from '../errors.js';
import { Scope } from '../tensor/storage.js';
import { fromArray } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { writeFileAtomically } from './atomic-file.js';
import { checkPath, explainFileError } from './file-errors.js';
import { decodeElements, formatOf, formats } from './safetensors-formats.js';
import { headerLength, maxHeaderBytes, metadataKey, parseHeader } from './safetensors-header.js';
import { show } from './safetensors-header.js';
import type { SafetensorsHeader, TensorEntry } from './safetensors-header.js';

export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

export interface Safetensors {
  /** In the order of the file's header. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ReadOptions {
  /** Where the tensors go. Default the default device. */
  readonly device?: Device;
}

/**
 * Writes tensors to a file, atomically: whoever reads it, and whenever the process is killed, finds
 * the old file or the new one. The values are those at the moment of the call.
 */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const scope = new Scope();
  try {
    const chunks = encodeChunks(tensors, metadata);
    scope.leave();
    await writeFileAtomically(path, chunks);
  } finally {
    scope.end();
  }
}

/** The content of a safetensors file. */
export function encodeSafetensors(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const scope = new Scope();
  try {
    return Buffer.concat(encodeChunks(tensors, metadata));
  } finally {
    scope.end();
  }
}

/** The parts of a file; valid until the scope around ends. */
function encodeChunks(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const given = tensors instanceof Map ? [...tensors] : Object.entries(tensors);
  // Widest elements first, so that every tensor begins at a multiple of its element's size.
  const sorted = (given as [string, Tensor][]).sort(
    ([, a], [, b]) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype],
  );
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push([metadataKey, metadata]);
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const [name, tensor] of sorted) {
    if (name === metadataKey) throw new ValueError(`a tensor cannot be named ${metadataKey}`);
    const { buffer, byteOffset, byteLength } = valuesOf(tensor);
    chunks.push(new Uint8Array(buffer, byteOffset, byteLength));
    const place = [at, (at += byteLength)];
    const { dtype, shape } = tensor;
    header.push([name, { dtype: formatOf[dtype], shape, data_offsets: place }]);
  }
  return [...headerBytes(Object.fromEntries(header)), ...chunks];
}

/** The values as they are now, on the host in memory that serves the next file as well. */
function valuesOf(tensor: Tensor): HostArray {
  return tensor.backend.host ? (tensor.copy().buffer as HostArray) : tensor.dataSync();
}

function headerBytes(header: unknown): Uint8Array[] {
  let text = Buffer.from(JSON.stringify(header));
  // Blanks at the end let the data begin at a multiple of 8.
  text = Buffer.concat([text, Buffer.alloc(-text.length & 7, ' ')]);
  if (text.length > maxHeaderBytes) {
    throw new ValueError(
      `names, shapes and metadata take ${text.length} bytes; safetensors allows 100 MB`,
    );
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return [length, text];
}

/**
 * Reads a file. F16 and BF16 become float32, integers other than U8 int32 (exactly, or a
 * FileError). Throws FileError for files that are missing, damaged, or of another kind; whatever
 * the file holds, no more memory is taken than its size calls for.
 */
export async function readSafetensors(
  path: string,
  options: ReadOptions = {},
): Promise<Safetensors> {
  const backend = backendFor(options);
  checkPath(path, 'read');
  try {
    const file = await open(path, 'r');
    try {
      const { header, dataStart } = await readHeader(file);
      const tensors = new Map<string, Tensor>();
      for (const [name, entry] of header.entries) {
        const bytes = newBytes(name, entry);
        await readFully(file, bytes, dataStart + entry.begin);
        tensors.set(name, toTensor(name, entry, bytes, backend));
      }
      return { tensors, metadata: header.metadata };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FileError) throw new FileError(`cannot read ${path}: ${error.message}`);
    throw explainFileError(error, 'read', path);
  }
}

/** Reads a file's content. As {@link readSafetensors}. */
export function decodeSafetensors(content: Uint8Array, options: ReadOptions = {}): Safetensors {
  const backend = backendFor(options);
  const dataStart = 8 + headerLength(content.subarray(0, 8), content.length);
  const header = parseHeader(content.subarray(8, dataStart), content.length - dataStart);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of header.entries) {
    const bytes = newBytes(name, entry);
    bytes.set(content.subarray(dataStart + entry.begin, dataStart + entry.end));
    tensors.set(name, toTensor(name, entry, bytes, backend));
  }
  return { tensors, metadata: header.metadata };
}

const backendFor = ({ device }: ReadOptions): Backend =>
  device === undefined ? defaultBackend() : backendOf(device);

async function readHeader(
  file: FileHandle,
): Promise<{ header: SafetensorsHeader; dataStart: number }> {
  const { size } = await file.stat();
  const first = new Uint8Array(Math.min(8, size));
  await readFully(file, first, 0);
  const bytes = new Uint8Array(headerLength(first, size));
  await readFully(file, bytes, 8);
  const dataStart = 8 + bytes.length;
  return { header: parseHeader(bytes, size - dataStart), dataStart };
}

async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  const most = 1 << 30;
  for (let done = 0; done < into.length;) {
    const length = Math.min(most, into.length - done);
    const { bytesRead } = await file.read(into, done, length, position + done);
    if (bytesRead === 0) throw new FileError('it became shorter while it was read');
    done += bytesRead;
  }
}

function newBytes(name: string, { begin, end }: TensorEntry): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(end - begin);
  } catch {
    throw new MemoryError(`there is no memory for tensor ${show(name)}, ${end - begin} bytes`);
  }
}

function toTensor(
  name: string,
  { format, shape }: TensorEntry,
  bytes: Uint8Array<ArrayBuffer>,
  backend: Backend,
): Tensor {
  try {
    const values = decodeElements(format, bytes.buffer);
    return fromArray(values, shape, formats[format].dtype, backend);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new FileError(`tensor ${show(name)} ${error.message}`);
  }
}
