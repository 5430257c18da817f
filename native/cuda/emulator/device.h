// The vocabulary of CUDA C++ for kernels that an ordinary compiler compiles. What our kernels don't
// use is not here; what they must not use (launches by <<<>>>, dynamic shared memory, __syncwarp,
// partial masks) is not either.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>

#include "cuda/emulator/memory.h"
#include "cuda/emulator/toolkit.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)

using dim3 = gradloom::emulator::Dim3;

// Macros, since these are members here and their names are nobody else's.
#define threadIdx (gradloom::emulator::position.thread)
#define blockIdx (gradloom::emulator::position.block)
#define blockDim (gradloom::emulator::position.blockSize)
#define gridDim (gradloom::emulator::position.gridSize)

// An array of the block's, of Type and a constant length.
#define GRADLOOM_SHARED(Type, name, length) \
  static const char name##_place = 0;       \
  Type* const name =                        \
      static_cast<Type*>(gradloom::emulator::sharedArray(&name##_place, sizeof(Type) * (length)))

#define GRADLOOM_EXPECT_ALIGNED(address, bytes) gradloom::emulator::expectAligned(address, bytes)

#define __syncthreads() gradloom::emulator::barrier(__LINE__)

namespace gradloom::emulator {

inline void* sharedArray(const void* place, size_t bytes) {
  void* array = sharedMemory(place, bytes);
  if (array == nullptr) fault("too much shared memory in one block");
  return array;
}

inline void expectAligned(const void* address, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0) {
    fault("misaligned address: a vector of " + std::to_string(bytes) + " bytes");
  }
}

constexpr unsigned everyLane = 0xffffffffu;

// The value that another lane gives.
template <class T>
T valueOf(unsigned mask, T value, unsigned lane, int line) {
  static_assert(sizeof(T) <= 8);
  if (mask != everyLane) fault("warp divergence: an exchange must name every lane");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  const uint64_t* all = exchange(bits, line);
  T result;
  std::memcpy(&result, all + lane % warpSize, sizeof(T));
  return result;
}

inline unsigned laneIndex() {
  const Position& at = position;
  const unsigned row = at.thread.y + at.thread.z * at.blockSize.y;
  return (at.thread.x + row * at.blockSize.x) % warpSize;
}

}  // namespace gradloom::emulator

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int distance, int line = __builtin_LINE()) {
  using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace)
  return valueOf(mask, value, laneIndex() ^ unsigned(distance), line);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int line = __builtin_LINE()) {
  return gradloom::emulator::valueOf(mask, value, unsigned(lane), line);
}

inline int __any_sync(unsigned mask, int truth, int line = __builtin_LINE()) {
  using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace)
  if (mask != everyLane) fault("warp divergence: a vote must name every lane");
  const uint64_t* all = exchange(uint64_t(truth != 0), line);
  for (unsigned i = 0; i < warpSize; i++) {
    if (all[i] != 0) return 1;
  }
  return 0;
}

inline unsigned long long atomicMin(unsigned long long* address, unsigned long long value) {
  return gradloom::emulator::atomicMinimum(address, value);
}
