// Exponentials, logarithms, powers and what is made of them, on vectors.
//
// float32 is computed in vectors, within 2 units in the last place (native/test measures it),
// denormals, infinities, NaN and signed zeros included. float64 calls the C library lane by lane.
// Polynomials are minimax fits of our own over the stated interval, lowest power first.
#pragma once

#include "cpu/arithmetic.h"

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace gradloom::GRADLOOM_ISA {
namespace {

// c0 + c1 x + c2 x² + …
template <class V>
GRADLOOM_INLINE V polynomial(V, double c0) {
  return constant<V>(c0);
}
template <class V, class... Rest>
GRADLOOM_INLINE V polynomial(V x, double c0, Rest... rest) {
  return polynomial(x, rest...) * x + constant<V>(c0);
}

// x, but no more than `most`; NaN stays. One instruction, which compilers do not make of select.
template <class V>
GRADLOOM_INLINE V cutAbove(V x, double most) {
  const V limit = constant<V>(most);
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return bitCast<V>(_mm512_min_ps(__m512(limit), __m512(x)));
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32) return bitCast<V>(_mm256_min_ps(__m256(limit), __m256(x)));
#endif
  return select(x > limit, limit, x);
}

// x, but no less than `least`; NaN stays.
template <class V>
GRADLOOM_INLINE V cutBelow(V x, double least) {
  const V limit = constant<V>(least);
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return bitCast<V>(_mm512_max_ps(__m512(limit), __m512(x)));
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32) return bitCast<V>(_mm256_max_ps(__m256(limit), __m256(x)));
#endif
  return select(x < limit, limit, x);
}

// ---- exponentials ---------------------------------------------------------------------------

namespace detail {

// ln 2 in two parts; the first has nine bits, so that its product with an exponent is exact.
constexpr double ln2High = 0.693359375;
constexpr double ln2Low = -2.1219444005469058e-4;

// x = n ln 2 + r with |r| <= ln 2 / 2; gives e^r - 1 and n, twice. |x| < 2^21.
template <class V>
GRADLOOM_INLINE V expReduced(V x, Bits<V>& n, V& whole) {
  const V magic = constant<V>(0x1.8p23);  // its last bit counts ones
  const V shifted = x * constant<V>(1.4426950408889634) + magic;
  whole = shifted - magic;
  V r = x - whole * constant<V>(ln2High);
  r = r - whole * constant<V>(ln2Low);
  n = bits(shifted) - bits(magic);
  const V p = polynomial(r, 0.5, 0x1.555556p-3, 0x1.5554f6p-5, 0x1.111002p-7, 0x1.6d3c88p-10,
                         0x1.a24778p-13);  // |r| <= 0.3466
  return r * r * p + r;
}

// 2^n for -126 <= n <= 127.
template <class V>
GRADLOOM_INLINE V power2(Bits<V> n) {
  return bitCast<V>((n + 127) << 23);
}

// v 2^n, rounded once, for v in [1/2, 2]; `whole` is n as a float.
template <class V>
GRADLOOM_INLINE V scale(V v, [[maybe_unused]] Bits<V> n, [[maybe_unused]] V whole) {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return bitCast<V>(_mm512_scalef_ps(__m512(v), __m512(whole)));
#endif
  const Bits<V> half = n >> 1;  // two steps: 2^n itself may be no normal number
  return v * power2<V>(half) * power2<V>(n - half);
}

}  // namespace detail

template <class V>
GRADLOOM_INLINE V exp(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::exp(a); });
  } else {
    x = cutAbove(x, 89);    // e^89 is above float32
    x = cutBelow(x, -104);  // e^-104 rounds to zero
    Bits<V> n;
    V whole;
    const V tail = detail::expReduced(x, n, whole);
    return detail::scale<V>(tail + constant<V>(1), n, whole);
  }
}

