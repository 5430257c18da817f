// Matrix products, tiled: a block computes a tile of the output from strips of both factors in
// shared memory, every thread a small square of it in registers. While one pair of strips is
// multiplied, the next is on its way. Sums are always taken in the same order.
#include "cuda/activation.h"
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/vector.h"

namespace gradloom::cuda {
namespace {

constexpr int side = 16;  // threads along each side of a tile

// A tile of `width` rows and columns, `per` of each for a thread. A strip of `depth` columns has
// four elements for each thread.
template <class T, int perThread>
struct Tile {
  static constexpr int per = perThread, width = side * per;
  static constexpr int each = 4, depth = each * blockThreads / width;
  // Neighbours that one thread computes, so that shared memory is read in packs.
  static constexpr int group = per < Pack<T>::size ? per : Pack<T>::size;
  struct alignas(packBytes) Row {
    T at[width + Pack<T>::size];  // more than needed, so that columns lie in different banks
  };
  // Row or column number i of a thread's, of a tile's.
  static __device__ int place(int thread, int i) {
    return i / group * (side * group) + thread * group + i % group;
  }
};

// Element (i, j) of a factor is at i * rowStride + j * columnStride; one of them is 1. `packed`:
// every fourth element along that one, from the first of a row or column on, begins a pack.
template <class T>
struct Factor {
  const T* at;
  int64_t rowStride, columnStride, matrixStride;
  bool packed;
};

template <class T>
struct Epilogue {
  T* out;
  T* pre;         // or null
  const T* bias;  // of columns, or null
  bool accumulate;
  Activation activation;
  T p, q;
};

// What one thread copies of a strip: four neighbours, along the direction in which they lie side by
// side in memory.
template <class T, class Tile>
struct Piece {
  T value[Tile::each];
  int row, column;  // of the first
  bool alongRow;

  __device__ explicit Piece(const Factor<T>& factor) : alongRow(factor.columnStride == 1) {
    constexpr int across = Tile::depth / Tile::each, down = Tile::width / Tile::each;
    const int t = threadIdx.x;
    row = alongRow ? t / across : t % down * Tile::each;
    column = alongRow ? t % across * Tile::each : t / down;
  }

  // Of the strip from column `from` on, of the rows from `first` on; zeros beyond the factor.
  __device__ void fetch(const Factor<T>& factor, int64_t first, int64_t from, int64_t rows,
                        int64_t columns) {
    const int64_t r = first + row, c = from + column;
    const T* source = factor.at + r * factor.rowStride + c * factor.columnStride;
    const int64_t left = alongRow ? (r < rows ? columns - c : 0) : (c < columns ? rows - r : 0);
    if (factor.packed && left >= Tile::each) {
#pragma unroll
      for (int k = 0; k < Tile::each; k += Pack<T>::size) {
        const Pack<T> pack = loadPack(source + k);
#pragma unroll
        for (int i = 0; i < Pack<T>::size; i++) value[k + i] = pack.at[i];
      }
    } else {
#pragma unroll
      for (int k = 0; k < Tile::each; k++) value[k] = k < left ? source[k] : T(0);
    }
  }

