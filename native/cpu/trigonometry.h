// Trigonometry on vectors; float32 and float64 as in math.h.
#pragma once

#include "cpu/math.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// ---- trigonometry ---------------------------------------------------------------------------

namespace detail {

constexpr float largestReduced = 1e6f;  // quadrants below 2^20: their product with piHalf is exact

// sin(x + quadrants · π/2) for |x| <= largestReduced. The reduction is done in double.
template <class V>
GRADLOOM_INLINE V sinReduced(V x, int quadrants) {
  using D = Vec<double, lanesOf<V>>;
  using I = Bits<V>;
  const D d = convert<double>(x);
  const D magic = constant<D>(0x1.8p52);
  const D whole = (d * constant<D>(0.6366197723675814) + magic) - magic;
  const D left =
      d - whole * constant<D>(0x1.921fb544p+0) - whole * constant<D>(0x1.0b4611a626331p-34);
  const V r = convert<float>(left);
  const V z = r * r;
  const V sine = r * z * polynomial(z, -0x1.555546p-3, 0x1.110774p-7, -0x1.9951f8p-13) + r;
  const V cosine = z * z * polynomial(z, 0x1.55554ap-5, -0x1.6c0c28p-10, 0x1.99e816p-16) +
                   (constant<V>(1) - constant<V>(0.5) * z);
  const I quadrant = convert<int32_t>(whole) + splat<I>(quadrants);
  const V size = select((quadrant & splat<I>(1)) == splat<I>(0), sine, cosine);
  return bitCast<V>(bits(size) ^ ((quadrant & splat<I>(2)) << 30));
}

}  // namespace detail

template <class V>
GRADLOOM_INLINE V sin(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::sin(a); });
  } else {
    if (!all(abs(x) <= constant<V>(detail::largestReduced))) {
      return eachLane(x, [](float a) { return ::sinf(a); });
    }
    return select(x == V{}, x, detail::sinReduced(x, 0));
  }
}

template <class V>
GRADLOOM_INLINE V cos(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::cos(a); });
  } else {
    if (!all(abs(x) <= constant<V>(detail::largestReduced))) {
      return eachLane(x, [](float a) { return ::cosf(a); });
    }
    return detail::sinReduced(x, 1);
  }
}

// ---- by the C library, lane by lane ---------------------------------------------------------

#define GRADLOOM_FROM_LIBRARY(name)                             \
  template <class V>                                            \
  GRADLOOM_INLINE V name(V x) {                                 \
    if constexpr (isDouble<V>) {                                \
      return eachLane(x, [](double a) { return ::name(a); });   \
    } else {                                                    \
      return eachLane(x, [](float a) { return ::name##f(a); }); \
    }                                                           \
  }
GRADLOOM_FROM_LIBRARY(tan)
GRADLOOM_FROM_LIBRARY(asin)
GRADLOOM_FROM_LIBRARY(acos)
GRADLOOM_FROM_LIBRARY(atan)
GRADLOOM_FROM_LIBRARY(sinh)
GRADLOOM_FROM_LIBRARY(cosh)
#undef GRADLOOM_FROM_LIBRARY

template <class V>
GRADLOOM_INLINE V atan2(V y, V x) {
  if constexpr (isDouble<V>) {
    return eachLane(y, x, [](double a, double b) { return ::atan2(a, b); });
  } else {
    return eachLane(y, x, [](float a, float b) { return ::atan2f(a, b); });
  }
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
