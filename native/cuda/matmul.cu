// Matrix products, tiled: a block computes a tile of the output from strips of both factors in
// shared memory, every thread a small square of it in registers. Sums are always taken in the same
// order.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {
namespace {

constexpr int side = 16;   // threads along each side of a tile
constexpr int depth = 16;  // rows of a strip

// Element (i, j) of a factor is at i * rowStride + j * columnStride.
template <class T>
struct Factor {
  const T* at;
  int64_t rowStride, columnStride, matrixStride;
};

// The activations done before a tile is written; others take a pass of their own.
enum class Activation { none, relu, elu, selu, sigmoid, tanh, gelu, silu };

template <class T>
struct Epilogue {
  T* out;
  T* pre;         // or null
  const T* bias;  // of columns, or null
  bool accumulate;
  Activation activation;
  T p, q;
};

template <class T>
__device__ inline T activated(Activation activation, T x, T p, T q) {
  const T no = T(0);
  switch (activation) {
    case Activation::relu:
      return relu_y::value(x, no, no, no, p, q);
    case Activation::elu:
      return elu_y::value(x, no, no, no, p, q);
    case Activation::selu:
      return selu_y::value(x, no, no, no, p, q);
    case Activation::sigmoid:
      return sigmoid_y::value(x, no, no, no, p, q);
    case Activation::tanh:
      return tanh_y::value(x, no, no, no, p, q);
    case Activation::gelu:
      return gelu_y::value(x, no, no, no, p, q);
    case Activation::silu:
      return silu_y::value(x, no, no, no, p, q);
    default:
      return x;
  }
}

// Copies the strip of `depth` columns from `from` on, of `width` rows from `first` on, transposed
// into shared memory; zeros beyond the factor. Neighbouring threads read neighbouring elements.
template <int width, class Row, class T>
__device__ inline void loadStrip(Row* strip, const Factor<T>& factor, int64_t first, int64_t from,
                                 int64_t rows, int64_t columns) {
  const bool alongRow = factor.columnStride == 1;
  for (int e = threadIdx.x; e < width * depth; e += blockThreads) {
    const int r = alongRow ? e / depth : e % width, c = alongRow ? e % depth : e / width;
    const bool inside = first + r < rows && from + c < columns;
    strip[c][r] = inside
                      ? factor.at[(first + r) * factor.rowStride + (from + c) * factor.columnStride]
                      : T(0);
  }
}

// `per`: rows and columns of the output that a thread computes. B comes with its rows and columns
// exchanged, so that both factors are loaded alike.
template <class T, int per>
__global__ void __launch_bounds__(blockThreads)
    matmulKernel(const __grid_constant__ Factor<T> a, const __grid_constant__ Factor<T> b,
                 const __grid_constant__ Epilogue<T> to, int64_t batch, int64_t m, int64_t n,
                 int64_t k) {
  constexpr int width = side * per;
  using Row = T[width + 1];
  GRADLOOM_SHARED(Row, stripA, depth);
  GRADLOOM_SHARED(Row, stripB, depth);
  const int x = threadIdx.x % side, y = threadIdx.x / side;
  const int64_t row = int64_t{blockIdx.y} * width, column = int64_t{blockIdx.x} * width;
  for (int64_t matrix = blockIdx.z; matrix < batch; matrix += gridDim.z) {
    Factor<T> left = a, right = b;
    left.at += matrix * a.matrixStride;
    right.at += matrix * b.matrixStride;
    T sum[per][per] = {};
    for (int64_t from = 0; from < k; from += depth) {
      loadStrip<width>(stripA, left, row, from, m, k);
      loadStrip<width>(stripB, right, column, from, n, k);
      __syncthreads();
      const int steps = k - from < depth ? int(k - from) : depth;
      for (int step = 0; step < steps; step++) {
        T fromA[per], fromB[per];
#pragma unroll
        for (int i = 0; i < per; i++) fromA[i] = stripA[step][y + i * side];
#pragma unroll
        for (int j = 0; j < per; j++) fromB[j] = stripB[step][x + j * side];
#pragma unroll
        for (int i = 0; i < per; i++) {
#pragma unroll
          for (int j = 0; j < per; j++) sum[i][j] += fromA[i] * fromB[j];
        }
      }
      __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < per; i++) {
#pragma unroll
      for (int j = 0; j < per; j++) {
        const int64_t r = row + y + i * side, c = column + x + j * side;
        if (r >= m || c >= n) continue;
        const int64_t at = (matrix * m + r) * n + c;
        T value = sum[i][j];
        if (to.bias != nullptr) value += to.bias[c];
        if (to.accumulate) value += to.out[at];
        if (to.pre != nullptr) to.pre[at] = value;
        to.out[at] = activated(to.activation, value, to.p, to.q);
      }
    }
  }
}

template <class T>
void multiply(const char* name, const Factor<T>& a, const Factor<T>& b, const Epilogue<T>& to,
              int64_t batch, int64_t m, int64_t n, int64_t k) {
  if (batch == 0 || m == 0 || n == 0) return;
  const auto run = [&](auto kernel, int per) {
    const int64_t width = int64_t{side} * per;
    const dim3 grid(unsigned(ceilDiv(n, width)), unsigned(ceilDiv(m, width)),
                    unsigned(batch < mostBlocksAcross ? batch : mostBlocksAcross));
    launch(name, {batch, m, n, k}, grid, dim3(blockThreads), kernel, a, b, to, batch, m, n, k);
  };
  // Large tiles read less; small ones keep more of the device busy.
  constexpr int64_t enoughTiles = 64, large = int64_t{side} * 4;
  const bool wide =
      ceilDiv(m, large) * ceilDiv(n, large) * batch >= enoughTiles || (m >= large && n >= large);
  const bool tall = ceilDiv(m, large) <= mostBlocksAcross / 4;
  if (wide || !tall)
    run(matmulKernel<T, 4>, 4);
  else
    run(matmulKernel<T, 1>, 1);
}

template <class T>
Factor<T> leftFactor(const T* a, int64_t m, int64_t k, int64_t stride, bool transposed) {
  return {a, transposed ? 1 : k, transposed ? m : 1, stride};
}

// With rows and columns exchanged: row j of it is column j of B.
template <class T>
Factor<T> rightFactor(const T* b, int64_t k, int64_t n, int64_t stride, bool transposed) {
  return {b, transposed ? k : 1, transposed ? 1 : n, stride};
}

Activation fused(int kernel) {
  if (kernel < 0) return Activation::none;
#define GRADLOOM_FUSED(row) \
  if (std::string(kernelInfo[kernel].name) == #row "_y") return Activation::row;
  GRADLOOM_FUSED(relu)
  GRADLOOM_FUSED(elu)
  GRADLOOM_FUSED(selu)
  GRADLOOM_FUSED(sigmoid)
  GRADLOOM_FUSED(tanh)
  GRADLOOM_FUSED(gelu)
  GRADLOOM_FUSED(silu)
#undef GRADLOOM_FUSED
  return Activation::none;
}

template <class T>
__global__ void addIntoKernel(T* out, const T* a, int64_t n) {
  const int64_t i = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (i < n) out[i] += a[i];
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
  const Activation inside = fused(activation);
  multiply<T>("dense", leftFactor(x, rows, features, 0, false),
              rightFactor(w, features, units, 0, false),
              {out, pre, bias, false, inside, T(p), T(q)}, 1, rows, units, features);
  if (activation >= 0 && inside == Activation::none) {
    map<T>(activation, out, {{out}, {1}}, rows * units, p, q);
  }
}

template <class T>
void denseBackward(T* dx, T* dw, T* db, T* scratch, const T* g, const T* x, const T* w, const T* y,
                   const T* pre, int64_t rows, int64_t units, int64_t features, int derivative,
                   double p, double q, bool accumulate) {
  const T* dz = g;
  if (derivative >= 0) {
    const KernelInfo& info = kernelInfo[derivative];
    Operands<T> operands{};
    for (int k = 0; k < info.count; k++) {
      const char letter = info.operands[k];
      operands.at[k] = letter == 'g' ? g : letter == 'y' ? y : pre;
      operands.step[k] = 1;
    }
    map<T>(derivative, scratch, operands, rows * units, p, q);
    dz = scratch;
  }
  if (dw != nullptr) matmul(dw, x, dz, 1, features, units, rows, 0, 0, true, false, accumulate);
  if (dx != nullptr) matmul(dx, dz, w, 1, rows, features, units, 0, 0, false, true, false);
  if (db == nullptr || units == 0) return;
  if (!accumulate) return reduce<T>(Reduction::sum, db, dz, 1, rows, units);
  const Scratch<T> sums(units);
  reduce<T>(Reduction::sum, sums.data(), dz, 1, rows, units);
  launchOver("add", units, blockThreads, addIntoKernel<T>, db, sums.data(), units);
}

#define GRADLOOM_TYPE(T)                                                                        \
  template void matmul(T*, const T*, const T*, int64_t, int64_t, int64_t, int64_t, int64_t,     \
                       int64_t, bool, bool, bool);                                              \
  template void dense(T*, T*, const T*, const T*, const T*, int64_t, int64_t, int64_t, int,     \
                      double, double);                                                          \
  template void denseBackward(T*, T*, T*, T*, const T*, const T*, const T*, const T*, const T*, \
                              int64_t, int64_t, int64_t, int, double, double, bool);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
