/**
 * The `cuda` backend: kernels on a GPU, through the native addon where it was built with them; and
 * `cuda-emulated`, the same kernels on a device that the addon emulates to check them.
 *
 * Values cross between host and device in `write`, `readSync` and `read` alone. Work is queued and
 * done in order; what gives an answer (`readSync`, and kernels that return a position) waits.
 */

import { DeviceError, MemoryError, ValueError } from '../errors.js';
import type { Backend, Buffer, DeviceArray, DeviceStatistics, HostArray } from './backend.js';
import { bytesPerElement, typedArray } from './dtype.js';
import type { DType } from './dtype.js';
import { readable } from './host-memory.js';
import type { Addon } from './load-addon.js';

/** Memory of a device. The addon hangs what it knows of it on the object itself. */
class CudaArray implements DeviceArray {
  static #made = 0;
  readonly slot = CudaArray.#made++;

  constructor(
    readonly dtype: DType,
    readonly length: number,
  ) {}
}

/** Methods of the interface that the addon has under their own names. */
const kernelNames = [
  'map', 'mapStrided', 'select', 'cast', 'fill', 'copy', 'gather', 'scatterAdd', 'takeAlong',
  'putAlongAdd', 'sort', 'reduce', 'cumsum', 'matmul', 'dense', 'denseBackward', 'softmax',
  'softmaxBackward', 'crossEntropy', 'scaleRows', 'batchNorm', 'batchNormBackward', 'random',
  'dropout', 'update', 'loadRows', 'deferChecks', 'note', 'startRecording', 'finishRecording',
  'replay', 'forget', 'setMemoryLimit', 'allowPrecision', 'precision', 'describe',
] as const satisfies readonly (keyof Backend)[]; // prettier-ignore
type KernelName = (typeof kernelNames)[number];

/** The functions of one device: native/api/cuda.cc. */
interface Machine extends Required<Pick<Backend, KernelName>> {
  /** Makes an object hold fresh memory, or a part of another's. */
  readonly allocate: (target: object, dtype: number, length: number) => void;
  readonly view: (target: object, array: Buffer, start: number, length: number) => void;
  readonly release: (array: Buffer) => void;
  readonly write: (array: Buffer, values: HostArray) => void;
  readonly read: (array: Buffer, values: HostArray) => void;
  /** 1 when all work is done. */
  readonly idle: () => number;
  /** Mark two places of the device's work by a number, and give the nanoseconds between them. */
  readonly startTimer: () => number;
  readonly stopTimer: (timer: number) => void;
  readonly takeTimer: (timer: number) => number;
  /** {@link DeviceStatistics} as JSON. */
  readonly statistics: () => string;
  /** What users should know of the machine; empty when nothing. */
  readonly complaint: () => string;
}

/** What an addon built with CUDA exports besides. */
interface CudaAddon extends Addon {
  readonly cuda?: {
    /** Whether the devices are emulated. */
    readonly emulated: boolean;
    count(): number;
    /** Why there are none. */
    reason(): string;
    open(number: number): Machine;
  };
}

/** Numbers of the element types in the addon; bool is stored as uint8. */
const typeNumbers: Readonly<Record<DType, number>> = {
  float32: 0,
  float64: 1,
  int32: 2,
  uint8: 3,
  bool: 3,
};

/** The errors of the addon as ours. */
function translated(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (code === 'GRADLOOM_DEVICE') return new DeviceError(message, { cause: error });
  if (code !== 'GRADLOOM_MEMORY') return error;
  const advice =
    'Use a smaller shape or batch; free what is no longer needed (tidy, Scope, dispose); ' +
    'or await something in the loop, so that the collector can give memory back.';
  return new MemoryError(`${message}. ${advice}`, { cause: error });
}

type Function_ = (...args: unknown[]) => unknown;

/** The same function, throwing our errors. */
function guarded<F>(native: F): F {
  const call = native as Function_;
  const guard: Function_ = (...args) => {
    try {
      return call(...args);
    } catch (error) {
      throw translated(error);
    }
  };
  return guard as F;
}

function setThreads(count: number): void {
  if (count !== 1) {
    throw new ValueError(`devices of cuda have no threads of the processor's to set: got ${count}`);
  }
}

