// Products on tensor cores: as those of matmul.cu, but factors are rounded on their way into shared
// memory, where warps take them from as fragments. Sums are of float32. Factors that many blocks
// read are first written to memory in 16 bits, so that each reading moves half as much.
#include "cuda/tensor_cores.h"

#include <map>
#include <utility>

namespace gradloom::cuda {
namespace {

template <class Operand, class From, int width>
__global__ void __launch_bounds__(blockThreads)
    tensorCoreKernel(const __grid_constant__ Factor<From> a, const __grid_constant__ Factor<From> b,
                     const __grid_constant__ Epilogue<float> to, const __grid_constant__ Sizes size,
                     int64_t splits, int64_t part) {
  if constexpr (Operand::compiled) {
    multiplyTile<Operand, From, width>(a, b, to, size, splits, part);
  }
}

// ---- factors in 16 bits ------------------------------------------------------------------------

template <class Operand>
__global__ void narrowKernel(typename Operand::Stored* out, const float* a, int64_t n) {
  using Stored = typename Operand::Stored;
  constexpr int each = Pack<Stored>::size;
  const int64_t i = (int64_t{blockIdx.x} * blockThreads + threadIdx.x) * each;
  if (i + each <= n && isAligned(a)) {
    Pack<Stored> pack;
#pragma unroll
    for (int k = 0; k < each; k += Pack<float>::size) {
      const Pack<float> values = loadPack(a + i + k);
#pragma unroll
      for (int j = 0; j < Pack<float>::size; j++) pack.at[k + j] = Operand::stored(values.at[j]);
    }
    storePack(out + i, pack);
  } else {
    for (int64_t k = i; k < i + each && k < n; k++) out[k] = Operand::stored(a[k]);
  }
}

// Elements from the first to the last of a factor of `count` matrices.
int64_t extentOf(const Factor<float>& factor, int64_t count, int64_t rows, int64_t columns) {
  return (count - 1) * factor.matrixStride + rows * columns;
}

template <class Operand>
Factor<typename Operand::Stored> narrowed(const Factor<float>& factor,
                                          typename Operand::Stored* memory, int64_t n) {
  using Stored = typename Operand::Stored;
  launchOver("narrow", n, Pack<Stored>::size * blockThreads, narrowKernel<Operand>, memory,
             factor.at, n);
  return factorOf<Stored>(memory, factor.rowStride, factor.columnStride, factor.matrixStride);
}

// ---- choosing ----------------------------------------------------------------------------------

template <class Operand, class From, int width>
void launchTiles(const Product<float>& product, const Factor<From>& a, const Factor<From>& b,
                 int64_t splits) {
  const Sizes& size = product.size;
  launch(product.name, {size.batch, size.m, size.n, size.k}, gridOf(size, width, splits),
         dim3(blockThreads), tensorCoreKernel<Operand, From, width>, a, b, product.to, size, splits,
         partOf(size, splits, Tile<Operand, width>::depth));
}

// A factor that r tiles read costs 4 r bytes an element; written once in 16 bits, 6 + 2 r.
template <class Operand, int width>
void multiplyRounded(const Product<float>& product, int64_t splits) {
  const auto& [name, a, b, to, size] = product;
  constexpr int64_t readers = 4;
  if constexpr (sizeof(typename Operand::Stored) == 2) {
    if (ceilDiv(size.m, width) >= readers && ceilDiv(size.n, width) >= readers) {
      using Stored = typename Operand::Stored;
      const int64_t lengthA = extentOf(a, size.batch, size.m, size.k);
      const int64_t lengthB = extentOf(b, size.batch, size.n, size.k);
      const Scratch<Stored> left(lengthA), right(lengthB);
      return launchTiles<Operand, Stored, width>(
          product, narrowed<Operand>(a, left.data(), lengthA),
          narrowed<Operand>(b, right.data(), lengthB), splits);
    }
  }
  launchTiles<Operand, float, width>(product, a, b, splits);
}

// By the sizes alone, as in matmul.cu.
template <class Operand>
void multiplyRounded(const Product<float>& product, int64_t splits) {
  constexpr int64_t enough = 128;
  if (tilesOf(product.size, 128) * splits >= enough)
    multiplyRounded<Operand, 128>(product, splits);
  else
    multiplyRounded<Operand, 64>(product, splits);
}

// Code made from PTX of an older architecture lacks the kernels' bodies, whatever the device is.
template <class Operand>
bool isLoaded() {
  cudaFuncAttributes attributes{};
  void (*const kernel)(Factor<float>, Factor<float>, Epilogue<float>, Sizes, int64_t, int64_t) =
      tensorCoreKernel<Operand, float, 64>;
  const cudaError_t error =
      cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel));
  (void)cudaGetLastError();
  return error == cudaSuccess && attributes.ptxVersion >= Operand::architecture;
}

bool isLoaded(Precision asked) {
  switch (asked) {
    case Precision::tf32:
      return isLoaded<Tf32>();
    case Precision::float16:
      return isLoaded<Half>();
    case Precision::bfloat16:
      return isLoaded<Brain>();
    default:
      return true;
  }
}

thread_local Precision allowedHere = Precision::float32;

}  // namespace

void allowPrecision(Precision allowed) {
  allowedHere = allowed;
}

Precision precision() {
  if (allowedHere == Precision::float32) return allowedHere;
  static auto& known =
      *new std::map<std::pair<int, Precision>, bool>;  // one thread at a time: Turn
  const std::pair<int, Precision> asked(Machine::current().number(), allowedHere);
  const auto [found, isNew] = known.emplace(asked, false);
  if (isNew) found->second = isLoaded(allowedHere);
  return found->second ? allowedHere : Precision::float32;
}

void multiplyOnTensorCores(const Product<float>& product, Precision rounded, int64_t splits) {
  switch (rounded) {
    case Precision::tf32:
      return multiplyRounded<Tf32>(product, splits);
    case Precision::float16:
      return multiplyRounded<Half>(product, splits);
    default:
      return multiplyRounded<Brain>(product, splits);
  }
}

}  // namespace gradloom::cuda
