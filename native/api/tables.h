// The kernels of the chosen instruction set by element type.
#pragma once

#include <type_traits>

#include "cpu/kernels.h"

namespace gradloom::api {

template <class T>
const TypeKernels<T>& typeKernels() {
  if constexpr (std::is_same_v<T, float>)
    return kernels().float32;
  else if constexpr (std::is_same_v<T, double>)
    return kernels().float64;
  else if constexpr (std::is_same_v<T, int32_t>)
    return kernels().int32;
  else
    return kernels().uint8;
}

template <class T>
const SizeKernels<T>& sizeKernels() {
  if constexpr (sizeof(T) == 8)
    return kernels().size8;
  else if constexpr (sizeof(T) == 4)
    return kernels().size4;
  else
    return kernels().size1;
}

template <class T>
const RealKernels<T>& realKernels() {
  if constexpr (std::is_same_v<T, double>)
    return kernels().real64;
  else
    return kernels().real32;
}

}  // namespace gradloom::api
