// The activations that kernels of dense layers compute on the way, and their derivatives.
#pragma once

#include <cstring>

#include "cpu/kernels.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {

// Others take a pass of their own.
enum class Activation { none, relu, elu, selu, sigmoid, tanh, gelu, silu, other };

// The activation whose row of the table has the name with this ending; -1 is none.
inline Activation activationOf(int kernel, const char* ending) {
  if (kernel < 0) return Activation::none;
  const char* const name = kernelInfo[kernel].name;
#define GRADLOOM_ACTIVATION(row)                         \
  if (std::strncmp(name, #row, sizeof(#row) - 1) == 0 && \
      std::strcmp(name + sizeof(#row) - 1, ending) == 0) \
    return Activation::row;
  GRADLOOM_ACTIVATION(relu)
  GRADLOOM_ACTIVATION(elu)
  GRADLOOM_ACTIVATION(selu)
  GRADLOOM_ACTIVATION(sigmoid)
  GRADLOOM_ACTIVATION(tanh)
  GRADLOOM_ACTIVATION(gelu)
  GRADLOOM_ACTIVATION(silu)
#undef GRADLOOM_ACTIVATION
  return Activation::other;
}

template <class T>
__device__ inline T activated(Activation activation, T x, T p, T q) {
  const T no = T(0);
  switch (activation) {
    case Activation::relu:
      return relu_y::value(x, no, no, no, p, q);
    case Activation::elu:
      return elu_y::value(x, no, no, no, p, q);
    case Activation::selu:
      return selu_y::value(x, no, no, no, p, q);
    case Activation::sigmoid:
      return sigmoid_y::value(x, no, no, no, p, q);
    case Activation::tanh:
      return tanh_y::value(x, no, no, no, p, q);
    case Activation::gelu:
      return gelu_y::value(x, no, no, no, p, q);
    case Activation::silu:
      return silu_y::value(x, no, no, no, p, q);
    default:
      return x;
  }
}

// Whether the derivative is of the value before the activation; else it is of the value after.
__host__ __device__ inline bool readsInput(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu;
}

// The gradient of the input from that of the output; `seen` is the input or the output.
template <class T>
__device__ inline T derived(Activation activation, T g, T seen, T p, T q) {
  const T no = T(0);
  switch (activation) {
    case Activation::relu:
      return relu_da::value(g, seen, no, no, p, q);
    case Activation::elu:
      return elu_da::value(g, seen, no, no, p, q);
    case Activation::selu:
      return selu_da::value(g, seen, no, no, p, q);
    case Activation::sigmoid:
      return sigmoid_da::value(g, seen, no, no, p, q);
    case Activation::tanh:
      return tanh_da::value(g, seen, no, no, p, q);
    case Activation::gelu:
      return gelu_da::value(seen, g, no, no, p, q);
    case Activation::silu:
      return silu_da::value(seen, g, no, no, p, q);
    default:
      return g;
  }
}

}  // namespace gradloom::cuda
