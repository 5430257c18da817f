// Elementwise kernels, in files by their element type: flat and broadcast are one kernel, whose
// threads agree on which it is.
#pragma once

#include "cpu/kernels.h"
#include "cuda/launch.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {

template <class T>
struct MapArguments {
  const T* at[maxOperands];
  int64_t stride[maxOperands][3];  // stride[k][2] alone when flat
  int64_t count[3];
  bool flat;
};

constexpr int mapsPerThread = 4;

template <class Formula, int operands, class R, class T>
__global__ void __launch_bounds__(blockThreads)
    mapKernel(R* out, int64_t n, const __grid_constant__ MapArguments<T> x, T p, T q) {
  const int64_t first = int64_t{blockIdx.x} * (mapsPerThread * blockThreads) + threadIdx.x;
  for (int k = 0; k < mapsPerThread; k++) {
    const int64_t i = first + k * blockThreads;
    if (i >= n) return;
    int64_t i0 = 0, i1 = 0, i2 = i;
    if (!x.flat) {
      const int64_t row = i / x.count[2];
      i2 = i % x.count[2];
      i1 = row % x.count[1], i0 = row / x.count[1];
    }
    Scalar<T> value[maxOperands] = {};
#pragma unroll
    for (int j = 0; j < operands; j++) {
      int64_t at = i2 * x.stride[j][2];
      if (!x.flat) at += i0 * x.stride[j][0] + i1 * x.stride[j][1];
      value[j] = toScalar(x.at[j][at]);
    }
    const auto result =
        Formula::value(value[0], value[1], value[2], value[3], toScalar(p), toScalar(q));
    out[i] = R(fromScalar(result));
  }
}

// Launches a kernel of the table for elements T; null where it is not defined for them.
template <class T>
using MapLauncher = void (*)(const char* name, void* out, int64_t n, const MapArguments<T>& x, T p,
                             T q);

template <class Formula, Kind kind, int operands, class T>
constexpr MapLauncher<T> mapLauncher() {
  if constexpr (kind == Kind::real && !std::is_floating_point_v<T>) {
    return nullptr;
  } else {
    return [](const char* name, void* out, int64_t n, const MapArguments<T>& x, T p, T q) {
      using R = std::conditional_t<kind == Kind::compare, uint8_t, T>;
      launchOver(name, n, mapsPerThread * blockThreads, mapKernel<Formula, operands, R, T>,
                 static_cast<R*>(out), n, x, p, q);
    };
  }
}

template <class T>
void mapInto(int kernel, void* out, int64_t n, const MapArguments<T>& x, double p, double q) {
#define GRADLOOM_ROW(number, name, kind, letters) \
  mapLauncher<name, Kind::kind, int(sizeof(letters)) - 1, T>(),
  static constexpr MapLauncher<T> all[] = {GRADLOOM_KERNELS(GRADLOOM_ROW)};
#undef GRADLOOM_ROW
  all[kernel](kernelInfo[kernel].name, out, n, x, saturate<T>(p), saturate<T>(q));
}

// See TypeKernels in cpu/kernels.h.
template <class T>
void map(int kernel, void* out, const Operands<T>& x, int64_t n, double p, double q) {
  MapArguments<T> arguments{};
  arguments.flat = true;
  for (int k = 0; k < kernelInfo[kernel].count; k++) {
    arguments.at[k] = x.at[k];
    arguments.stride[k][2] = x.step[k];
  }
  mapInto(kernel, out, n, arguments, p, q);
}

template <class T>
void mapStrided(int kernel, void* out, const T* const* x, const Walk& walk, double p, double q) {
  MapArguments<T> arguments{};
  for (int d = 0; d < 3; d++) arguments.count[d] = walk.count[d];
  for (int k = 0; k < kernelInfo[kernel].count; k++) {
    arguments.at[k] = x[k];
    for (int d = 0; d < 3; d++) arguments.stride[k][d] = walk.stride[k][d];
  }
  mapInto(kernel, out, walk.count[0] * walk.count[1] * walk.count[2], arguments, p, q);
}

}  // namespace gradloom::cuda
