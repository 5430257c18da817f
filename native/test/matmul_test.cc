// Matrix products of an instruction set against plain loops in double: sizes around tiles, strips,
// bands and blocks, all transposes, batches that repeat a matrix, memory allocated to the byte; the
// same bits for any number of threads.
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/threads.h"
#include "test/test.h"

namespace gradloom::test {

void testMatmul(const Kernels& kernels);

namespace {

struct Shape {
  int64_t m, n, k;
};

struct Layout {
  bool transA, transB, accumulate;
};

// Exactly n values: what is read beyond them, sanitizers see.
template <class T>
std::unique_ptr<T[]> values(int64_t n, uint64_t seed) {
  std::unique_ptr<T[]> made(new T[size_t(n)]);
  Source source{seed};
  for (int64_t i = 0; i < n; i++) made[size_t(i)] = T(source.uniform(-1, 1));
  return made;
}

template <class T>
double element(const T* a, const T* b, Shape s, Layout layout, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t p = 0; p < s.k; p++) {
    const T left = layout.transA ? a[p * s.m + i] : a[i * s.k + p];
    const T right = layout.transB ? b[j * s.k + p] : b[p * s.n + j];
    sum += double(left) * double(right);
  }
  return sum;
}

// Elements to compare: all of a small product, of a large one some in every row.
int64_t strideOf(Shape s) {
  return s.m * s.n * s.k > 4000000 ? 37 : 1;
}

// Number of elements that are further from the truth than the order of summation explains.
template <class T>
int64_t wrongElements(const T* c, const T* before, const T* a, const T* b, Shape s, Layout layout) {
  const double unit = sizeof(T) == 4 ? 6e-8 : 1.2e-16;
  const double allowed = unit * (8 + 2 * std::sqrt(double(s.k)) * 4);
  int64_t wrong = 0;
  for (int64_t i = 0; i < s.m; i++) {
    for (int64_t j = i % strideOf(s); j < s.n; j += strideOf(s)) {
      double wanted = element(a, b, s, layout, i, j);
      if (layout.accumulate) wanted += double(before[i * s.n + j]);
      const double error = std::fabs(double(c[i * s.n + j]) - wanted);
      wrong += !(error <= allowed * (1 + std::fabs(wanted)));
    }
  }
  return wrong;
}

template <class T>
void one(const RealKernels<T>& table, Shape s, Layout layout) {
  const auto a = values<T>(s.m * s.k, 1), b = values<T>(s.k * s.n, 2);
  const auto before = values<T>(s.m * s.n, 3);
  auto c = values<T>(s.m * s.n, 3);
  table.matmul(c.get(), a.get(), b.get(), 1, s.m, s.n, s.k, 0, 0, layout.transA, layout.transB,
               layout.accumulate);
  const int64_t wrong = wrongElements(c.get(), before.get(), a.get(), b.get(), s, layout);
  CHECK(wrong == 0, "%lld of %lld x %lld x %lld, transA %d, transB %d, accumulate %d",
        (long long)wrong, (long long)s.m, (long long)s.n, (long long)s.k, layout.transA,
        layout.transB, layout.accumulate);
}

template <class T>
void everyLayout(const RealKernels<T>& table, Shape s) {
  for (int bits = 0; bits < 8; bits++) {
    one(table, s, {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
  }
}

template <class T>
void shapes(const RealKernels<T>& table) {
  for (const int64_t m : {1, 2, 5, 8, 13, 65}) {
    for (const int64_t n : {1, 3, 7, 8, 17, 25, 49, 100}) {
      for (const int64_t k : {0, 1, 2, 5, 33, 300}) everyLayout(table, {m, n, k});
    }
  }
  const Shape more[] = {{32, 100, 3072}, {3072, 100, 32}, {300, 100, 100}, {100, 100, 257},
                        {129, 600, 130}, {600, 37, 513},  {1, 1000, 700},  {1000, 1, 700},
                        {40, 2500, 9},   {64, 256, 300},  {0, 5, 3},       {5, 0, 3}};
  for (const Shape s : more) everyLayout(table, s);
}

// Matrices of a batch one after another, or one for all.
template <class T>
void batches(const RealKernels<T>& table) {
  const Shape s = {9, 21, 30};
  const int64_t batch = 50;
  const auto a = values<T>(batch * s.m * s.k, 4), b = values<T>(batch * s.k * s.n, 5);
  for (int shared = 0; shared < 4; shared++) {
    const int64_t strideA = shared & 1 ? 0 : s.m * s.k, strideB = shared & 2 ? 0 : s.k * s.n;
    auto c = values<T>(batch * s.m * s.n, 6);
    table.matmul(c.get(), a.get(), b.get(), batch, s.m, s.n, s.k, strideA, strideB, false, true,
                 false);
    int64_t wrong = 0;
    for (int64_t t = 0; t < batch; t++) {
      const T* out = c.get() + t * s.m * s.n;
      wrong += wrongElements<T>(out, out, a.get() + t * strideA, b.get() + t * strideB, s,
                                {false, true, false});
    }
    CHECK(wrong == 0, "%lld in a batch, shared %d", (long long)wrong, shared);
  }
}

template <class T>
void threadsAgree(const RealKernels<T>& table) {
  const int before = threadCount();
  const Shape several[] = {{32, 100, 100}, {100, 100, 32}, {61, 700, 300}, {256, 256, 256},
                           {1000, 1, 300}, {1, 900, 500},  {33, 10, 3000}};
  for (const Shape s : several) {
    const auto a = values<T>(s.m * s.k, 7), b = values<T>(s.k * s.n, 8);
    for (int bits = 0; bits < 4; bits++) {
      std::unique_ptr<T[]> first;
      for (const int threads : {1, 2, 3, 8}) {
        setThreadCount(threads);
        auto c = values<T>(s.m * s.n, 9);
        table.matmul(c.get(), a.get(), b.get(), 1, s.m, s.n, s.k, 0, 0, (bits & 1) != 0,
                     (bits & 2) != 0, true);
        if (!first) first = std::move(c);
        if (!c) continue;
        const bool same = std::memcmp(first.get(), c.get(), size_t(s.m * s.n) * sizeof(T)) == 0;
        CHECK(same, "%lld x %lld x %lld, transposes %d, %d threads", (long long)s.m, (long long)s.n,
              (long long)s.k, bits, threads);
      }
    }
  }
  setThreadCount(before);
}

// NaN and infinity must not leak between rows or columns through padding.
template <class T>
void contained(const RealKernels<T>& table) {
  const Shape s = {6, 11, 19};
  for (int bits = 0; bits < 4; bits++) {
    auto a = values<T>(s.m * s.k, 10), b = values<T>(s.k * s.n, 11);
    auto c = values<T>(s.m * s.n, 12);
    const bool transA = (bits & 1) != 0, transB = (bits & 2) != 0;
    for (int64_t p = 0; p < s.k; p++) {
      a[size_t(transA ? p * s.m + 2 : 2 * s.k + p)] = T(NAN);
      b[size_t(transB ? 10 * s.k + p : p * s.n + 10)] = T(INFINITY);
    }
    table.matmul(c.get(), a.get(), b.get(), 1, s.m, s.n, s.k, 0, 0, transA, transB, false);
    int64_t wrong = 0;
    for (int64_t i = 0; i < s.m; i++) {
      for (int64_t j = 0; j < s.n; j++) {
        wrong += std::isfinite(c[size_t(i * s.n + j)]) != (i != 2 && j != 10);
      }
    }
    CHECK(wrong == 0, "%lld elements, transposes %d", (long long)wrong, bits);
  }
}

template <class T>
void all(const RealKernels<T>& table) {
  shapes(table);
  batches(table);
  threadsAgree(table);
  contained(table);
}

}  // namespace

void testMatmul(const Kernels& kernels) {
  group("matmul, float32");
  all(kernels.real32);
  group("matmul, float64");
  all(kernels.real64);
}

}  // namespace gradloom::test
