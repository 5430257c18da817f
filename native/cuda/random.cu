// Random numbers and dropout, with the bits that src/backends/random.ts specifies: arithmetic in
// double, every operation rounded once. So this file is compiled without fused multiply-adds.
#define GRADLOOM_PORTABLE __device__ inline
#include "cuda/platform.h"
// The order matters: portable code of kernels/ becomes the device's.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "kernels/normal.h"

namespace gradloom::cuda {
namespace {

constexpr int wordsOfBlock = 4;  // of one block of Philox, and elements of one thread

__device__ inline double coarse(uint32_t word) {
  return double(word >> 8) * 0x1p-24;
}
__device__ inline double fine(uint32_t word) {
  return double(word) * 0x1p-32;
}
__device__ inline double centered(uint32_t word) {
  return (double(word) + 0.5) * 0x1p-32 - 0.5;
}

// Each turns a word into an element of type T; p and q are the distribution's.
template <class T>
struct Uniform {
  static __device__ T of(uint32_t word, double p, double q) {
    if constexpr (std::is_same_v<T, float>)
      return T(p + coarse(word) * (q - p));
    else if constexpr (std::is_same_v<T, double>)
      return p + fine(word) * (q - p);
    else  // below q <= 2^31, and not below p
      return T(int64_t(p + ::floor(fine(word) * (q - p))));
  }
};
template <class T>
struct Normal {
  static __device__ T of(uint32_t word, double p, double q) {
    return T(p + q * normalQuantile(centered(word)));
  }
};
template <class T>
struct TruncatedNormal {
  static __device__ T of(uint32_t word, double p, double q) {
    constexpr double withinTwo = 0.9544997361036416;  // probability of |normal| < 2
    return T(p + q * normalQuantile(centered(word) * withinTwo));
  }
};
template <class T>
struct Bernoulli {
  static __device__ T of(uint32_t word, double p, double) { return coarse(word) < p ? T(1) : T(0); }
};

// `begin`: where on the device it is written where the stream begins that `given` counts from, if
// it is not given itself.
__device__ inline Philox streamFrom(Philox given, const Philox* begin) {
  if (begin == nullptr) return given;
  return {begin->key0, begin->key1, begin->counter + given.counter};
}

template <class Distributed, class T>
__global__ void randomKernel(T* out, int64_t n, Philox stream, const Philox* begin, double p,
                             double q) {
  const int64_t block = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  uint32_t words[wordsOfBlock];
  philoxBlock(words, streamFrom(stream, begin), uint64_t(block));
#pragma unroll
  for (int k = 0; k < wordsOfBlock; k++) {
    const int64_t i = block * wordsOfBlock + k;
    if (i < n) out[i] = Distributed::of(words[k], p, q);
  }
}

template <class T>
__global__ void dropoutKernel(T* out, const T* x, int64_t n, Philox stream, const Philox* begin,
                              double rate, double a, double b, double c) {
  const int64_t block = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  uint32_t words[wordsOfBlock];
  philoxBlock(words, streamFrom(stream, begin), uint64_t(block));
#pragma unroll
  for (int k = 0; k < wordsOfBlock; k++) {
    const int64_t i = block * wordsOfBlock + k;
    if (i < n) out[i] = coarse(words[k]) >= rate ? T(a * double(x[i]) + b) : T(c);
  }
}

constexpr int64_t perBlock = int64_t{wordsOfBlock} * blockThreads;

template <class Distributed, class T>
void fillWith(const char* name, T* out, int64_t n, Philox stream, double p, double q) {
  launchOver(name, n, perBlock, randomKernel<Distributed, T>, out, n, stream,
             Machine::current().randomBegin(), p, q);
}

template <class T>
void randomOf(Distribution distribution, T* out, int64_t n, Philox stream, double p, double q) {
  if (distribution == Distribution::bernoulli) {
    return fillWith<Bernoulli<T>>("bernoulli", out, n, stream, p, q);
  }
  if constexpr (!std::is_same_v<T, uint8_t>) {
    if (distribution == Distribution::uniform) {
      return fillWith<Uniform<T>>("uniform", out, n, stream, p, q);
    }
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (distribution == Distribution::normal) {
      return fillWith<Normal<T>>("normal", out, n, stream, p, q);
    }
    fillWith<TruncatedNormal<T>>("truncatedNormal", out, n, stream, p, q);
  }
}

}  // namespace

void random(Distribution distribution, DType dtype, void* out, int64_t n, Philox stream, double p,
            double q) {
  switch (dtype) {
    case DType::float32:
      return randomOf(distribution, static_cast<float*>(out), n, stream, p, q);
    case DType::float64:
      return randomOf(distribution, static_cast<double*>(out), n, stream, p, q);
    case DType::int32:
      return randomOf(distribution, static_cast<int32_t*>(out), n, stream, p, q);
    case DType::uint8:
      return randomOf(distribution, static_cast<uint8_t*>(out), n, stream, p, q);
  }
}

template <class T>
void dropout(T* out, const T* x, int64_t n, Philox stream, double rate, double a, double b,
             double c) {
  launchOver("dropout", n, perBlock, dropoutKernel<T>, out, x, n, stream,
             Machine::current().randomBegin(), rate, a, b, c);
}

template void dropout(float*, const float*, int64_t, Philox, double, double, double, double);
template void dropout(double*, const double*, int64_t, Philox, double, double, double, double);

}  // namespace gradloom::cuda
