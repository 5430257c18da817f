// Indices and labels out of range, noted on the device where nobody waits for the answer.
#pragma once

#include <cstdint>

#include "cuda/platform.h"

namespace gradloom::cuda {

// The first position that was refused, or nowhere. Null where the host asks before it goes on.
using Refusals = unsigned long long*;
constexpr unsigned long long nowhere = ~0ull;

__device__ inline void refuse(Refusals first, int64_t position) {
  if (first != nullptr) atomicMin(first, static_cast<unsigned long long>(position));
}

__device__ inline bool anyRefused(const unsigned long long* first) {
  return first != nullptr && *first != nowhere;
}

__device__ inline bool inside(int64_t position, int64_t n) {
  return position >= 0 && position < n;
}

}  // namespace gradloom::cuda
