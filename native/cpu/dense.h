// The dense layer: product, bias and activation forward; all its gradients backward.
#pragma once

#include "cpu/elementwise.h"
#include "cpu/matmul.h"
#include "cpu/normalize.h"
#include "cpu/rows.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Turns the sums z (the output itself, or kept as `pre`) of a finished part of the layer into its
// output, while they are in cache. Activation -1 is none.
template <class T>
struct Activation {
  T* out;
  const T* z;
  int64_t units;
  int kernel;
  T p, q;

  void operator()(Range rows, Range columns) const {
    const bool whole = columns.size() == units;  // then the part is one stretch of memory
    const int64_t count = whole ? rows.size() : 1, size = count * columns.size();
    for (int64_t row = rows.from; row < rows.to; row += count) {
      const int64_t at = row * units + columns.from;
      if (kernel >= 0) {
        mapRows<T>[kernel]({out + at}, {{z + at}, {1}}, size, p, q);
      } else if (out != z) {
        std::memcpy(out + at, z + at, size_t(size) * sizeof(T));
      }
    }
  }
};

template <class T>
void dense(T* out, T* pre, const T* x, const T* w, const T* bias, int64_t rows, int64_t units,
           int64_t features, int activation, double p, double q) {
  if (rows == 0 || units == 0) return;
  T* z = pre ? pre : out;
  const Product<T> product{rows, units, features, x, w, z, bias, 0, false, false};
  const Activation<T> finish{out, z, units, activation, T(p), T(q)};
  multiplyAll<T>(
      1, [=](int64_t) { return product; }, [=](int64_t, Range r, Range c) { finish(r, c); });
}

// Gradient before the activation, from that of the output.
template <class T>
void beforeActivation(T* dz, const T* g, const T* y, const T* pre, int64_t size, int derivative,
                      T p, T q) {
  const KernelInfo& info = kernelInfo[derivative];
  parallelFor(size, rowsGrainElements, [&](int64_t from, int64_t to) {
    Operands<T> x{};
    for (int k = 0; k < info.count; k++) {
      const char letter = info.operands[k];
      x.at[k] = (letter == 'g' ? g : letter == 'y' ? y : pre) + from;
      x.step[k] = 1;
    }
    mapRows<T>[derivative]({dz + from}, x, to - from, p, q);
  });
}

// out [units] = sums over the rows of dz [rows, units] (+ out), for the given units.
template <class T>
void sumColumns(T* out, const T* dz, int64_t rows, int64_t units, Range part, bool accumulate) {
  eachGroup<T>(part.from, part.to, [&](auto widthOf, int64_t c, int64_t count) {
    constexpr int width = decltype(widthOf)::value;
    Group<T, width> sum = sumRows<T, width>(rows, [&](int64_t row, int v) {
      return loadSome(dz + row * units + c + v * lanes<T>, count);
    });
    if (accumulate) {
      const Group<T, width> before = loadGroup<T, width>(out + c, count);
      for (int v = 0; v < width; v++) sum[v] += before[v];
    }
    storeGroup(out + c, sum, count);
  });
}

// Both products and the sums are independent given dz: one loop of the pool does them all.
template <class T>
void denseBackward(T* dx, T* dw, T* db, T* scratch, const T* g, const T* x, const T* w, const T* y,
                   const T* pre, int64_t rows, int64_t units, int64_t features, int derivative,
                   double p, double q, bool accumulate) {
  const T* dz = g;
  if (derivative >= 0) {
    beforeActivation<T>(scratch, g, y, pre, rows * units, derivative, T(p), T(q));
    dz = scratch;
  }
  const Product<T> forX{rows, features, units, dz, w, dx, nullptr, 0, false, true};
  const Product<T> forW{features, units, rows, x, dz, dw, accumulate ? dw : nullptr,
                        units,    true,  false};
  const double costX = dx ? blockCost(forX, rows, features) : 0;
  const double costW = dw ? blockCost(forW, features, units) : 0;
  const Division partsX = divideBeside(forX, costX + costW);
  const Division partsW = divideBeside(forW, costX + costW);
  const Cut partsB = Cut::byLimit(channelGrain<T>(rows) / lanes<T>, {0, units}, lanes<T>);
  const int64_t tasksX = dx ? partsX.tasks() : 0, tasksW = dw ? partsW.tasks() : 0;
  const auto nothing = [](Range, Range) {};
  const auto task = [=](int64_t i) {
    if (i < tasksX) return multiply(forX, partsX.rowsOf(i), partsX.columnsOf(i), nothing);
    i -= tasksX;
    if (i < tasksW) return multiply(forW, partsW.rowsOf(i), partsW.columnsOf(i), nothing);
    sumColumns(db, dz, rows, units, partsB[i - tasksW], accumulate);
  };
  parallelFor(tasksX + tasksW + (db ? partsB.pieces : 0), 1, [=](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) task(i);
  });
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
