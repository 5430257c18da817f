// Conversions, constants, selection, and rows of a data set converted on the way.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/refusals.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {
namespace {

constexpr int perThread = 4;
constexpr int perBlock = perThread * blockThreads;

// Element k of those that a thread of a flat kernel works on.
__device__ inline int64_t element(int k) {
  return int64_t{blockIdx.x} * perBlock + k * blockThreads + threadIdx.x;
}

template <class To, class From>
__global__ void castKernel(To* out, const From* a, int64_t n) {
  for (int k = 0; k < perThread; k++) {
    const int64_t i = element(k);
    if (i < n) out[i] = saturate<To>(a[i]);
  }
}

template <class T>
__global__ void castToBoolKernel(uint8_t* out, const T* a, int64_t n) {
  for (int k = 0; k < perThread; k++) {
    const int64_t i = element(k);
    if (i < n) out[i] = a[i] != T(0) ? 1 : 0;
  }
}

template <class T>
__global__ void fillKernel(T* out, T value, int64_t n) {
  for (int k = 0; k < perThread; k++) {
    const int64_t i = element(k);
    if (i < n) out[i] = value;
  }
}

template <class T>
__global__ void selectKernel(T* out, const uint8_t* condition, int64_t conditionStep, const T* a,
                             int64_t aStep, const T* b, int64_t bStep, int64_t n) {
  for (int k = 0; k < perThread; k++) {
    const int64_t i = element(k);
    if (i < n) out[i] = condition[i * conditionStep] != 0 ? a[i * aStep] : b[i * bStep];
  }
}

template <class T, class From>
__global__ void loadRowsKernel(T* out, const From* data, const int32_t* index, const T* center,
                               const T* scale, int64_t step, int64_t n, int64_t count,
                               int64_t width, Refusals refused) {
  for (int k = 0; k < perThread; k++) {
    const int64_t i = element(k);
    if (i >= count * width) return;
    const int64_t at = i / width, column = i % width;
    const int64_t row = index == nullptr ? at : index[at];
    const bool found = inside(row, n);
    if (!found) refuse(refused, at);
    const T value = found ? static_cast<T>(data[row * width + column]) : T(0);
    out[i] = center == nullptr ? value : (value - center[column * step]) * scale[column * step];
  }
}

template <class To, class From>
void castTo(void* out, const From* a, int64_t n) {
  launchOver("cast", n, perBlock, castKernel<To, From>, static_cast<To*>(out), a, n);
}

}  // namespace

template <class T>
void cast(DType to, void* out, const T* a, int64_t n) {
  switch (to) {
    case DType::float32:
      return castTo<float>(out, a, n);
    case DType::float64:
      return castTo<double>(out, a, n);
    case DType::int32:
      return castTo<int32_t>(out, a, n);
    case DType::uint8:
      return castTo<uint8_t>(out, a, n);
  }
}

template <class T>
void castToBool(uint8_t* out, const T* a, int64_t n) {
  launchOver("cast to bool", n, perBlock, castToBoolKernel<T>, out, a, n);
}

template <class T>
void fill(T* out, double value, int64_t n) {
  launchOver("fill", n, perBlock, fillKernel<T>, out, saturate<T>(value), n);
}

template <class T>
void select(T* out, const uint8_t* condition, int64_t conditionStep, const T* a, int64_t aStep,
            const T* b, int64_t bStep, int64_t n) {
  launchOver("select", n, perBlock, selectKernel<T>, out, condition, conditionStep, a, aStep, b,
             bStep, n);
}

template <class T, class From>
void loadRows(T* out, const From* data, const int32_t* index, const T* center, const T* scale,
              int64_t step, int64_t n, int64_t count, int64_t width) {
  launchOver("loadRows", count * width, perBlock, loadRowsKernel<T, From>, out, data, index, center,
             scale, step, n, count, width, Machine::current().refusals);
}

#define GRADLOOM_LOAD(T, From)                                                                  \
  template void loadRows(T*, const From*, const int32_t*, const T*, const T*, int64_t, int64_t, \
                         int64_t, int64_t);
#define GRADLOOM_TYPE(T)                                 \
  template void cast(DType, void*, const T*, int64_t);   \
  template void castToBool(uint8_t*, const T*, int64_t); \
  template void fill(T*, double, int64_t);               \
  GRADLOOM_LOAD(float, T)                                \
  GRADLOOM_LOAD(double, T)
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)
GRADLOOM_TYPE(int32_t)
GRADLOOM_TYPE(uint8_t)

#define GRADLOOM_SIZE(T) \
  template void select(T*, const uint8_t*, int64_t, const T*, int64_t, const T*, int64_t, int64_t);
GRADLOOM_SIZE(uint8_t)
GRADLOOM_SIZE(uint32_t)
GRADLOOM_SIZE(uint64_t)

}  // namespace gradloom::cuda
