// Elementwise kernels, in files by their element type. Flat and broadcast, in packs and one by one
// are one kernel, whose threads agree on which it is.
#pragma once

#include "cpu/kernels.h"
#include "cuda/launch.h"
#include "cuda/scalar.h"
#include "cuda/vector.h"

namespace gradloom::cuda {

template <class T>
struct MapArguments {
  const T* at[maxOperands];
  int64_t stride[maxOperands][3];  // stride[k][2] alone when flat
  int64_t count[3];
  bool flat;
  // Whether the elements of a thread are neighbours, which it reads and writes at once, those of
  // every operand side by side or all the same.
  bool packed;
};

// Elements of a thread: of doubles 16 bytes, as much as one instruction moves.
template <class T>
constexpr int mapsPerThread = sizeof(T) == 8 ? 2 : 4;

// As many elements as one instruction moves, at most the `per` of a thread.
template <class T, int per>
constexpr int packOf = per < Pack<T>::size ? per : Pack<T>::size;

// The elements of one thread: read all, then computed, then written. Packed, those from `first` on;
// else those `blockThreads` apart, so that threads read side by side.
template <int per>
struct MapElements {
  int64_t first;
  int step, count;

  __device__ MapElements(int64_t n, bool packed) {
    const int64_t block = int64_t{blockIdx.x} * (per * blockThreads);
    first = block + threadIdx.x * (packed ? per : 1);
    step = packed ? 1 : blockThreads;
    const int64_t left = n > first ? (n - first + step - 1) / step : 0;
    count = left < per ? int(left) : per;
  }
};

// Where element i of the output is in operand `operand`.
template <class T>
__device__ inline int64_t mapPlace(const MapArguments<T>& x, int operand, int64_t i) {
  const int64_t* stride = x.stride[operand];
  if (x.flat) return i * stride[2];
  const int64_t row = i / x.count[2], i2 = i % x.count[2];
  return row / x.count[1] * stride[0] + row % x.count[1] * stride[1] + i2 * stride[2];
}

template <class T, int per>
__device__ inline void mapRead(T* values, const MapArguments<T>& x, int operand,
                               const MapElements<per>& of) {
  constexpr int pack = packOf<T, per>;
  const T* at = x.at[operand];
  if (x.packed && of.count == per) {
    const int64_t place = mapPlace(x, operand, of.first);
    const bool same = x.stride[operand][2] == 0;
#pragma unroll
    for (int k = 0; k < per; k += pack) {
      Pack<T, pack> read;
      if (!same) read = loadPack<T, pack>(at + place + k);
#pragma unroll
      for (int j = 0; j < pack; j++) values[k + j] = same ? at[place] : read.at[j];
    }
  } else {
#pragma unroll
    for (int k = 0; k < per; k++) {
      values[k] = k < of.count ? at[mapPlace(x, operand, of.first + k * of.step)] : T(0);
    }
  }
}

template <class R, int per>
__device__ inline void mapWrite(R* out, const R* values, bool packed, const MapElements<per>& of) {
  constexpr int pack = packOf<R, per>;
  if (packed && of.count == per) {
#pragma unroll
    for (int k = 0; k < per; k += pack) {
      Pack<R, pack> written;
#pragma unroll
      for (int j = 0; j < pack; j++) written.at[j] = values[k + j];
      storePack(out + of.first + k, written);
    }
  } else {
#pragma unroll
    for (int k = 0; k < per; k++) {
      if (k < of.count) out[of.first + k * of.step] = values[k];
    }
  }
}

template <class Formula, int operands, class R, class T>
__global__ void __launch_bounds__(blockThreads)
    mapKernel(R* out, int64_t n, const __grid_constant__ MapArguments<T> x, T p, T q) {
  constexpr int per = mapsPerThread<T>;
  const MapElements<per> of(n, x.packed);
  T value[maxOperands][per] = {};
#pragma unroll
  for (int j = 0; j < operands; j++) mapRead(value[j], x, j, of);
  R result[per];
#pragma unroll
  for (int k = 0; k < per; k++) {
    const auto y =
        Formula::value(toScalar(value[0][k]), toScalar(value[1][k]), toScalar(value[2][k]),
                       toScalar(value[3][k]), toScalar(p), toScalar(q));
    result[k] = R(fromScalar(y));
  }
  mapWrite(out, result, x.packed, of);
}

// Launches a kernel of the table for elements T; null where it is not defined for them.
template <class T>
using MapLauncher = void (*)(const char* name, void* out, int64_t n, const MapArguments<T>& x, T p,
                             T q);

// Whether the elements of every thread lie within one row, and begin on the bounds of packs in the
// output and in every operand that is read in packs.
template <class R, class T>
bool packable(const void* out, const MapArguments<T>& x, int operands) {
  constexpr int per = mapsPerThread<T>, pack = packOf<T, per>;
  if (!isAligned(out, int(sizeof(R)) * packOf<R, per>)) return false;
  if (!x.flat && x.count[2] % per != 0) return false;
  for (int k = 0; k < operands; k++) {
    const int64_t* stride = x.stride[k];
    if (stride[2] == 0) continue;
    if (stride[2] != 1 || !isAligned(x.at[k], int(sizeof(T)) * pack)) return false;
    if (stride[0] % pack != 0 || stride[1] % pack != 0) return false;
  }
  return true;
}

template <class Formula, Kind kind, int operands, class T>
constexpr MapLauncher<T> mapLauncher() {
  if constexpr (kind == Kind::real && !std::is_floating_point_v<T>) {
    return nullptr;
  } else {
    return [](const char* name, void* out, int64_t n, const MapArguments<T>& x, T p, T q) {
      using R = std::conditional_t<kind == Kind::compare, uint8_t, T>;
      MapArguments<T> arguments = x;
      arguments.packed = packable<R>(out, x, operands);
      launchOver(name, n, mapsPerThread<T> * blockThreads, mapKernel<Formula, operands, R, T>,
                 static_cast<R*>(out), n, arguments, p, q);
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
