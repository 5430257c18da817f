// Sixteen bytes at once: how kernels read and write memory where neighbouring elements allow it.
#pragma once

#include <cstdint>

#include "cuda/platform.h"

namespace gradloom::cuda {

constexpr int packBytes = 16;

// Elements that one instruction moves.
template <class T>
struct alignas(packBytes) Pack {
  static constexpr int size = packBytes / int(sizeof(T));
  T at[size];
};

// Whether a pack may be read or written there: a real device faults elsewhere, and so does ours.
__host__ __device__ inline bool isAligned(const void* address) {
  return reinterpret_cast<uintptr_t>(address) % packBytes == 0;
}

template <class T>
__device__ inline Pack<T> loadPack(const T* from) {
  GRADLOOM_EXPECT_ALIGNED(from, packBytes);
  return *reinterpret_cast<const Pack<T>*>(from);
}
template <class T>
__device__ inline void storePack(T* to, const Pack<T>& values) {
  GRADLOOM_EXPECT_ALIGNED(to, packBytes);
  *reinterpret_cast<Pack<T>*>(to) = values;
}

}  // namespace gradloom::cuda
