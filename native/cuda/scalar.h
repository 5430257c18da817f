// The vocabulary of the formulas for one number in a kernel: what cpu/math.h is to vectors.
// Integers wrap, floating point follows C's functions.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "cuda/platform.h"

namespace gradloom::cuda {

// To integers: towards zero, saturating, NaN gives 0. Every other conversion is C++'s own.
template <class To, class From>
__host__ __device__ inline To saturate(From value) {
  if constexpr (std::is_same_v<To, From> || std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else {
    constexpr To lowest = std::is_same_v<To, int32_t> ? To(INT32_MIN) : To(0);
    constexpr To highest = std::is_same_v<To, int32_t> ? To(INT32_MAX) : To(255);
    if constexpr (std::is_floating_point_v<From>) {
      // static_cast<From>(highest) may round up to the first value out of range: >= catches it.
      if (value >= static_cast<From>(highest)) return highest;
      if (!(value > static_cast<From>(lowest))) return value != value ? To(0) : lowest;
      return static_cast<To>(value);
    } else {
      const int64_t wide = value;
      return wide < lowest ? lowest : wide > highest ? highest : To(wide);
    }
  }
}

// A 32-bit integer whose arithmetic wraps, which C++ does not promise of its own.
struct Wrapping {
  int32_t value;
};

// What formulas of elements T compute with.
template <class T>
using Scalar = std::conditional_t<std::is_same_v<T, int32_t>, Wrapping, T>;

__device__ inline Wrapping toScalar(int32_t x) {
  return {x};
}
__device__ inline int32_t fromScalar(Wrapping x) {
  return x.value;
}
template <class T>
__device__ inline T toScalar(T x) {
  return x;
}
template <class T>
__device__ inline T fromScalar(T x) {
  return x;
}

__device__ inline Wrapping operator+(Wrapping a, Wrapping b) {
  return {int32_t(uint32_t(a.value) + uint32_t(b.value))};
}
__device__ inline Wrapping operator-(Wrapping a, Wrapping b) {
  return {int32_t(uint32_t(a.value) - uint32_t(b.value))};
}
__device__ inline Wrapping operator*(Wrapping a, Wrapping b) {
  return {int32_t(uint32_t(a.value) * uint32_t(b.value))};
}
__device__ inline Wrapping operator-(Wrapping a) {
  return {int32_t(0u - uint32_t(a.value))};
}
#define GRADLOOM_COMPARISON(operation)                                \
  __device__ inline bool operator operation(Wrapping a, Wrapping b) { \
    return a.value operation b.value;                                 \
  }
GRADLOOM_COMPARISON(==)
GRADLOOM_COMPARISON(!=)
GRADLOOM_COMPARISON(<)
GRADLOOM_COMPARISON(<=)
GRADLOOM_COMPARISON(>)
GRADLOOM_COMPARISON(>=)
#undef GRADLOOM_COMPARISON

template <class V>
__device__ inline V constant(double value) {
  if constexpr (std::is_same_v<V, Wrapping>)
    return Wrapping{int32_t(value)};
  else
    return static_cast<V>(value);
}

template <class V>
__device__ inline V select(bool condition, V a, V b) {
  return condition ? a : b;
}
__device__ inline bool select(bool condition, bool a, bool b) {
  return condition ? a : b;
}

// C's functions, by the type of their argument.
#define GRADLOOM_FUNCTION(name)             \
  __device__ inline float name(float x) {   \
    return ::name##f(x);                    \
  }                                         \
  __device__ inline double name(double x) { \
    return ::name(x);                       \
  }
GRADLOOM_FUNCTION(sqrt)
GRADLOOM_FUNCTION(exp)
GRADLOOM_FUNCTION(expm1)
GRADLOOM_FUNCTION(log)
GRADLOOM_FUNCTION(log1p)
GRADLOOM_FUNCTION(sin)
GRADLOOM_FUNCTION(cos)
GRADLOOM_FUNCTION(tan)
GRADLOOM_FUNCTION(asin)
GRADLOOM_FUNCTION(acos)
GRADLOOM_FUNCTION(atan)
GRADLOOM_FUNCTION(sinh)
GRADLOOM_FUNCTION(cosh)
GRADLOOM_FUNCTION(tanh)
GRADLOOM_FUNCTION(erf)
GRADLOOM_FUNCTION(floor)
GRADLOOM_FUNCTION(ceil)
#undef GRADLOOM_FUNCTION

// To the nearest integer, halves to the even one.
__device__ inline float round(float x) {
  return ::rintf(x);
}
__device__ inline double round(double x) {
  return ::rint(x);
}
__device__ inline float pow(float a, float b) {
  return ::powf(a, b);
}
__device__ inline double pow(double a, double b) {
  return ::pow(a, b);
}
__device__ inline float atan2(float a, float b) {
  return ::atan2f(a, b);
}
__device__ inline double atan2(double a, double b) {
  return ::atan2(a, b);
}
__device__ inline float remainder(float a, float b) {
  return ::fmodf(a, b);
}
__device__ inline double remainder(double a, double b) {
  return ::fmod(a, b);
}

template <class V>
__device__ inline V abs(V x) {
  if constexpr (std::is_same_v<V, float>)
    return ::fabsf(x);
  else if constexpr (std::is_same_v<V, double>)
    return ::fabs(x);
  else if constexpr (std::is_same_v<V, Wrapping>)
    return x.value < 0 ? -x : x;
  else
    return x;
}

// 1, -1, or x * 0: zeros keep their sign and NaN stays NaN.
template <class V>
__device__ inline V sign(V x) {
  const V zero = constant<V>(0);
  return x > zero ? constant<V>(1) : x < zero ? constant<V>(-1) : V(x * zero);
}

// NaN when either is NaN.
template <class V>
__device__ inline V minimum(V a, V b) {
  return a < b ? a : b <= a ? b : V(a + b);
}
template <class V>
__device__ inline V maximum(V a, V b) {
  return a > b ? a : b >= a ? b : V(a + b);
}

template <class V>
__device__ inline V sigmoid(V x) {
  const V small = exp(V(-abs(x)));  // does not overflow: tiny results are right
  return (x < constant<V>(0) ? small : constant<V>(1)) / (constant<V>(1) + small);
}
// log(1 + e^x) without overflow.
template <class V>
__device__ inline V softplus(V x) {
  return maximum(x, constant<V>(0)) + log1p(exp(V(-abs(x))));
}

// ---- division with a floor, as in Python -------------------------------------------------------

// Integers: zero for a zero divisor; the lowest number by -1 wraps.
__device__ inline int32_t floorDivInteger(int32_t a, int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return int32_t(0u - uint32_t(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
__device__ inline int32_t modInteger(int32_t a, int32_t b) {
  if (b == 0 || b == -1) return 0;
  const int32_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// Remainder with the sign of the divisor; NaN for a zero divisor.
template <class V>
__device__ inline V mod(V a, V b) {
  if constexpr (std::is_same_v<V, Wrapping>) {
    return {modInteger(a.value, b.value)};
  } else if constexpr (std::is_integral_v<V>) {
    return V(modInteger(a, b));
  } else {
    const V rest = remainder(a, b);
    if (rest == 0) return b < 0 ? V(-0.0) : V(0);
    return (rest < 0) != (b < 0) ? rest + b : rest;
  }
}

template <class V>
__device__ inline V floorDiv(V a, V b) {
  if constexpr (std::is_same_v<V, Wrapping>) {
    return {floorDivInteger(a.value, b.value)};
  } else if constexpr (std::is_integral_v<V>) {
    return V(floorDivInteger(a, b));
  } else {
    if (b == 0) return a / b;
    const V quotient = (a - mod(a, b)) / b;  // an integer but for rounding
    if (quotient == 0) return (a < 0) != (b < 0) ? V(-0.0) : V(0);
    const V below = floor(quotient);
    return quotient - below > V(0.5) ? below + V(1) : below;
  }
}

}  // namespace gradloom::cuda

// The formulas themselves, once per file that includes this header.
#define GRADLOOM_FORMULA __device__ inline
namespace gradloom::cuda {
#include "kernels/formulas.inc"
}  // namespace gradloom::cuda
#undef GRADLOOM_FORMULA
