#include "cuda/device.h"

#include "cuda/kernels.h"

namespace gradloom::cuda {
namespace {

template <class T>
constexpr TypeKernels<T> typeKernels = {
    map<T>,
    mapStrided<T>,
    cast<T>,
    castToBool<T>,
    fill<T>,
    reduce<T>,
    loadRows<float, T>,
    loadRows<double, T>,
};

template <class T>
constexpr RealKernels<T> realKernels = {
    matmul<T>,       dense<T>,     denseBackward<T>, softmax<T>,           softmaxBackward<T>,
    crossEntropy<T>, scaleRows<T>, batchNorm<T>,     batchNormBackward<T>, update<T>,
};

const RandomKernels& randomKernels() {
  static constexpr RandomKernels table = {random, dropout<float>, dropout<double>};
  return table;
}

}  // namespace

const Kernels& kernels() {
  static constexpr Kernels table = {
      "cuda",
      0,
      typeKernels<float>,
      typeKernels<double>,
      typeKernels<int32_t>,
      typeKernels<uint8_t>,
      {select<uint8_t>},
      {select<uint32_t>},
      {select<uint64_t>},
      realKernels<float>,
      realKernels<double>,
      randomKernels,
  };
  return table;
}

}  // namespace gradloom::cuda
