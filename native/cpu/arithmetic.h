// Elementary arithmetic on vectors: signs, order, rounding, roots, division with a floor.
#pragma once

#include <cmath>
#include <limits>

#include "cpu/simd.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

template <class V>
constexpr bool isDouble = std::is_same_v<Element<V>, double>;
template <class V>
constexpr Element<V> infinity = std::numeric_limits<Element<V>>::infinity();

// ---- signs, comparisons, rounding -----------------------------------------------------------

template <class V>
GRADLOOM_INLINE V abs(V x) {
  if constexpr (isFloating<V>) {
    using I = Bits<V>;
    return bitCast<V>(bits(x) & splat<I>(std::numeric_limits<Element<I>>::max()));
  } else {
    return select(x < V{}, V(-x), x);
  }
}

template <class V>
GRADLOOM_INLINE V copySign(V magnitude, V sign) {
  using I = Bits<V>;
  const I signBit = splat<I>(std::numeric_limits<Element<I>>::min());
  return bitCast<V>((bits(magnitude) & ~signBit) | (bits(sign) & signBit));
}

// 1, -1, or x * 0: zeros keep their sign and NaN stays NaN.
template <class V>
GRADLOOM_INLINE V sign(V x) {
  return select(x > V{}, constant<V>(1), select(x < V{}, constant<V>(-1), V(x * V{})));
}

// NaN when either is NaN.
template <class V>
GRADLOOM_INLINE V minimum(V a, V b) {
  return select(a < b, a, select(b <= a, b, V(a + b)));
}
template <class V>
GRADLOOM_INLINE V maximum(V a, V b) {
  return select(a > b, a, select(b >= a, b, V(a + b)));
}

// To the nearest integer, halves to the even one. Adding 2^(mantissa bits) makes the hardware do
// it.
template <class V>
GRADLOOM_INLINE V round(V x) {
  const V large = constant<V>(isDouble<V> ? 0x1p52 : 0x1p23);
  const V size = abs(x);
  return select(size < large, copySign(V((size + large) - large), x), x);
}

template <class V>
GRADLOOM_INLINE V floor(V x) {
  const V nearest = round(x);
  return select(nearest > x, V(nearest - constant<V>(1)), nearest);
}

template <class V>
GRADLOOM_INLINE V ceil(V x) {
  const V nearest = round(x);
  return copySign(select(nearest < x, V(nearest + constant<V>(1)), nearest), x);
}

// The compiler makes one vector instruction of this.
template <class V>
GRADLOOM_INLINE V sqrt(V x) {
  if constexpr (isDouble<V>)
    return eachLane(x, [](double a) { return ::sqrt(a); });
  else
    return eachLane(x, [](float a) { return ::sqrtf(a); });
}

// ---- division with a floor ------------------------------------------------------------------

namespace detail {

// Remainder with the sign of the divisor, as in Python; NaN for a zero divisor.
template <class T>
inline T modFloat(T a, T b) {
  const T remainder =
      std::is_same_v<T, float> ? T(::fmodf(float(a), float(b))) : T(::fmod(double(a), double(b)));
  if (remainder == 0) return b < 0 ? T(-0.0) : T(0);
  return (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

template <class T>
inline T floorDivFloat(T a, T b) {
  if (b == 0) return a / b;
  const T quotient = (a - modFloat(a, b)) / b;  // an integer but for rounding
  if (quotient == 0) return (a < 0) != (b < 0) ? T(-0.0) : T(0);
  const T below = floor(quotient);
  return quotient - below > T(0.5) ? below + T(1) : below;
}

// Integers: zero for a zero divisor; the one overflow, lowest / -1, wraps.
template <class T>
inline T floorDivInteger(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return T(0u - std::make_unsigned_t<T>(a));
  }
  const T quotient = T(a / b);
  return a % b != 0 && (a < 0) != (b < 0) ? T(quotient - 1) : quotient;
}

template <class T>
inline T modInteger(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  const T remainder = T(a % b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? T(remainder + b) : remainder;
}

}  // namespace detail

template <class V>
GRADLOOM_INLINE V mod(V a, V b) {
  using T = Element<V>;
  if constexpr (isFloating<V>)
    return eachLane(a, b, detail::modFloat<T>);
  else
    return eachLane(a, b, detail::modInteger<T>);
}

template <class V>
GRADLOOM_INLINE V floorDiv(V a, V b) {
  using T = Element<V>;
  if constexpr (isFloating<V>)
    return eachLane(a, b, detail::floorDivFloat<T>);
  else
    return eachLane(a, b, detail::floorDivInteger<T>);
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