  // Strips are stored with rows and columns exchanged.
  __device__ void store(typename Tile::Row* strip) const {
    if (alongRow) {
#pragma unroll
      for (int k = 0; k < Tile::each; k++) strip[column + k].at[row] = value[k];
    } else {
#pragma unroll
      for (int k = 0; k < Tile::each; k += Pack<T>::size) {
        Pack<T> pack;
#pragma unroll
        for (int i = 0; i < Pack<T>::size; i++) pack.at[i] = value[k + i];
        storePack(strip[column].at + row + k, pack);
      }
    }
  }
};

template <class T, class Tile>
__device__ inline void fetchRegisters(T* to, const typename Tile::Row& row, int thread) {
#pragma unroll
  for (int i = 0; i < Tile::per; i += Tile::group) {
    if constexpr (Tile::group == Pack<T>::size) {
      const Pack<T> pack = loadPack(row.at + Tile::place(thread, i));
#pragma unroll
      for (int k = 0; k < Tile::group; k++) to[i + k] = pack.at[k];
    } else {
#pragma unroll
      for (int k = 0; k < Tile::group; k++) to[i + k] = row.at[Tile::place(thread, i + k)];
    }
  }
}

// B comes with its rows and columns exchanged, so that both factors are loaded alike. The sum over
// k is cut into `splits` parts, each of which is a matrix of its own in the output.
template <class T, int perThread>
__global__ void __launch_bounds__(blockThreads)
    matmulKernel(const __grid_constant__ Factor<T> a, const __grid_constant__ Factor<T> b,
                 const __grid_constant__ Epilogue<T> to, int64_t batch, int64_t m, int64_t n,
                 int64_t k, int64_t splits, int64_t part) {
  using Shape = Tile<T, perThread>;
  constexpr int per = Shape::per;
  GRADLOOM_SHARED(typename Shape::Row, stripsA, 2 * Shape::depth);
  GRADLOOM_SHARED(typename Shape::Row, stripsB, 2 * Shape::depth);
  const int x = threadIdx.x % side, y = threadIdx.x / side;
  const int64_t across = (n + Shape::width - 1) / Shape::width;
  const int64_t row = blockIdx.x / across * Shape::width,
                column = blockIdx.x % across * Shape::width;
  for (int64_t matrix = blockIdx.z; matrix < batch * splits; matrix += gridDim.z) {
    Factor<T> left = a, right = b;
    left.at += matrix / splits * a.matrixStride;
    right.at += matrix / splits * b.matrixStride;
    const int64_t begin = matrix % splits * part, end = begin + part < k ? begin + part : k;
    T sum[per][per] = {};
    Piece<T, Shape> pieceA(a), pieceB(b);
    pieceA.fetch(left, row, begin, m, end);
    pieceB.fetch(right, column, begin, n, end);
    pieceA.store(stripsA);
    pieceB.store(stripsB);
    __syncthreads();
    int now = 0;
    for (int64_t from = begin; from < end; from += Shape::depth) {
      const bool more = from + Shape::depth < end;
      if (more) {
        pieceA.fetch(left, row, from + Shape::depth, m, end);
        pieceB.fetch(right, column, from + Shape::depth, n, end);
      }
#pragma unroll
      for (int step = 0; step < Shape::depth; step++) {
        T fromA[per], fromB[per];
        fetchRegisters<T, Shape>(fromA, stripsA[now + step], y);
        fetchRegisters<T, Shape>(fromB, stripsB[now + step], x);
#pragma unroll
        for (int i = 0; i < per; i++) {
#pragma unroll
          for (int j = 0; j < per; j++) sum[i][j] += fromA[i] * fromB[j];
        }
      }
      now = Shape::depth - now;
      if (more) {
        pieceA.store(stripsA + now);
        pieceB.store(stripsB + now);
      }
      __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < per; i++) {
#pragma unroll
      for (int j = 0; j < per; j++) {
        const int64_t r = row + Shape::place(y, i), c = column + Shape::place(x, j);
        if (r >= m || c >= n) continue;
        const int64_t at = (matrix * m + r) * n + c;
        T value = sum[i][j];
        if (to.bias != nullptr) value += to.bias[c];
        if (to.accumulate) value += to.out[at];
        if (to.pre != nullptr) to.pre[at] = value;
        to.out[at] = value;
      }
    }
    // A loop that is not unrolled, over what this thread has just written: a copy of every
    // activation for each of its elements would be most of the kernel.
    if (to.activation == Activation::none) continue;
#pragma unroll 1
    for (int e = 0; e < per * per; e++) {
      const int64_t r = row + Shape::place(y, e / per), c = column + Shape::place(x, e % per);
      if (r >= m || c >= n) continue;
      T& value = to.out[(matrix * m + r) * n + c];
      value = activated(to.activation, value, to.p, to.q);
    }
  }
}

// Adds the parts of a product whose sum was cut.
template <class T>
__global__ void joinSplitsKernel(const T* parts, const __grid_constant__ Epilogue<T> to,
                                 int64_t batch, int64_t size, int64_t n, int64_t splits) {
  const int64_t i = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (i >= batch * size) return;
  const T* own = parts + i / size * splits * size + i % size;
  T value = 0;
  for (int64_t s = 0; s < splits; s++) value += own[s * size];
  if (to.bias != nullptr) value += to.bias[i % n];
  if (to.accumulate) value += to.out[i];
  if (to.pre != nullptr) to.pre[i] = value;
  to.out[i] = activated(to.activation, value, to.p, to.q);
}

template <class T, int per>
void multiplyTiled(const char* name, const Factor<T>& a, const Factor<T>& b, const Epilogue<T>& to,
                   int64_t batch, int64_t m, int64_t n, int64_t k, int64_t splits) {
  using Shape = Tile<T, per>;
  const int64_t part = ceilDiv(ceilDiv(k, splits), Shape::depth) * Shape::depth;
  const int64_t matrices = batch * splits;
  const dim3 grid(unsigned(ceilDiv(m, Shape::width) * ceilDiv(n, Shape::width)), 1,
                  unsigned(matrices < mostBlocksAcross ? matrices : mostBlocksAcross));
  launch(name, {batch, m, n, k}, grid, dim3(blockThreads), matmulKernel<T, per>, a, b, to, batch, m,
         n, k, splits, part);
}

// The largest tile that keeps the device busy: large ones read less, small ones are more. Decided
// by the sizes alone, so that all devices take sums in one order.
template <class T>
void multiplyInto(const char* name, const Factor<T>& a, const Factor<T>& b, const Epilogue<T>& to,
                  int64_t batch, int64_t m, int64_t n, int64_t k, int64_t splits) {
  constexpr int64_t enough = 128;  // tiles
  const auto tiles = [&](int64_t width) {
    return ceilDiv(m, width) * ceilDiv(n, width) * batch * splits;
  };
  if constexpr (sizeof(T) == 4) {  // registers of eight by eight doubles are not to be had
    if (tiles(8 * side) >= enough) {
      return multiplyTiled<T, 8>(name, a, b, to, batch, m, n, k, splits);
    }
  }
  if (tiles(4 * side) >= enough)
    multiplyTiled<T, 4>(name, a, b, to, batch, m, n, k, splits);
  else
    multiplyTiled<T, 2>(name, a, b, to, batch, m, n, k, splits);
}

// Parts to cut a sum over k into: long ones of small outputs, which would keep little of the device
// busy.
int64_t splitsOf(int64_t batch, int64_t m, int64_t n, int64_t k) {
  constexpr int64_t busy = 128, shortest = 256, most = 32;
  const int64_t tiles = ceilDiv(m, 2 * side) * ceilDiv(n, 2 * side) * batch;
  int64_t splits = busy / tiles;
  if (splits > k / shortest) splits = k / shortest;
  return splits < 2 ? 1 : splits > most ? most : splits;
}

template <class T>
void multiply(const char* name, const Factor<T>& a, const Factor<T>& b, const Epilogue<T>& to,
              int64_t batch, int64_t m, int64_t n, int64_t k) {
  if (batch == 0 || m == 0 || n == 0) return;
  const int64_t splits = splitsOf(batch, m, n, k);
  if (splits == 1) return multiplyInto<T>(name, a, b, to, batch, m, n, k, 1);
  const Scratch<T> parts(batch * splits * m * n);
  multiplyInto<T>(name, a, b, {parts.data(), nullptr, nullptr, false, Activation::none, T(0), T(0)},
                  batch, m, n, k, splits);
  launch("join splits", {batch, m, n, splits}, dim3(unsigned(ceilDiv(batch * m * n, blockThreads))),
         dim3(blockThreads), joinSplitsKernel<T>, parts.data(), to, batch, m * n, n, splits);
}

template <class T>
Factor<T> factor(const T* at, int64_t rowStride, int64_t columnStride, int64_t matrixStride) {
  const int64_t stride = columnStride == 1 ? rowStride : columnStride;
  constexpr int pack = Pack<T>::size;
  const bool packed = isAligned(at) && stride % pack == 0 && matrixStride % pack == 0;
  return {at, rowStride, columnStride, matrixStride, packed};
}

template <class T>
Factor<T> leftFactor(const T* a, int64_t m, int64_t k, int64_t stride, bool transposed) {
  return factor(a, transposed ? 1 : k, transposed ? m : 1, stride);
}

// With rows and columns exchanged: row j of it is column j of B.
template <class T>
Factor<T> rightFactor(const T* b, int64_t k, int64_t n, int64_t stride, bool transposed) {
  return factor(b, transposed ? k : 1, transposed ? 1 : n, stride);
}

}  // namespace

template <class T>
void matmul(T* out, const T* a, const T* b, int64_t batch, int64_t m, int64_t n, int64_t k,
            int64_t strideA, int64_t strideB, bool transA, bool transB, bool accumulate) {
  multiply<T>("matmul", leftFactor(a, m, k, strideA, transA), rightFactor(b, k, n, strideB, transB),
              {out, nullptr, nullptr, accumulate, Activation::none, T(0), T(0)}, batch, m, n, k);
}

template <class T>
void dense(T* out, T* pre, const T* x, const T* w, const T* bias, int64_t rows, int64_t units,
           int64_t features, int activation, double p, double q) {
  const Activation fused = activationOf(activation, "_y");
  const bool inside = fused != Activation::other;
  multiply<T>("dense", leftFactor(x, rows, features, 0, false),
              rightFactor(w, features, units, 0, false),
              {out, pre, bias, false, inside ? fused : Activation::none, T(p), T(q)}, 1, rows,
              units, features);
  if (!inside) map<T>(activation, out, {{out}, {1}}, rows * units, p, q);
}

#define GRADLOOM_TYPE(T)                                                                    \
  template void matmul(T*, const T*, const T*, int64_t, int64_t, int64_t, int64_t, int64_t, \
                       int64_t, bool, bool, bool);                                          \
  template void dense(T*, T*, const T*, const T*, const T*, int64_t, int64_t, int64_t, int, \
                      double, double);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
