// The dense layer: product, bias and activation forward; all its gradients backward.
#pragma once

#include "cpu/elementwise.h"
#include "cpu/matmul.h"
#include "cpu/normalize.h"
#include "cpu/rows.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Adds the bias to a finished part of the product and applies the activation, while it is in cache.
template <class T>
struct DenseEpilogue {
  T* out;
  T* z;  // the value before the activation: pre, or out itself
  const T* bias;
  int64_t units;
  int activation;
  T p, q;

  void operator()(Range rows, Range columns) const {
    for (int64_t row = rows.from; row < rows.to; row++) {
      T* at = z + row * units + columns.from;
      if (bias) {
        eachVector<T>(columns.size(), [&](int64_t i, int64_t count) {
          const Vec<T> shift = loadSome(bias + columns.from + i, count);
          storeSome(at + i, Vec<T>(loadSome(at + i, count) + shift), count);
        });
      }
      T* result = out + row * units + columns.from;
      if (activation >= 0) {
        Operands<T> x{};
        x.at[0] = at, x.step[0] = 1;
        mapRows<T>[activation](result, x, columns.size(), p, q);
      } else if (z != out) {
        std::memcpy(result, at, size_t(columns.size()) * sizeof(T));
      }
    }
  }
};

template <class T>
void dense(T* out, T* pre, const T* x, const T* w, const T* bias, int64_t rows, int64_t units,
           int64_t features, int activation, double p, double q) {
  if (rows == 0 || units == 0) return;
  T* z = pre ? pre : out;
  const DenseEpilogue<T> finish{out, z, bias, units, activation, T(p), T(q)};
  const auto product = [=](int64_t) {
    return Product<T>{rows, units, features, x, w, z, nullptr, units, false, false};
  };
  multiplyAll<T>(1, product, [&](int64_t, Range r, Range c) { finish(r, c); });
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
    mapRows<T>[derivative](dz + from, x, to - from, p, q);
  });
}

template <class T>
void denseBackward(T* dx, T* dw, T* db, T* scratch, const T* g, const T* x, const T* w, const T* y,
                   const T* pre, int64_t rows, int64_t units, int64_t features, int derivative,
                   double p, double q, bool accumulate) {
  const T* dz = g;
  if (derivative >= 0) {
    beforeActivation<T>(scratch, g, y, pre, rows * units, derivative, T(p), T(q));
    dz = scratch;
  }
  if (dw) matmul<T>(dw, x, dz, 1, features, units, rows, 0, 0, true, false, accumulate);
  if (db) {
    eachChannels<T>(rows, units, [&](int64_t c, int64_t count) {
      Vec<T> sum = sumRows<T>(rows, [&](int64_t i) { return loadSome(dz + i * units + c, count); });
      if (accumulate) sum += loadSome(db + c, count);
      storeSome(db + c, sum, count);
    });
  }
  if (dx) matmul<T>(dx, dz, w, 1, rows, features, units, 0, 0, false, true, false);
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