template <class V>
GRADLOOM_INLINE V expm1(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::expm1(a); });
  } else {
    const V y = cutBelow(cutAbove(x, 89), -18);  // there it is -1
    Bits<V> n;
    V whole;
    const V tail = detail::expReduced(y, n, whole);
    const V half = detail::power2<V>(n - 1);  // 2^n (e^r - 1) + (2^n - 1), halved
    const V result = half * tail + (half - constant<V>(0.5));
    return select(x == V{}, x, V(result + result));
  }
}

// ---- logarithms -----------------------------------------------------------------------------

namespace detail {

// x = 2^e m with m in [sqrt(1/2), sqrt(2)), for positive finite x; denormals too.
template <class V>
GRADLOOM_INLINE V mantissa(V x, V& e) {
  using I = Bits<V>;
  const auto tiny = x < constant<V>(0x1p-126);
  x = select(tiny, V(x * constant<V>(0x1p23)), x);
  const I root = splat<I>(0x3f3504f3);  // bits of sqrt(1/2)
  const I above = bits(x) - root;
  e = convert<float>(above >> 23) - select(tiny, constant<V>(23), V{});
  return bitCast<V>((above & splat<I>(0x7fffff)) + root);
}

// log(x) + correction, for positive finite x.
template <class V>
GRADLOOM_INLINE V logFinite(V x, V correction) {
  V e;
  const V f = mantissa(x, e) - constant<V>(1);
  const V z = f * f;
  V y = f * z *
        polynomial(f, 0x1.555548p-2, -0x1.000006p-2, 0x1.99a4760p-3, -0x1.555c46p-3, 0x1.233ba8p-3,
                   -0x1.fc2886p-4, 0x1.e6bf3ap-4, -0x1.de02bcp-4, 0x1.14760cp-4);
  y = e * constant<V>(ln2Low) + y;
  y = y - constant<V>(0.5) * z + correction;
  return e * constant<V>(ln2High) + (f + y);
}

// Puts log's special values in: y for 0 < x < infinity.
template <class V>
GRADLOOM_INLINE V logSpecial(V x, V y) {
  const V outside = select(x == V{}, splat<V>(-infinity<V>),
                           splat<V>(std::numeric_limits<Element<V>>::quiet_NaN()));
  return select(x > V{}, select(x < splat<V>(infinity<V>), y, x), outside);
}

}  // namespace detail

template <class V>
GRADLOOM_INLINE V log(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::log(a); });
  } else {
    return detail::logSpecial(x, detail::logFinite(x, V{}));
  }
}

// log of u = 1 + x as rounded, plus what the rounding lost over u.
template <class V>
GRADLOOM_INLINE V log1p(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::log1p(a); });
  } else {
    const V one = constant<V>(1);
    const V u = x + one;
    const V lost = select(x < one, V(x - (u - one)), V(one - (u - x)));
    const V y = detail::logSpecial(u, detail::logFinite(u, V(lost / u)));
    return select(x == V{}, x, y);
  }
}

// ---- powers ---------------------------------------------------------------------------------

namespace detail {

// |x|^y in double from float32: 2^(y log2 |x|). Zero and infinite |x| come out right by themselves.
template <class V>
GRADLOOM_INLINE V powerOfSize(V size, V y) {
  using D = Vec<double, lanesOf<V>>;
  const auto proper = (size > V{}) & (size < splat<V>(infinity<V>));
  V e;
  const D m = convert<double>(mantissa(select(proper, size, constant<V>(1)), e));
  const D one = constant<D>(1);
  const D s = (m - one) / (m + one);  // log2 m = 2 atanh(s) / ln 2, |s| < 0.172
  const D z = s * s;
  constexpr double c = 2.8853900817779268;  // 2 / ln 2
  D log2 =
      convert<double>(e) + s * polynomial(z, c, c / 3, c / 5, c / 7, c / 9, c / 11, c / 13, c / 15);
  // Improper lanes went through as 1, whose logarithm is 0.
  const V improper = select(size == V{}, splat<V>(-infinity<V>), size);
  log2 = log2 + convert<double>(select(proper, V{}, improper));
  D t = convert<double>(y) * log2;
  t = select(t > constant<D>(200), constant<D>(200), t);
  t = select(t < constant<D>(-200), constant<D>(-200), t);
  const D shifted = t + constant<D>(0x1.8p52);
  const D g = (t - (shifted - constant<D>(0x1.8p52))) * constant<D>(0.6931471805599453);
  const D p = polynomial(g, 1, 1, 0.5, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320,
                         1. / 362880);
  return convert<float>(p * bitCast<D>((bits(shifted) + 1023) << 52));
}

}  // namespace detail

