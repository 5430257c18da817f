/**
 * The architectures that kernels are compiled for, and how many threads of a kernel a
 * multiprocessor of each holds.
 */

/** Compute capabilities with machine code of their own: native/cuda/cuda.cmake. */
export const architectures = [75, 80, 86, 89, 90, 100, 120] as const;
export type Architecture = (typeof architectures)[number];

/** Those whose PTX is kept for GPUs of later ones. */
export const virtualArchitectures = [75, 120] as const;

/** What one has: "Technical specifications per compute capability" of the CUDA C++ guide. */
interface Multiprocessor {
  readonly warps: number;
  readonly blocks: number;
  /** Bytes for all blocks. */
  readonly shared: number;
  /** Bytes that the system takes of each block's share, and what shares are rounded up to. */
  readonly reserved: number;
  readonly granule: number;
}

const kibibyte = 1024;
const since80 = { reserved: kibibyte, granule: 128 };
const multiprocessors: Readonly<Record<Architecture, Multiprocessor>> = {
  75: { warps: 32, blocks: 16, shared: 64 * kibibyte, reserved: 0, granule: 256 },
  80: { warps: 64, blocks: 32, shared: 164 * kibibyte, ...since80 },
  86: { warps: 48, blocks: 16, shared: 100 * kibibyte, ...since80 },
  89: { warps: 48, blocks: 24, shared: 100 * kibibyte, ...since80 },
  90: { warps: 64, blocks: 32, shared: 228 * kibibyte, ...since80 },
  100: { warps: 64, blocks: 32, shared: 228 * kibibyte, ...since80 },
  120: { warps: 48, blocks: 24, shared: 100 * kibibyte, ...since80 },
};
const registersOfMultiprocessor = 65536;
/** Registers are given to whole warps, in units of so many. */
const registerGranule = 256;

/** Every kernel has blocks of as many threads: `blockThreads` of native/cuda/launch.h. */
export const blockThreads = 256;
const warpsOfBlock = blockThreads / 32;

/**
 * Share of a multiprocessor's warps that blocks of a kernel keep busy at once, from 0 to 1.
 *
 * @param registers of a thread
 * @param shared bytes of a block
 */
export function occupancy(architecture: Architecture, registers: number, shared: number): number {
  const limits = multiprocessors[architecture];
  const ofWarp = Math.ceil((registers * 32) / registerGranule) * registerGranule;
  const ofBlock = Math.ceil((shared + limits.reserved) / limits.granule) * limits.granule;
  const blocks = Math.min(
    limits.blocks,
    Math.floor(limits.warps / warpsOfBlock),
    // Warps come in fours, one for each scheduler.
    Math.floor((Math.floor(registersOfMultiprocessor / ofWarp / 4) * 4) / warpsOfBlock),
    ofBlock === 0 ? Infinity : Math.floor(limits.shared / ofBlock),
  );
  return (blocks * warpsOfBlock) / limits.warps;
}
