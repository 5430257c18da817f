// What blocks do that multiply on tensor cores: tiles made of fragments, from strips of rounded
// factors. See tensor_cores.cu.
#pragma once

#include "cuda/product.h"
#include "cuda/wmma.h"

namespace gradloom::cuda {

namespace wmma = nvcuda::wmma;

constexpr int fragmentSide = 16;

// What factors are rounded to: `Stored` in memory, `Element` to tensor cores, which take `step`
// columns of them at once. `architecture`: the oldest that PTX must be made for to have them.
struct Half {
  using Stored = __half;
  using Element = __half;
  static constexpr int step = 16, architecture = 70;
  static constexpr bool compiled = true;
  static __device__ __half stored(float x) { return __float2half_rn(x); }
  static __device__ __half stored(__half x) { return x; }
};
struct Brain {
  using Stored = __nv_bfloat16;
  using Element = __nv_bfloat16;
  static constexpr int step = 16, architecture = 80;
  static constexpr bool compiled = GRADLOOM_HAS_TF32;
  [[maybe_unused]] static __device__ __nv_bfloat16 stored(float x) {
    return __float2bfloat16_rn(x);
  }
  [[maybe_unused]] static __device__ __nv_bfloat16 stored(__nv_bfloat16 x) { return x; }
};
struct Tf32 {
  using Stored = float;
  static constexpr int step = 8, architecture = 80;
  static constexpr bool compiled = GRADLOOM_HAS_TF32;
#if GRADLOOM_HAS_TF32
  using Element = wmma::precision::tf32;
  static __device__ float stored(float x) {
    return wmma::__float_to_tf32(x);
  }
#else
  using Element = float;
#endif
};

// A tile of `width` rows and columns, the fragments of it that one warp has, and its strips.
template <class Operand, int tileWidth>
struct Tile {
  using Stored = typename Operand::Stored;
  template <class From>
  static __device__ Stored stored(From value) {
    return Operand::stored(value);
  }
  static constexpr int width = tileWidth;
  static constexpr int each = Pack<Stored>::size, depth = each * blockThreads / width;
  // Warps and, for each of them, fragments.
  [[maybe_unused]] static constexpr int warpsDown = width == 128 ? 2 : 4,
                                        warpsAcross = blockThreads / warpThreads / warpsDown,
                                        down = width / fragmentSide / warpsDown,
                                        across = width / fragmentSide / warpsAcross,
                                        bandRows = warpsDown * fragmentSide;
  struct alignas(packBytes) Row {
    Stored at[width + Pack<Stored>::size];  // see matmul.cu
  };
  // Fragments begin on bounds of 32 bytes.
  struct alignas(32) Strips {
    Row at[2 * depth];
  };
  struct alignas(32) Band {
    float at[bandRows][width + 4];
  };
  template <class Use, class Layout>
  using Fragment = wmma::fragment<Use, fragmentSide, fragmentSide, Operand::step,
                                  typename Operand::Element, Layout>;
  using Sum = wmma::fragment<wmma::accumulator, fragmentSide, fragmentSide, Operand::step, float>;
};

// The sums of one strip, of the rows and columns of this warp.
template <class Operand, class Shape>
__device__ inline void addStrip(typename Shape::Sum (&sum)[Shape::down][Shape::across],
                                const typename Shape::Row* stripA,
                                const typename Shape::Row* stripB, int warpY, int warpX) {
  constexpr unsigned stride = sizeof(typename Shape::Row) / sizeof(typename Shape::Stored);
#pragma unroll
  for (int step = 0; step < Shape::depth; step += Operand::step) {
    typename Shape::template Fragment<wmma::matrix_a, wmma::col_major> a[Shape::down];
    typename Shape::template Fragment<wmma::matrix_b, wmma::row_major> b[Shape::across];
#pragma unroll
    for (int i = 0; i < Shape::down; i++) {
      const int row = (warpY * Shape::down + i) * fragmentSide;
      wmma::load_matrix_sync(a[i], stripA[step].at + row, stride);
    }
#pragma unroll
    for (int j = 0; j < Shape::across; j++) {
      const int column = (warpX * Shape::across + j) * fragmentSide;
      wmma::load_matrix_sync(b[j], stripB[step].at + column, stride);
    }
#pragma unroll
    for (int i = 0; i < Shape::down; i++) {
#pragma unroll
      for (int j = 0; j < Shape::across; j++) wmma::mma_sync(sum[i][j], a[i], b[j], sum[i][j]);
    }
  }
}

// Where elements lie in fragments is not said: they go through shared memory, a band of the tile at
// a time, to the threads that finish them.
template <class Shape>
__device__ inline void writeTile(const typename Shape::Sum (&sum)[Shape::down][Shape::across],
                                 typename Shape::Band* band, const Epilogue<float>& to,
                                 int64_t start, int64_t row, int64_t column, int64_t m, int64_t n) {
  const int warp = threadIdx.x / warpThreads;
  const int warpY = warp / Shape::warpsAcross, warpX = warp % Shape::warpsAcross;
#pragma unroll 1
  for (int i = 0; i < Shape::down; i++) {
#pragma unroll
    for (int k = 0; k < Shape::down; k++) {  // registers have no indices
#pragma unroll
      for (int j = 0; j < Shape::across; j++) {
        if (k != i) continue;
        float* corner = &band->at[warpY * fragmentSide][(warpX * Shape::across + j) * fragmentSide];
        wmma::store_matrix_sync(corner, sum[k][j], Shape::width + 4, wmma::mem_row_major);
      }
    }
    __syncthreads();
#pragma unroll 1
    for (int e = threadIdx.x; e < Shape::bandRows * Shape::width; e += blockThreads) {
      const int y = e / Shape::width, x = e % Shape::width;
      const int within = (y / fragmentSide * Shape::down + i) * fragmentSide + y % fragmentSide;
      const int64_t r = row + within, c = column + x;
      if (r >= m || c >= n) continue;
      const int64_t at = start + r * n + c;
      to.write(at, c, band->at[y][x]);
      if (to.activation != Activation::none) {
        to.out[at] = activated(to.activation, to.out[at], to.p, to.q);
      }
    }
    __syncthreads();
  }
}

template <class Operand, class From, int width>
__device__ inline void multiplyTile(const Factor<From>& a, const Factor<From>& b,
                                    const Epilogue<float>& to, const Sizes& size, int64_t splits,
                                    int64_t part) {
  using Shape = Tile<Operand, width>;
  GRADLOOM_SHARED(typename Shape::Strips, stripsA, 1);
  GRADLOOM_SHARED(typename Shape::Strips, stripsB, 1);
  GRADLOOM_SHARED(typename Shape::Band, band, 1);
  const int64_t m = size.m, n = size.n, k = size.k;
  const int warp = threadIdx.x / warpThreads;
  const int64_t across = (n + width - 1) / width;
  const int64_t row = blockIdx.x / across * width, column = blockIdx.x % across * width;
  for (int64_t matrix = blockIdx.z; matrix < size.batch * splits; matrix += gridDim.z) {
    Factor<From> left = a, right = b;
    left.at += matrix / splits * a.matrixStride;
    right.at += matrix / splits * b.matrixStride;
    const int64_t begin = matrix % splits * part, end = begin + part < k ? begin + part : k;
    typename Shape::Sum sum[Shape::down][Shape::across];
#pragma unroll
    for (int i = 0; i < Shape::down; i++) {
#pragma unroll
      for (int j = 0; j < Shape::across; j++) wmma::fill_fragment(sum[i][j], 0.0f);
    }
    Piece<From, Shape> pieceA(a), pieceB(b);
    pieceA.fetch(left, row, begin, m, end);
    pieceB.fetch(right, column, begin, n, end);
    pieceA.store(stripsA->at);
    pieceB.store(stripsB->at);
    __syncthreads();
    int now = 0;
    for (int64_t from = begin; from < end; from += Shape::depth) {
      const bool more = from + Shape::depth < end;
      if (more) {
        pieceA.fetch(left, row, from + Shape::depth, m, end);
        pieceB.fetch(right, column, from + Shape::depth, n, end);
      }
      addStrip<Operand, Shape>(sum, stripsA->at + now, stripsB->at + now, warp / Shape::warpsAcross,
                               warp % Shape::warpsAcross);
      now = Shape::depth - now;
      if (more) {
        pieceA.store(stripsA->at + now);
        pieceB.store(stripsB->at + now);
      }
      __syncthreads();
    }
    writeTile<Shape>(sum, band, to, matrix * m * n, row, column, m, n);
  }
}

}  // namespace gradloom::cuda
