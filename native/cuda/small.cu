// Products too small for tiles: few elements with short sums, a thread for each, so that matrices
// of a batch share a block; and those with vectors, a warp for each element, which reads along
// both.
#include "cuda/product.h"
#include "cuda/warp.h"

namespace gradloom::cuda {
namespace {

// `lanes` threads share a sum.
template <class T, int lanes>
__global__ void __launch_bounds__(blockThreads)
    smallProductKernel(const __grid_constant__ Factor<T> a, const __grid_constant__ Factor<T> b,
                       const __grid_constant__ Epilogue<T> to, const __grid_constant__ Sizes size) {
  const int64_t at = int64_t{blockIdx.x} * (blockThreads / lanes) + threadIdx.x / lanes;
  const int lane = threadIdx.x % lanes;
  const bool valid = at < size.batch * size.m * size.n;
  const int64_t column = at % size.n, row = at / size.n % size.m, matrix = at / size.n / size.m;
  const T* left = a.at + matrix * a.matrixStride + row * a.rowStride;
  const T* right = b.at + matrix * b.matrixStride + column * b.rowStride;
  T sum = 0;
  static_assert(lanes == 1 || lanes == warpThreads);
  for (int64_t p = lane; p < size.k && valid; p += lanes) {
    sum += left[p * a.columnStride] * right[p * b.columnStride];
  }
  if constexpr (lanes > 1) sum = joinLanes(sum, 1, [](T x, T y) { return x + y; });
  if (!valid || lane > 0) return;
  to.write(at, column, sum);
  if (to.activation == Activation::none) return;
  to.out[at] = activated(to.activation, to.out[at], to.p, to.q);
}

template <class T>
bool isTiny(const Product<T>& product) {
  constexpr int64_t side = 16, shortSum = 64;
  const Sizes& size = product.size;
  return size.m <= side && size.n <= side && size.k <= shortSum;
}

}  // namespace

template <class T>
bool isSmall(const Product<T>& product) {
  constexpr int64_t longSum = 4096;  // which tiles cut into parts
  const Sizes& size = product.size;
  const bool isVector = size.m == 1 || size.n == 1;
  const bool readsAlong = product.a.columnStride == 1 && product.b.columnStride == 1;
  return isTiny(product) || (isVector && readsAlong && size.k <= longSum);
}

template <class T>
void multiplySmall(const Product<T>& product) {
  const auto& [name, a, b, to, size] = product;
  const bool tiny = isTiny(product);
  const int64_t perBlock = tiny ? blockThreads : blockThreads / warpThreads;
  const dim3 grid(unsigned(ceilDiv(size.batch * size.m * size.n, perBlock)));
  launch(name, {size.batch, size.m, size.n, size.k}, grid, dim3(blockThreads),
         tiny ? smallProductKernel<T, 1> : smallProductKernel<T, warpThreads>, a, b, to, size);
}

#define GRADLOOM_TYPE(T)                    \
  template bool isSmall(const Product<T>&); \
  template void multiplySmall(const Product<T>&);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
