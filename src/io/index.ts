/** Tensors in files. */

export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from './safetensors.js';
export type { NamedTensors, ReadOptions, Safetensors } from './safetensors.js';