// As C's pow: pow(x, 0) and pow(1, y) are 1 even for NaN.
template <class V>
GRADLOOM_INLINE V pow(V x, V y) {
  if constexpr (isDouble<V>) {
    return eachLane(x, y, [](double a, double b) { return ::pow(a, b); });
  } else {
    const V one = constant<V>(1);
    const V size = abs(x);
    V result = detail::powerOfSize(size, y);
    const V half = y * constant<V>(0.5);
    const auto fraction = floor(y) != y;
    const auto odd = (floor(y) == y) & (floor(half) != half);
    const auto negative = (x < V{}) & (x > splat<V>(-infinity<V>));
    const V nan = splat<V>(std::numeric_limits<Element<V>>::quiet_NaN());
    result = select(negative & fraction, nan, result);
    result = select(odd, copySign(result, x), result);
    const auto unitToInfinity = (size == one) & (abs(y) == splat<V>(infinity<V>));
    return select((y == V{}) | (x == one) | unitToInfinity, one, result);
  }
}

// ---- hyperbolic, error function, logistic ---------------------------------------------------

template <class V>
GRADLOOM_INLINE V tanh(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::tanh(a); });
  } else {
    V size = abs(x);
    size = cutAbove(size, 10);  // there it is 1
    const V z = size * size;
    const V p = polynomial(z, -0x1.55554ap-2, 0x1.110cfp-3, -0x1.b91f22p-5, 0x1.58ec9cp-6,
                           -0x1.995794p-8);  // |x| <= 0.55
    const V one = constant<V>(1);
    const V far = one - constant<V>(2) / (exp(V(size + size)) + one);
    return copySign(select(size < constant<V>(0.55), V(size * z * p + size), far), x);
  }
}

// Below 0.9 an odd polynomial; above, 1 - exp(polynomial), which is 1 from 4 on.
template <class V>
GRADLOOM_INLINE V erf(V x) {
  if constexpr (isDouble<V>) {
    return eachLane(x, [](double a) { return ::erf(a); });
  } else {
    V size = abs(x);
    size = cutAbove(size, 4);
    const V low = polynomial(V(x * x), 0x1.06eba8p-3, -0x1.81274p-2, 0x1.ce2d6p-4, -0x1.b80062p-6,
                             0x1.543f2ap-8, -0x1.a583bcp-11, 0x1.4d2864p-14);
    const V high = polynomial(size, -0x1.20ee9ep+0, -0x1.45367cp-1, -0x1.b2f21ep-4, 0x1.84a2d8p-6,
                              -0x1.dae166p-9, 0x1.4d8afcp-12, -0x1.6940acp-17);
    const V far = copySign(V(constant<V>(1) - exp(V(size * high))), x);
    return select(size < constant<V>(0.9), V(x * low + x), far);
  }
}

// e^-|x| does not overflow: tiny results are right down to the smallest number there is.
template <class V>
GRADLOOM_INLINE V sigmoid(V x) {
  const V one = constant<V>(1);
  const V small = exp(V(-abs(x)));
  return select(x < V{}, small, one) / (one + small);
}

template <class V>
GRADLOOM_INLINE V softplus(V x) {
  return maximum(x, V{}) + log1p(exp(V(-abs(x))));
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
