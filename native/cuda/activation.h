// The activations that kernels of dense layers compute on the way, and their derivatives.
#pragma once

#include <cstring>

#include "cpu/kernels.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {

// Those that have a derivative of their output, and those that have one of their input.
#define GRADLOOM_ACTIVATIONS(OUTPUT, INPUT) \
  OUTPUT(relu) OUTPUT(elu) OUTPUT(selu) OUTPUT(sigmoid) OUTPUT(tanh) INPUT(gelu) INPUT(silu)

// Others take a pass of their own.
#define GRADLOOM_NAME(row) row,
enum class Activation { none, GRADLOOM_ACTIVATIONS(GRADLOOM_NAME, GRADLOOM_NAME) other };
#undef GRADLOOM_NAME

// The activation whose row of the table has the name with this ending; -1 is none.
inline Activation activationOf(int kernel, const char* ending) {
  if (kernel < 0) return Activation::none;
  const char* const name = kernelInfo[kernel].name;
#define GRADLOOM_FIND(row)                               \
  if (std::strncmp(name, #row, sizeof(#row) - 1) == 0 && \
      std::strcmp(name + sizeof(#row) - 1, ending) == 0) \
    return Activation::row;
  GRADLOOM_ACTIVATIONS(GRADLOOM_FIND, GRADLOOM_FIND)
#undef GRADLOOM_FIND
  return Activation::other;
}

template <class T>
__device__ inline T activated(Activation activation, T x, T p, T q) {
  const T no = T(0);
  switch (activation) {
#define GRADLOOM_VALUE(row) \
  case Activation::row:     \
    return row##_y::value(x, no, no, no, p, q);
    GRADLOOM_ACTIVATIONS(GRADLOOM_VALUE, GRADLOOM_VALUE)
#undef GRADLOOM_VALUE
    default:
      return x;
  }
}

// Whether the derivative is of the value before the activation; else it is of the value after.
__host__ __device__ inline bool readsInput(Activation activation) {
#define GRADLOOM_YES(row) activation == Activation::row ||
#define GRADLOOM_NO(row)
  return GRADLOOM_ACTIVATIONS(GRADLOOM_NO, GRADLOOM_YES) false;
#undef GRADLOOM_YES
#undef GRADLOOM_NO
}

// The gradient of the input from that of the output; `seen` is the input or the output.
template <class T>
__device__ inline T derived(Activation activation, T g, T seen, T p, T q) {
  const T no = T(0);
  switch (activation) {
#define GRADLOOM_OF_OUTPUT(row) \
  case Activation::row:         \
    return row##_da::value(g, seen, no, no, p, q);
#define GRADLOOM_OF_INPUT(row) \
  case Activation::row:        \
    return row##_da::value(seen, g, no, no, p, q);
    GRADLOOM_ACTIVATIONS(GRADLOOM_OF_OUTPUT, GRADLOOM_OF_INPUT)
#undef GRADLOOM_OF_OUTPUT
#undef GRADLOOM_OF_INPUT
    default:
      return g;
  }
}

}  // namespace gradloom::cuda
