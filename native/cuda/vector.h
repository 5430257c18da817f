// Several elements at once: how kernels read and write memory where neighbouring elements allow it.
#pragma once

#include <cstdint>

#include "cuda/platform.h"

namespace gradloom::cuda {

constexpr int packBytes = 16;

// Elements that one instruction moves, 16 bytes at most.
template <class T, int count = packBytes / int(sizeof(T))>
struct alignas(sizeof(T) * count) Pack {
  static_assert(sizeof(T) * count <= packBytes);
  static constexpr int size = count;
  T at[size];
};

// Whether a pack may be read or written there: a real device faults elsewhere, and so does ours.
__host__ __device__ inline bool isAligned(const void* address, int bytes = packBytes) {
  return reinterpret_cast<uintptr_t>(address) % bytes == 0;
}

template <class T, int count = Pack<T>::size>
__device__ inline Pack<T, count> loadPack(const T* from) {
  GRADLOOM_EXPECT_ALIGNED(from, sizeof(T) * count);
  return *reinterpret_cast<const Pack<T, count>*>(from);
}
template <class T, int count>
__device__ inline void storePack(T* to, const Pack<T, count>& values) {
  GRADLOOM_EXPECT_ALIGNED(to, sizeof(T) * count);
  *reinterpret_cast<Pack<T, count>*>(to) = values;
}

}  // namespace gradloom::cuda
