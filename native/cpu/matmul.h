// Matrix products cut into tasks for the thread pool, and the products with a vector.
#pragma once

#include "cpu/gemm.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Costs are estimates in multiply-adds of one vector, about half a cycle each.
constexpr double taskCost = 10000;   // less is not worth giving away
constexpr double largeTask = 400e3;  // of more, several per thread even out the threads' speeds
constexpr double packCost = 0.5;     // of an element packed

// Of a rectangle of C, packing and the ends of tiles included.
template <class T>
double blockCost(const Product<T>& p, int64_t rows, int64_t columns) {
  const double vectors = double(ceilDivide(columns, lanes<T>));
  const bool packs = p.transB || rows > rowsForDirectB;
  const double packed = (packs ? vectors * lanes<T> : 0) + (p.transA ? double(rows) : 0);
  return (double(p.k) + 8) * (double(rows) * vectors + packed * packCost);
}

// Tasks by rows and by columns of C.
struct Grid {
  int64_t rows, columns;
};

// The cheapest way to cut a product into `tasks` tasks.
template <class T>
Grid divide(const Product<T>& p, int64_t tasks) {
  Grid best{1, 1};
  double least = 0;
  for (int64_t rows = 1; rows <= tasks; rows++) {
    if (tasks % rows != 0) continue;
    const Grid grid{rows, tasks / rows};
    const int64_t height = ceilDivide(ceilDivide(p.m, tileRows), grid.rows) * tileRows;
    const int64_t width = ceilDivide(ceilDivide(p.n, lanes<T>), grid.columns) * lanes<T>;
    const double cost = blockCost(p, atMost(height, p.m), atMost(width, p.n));
    if (rows == 1 || cost < least) least = cost, best = grid;
  }
  return best;
}

// How one of `batch` products is divided among the pool's threads.
template <class T>
Grid gridFor(const Product<T>& p, int64_t batch) {
  const double cost = blockCost(p, p.m, p.n);
  int64_t tasks = ceilDivide(threadCount(), batch);
  if (tasks == 1 || cost < 2 * taskCost) return {1, 1};
  if (cost < taskCost * double(tasks)) tasks = int64_t(cost / taskCost);
  if (cost > largeTask * double(tasks)) tasks *= 4;
  return divide(p, tasks);
}

// Runs `batch` products of one shape on the pool. product(t) gives number t; finish(t, rows,
// columns) is called for every part of it when its values are final.
template <class T, class ProductOf, class Finish>
void multiplyAll(int64_t batch, const ProductOf& product, const Finish& finish) {
  const Product<T> shape = product(0);
  const Grid grid = gridFor(shape, batch);
  const Cut rows = Cut::into(grid.rows, {0, shape.m}, tileRows);
  const Cut columns = Cut::into(grid.columns, {0, shape.n}, lanes<T>);
  const int64_t each = rows.pieces * columns.pieces;
  const double cost = blockCost(shape, rows.longest(), columns.longest());
  const int64_t grain = cost < taskCost ? int64_t(taskCost / cost) + 1 : 1;
  parallelFor(batch * each, grain, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) {
      const int64_t t = i / each, task = i % each;
      const auto done = [&](Range r, Range c) { finish(t, r, c); };
      multiply(product(t), rows[task / columns.pieces], columns[task % columns.pieces], done);
    }
  });
}

// Sum of products of two contiguous vectors: four chains, folded in a fixed order.
template <class T>
T dot(const T* a, const T* b, int64_t k) {
  using V = Vec<T>;
  constexpr int64_t step = lanes<T>;
  V sum[4] = {};
  int64_t p = 0;
  for (; p + 4 * step <= k; p += 4 * step) {
    GRADLOOM_UNROLL
    for (int i = 0; i < 4; i++) sum[i] += load<V>(a + p + i * step) * load<V>(b + p + i * step);
  }
  for (; p + step <= k; p += step) sum[0] += load<V>(a + p) * load<V>(b + p);
  const int rest = static_cast<int>(k - p);
  if (rest > 0) sum[1] += loadFirst<V>(a + p, rest) * loadFirst<V>(b + p, rest);
  return gradloom::GRADLOOM_ISA::sum(V((sum[0] + sum[1]) + (sum[2] + sum[3])));
}

// out [rows] = matrix [rows, k] · vector [k] (+ out when `accumulate`).
template <class T>
void multiplyVector(T* out, const T* matrix, const T* vector, int64_t rows, int64_t k,
                    bool accumulate) {
  const int64_t grain = int64_t(taskCost) * lanes<T> / (k + 16) + 1;
  parallelFor(rows, grain, [=](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) {
      const T sum = dot(matrix + i * k, vector, k);
      out[i] = accumulate ? out[i] + sum : sum;
    }
  });
}

// For each of `batch` matrices: out [m, n] = A [m, k] · B [k, n] (+ out when `accumulate`), as
// `matmul` in src/backends/backend.ts says.
template <class T>
void matmul(T* out, const T* a, const T* b, int64_t batch, int64_t m, int64_t n, int64_t k,
            int64_t strideA, int64_t strideB, bool transA, bool transB, bool accumulate) {
  if (batch == 0 || m == 0 || n == 0) return;
  if (batch == 1 && n == 1 && !transA) return multiplyVector(out, a, b, m, k, accumulate);
  if (batch == 1 && m == 1 && transB) return multiplyVector(out, b, a, n, k, accumulate);
  if (n == 1 && transA) {  // out [1, m] = B [1, k] · A [k, m]: the long way along vectors
    return matmul(out, b, a, batch, n, m, k, strideB, strideA, false, false, accumulate);
  }
  const auto product = [=](int64_t t) {
    T* c = out + t * m * n;
    return Product<T>{
        m, n, k, a + t * strideA, b + t * strideB, c, accumulate ? c : nullptr, n, transA, transB};
  };
  multiplyAll<T>(batch, product, [](int64_t, Range, Range) {});
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
