// Reductions of an instruction set against plain loops in long double, at sizes around vectors,
// blocks and the cuts for threads; the same bits for any number of threads.
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/threads.h"
#include "test/test.h"

namespace gradloom::test {

void testReductions(const Kernels& kernels);

namespace {

struct Shape {
  int64_t outer, n, inner;
};

constexpr Shape shapes[] = {{1, 1, 1},     {1, 7, 1},     {3, 31, 1},     {2, 33, 1},  {4, 1000, 1},
                            {1, 70001, 1}, {2, 3, 4},     {1, 100, 37},   {3, 65, 64}, {1, 300, 3},
                            {5, 2, 129},   {1, 5000, 40}, {1, 200000, 1}, {100, 10, 1}};

template <class T>
long double reference(Reduction reduction, const std::vector<T>& a, Shape s, int64_t o, int64_t i) {
  long double result = 0;
  const bool product = reduction == Reduction::prod || reduction == Reduction::all;
  if (product) result = 1;
  int64_t position = 0;
  for (int64_t j = 0; j < s.n; j++) {
    const long double x = a[size_t((o * s.n + j) * s.inner + i)];
    const bool greater = reduction == Reduction::max || reduction == Reduction::argMax;
    switch (reduction) {
      case Reduction::sum:
        result += x;
        break;
      case Reduction::prod:
        result *= x;
        break;
      case Reduction::sumSquares:
        result += x * x;
        break;
      case Reduction::sumAbs:
        result += fabsl(x);
        break;
      case Reduction::any:
        result = result != 0 || x != 0;
        break;
      case Reduction::all:
        result = result != 0 && x != 0;
        break;
      default:
        if (j == 0 ||
            (!std::isnan(result) && (std::isnan(x) || (greater ? x > result : x < result)))) {
          result = x;
          position = j;
        }
    }
  }
  const bool wantsPosition = reduction == Reduction::argMax || reduction == Reduction::argMin;
  return wantsPosition ? (long double)position : result;
}

// Output of any type as long double.
template <class R, class T>
void check(const TypeKernels<T>& table, Reduction reduction, const std::vector<T>& a, Shape s,
           double tolerance) {
  const size_t results = size_t(s.outer * s.inner);
  std::vector<R> out(results), again(results);
  setThreadCount(1);
  table.reduce(reduction, out.data(), a.data(), s.outer, s.n, s.inner);
  setThreadCount(3);
  table.reduce(reduction, again.data(), a.data(), s.outer, s.n, s.inner);
  CHECK(std::memcmp(out.data(), again.data(), results * sizeof(R)) == 0,
        "reduction %d depends on the number of threads", int(reduction));
  for (int64_t o = 0; o < s.outer; o++) {
    for (int64_t i = 0; i < s.inner; i++) {
      const long double wanted = reference(reduction, a, s, o, i);
      const long double got = (long double)out[size_t(o * s.inner + i)];
      const bool same = got == wanted || (std::isnan(got) && std::isnan(wanted));
      CHECK(same || fabsl(got - wanted) <= tolerance * fabsl(wanted),
            "reduction %d of %lld x %lld x %lld: %.9Lg, expected %.9Lg", int(reduction),
            (long long)s.outer, (long long)s.n, (long long)s.inner, got, wanted);
    }
  }
}

template <class T>
void ofType(const TypeKernels<T>& table) {
  using Total = std::conditional_t<std::is_same_v<T, uint8_t>, int32_t, T>;
  constexpr bool real = std::is_floating_point_v<T>;
  for (const Shape& s : shapes) {
    Source source{uint64_t(s.n)};
    std::vector<T> a(size_t(s.outer * s.n * s.inner));
    // Positive, so that relative errors of sums mean something; few values, so that there are ties.
    for (T& x : a) x = real ? T(source.uniform(0.5, 1.5)) : T(source.next() % 4);
    const double sum = real ? 8 * double(std::numeric_limits<T>::epsilon()) : 0;
    for (const auto each : {Reduction::sum, Reduction::sumSquares, Reduction::sumAbs}) {
      check<Total>(table, each, a, s, sum);
    }
    check<T>(table, Reduction::max, a, s, 0);
    check<T>(table, Reduction::min, a, s, 0);
    check<int32_t>(table, Reduction::argMax, a, s, 0);
    check<int32_t>(table, Reduction::argMin, a, s, 0);
    check<uint8_t>(table, Reduction::any, a, s, 0);
    check<uint8_t>(table, Reduction::all, a, s, 0);
    std::vector<T> ones(a.size(), T(1));
    ones[ones.size() / 2] = T(2);
    check<Total>(table, Reduction::prod, ones, s, 0);
    check<uint8_t>(table, Reduction::any, std::vector<T>(a.size()), s, 0);
    check<uint8_t>(table, Reduction::all, ones, s, 0);
    if constexpr (real) {
      a[a.size() / 3] = T(NAN);
      a[a.size() / 2] = T(INFINITY);
      for (const auto each : {Reduction::max, Reduction::min}) check<T>(table, each, a, s, 0);
      for (const auto each : {Reduction::argMax, Reduction::argMin}) {
        check<int32_t>(table, each, a, s, 0);
      }
    }
  }
}

// The error of a long sum must not grow with its length.
void longSum(const Kernels& kernels) {
  const int64_t n = 1 << 22;
  std::vector<float> a(n, 0.1f);
  float total = 0;
  kernels.float32.reduce(Reduction::sum, &total, a.data(), 1, n, 1);
  const double error = std::abs(double(total) / (double(0.1f) * double(n)) - 1);
  CHECK(error < 1e-6, "sum of %lld tenths is %.2g off", (long long)n, error);
}

}  // namespace

void testReductions(const Kernels& kernels) {
  group("reductions");
  ofType(kernels.float32);
  ofType(kernels.float64);
  ofType(kernels.int32);
  ofType(kernels.uint8);
  longSum(kernels);
  setThreadCount(2);
}

}  // namespace gradloom::test
