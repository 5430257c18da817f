// What the kernels of matrix products have in common: how factors lie in memory, how strips of them
// come into shared memory, what becomes of a sum, and how a long sum is cut.
#pragma once

#include "cuda/activation.h"
#include "cuda/launch.h"
#include "cuda/precision.h"
#include "cuda/vector.h"

namespace gradloom::cuda {

// Element (i, j) of a factor is at i * rowStride + j * columnStride; one of them is 1. `packed`:
// every row or column that is read along begins on the bounds of a pack. B comes with its rows and
// columns exchanged, so that both factors are read alike.
template <class T>
struct Factor {
  const T* at;
  int64_t rowStride, columnStride, matrixStride;
  bool packed;
};

template <class T>
Factor<T> factorOf(const T* at, int64_t rowStride, int64_t columnStride, int64_t matrixStride) {
  const int64_t stride = columnStride == 1 ? rowStride : columnStride;
  constexpr int pack = Pack<T>::size;
  const bool packed = isAligned(at) && stride % pack == 0 && matrixStride % pack == 0;
  return {at, rowStride, columnStride, matrixStride, packed};
}

// What becomes of a sum: bias [n] and the old value are added, and the activation is applied.
template <class T>
struct Epilogue {
  T* out;
  T* pre;         // the value before the activation, or null
  const T* bias;  // or null
  bool accumulate;
  Activation activation;
  T p, q;

  // Writes element `at` of the output, of column `column`, without the activation.
  __device__ void write(int64_t at, int64_t column, T value) const {
    if (bias != nullptr) value += bias[column];
    if (accumulate) value += out[at];
    if (pre != nullptr) pre[at] = value;
    out[at] = value;
  }
};

// [batch, m, n] = [batch, m, k] · [batch, k, n].
struct Sizes {
  int64_t batch, m, n, k;
};

template <class T>
struct Product {
  const char* name;
  Factor<T> a, b;
  Epilogue<T> to;
  Sizes size;
};

// The same product without an epilogue, whose sums are cut into parts [batch, parts, m, n].
template <class T>
Product<T> plain(const Product<T>& product, T* parts) {
  Product<T> result = product;
  result.to = {parts, nullptr, nullptr, false, Activation::none, T(0), T(0)};
  return result;
}

// What one thread copies of a strip: neighbours along the direction in which they lie side by side
// in memory, Strip::each of them. A strip has `depth` columns of `width` rows of the factor and is
// stored with the two exchanged, its elements as Strip::stored makes them.
template <class From, class Strip>
struct Piece {
  static constexpr int each = Strip::each;
  static_assert(Strip::depth * Strip::width == each * blockThreads);
  From value[each];
  int row, column;  // of the first
  bool alongRow;

  __device__ explicit Piece(const Factor<From>& factor) : alongRow(factor.columnStride == 1) {
    constexpr int across = Strip::depth / each, down = Strip::width / each;
    const int t = threadIdx.x;
    row = alongRow ? t / across : t % down * each;
    column = alongRow ? t % across * each : t / down;
  }

  // Of the strip from column `from` on, of the rows from `first` on; zeros beyond the factor.
  __device__ void fetch(const Factor<From>& factor, int64_t first, int64_t from, int64_t rows,
                        int64_t columns) {
    const int64_t r = first + row, c = from + column;
    const From* source = factor.at + r * factor.rowStride + c * factor.columnStride;
    const int64_t left = alongRow ? (r < rows ? columns - c : 0) : (c < columns ? rows - r : 0);
    if (factor.packed && left >= each) {
#pragma unroll
      for (int k = 0; k < each; k += Pack<From>::size) {
        const Pack<From> pack = loadPack(source + k);
#pragma unroll
        for (int i = 0; i < Pack<From>::size; i++) value[k + i] = pack.at[i];
      }
    } else {
#pragma unroll
      for (int k = 0; k < each; k++) value[k] = k < left ? source[k] : From{};
    }
  }

  __device__ void store(typename Strip::Row* strip) const {
    using Stored = typename Strip::Stored;
    if (alongRow) {
#pragma unroll
      for (int k = 0; k < each; k++) strip[column + k].at[row] = Strip::stored(value[k]);
    } else {
#pragma unroll
      for (int k = 0; k < each; k += Pack<Stored>::size) {
        Pack<Stored> pack;
#pragma unroll
        for (int i = 0; i < Pack<Stored>::size; i++) pack.at[i] = Strip::stored(value[k + i]);
        storePack(strip[column].at + row + k, pack);
      }
    }
  }
};

// Tiles that the outputs are cut into.
inline int64_t tilesOf(const Sizes& size, int64_t width) {
  return ceilDiv(size.m, width) * ceilDiv(size.n, width) * size.batch;
}

// A block for every tile of the output, and along z for every matrix and part of a sum.
inline dim3 gridOf(const Sizes& size, int64_t width, int64_t splits) {
  const int64_t matrices = size.batch * splits;
  return dim3(unsigned(ceilDiv(size.m, width) * ceilDiv(size.n, width)), 1,
              unsigned(matrices < mostBlocksAcross ? matrices : mostBlocksAcross));
}

// Length of the parts of a sum: whole strips.
inline int64_t partOf(const Sizes& size, int64_t splits, int64_t depth) {
  return ceilDiv(ceilDiv(size.k, splits), depth) * depth;
}

// ---- ways to make a product, besides the tiles of matmul.cu -----------------------------------

// small.cu: whether tiles of shared memory would be wasted on a product, and how it is made then.
template <class T>
bool isSmall(const Product<T>& product);
template <class T>
void multiplySmall(const Product<T>& product);

// tensor_cores.cu: with factors rounded to a precision that the current machine has, and sums of
// float32. Of a sum cut into parts, each is a matrix of its own in the output.
void multiplyOnTensorCores(const Product<float>& product, Precision rounded, int64_t splits);

}  // namespace gradloom::cuda
