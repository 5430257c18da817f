// Errors of the vector mathematics against the C library in long double, over all of float32's
// range in steps. Compiled once per instruction set; no templates of the standard library (see
// simd.h).
#include <cmath>

#include "cpu/trigonometry.h"
#include "test/test.h"

namespace gradloom::GRADLOOM_ISA {

void testMath();

namespace {

using V = Vec<float>;

// Distance in units of the last place of the right answer; a huge number for a wrong kind of value.
double ulps(float got, long double wanted) {
  constexpr double wrong = 1e9;
  const float rounded = float(wanted);
  if (std::isnan(rounded)) return std::isnan(got) ? 0 : wrong;
  if (std::isinf(rounded) || std::isinf(got)) {
    if (got == rounded) return 0;
    // One of them overflowed: fine if the answer is at the very edge.
    return std::isnan(got) || fabsl(wanted) < 3.402823e38L || fabsl(wanted) > 3.402825e38L ? wrong
                                                                                           : 1;
  }
  if (std::isnan(got)) return wrong;
  if (got == 0 && rounded == 0) return std::signbit(got) == std::signbit(rounded) ? 0 : wrong;
  int exponent;
  frexpl(wanted, &exponent);
  if (exponent < -125) exponent = -125;  // denormals are spaced like the smallest normal numbers
  return double(fabsl((long double)got - wanted) / ldexpl(1, exponent - 24));
}

struct Worst {
  double error = 0;
  float at = 0, second = 0;
  void take(double ulp, float x, float y = 0) {
    if (ulp > error) error = ulp, at = x, second = y;
  }
};

float fromBits(uint32_t word) {
  return bitCast<float>(word);
}

// Every `step`th float32 there is, so that all exponents, NaN and both infinities occur.
template <class F, class R>
void unary(const char* name, double limit, F function, R reference) {
  constexpr uint64_t step = 104729;
  Worst worst;
  float in[lanes<float>], out[lanes<float>];
  int filled = 0;
  const auto flush = [&] {
    for (int i = filled; i < lanes<float>; i++) in[i] = 1;
    store<V>(out, function(load<V>(in)));
    for (int i = 0; i < filled; i++) worst.take(ulps(out[i], reference((long double)in[i])), in[i]);
    filled = 0;
  };
  const float special[] = {0.f, -0.f, INFINITY, -INFINITY, NAN, 1.f, -1.f, 0x1p-149f, -0x1p-149f};
  for (const float x : special) {
    in[filled++] = x;
    if (filled == lanes<float>) flush();
  }
  for (uint64_t word = 0; word < uint64_t{1} << 32; word += step) {
    in[filled++] = fromBits(uint32_t(word));
    if (filled == lanes<float>) flush();
  }
  flush();
  CHECK(worst.error <= limit, "%s is %.3f ulp off at %a, allowed %.2f", name, worst.error,
        double(worst.at), limit);
  test::note("%-9s %.3f ulp", name, worst.error);
}

float powerOf(float x, float y) {
  return lane(pow(splat<V>(x), splat<V>(y)), 0);
}

void powers() {
  const float special[] = {0.f,        -0.f,        1.f,         -1.f,  INFINITY, -INFINITY,
                           NAN,        2.f,         -2.f,        3.f,   -3.f,     0.5f,
                           -0.5f,      0x1p-149f,   -0x1p-149f,  3e38f, -3e38f,   16777215.f,
                           16777216.f, -16777215.f, 2147483648.f};
  Worst worst;
  const auto take = [&](float x, float y) {
    double error = ulps(powerOf(x, y), powl(x, y));
    const float exact = float(powl(x, y));
    if (!std::isnan(exact) && std::signbit(powerOf(x, y)) != std::signbit(exact)) error = 1e9;
    worst.take(error, x, y);
  };
  for (const float x : special) {
    for (const float y : special) take(x, y);
  }
  test::Source source{7};
  for (int i = 0; i < 50000; i++) {
    take(fromBits(uint32_t(source.next())), fromBits(uint32_t(source.next())));
    take(float(source.uniform(0, 20)), float(source.uniform(-20, 20)));
    take(float(source.uniform(-5, 5)), float(int(source.next() % 21) - 10));
  }
  CHECK(worst.error <= 0.51, "pow is %.3f ulp off at %a, %a", worst.error, double(worst.at),
        double(worst.second));
  test::note("%-9s %.3f ulp", "pow", worst.error);
}

template <class T>
void divisions() {
  using W = Vec<T>;
  const T values[] = {
      0,     1,     2,    3, 7, 100, std::numeric_limits<T>::max(), std::numeric_limits<T>::min(),
      T(-1), T(-2), T(-7)};
  for (const T a : values) {
    for (const T b : values) {
      const int64_t floored = b == 0 ? 0 : int64_t(std::floor(double(a) / double(b)));
      const T quotient = lane(floorDiv(splat<W>(a), splat<W>(b)), 0);
      const T rest = lane(mod(splat<W>(a), splat<W>(b)), 0);
      CHECK(quotient == T(floored), "floorDiv(%lld, %lld) gives %lld", (long long)a, (long long)b,
            (long long)quotient);
      CHECK(rest == (b == 0 ? T(0) : T(int64_t{a} - floored * int64_t{b})),
            "mod(%lld, %lld) gives %lld", (long long)a, (long long)b, (long long)rest);
    }
  }
}

}  // namespace

// The limits are a little above what was measured: a worse polynomial would be noticed.
void testMath() {
  test::group("vector mathematics");
#define UNARY(name, limit, wanted)               \
  unary(                                         \
      #name, limit, [](V x) { return name(x); }, \
      [](long double x) -> long double { return wanted; })
  UNARY(exp, 1.0, expl(x));
  UNARY(expm1, 1.3, expm1l(x));
  UNARY(log, 0.9, logl(x));
  UNARY(log1p, 0.95, log1pl(x));
  UNARY(tanh, 1.3, tanhl(x));
  UNARY(erf, 1.0, erfl(x));
  UNARY(softplus, 1.6, fmaxl(x, 0) + log1pl(expl(-fabsl(x))));
  UNARY(sin, 1.5, sinl(x));
  UNARY(cos, 1.5, cosl(x));
  UNARY(tan, 1.0, tanl(x));
  UNARY(sqrt, 0.51, sqrtl(x));
  UNARY(floor, 0, floorl(x));
  UNARY(ceil, 0, ceill(x));
  UNARY(round, 0, rintl(x));
  UNARY(abs, 0, fabsl(x));
  // 1 / (1 + e^-x) is 0 where e^-x is above float32: there the answer is a denormal number.
  UNARY(sigmoid, 2.0, x < -88.7228L ? 0.0L : 1 / (1 + expl(-x)));
#undef UNARY
  powers();
  divisions<int32_t>();
  divisions<uint8_t>();
}

}  // namespace gradloom::GRADLOOM_ISA
