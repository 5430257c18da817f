// All kernels of one instruction set, in its table. Compiled once for each: see sources.txt.
#include "cpu/kernels.h"

#include "cpu/convert.h"
#include "cpu/dense.h"
#include "cpu/map.h"
#include "cpu/matmul.h"
#include "cpu/normalize.h"
#include "cpu/optimize.h"
#include "cpu/reduce.h"
#include "cpu/rows.h"

#define GRADLOOM_TEXT(name) #name
#define GRADLOOM_NAME_OF(name) GRADLOOM_TEXT(name)

namespace gradloom::GRADLOOM_ISA {

const RandomKernels& randomKernels();  // random.cc

namespace {

template <class T>
void castTo(DType to, void* out, const T* a, int64_t n) {
  switch (to) {
    case DType::float32:
      return cast(static_cast<float*>(out), a, n);
    case DType::float64:
      return cast(static_cast<double*>(out), a, n);
    case DType::int32:
      return cast(static_cast<int32_t*>(out), a, n);
    case DType::uint8:
      return cast(static_cast<uint8_t*>(out), a, n);
  }
}

template <class T>
constexpr TypeKernels<T> typeKernels = {
    map<T>,  mapStrided<T>, castTo<T>,          castToBool<T>,
    fill<T>, reduce<T>,     loadRows<float, T>, loadRows<double, T>,
};

template <class T>
constexpr SizeKernels<T> sizeKernels = {select<T>};

template <class T>
constexpr RealKernels<T> realKernels = {
    matmul<T>,       dense<T>,     denseBackward<T>, softmax<T>,           softmaxBackward<T>,
    crossEntropy<T>, scaleRows<T>, batchNorm<T>,     batchNormBackward<T>, update<T>,
};

constexpr Kernels table = {
    GRADLOOM_NAME_OF(GRADLOOM_ISA),
    GRADLOOM_VECTOR_BYTES,
    typeKernels<float>,
    typeKernels<double>,
    typeKernels<int32_t>,
    typeKernels<uint8_t>,
    sizeKernels<uint8_t>,
    sizeKernels<uint32_t>,
    sizeKernels<uint64_t>,
    realKernels<float>,
    realKernels<double>,
    randomKernels,
};

}  // namespace

const Kernels& kernelTable() {
  return table;
}

}  // namespace gradloom::GRADLOOM_ISA
