/** Which devices there are, which one is the default, and why one is missing. */

import { DeviceError, ValueError } from '../errors.js';
import type { Backend, DeviceStatistics } from './backend.js';
import { createCpuBackend } from './cpu.js';
import { openCuda } from './cuda.js';
import { createJsBackend } from './js.js';
import { loadAddon } from './load-addon.js';
import { precisionNumber, precisions } from './precision.js';
import type { Precision } from './precision.js';

/** A device by name: `js`, `cpu`, `cuda` (the first GPU), `cuda:1`, … */
export type Device = 'js' | 'cpu' | 'cuda' | (string & {});

export interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** Why it is not available, and what to do. */
  readonly reason?: string;
  /** Instruction set, threads, model. */
  readonly details?: string;
}

type Opening = { readonly backend: Backend } | { readonly reason: string };

/** Every kind of device, best first. A new backend is one more entry. */
const openers: Readonly<Record<string, () => Opening>> = {
  cpu: openCpu,
  js: () => ({ backend: createJsBackend() }),
};

/** Kinds that are used only where they are asked for by name. */
const openersByName: typeof openers = {
  cuda: () => openCudaDevice(0, false),
  'cuda-emulated': () => openCudaDevice(0, true),
};

const opened = new Map<string, Opening>();
let chosen: Backend | undefined;
let allowedPrecision: number | undefined;

function openCpu(): Opening {
  const loaded = loadAddon();
  if ('reason' in loaded) return loaded;
  return createCpuBackend(loaded.addon);
}

function openCudaDevice(number: number, emulated: boolean): Opening {
  const loaded = loadAddon();
  if ('reason' in loaded) return loaded;
  return openCuda(loaded.addon, number, emulated);
}

/** `cuda:0` is `cuda`: one GPU has one name. */
function nameOf(name: string): string {
  return name.startsWith('cuda') && name.endsWith(':0') ? name.slice(0, -2) : name;
}

function openerOf(name: string): () => Opening {
  const gpu = /^(cuda|cuda-emulated):(\d{1,3})$/.exec(name);
  if (gpu) return () => openCudaDevice(Number(gpu[2]), gpu[1] !== 'cuda');
  const opener = openers[name] ?? openersByName[name];
  if (opener) return opener;
  const names = [...Object.keys(openers), 'cuda'].join(', ');
  throw new DeviceError(`there is no device "${name}"; the devices are ${names}`);
}

function open(given: string): Opening {
  const name = nameOf(given);
  let opening = opened.get(name);
  if (!opening) {
    opening = openerOf(name)();
    if ('backend' in opening) opening.backend.allowPrecision?.(allowed());
    opened.set(name, opening);
  }
  return opening;
}

/** The backend of a device. Throws DeviceError when it is unknown or not available here. */
export function backendOf(device: Device): Backend {
  const opening = open(device);
  if ('backend' in opening) return opening.backend;
  throw new DeviceError(`device "${device}" is not available: ${opening.reason}`);
}

function choose(): Backend {
  const wanted = process.env['GRADLOOM_DEVICE'];
  if (wanted) return backendOf(wanted);
  const reasons: string[] = [];
  for (const name of Object.keys(openers)) {
    const opening = open(name);
    if ('backend' in opening) {
      if (reasons.length > 0) {
        process.stderr.write(`gradloom: using device "${name}"; ${reasons.join('; ')}\n`);
      }
      return opening.backend;
    }
    reasons.push(`"${name}" is not available: ${opening.reason}`);
  }
  throw new DeviceError(`no device is available: ${reasons.join('; ')}`);
}

/** The backend new tensors are made on. */
export function defaultBackend(): Backend {
  return (chosen ??= choose());
}

/** The device new tensors are made on: the best available, or GRADLOOM_DEVICE, or setDevice's. */
export function device(): Device {
  return defaultBackend().device;
}

/** Makes a device the default for new tensors. Throws DeviceError when it is not available. */
export function setDevice(name: Device): void {
  chosen = backendOf(name);
}

/**
 * What was found on this machine, best device first, and why others are not available. The emulated
 * GPU, which only builds for testing have, is told of where there is one.
 */
export function describeDevices(): DeviceReport[] {
  const reports = [...Object.keys(openers), ...Object.keys(openersByName)].map(describe);
  return reports.filter(({ device: name, available }) => available || name !== 'cuda-emulated');
}

function describe(name: string): DeviceReport {
  const opening = open(name);
  return 'backend' in opening
    ? { device: name, available: true, details: opening.backend.describe() }
    : { device: name, available: false, reason: opening.reason };
}

/**
 * What a CUDA device, by default the default one, was asked to do: launches, copies, waits, memory.
 * Null for devices that compute in the process itself. Throws DeviceError when it is not available.
 */
export function deviceStatistics(name: Device = device()): DeviceStatistics | null {
  return backendOf(name).statistics?.() ?? null;
}

/**
 * Most bytes that a CUDA device's memory is used of, memory kept for reuse included; Infinity is no
 * limit. What does not fit throws MemoryError. Throws DeviceError for devices that use the host's
 * memory, ValueError for less than 0.
 */
export function setMemoryLimit(bytes: number, name: Device = device()): void {
  const backend = backendOf(name);
  if (!(bytes >= 0)) throw new ValueError(`setMemoryLimit: ${bytes} is no number of bytes`);
  if (!backend.setMemoryLimit) {
    throw new DeviceError(`setMemoryLimit: device "${name}" has no memory of its own to limit`);
  }
  backend.setMemoryLimit(Math.min(Math.floor(bytes), 2 ** 53));
}

/** Threads the default device computes with. */
export function threads(): number {
  return defaultBackend().threads();
}

/** Sets the number of threads of the default device; results do not depend on it. */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > 256) {
    throw new ValueError(`setThreads: ${count} is not a whole number from 1 to 256`);
  }
  defaultBackend().setThreads(count);
}

/** The precision allowed, by its number: setPrecision's or GRADLOOM_PRECISION. */
function allowed(): number {
  if (allowedPrecision === undefined) {
    const wanted = process.env['GRADLOOM_PRECISION'];
    allowedPrecision = wanted ? precisionNumber(wanted, 'GRADLOOM_PRECISION') : 0;
  }
  return allowedPrecision;
}

/**
 * Allows devices to compute products of float32 matrices (`matmul`, dense layers forward and
 * backward) with rounded factors: `'tf32'`, `'float16'` or `'bfloat16'`; sums stay float32, and so
 * do all tensors. Devices whose hardware has it do so: CUDA devices of compute capability 8.0, for
 * `'float16'` 7.0; all others, `cpu` and `js` among them, keep `'float32'`, the default. Before the
 * first call GRADLOOM_PRECISION counts. `'float16'` has no numbers above 65504 and few below 6e-5:
 * gradients may vanish in it. Throws ValueError.
 */
export function setPrecision(precision: Precision): void {
  const number = precisionNumber(precision, 'setPrecision');
  allowedPrecision = number;
  for (const opening of opened.values()) {
    if ('backend' in opening) opening.backend.allowPrecision?.(number);
  }
}

/**
 * The precision that {@link setPrecision} allows or, given a device, the one that its products of
 * float32 matrices are computed in. Throws DeviceError when the device is not available.
 */
export function precision(on?: Device): Precision {
  if (on === undefined) return precisions[allowed()]!;
  return precisions[backendOf(on).precision?.() ?? 0]!;
}
