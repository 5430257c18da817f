// Matrix products, tiled: a block computes a tile of the output from strips of both factors in
// shared memory, every thread a small square of it in registers. While one pair of strips is
// multiplied, the next is on its way. Sums are always taken in the same order. Which way a product
// is made is decided here, too: by tiles, by tensor cores, as a small one, or by a library.
#include "cuda/blas.h"
#include "cuda/kernels.h"
#include "cuda/precision.h"
#include "cuda/product.h"

namespace gradloom::cuda {
namespace {

constexpr int side = 16;  // threads along each side of a tile

// A tile of `width` rows and columns, `per` of each for a thread, and its strips.
template <class T, int perThread>
struct Tile {
  using Stored = T;
  static __device__ T stored(T value) { return value; }
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

// The sum over k is cut into `splits` parts, each of which is a matrix of its own in the output.
template <class T, int perThread>
__global__ void __launch_bounds__(blockThreads)
    matmulKernel(const __grid_constant__ Factor<T> a, const __grid_constant__ Factor<T> b,
                 const __grid_constant__ Epilogue<T> to, const __grid_constant__ Sizes size,
                 int64_t splits, int64_t part) {
  using Shape = Tile<T, perThread>;
  constexpr int per = Shape::per;
  GRADLOOM_SHARED(typename Shape::Row, stripsA, 2 * Shape::depth);
  GRADLOOM_SHARED(typename Shape::Row, stripsB, 2 * Shape::depth);
  const int64_t m = size.m, n = size.n, k = size.k;
  const int x = threadIdx.x % side, y = threadIdx.x / side;
  const int64_t across = (n + Shape::width - 1) / Shape::width;
  const int64_t row = blockIdx.x / across * Shape::width,
                column = blockIdx.x % across * Shape::width;
  for (int64_t matrix = blockIdx.z; matrix < size.batch * splits; matrix += gridDim.z) {
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
        to.write((matrix * m + r) * n + c, c, sum[i][j]);
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
  to.write(i, i % n, value);
  if (to.activation != Activation::none) {
    to.out[i] = activated(to.activation, to.out[i], to.p, to.q);
  }
}

template <class T, int per>
void multiplyTiled(const Product<T>& product, int64_t splits) {
  using Shape = Tile<T, per>;
  const auto& [name, a, b, to, size] = product;
  launch(name, {size.batch, size.m, size.n, size.k}, gridOf(size, Shape::width, splits),
         dim3(blockThreads), matmulKernel<T, per>, a, b, to, size, splits,
         partOf(size, splits, Shape::depth));
}

// The largest tile that keeps the device busy: large ones read less, small ones are more. Decided
// by the sizes alone, so that all devices take sums in one order.
template <class T>
void multiplyInto(const Product<T>& product, int64_t splits) {
  constexpr int64_t enough = 128;  // tiles
  const auto fills = [&](int64_t width) { return tilesOf(product.size, width) * splits >= enough; };
  if constexpr (sizeof(T) == 4) {
    if (precision() != Precision::float32) {
      return multiplyOnTensorCores(product, precision(), splits);
    }
    // Registers of eight by eight doubles are not to be had.
    if (fills(8 * side)) return multiplyTiled<T, 8>(product, splits);
  }
  if (fills(4 * side))
    multiplyTiled<T, 4>(product, splits);
  else
    multiplyTiled<T, 2>(product, splits);
}

// Parts to cut a sum over k into: long ones of small outputs, which would keep little of the device
// busy.
int64_t splitsOf(const Sizes& size) {
  constexpr int64_t busy = 128, shortest = 256, most = 32;
  int64_t splits = busy / tilesOf(size, 2 * side);
  if (splits > size.k / shortest) splits = size.k / shortest;
  return splits < 2 ? 1 : splits > most ? most : splits;
}

// Adds `splits` parts of every sum, and does the epilogue.
template <class T>
void join(const Product<T>& product, const T* parts, int64_t splits) {
  const auto& [batch, m, n, k] = product.size;
  launch("join splits", {batch, m, n, splits}, dim3(unsigned(ceilDiv(batch * m * n, blockThreads))),
         dim3(blockThreads), joinSplitsKernel<T>, parts, product.to, batch, m * n, n, splits);
}

// The library leaves what is not a sum to us.
template <class T>
void multiplyWith(const Blas& library, const Product<T>& product) {
  library.multiply(product);
  Product<T> rest = product;
  rest.to.accumulate = false;
  const Epilogue<T>& to = rest.to;
  if (to.bias == nullptr && to.pre == nullptr && to.activation == Activation::none) return;
  join(rest, to.out, 1);
}

template <class T>
void multiply(const Product<T>& product) {
  const auto& [batch, m, n, k] = product.size;
  if (batch == 0 || m == 0 || n == 0) return;
  const Blas* const library = k > 0 ? Blas::current() : nullptr;
  if (library != nullptr) return multiplyWith(*library, product);
  const bool full = sizeof(T) == 8 || precision() == Precision::float32;
  if (full && isSmall(product)) return multiplySmall(product);
  const int64_t splits = splitsOf(product.size);
  if (splits == 1) return multiplyInto(product, 1);
  const Scratch<T> parts(batch * splits * m * n);
  multiplyInto(plain(product, parts.data()), splits);
  join(product, parts.data(), splits);
}

template <class T>
Factor<T> leftFactor(const T* a, int64_t m, int64_t k, int64_t stride, bool transposed) {
  return factorOf(a, transposed ? 1 : k, transposed ? m : 1, stride);
}

// With rows and columns exchanged: row j of it is column j of B.
template <class T>
Factor<T> rightFactor(const T* b, int64_t k, int64_t n, int64_t stride, bool transposed) {
  return factorOf(b, transposed ? k : 1, transposed ? 1 : n, stride);
}

}  // namespace

template <class T>
void matmul(T* out, const T* a, const T* b, int64_t batch, int64_t m, int64_t n, int64_t k,
            int64_t strideA, int64_t strideB, bool transA, bool transB, bool accumulate) {
  multiply<T>({"matmul",
               leftFactor(a, m, k, strideA, transA),
               rightFactor(b, k, n, strideB, transB),
               {out, nullptr, nullptr, accumulate, Activation::none, T(0), T(0)},
               {batch, m, n, k}});
}

template <class T>
void dense(T* out, T* pre, const T* x, const T* w, const T* bias, int64_t rows, int64_t units,
           int64_t features, int activation, double p, double q) {
  const Activation fused = activationOf(activation, "_y");
  const bool inside = fused != Activation::other;
  multiply<T>({"dense",
               leftFactor(x, rows, features, 0, false),
               rightFactor(w, features, units, 0, false),
               {out, pre, bias, false, inside ? fused : Activation::none, T(p), T(q)},
               {1, rows, units, features}});
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
