// Matrix products cut into tasks for the thread pool, and the products with a vector.
#pragma once

#include "cpu/gemm.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Costs are estimates in multiply-adds of one vector, about half a cycle each.
constexpr double taskCost = 10000;   // less is not worth giving away
constexpr double largeShare = 4e6;   // of a thread: from here on two tasks each even out speeds
constexpr double hugeShare = 128e6;  // and from here on four
constexpr double packCost = 2;       // of an element packed

// Of a rectangle of C, packing and the ends of tiles included.
template <class T>
double blockCost(const Product<T>& p, int64_t rows, int64_t columns) {
  const double vectors = double(ceilDivide(columns, lanes<T>));
  const double packedB = readsDirectB(p, rows) ? 0 : vectors * lanes<T>;
  const double packed = packedB + (p.transA ? double(rows) : 0);
  return (double(p.k) + 8) * (double(rows) * vectors + packed * packCost);
}

// A product divided into tasks by rows and columns of C.
struct Division {
  Cut rows, columns;
  double cost;  // of one task

  int64_t tasks() const { return rows.pieces * columns.pieces; }
  Range rowsOf(int64_t task) const { return rows[task / columns.pieces]; }
  Range columnsOf(int64_t task) const { return columns[task % columns.pieces]; }
};

// The cheapest division into `tasks` tasks, or nearly as many.
template <class T>
Division divide(const Product<T>& p, int64_t tasks) {
  Division best{};
  for (int64_t rows = 1; rows <= tasks; rows++) {
    if (tasks % rows != 0) continue;
    Division d{Cut::into(rows, {0, p.m}, tileRows), Cut::into(tasks / rows, {0, p.n}, lanes<T>), 0};
    d.cost = blockCost(p, d.rows.longest(), d.columns.longest());
    if (rows == 1 || d.cost < best.cost) best = d;
  }
  return best;
}

// What a task should cost where all that the pool does at once costs `total`: a thread's share, or
// a whole part of that, so that every thread gets equally many.
inline double costOfTask(double total) {
  const double share = total / double(threadCount());
  if (share < taskCost) return taskCost;
  return share < largeShare ? share : share < hugeShare ? share / 2 : share / 4;
}

// The division of one product that is done beside others on the pool's threads, all of them
// together costing `total`.
template <class T>
Division divideBeside(const Product<T>& p, double total) {
  if (threadCount() == 1) return divide(p, 1);
  // Three quarters of a task, alone, are better than two tasks to wait for.
  const int64_t tasks = int64_t(blockCost(p, p.m, p.n) / costOfTask(total) + 0.75);
  return divide(p, tasks < 1 ? 1 : tasks);
}

// Runs `batch` products of one shape on the pool. product(t) gives number t; finish(t, rows,
// columns) is called for every part of it when its values are final.
template <class T, class ProductOf, class Finish>
void multiplyAll(int64_t batch, const ProductOf& product, const Finish& finish) {
  const Product<T> shape = product(0);
  const Division parts = divideBeside(shape, blockCost(shape, shape.m, shape.n) * double(batch));
  const int64_t each = parts.tasks();
  const int64_t grain = parts.cost < taskCost ? int64_t(taskCost / parts.cost) + 1 : 1;
  // By value: a helper gets it all at once, and not one cache line of the caller's after another.
  parallelFor(batch * each, grain, [=](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) {
      const int64_t t = i / each;
      const auto done = [&](Range rows, Range columns) { finish(t, rows, columns); };
      multiply(product(t), parts.rowsOf(i % each), parts.columnsOf(i % each), done);
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
