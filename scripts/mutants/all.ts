/** The faults that are planted into the sources of CUDA devices. */

import { hostMutants } from './host.js';
import { kernelMutants } from './kernels.js';
import type { Mutant } from './mutant.js';
import { productMutants } from './products.js';

export const mutants: readonly Mutant[] = [...kernelMutants, ...productMutants, ...hostMutants];
