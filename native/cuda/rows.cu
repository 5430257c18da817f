// Kernels that work row by row: softmax, cross-entropy, scaling. A row is a warp's or, where it is
// long, a block's.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/refusals.h"
#include "cuda/scalar.h"
#include "cuda/warp.h"

namespace gradloom::cuda {
namespace {

constexpr int warps = blockThreads / warpThreads;

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
// NaN loses: it reaches every result through the sum.
struct Largest {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

// What all `lanes` threads of a row give, joined; each gets it. Every thread of the block must come
// here together.
template <int lanes, class T, class Join>
__device__ inline T joined(T value, T* shared, Join join) {
  value = joinLanes(value, 1, join);
  if constexpr (lanes > warpThreads) {
    if (threadIdx.x % warpThreads == 0) shared[threadIdx.x / warpThreads] = value;
    __syncthreads();
    value = shared[0];
    for (int w = 1; w < warps; w++) value = join(value, shared[w]);
    __syncthreads();
  }
  return value;
}

// The row of a thread and where in it the thread begins. Threads beyond the last row take part with
// a row of no columns.
template <int lanes>
struct Place {
  int64_t row, columns;
  int first;

  __device__ Place(int64_t rows, int64_t width)
      : row(int64_t{blockIdx.x} * (blockThreads / lanes) + threadIdx.x / lanes),
        columns(row < rows ? width : 0),
        first(int(threadIdx.x % lanes)) {}
};

template <class T>
__device__ constexpr T lowest() {
  return T(-INFINITY);
}

template <int lanes, class T>
__global__ void __launch_bounds__(blockThreads)
    softmaxKernel(T* out, const T* a, int64_t rows, int64_t width, bool logarithm) {
  GRADLOOM_SHARED(T, shared, warps);
  const Place<lanes> at(rows, width);
  const T* x = a + at.row * width;
  T* y = out + at.row * width;
  T most = lowest<T>();
  for (int64_t c = at.first; c < at.columns; c += lanes) most = Largest()(most, x[c]);
  most = joined<lanes>(most, shared, Largest());
  T sum = 0;
  for (int64_t c = at.first; c < at.columns; c += lanes) sum += exp(x[c] - most);
  sum = joined<lanes>(sum, shared, Plus());
  const T shift = log(sum), scale = T(1) / sum;
  for (int64_t c = at.first; c < at.columns; c += lanes) {
    y[c] = logarithm ? x[c] - most - shift : exp(x[c] - most) * scale;
  }
}

template <int lanes, class T>
__global__ void __launch_bounds__(blockThreads)
    softmaxBackwardKernel(T* out, const T* g, const T* y, int64_t rows, int64_t width,
                          bool logarithm) {
  GRADLOOM_SHARED(T, shared, warps);
  const Place<lanes> at(rows, width);
  const int64_t start = at.row * width;
  T sum = 0;
  for (int64_t c = at.first; c < at.columns; c += lanes) {
    sum += logarithm ? g[start + c] : g[start + c] * y[start + c];
  }
  sum = joined<lanes>(sum, shared, Plus());
  for (int64_t c = at.first; c < at.columns; c += lanes) {
    const T grad = g[start + c], value = y[start + c];
    out[start + c] = logarithm ? grad - exp(value) * sum : value * (grad - sum);
  }
}

// One of labels and probabilities is null. 0 · ∞ counts as 0.
// Two blocks on a multiprocessor: left to itself, the compiler spills to have more.
template <int lanes, class T>
__global__ void __launch_bounds__(blockThreads, 2)
    crossEntropyKernel(T* loss, T* difference, const T* logits, const int32_t* labels,
                       const T* probabilities, int64_t rows, int64_t classes, Refusals refused) {
  GRADLOOM_SHARED(T, shared, warps);
  const Place<lanes> at(rows, classes);
  const int64_t start = at.row * classes;
  const T* x = logits + start;
  T most = lowest<T>();
  for (int64_t c = at.first; c < at.columns; c += lanes) most = Largest()(most, x[c]);
  most = joined<lanes>(most, shared, Largest());
  T sum = 0;
  for (int64_t c = at.first; c < at.columns; c += lanes) sum += exp(x[c] - most);
  sum = joined<lanes>(sum, shared, Plus());
  const bool labelled = labels != nullptr && at.columns > 0;
  const int64_t label = labelled ? labels[at.row] : -1;
  if (labelled && at.first == 0 && !inside(label, classes)) refuse(refused, at.row);
  const T logSum = log(sum);
  T value = 0, total = 0;
  for (int64_t c = at.first; c < at.columns; c += lanes) {
    const T weight = labels != nullptr ? T(c == label ? 1 : 0) : probabilities[start + c];
    total += weight;
    if (weight != 0) value += weight * (logSum - (x[c] - most));
  }
  value = joined<lanes>(value, shared, Plus());
  total = joined<lanes>(total, shared, Plus());
  if (at.first == 0 && at.columns > 0) loss[at.row] = value;
  if (difference == nullptr) return;
  for (int64_t c = at.first; c < at.columns; c += lanes) {
    const T weight = labels != nullptr ? T(c == label ? 1 : 0) : probabilities[start + c];
    difference[start + c] = exp(x[c] - most) * (total / sum) - weight;
  }
}

template <class T>
__global__ void scaleRowsKernel(T* out, const T* a, const T* scale, int64_t n, int64_t columns,
                                T factor) {
  const int64_t i = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (i < n) out[i] = a[i] * (scale[i / columns] * factor);
}

// Launches the kernel for short rows or the one for long ones.
template <class... P, class... A>
void launchRows(const char* name, int64_t rows, int64_t columns, void (*byWarp)(P...),
                void (*byBlock)(P...), A... arguments) {
  if (rows == 0) return;
  constexpr int64_t longRow = 1024;
  const bool isLong = columns > longRow;
  launch(name, {rows, columns}, dim3(unsigned(isLong ? rows : ceilDiv(rows, warps))),
         dim3(blockThreads), isLong ? byBlock : byWarp, arguments...);
}

}  // namespace

template <class T>
void softmax(T* out, const T* a, int64_t rows, int64_t columns, bool logarithm) {
  launchRows("softmax", rows, columns, softmaxKernel<warpThreads, T>,
             softmaxKernel<blockThreads, T>, out, a, rows, columns, logarithm);
}

template <class T>
void softmaxBackward(T* out, const T* g, const T* y, int64_t rows, int64_t columns,
                     bool logarithm) {
  launchRows("softmaxBackward", rows, columns, softmaxBackwardKernel<warpThreads, T>,
             softmaxBackwardKernel<blockThreads, T>, out, g, y, rows, columns, logarithm);
}

template <class T>
void crossEntropy(T* loss, T* difference, const T* logits, const int32_t* labels,
                  const T* probabilities, int64_t rows, int64_t classes) {
  launchRows("crossEntropy", rows, classes, crossEntropyKernel<warpThreads, T>,
             crossEntropyKernel<blockThreads, T>, loss, difference, logits, labels, probabilities,
             rows, classes, Machine::current().refusals);
}

template <class T>
void scaleRows(T* out, const T* a, const T* scale, int64_t rows, int64_t columns, double factor) {
  launchOver("scaleRows", rows * columns, blockThreads, scaleRowsKernel<T>, out, a, scale,
             rows * columns, columns, T(factor));
}

#define GRADLOOM_TYPE(T)                                                                    \
  template void softmax(T*, const T*, int64_t, int64_t, bool);                              \
  template void softmaxBackward(T*, const T*, const T*, int64_t, int64_t, bool);            \
  template void crossEntropy(T*, T*, const T*, const int32_t*, const T*, int64_t, int64_t); \
  template void scaleRows(T*, const T*, const T*, int64_t, int64_t, double);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
