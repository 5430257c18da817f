// The kernels of a call's device by element type.
#pragma once

#include <type_traits>

#include "api/device.h"

namespace gradloom::api {

// The member of a table that goes with a type.
template <class T, class Table>
const auto& byType(const Table& table) {
  if constexpr (std::is_same_v<T, float>)
    return table.float32;
  else if constexpr (std::is_same_v<T, double>)
    return table.float64;
  else if constexpr (std::is_same_v<T, int32_t>)
    return table.int32;
  else
    return table.uint8;
}

template <class T>
const TypeKernels<T>& typeKernels(const Call& call) {
  return byType<T>(call.device().kernels());
}

template <class T>
const OrderKernels<T>& orderKernels(const Call& call) {
  return byType<T>(call.device());
}

template <class T>
const SizeKernels<T>& sizeKernels(const Call& call) {
  const Kernels& table = call.device().kernels();
  if constexpr (sizeof(T) == 8)
    return table.size8;
  else if constexpr (sizeof(T) == 4)
    return table.size4;
  else
    return table.size1;
}

template <class T>
const MoveKernels<T>& moveKernels(const Call& call) {
  if constexpr (sizeof(T) == 8)
    return call.device().move8;
  else if constexpr (sizeof(T) == 4)
    return call.device().move4;
  else
    return call.device().move1;
}

template <class T>
const RealKernels<T>& realKernels(const Call& call) {
  if constexpr (std::is_same_v<T, double>)
    return call.device().kernels().real64;
  else
    return call.device().kernels().real32;
}

}  // namespace gradloom::api
