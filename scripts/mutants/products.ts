/**
 * Faults in products on tensor cores, in small ones, and in reading and joining several elements at
 * once.
 */

import { barrier } from './mutant.js';
import type { Mutant } from './mutant.js';

export const productMutants: readonly Mutant[] = [
  {
    fault: 'factors of TF32 that were not converted',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'return wmma::__float_to_tf32(x);',
    to: 'return x + 1e-6f;',
    says: 'fragment: a TF32 factor that was not converted',
  },
  {
    fault: 'fragments read across instead of along',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'Fragment<wmma::matrix_a, wmma::col_major>',
    to: 'Fragment<wmma::matrix_a, wmma::row_major>',
    says: 'uninitialised read of shared memory',
  },
  {
    fault: 'half of a warp at a product of fragments',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'wmma::mma_sync(sum',
    to: 'if (threadIdx.x % 32 < 16) wmma::mma_sync(sum',
    says: 'warp divergence',
  },
  {
    fault: 'sums of fragments that begin with nothing',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'wmma::fill_fragment(sum[i][j], 0.0f)',
    to: 'static_cast<void>(0)',
    says: 'fragment: sums that were never set',
  },
  {
    fault: 'fragments that begin on no bound',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'stripA[step].at + row',
    to: 'stripA[step].at + row + 4',
    says: 'misaligned address: a fragment',
  },
  {
    fault: 'fragments whose columns are taken to be closer than they are',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'sizeof(typename Shape::Row) / sizeof(typename Shape::Stored)',
    to: 'Shape::width',
    says: 'uninitialised read of shared memory',
  },
  {
    fault: 'lanes of a warp that load different fragments',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'const int column = (warpX',
    to: 'const int column = (int(threadIdx.x % 2) + warpX',
    says: 'fragment: the lanes of a warp name different matrices',
  },
  {
    fault: 'no barrier before others finish the elements of fragments',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: `${barrier}\n#pragma unroll 1`,
    to: '\n#pragma unroll 1',
    says: 'race: a thread reads',
  },
  {
    fault: 'sums of fragments written across instead of along',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'wmma::mem_row_major',
    to: 'wmma::mem_col_major',
    says: 'wrong values: tensor cores',
  },
  {
    fault: 'parts of a sum on tensor cores that begin at the wrong place',
    file: 'cuda/tensor_cores.h',
    unit: 'cuda/tensor_cores.cu',
    from: 'begin = matrix % splits * part',
    to: 'begin = matrix / splits * part',
    says: 'wrong values: tensor cores',
  },
  {
    fault: 'a copy in 16 bits of the first matrix alone',
    file: 'cuda/tensor_cores.cu',
    from: '(count - 1) * factor.matrixStride + rows * columns',
    to: 'rows * columns',
    says: 'use after free',
  },
  {
    fault: 'a copy in 16 bits that goes on past its end',
    file: 'cuda/tensor_cores.cu',
    from: 'k < i + each && k < n',
    to: 'k < i + each',
    says: 'out of bounds',
  },
  {
    fault: 'threads beyond the last element of a small product',
    file: 'cuda/small.cu',
    from: 'p < size.k && valid',
    to: 'p < size.k',
    says: 'out of bounds: a read outside every array',
  },
  {
    fault: 'packs written where an array begins on no bound',
    file: 'cuda/elementwise.h',
    unit: 'cuda/map_float.cu',
    from: 'if (!isAligned(out, int(sizeof(R)) * packOf<R, per>)) return false;',
    to: '',
    says: 'misaligned address',
  },
  {
    fault: 'packs written past the last element',
    file: 'cuda/elementwise.h',
    unit: 'cuda/map_float.cu',
    from: 'if (packed && of.count == per)',
    to: 'if (packed)',
    says: 'out of bounds: a write',
  },
  {
    fault: 'lanes joined that belong to different sums',
    file: 'cuda/reduce.cu',
    from: 'joinLanes(state, cut.columns',
    to: 'joinLanes(state, 1',
    says: 'wrong values: sum',
  },
];
