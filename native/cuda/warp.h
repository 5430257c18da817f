// Exchanges within a warp: how threads join what each has, in an order that is always the same.
#pragma once

#include <cstring>

#include "cuda/launch.h"

namespace gradloom::cuda {

constexpr unsigned everyLane = 0xffffffffu;

// What the lane `distance` away, counted by exclusive or, has. Of any size; every lane must come.
template <class T>
__device__ inline T fromLane(T value, int distance) {
  if constexpr (std::is_arithmetic_v<T> && sizeof(T) >= 4) {
    return __shfl_xor_sync(everyLane, value, distance);
  } else {
    constexpr int words = (int(sizeof(T)) + 3) / 4;
    uint32_t word[words] = {};
    memcpy(word, &value, sizeof(T));
#pragma unroll
    for (int i = 0; i < words; i++) word[i] = __shfl_xor_sync(everyLane, word[i], distance);
    memcpy(&value, word, sizeof(T));
    return value;
  }
}

// What lanes that are `least` apart have, joined; each of them gets it.
template <class T, class Join>
__device__ inline T joinLanes(T value, int least, Join join) {
  for (int distance = warpThreads / 2; distance >= least; distance /= 2) {
    value = join(value, fromLane(value, distance));
  }
  return value;
}

}  // namespace gradloom::cuda