/** Opens GPU `number`, or says in one sentence why it cannot be used. */
export function openCuda(
  addon: Addon,
  number: number,
  emulated: boolean,
): { readonly backend: Backend } | { readonly reason: string } {
  const { cuda } = addon as CudaAddon;
  if (cuda?.emulated !== emulated) {
    return {
      reason: emulated
        ? 'the addon was not built with an emulated device (cmake -DGRADLOOM_CUDA=EMULATED)'
        : 'the addon was built without CUDA; with nvcc installed, ' +
          'run `GRADLOOM_CUDA=1 npx gradloom build --force`',
    };
  }
  const count = cuda.count();
  if (count === 0) {
    const advice = "it needs an NVIDIA GPU and NVIDIA's driver, of which `nvidia-smi` tells";
    return { reason: `${cuda.reason()}; ${advice}` };
  }
  if (number >= count) return { reason: `this machine has ${count} CUDA devices` };
  try {
    const kind = emulated ? 'cuda-emulated' : 'cuda';
    const name = number === 0 ? kind : `${kind}:${number}`;
    const machine = cuda.open(number);
    const complaint = guarded(machine.complaint)();
    if (complaint !== '') process.stderr.write(`gradloom: device "${name}": ${complaint}\n`);
    return { backend: createBackend(machine, name) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Resolves when all work is done, without blocking the event loop. */
function waiterOf(machine: Machine): () => Promise<void> {
  const idle = guarded(machine.idle);
  return async () => {
    while (idle() === 0) await new Promise((resolve) => setImmediate(resolve));
  };
}

/** {@link Backend.startTimer} */
function timerOn(machine: Machine): NonNullable<Backend['startTimer']> {
  const [start, stop, take] = [machine.startTimer, machine.stopTimer, machine.takeTimer].map(
    guarded,
  ) as [Machine['startTimer'], Machine['stopTimer'], Machine['takeTimer']];
  const done = waiterOf(machine);
  return () => {
    const timer = start();
    return async () => {
      stop(timer);
      await done();
      return take(timer) / 1e6;
    };
  };
}

type CudaMemory = Pick<Backend, 'allocate' | 'release' | 'view' | 'write' | 'readSync' | 'read'>;

/** The memory functions of the interface; `copy` is the device's. */
function memoryOn(machine: Machine, copy: Backend['copy']): CudaMemory {
  const allocateOn = guarded(machine.allocate);
  const viewOf = guarded(machine.view);
  const readInto = guarded(machine.read);
  const done = waiterOf(machine);
  const release = guarded(machine.release);

  function allocate(dtype: DType, size: number): CudaArray {
    const bytes = size * bytesPerElement[dtype];
    const what = `cannot allocate ${readable(bytes)} (${bytes} bytes) for ${size} ${dtype} elements`;
    if (!(bytes <= Number.MAX_SAFE_INTEGER)) throw new MemoryError(what);
    const array = new CudaArray(dtype, size);
    try {
      allocateOn(array, typeNumbers[dtype], size);
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error;
      throw new MemoryError(`${what}: ${error.message}`, { cause: error });
    }
    return array;
  }

  function view(buffer: Buffer, start: number, size: number): CudaArray {
    const part = new CudaArray((buffer as DeviceArray).dtype, size);
    viewOf(part, buffer, start, size);
    return part;
  }

  function readSync(buffer: Buffer): HostArray {
    const values = typedArray((buffer as DeviceArray).dtype, buffer.length);
    readInto(buffer, values);
    return values;
  }

  /** The values are those of now: later work may change the buffer while this one waits. */
  async function read(buffer: Buffer): Promise<HostArray> {
    const { dtype, length } = buffer as DeviceArray;
    if (length === 0) return typedArray(dtype, 0);
    const kept = allocate(dtype, length);
    try {
      copy(kept, 0, buffer, 0, Int32Array.of(1, length, 1, 1));
      await done();
      return readSync(kept);
    } finally {
      release(kept);
    }
  }

  return { allocate, release, view, write: guarded(machine.write), readSync, read };
}

function createBackend(machine: Machine, device: string): Backend {
  const kernels = Object.fromEntries(
    kernelNames.map((name) => [name, guarded(machine[name])]),
  ) as Required<Pick<Backend, KernelName>>;
  const memory = memoryOn(machine, kernels.copy);
  const statistics = (): DeviceStatistics => JSON.parse(machine.statistics()) as DeviceStatistics;
  const startTimer = timerOn(machine);
  const rest = { threads: () => 1, setThreads, statistics, startTimer };
  return { device, host: false, ...memory, ...kernels, ...rest };
}
