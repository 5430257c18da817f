// What is done row by row: softmax and its gradient, cross-entropy, scaling.
#pragma once

#include "cpu/fold.h"
#include "cpu/lanes.h"
#include "cpu/math.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Elements of a chunk: exponentials cost some ten times what reading them does.
constexpr int64_t rowsGrainElements = 1 << 13;

inline int64_t rowsGrain(int64_t columns) {
  return columns >= rowsGrainElements ? 1 : rowsGrainElements / (columns + 1) + 1;
}

// Calls body(i, count) for vectors of a row: whole ones, then one partial.
template <class T, class Body>
GRADLOOM_INLINE void eachVector(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) body(i, int64_t{lanes<T>});
  if (i < n) body(i, n - i);
}

// The first `count` elements; the other lanes are zero.
template <class T>
GRADLOOM_INLINE Vec<T> loadSome(const T* from, int64_t count) {
  return count == lanes<T> ? load<Vec<T>>(from) : loadFirst<Vec<T>>(from, int(count));
}

template <class T>
GRADLOOM_INLINE void storeSome(T* to, Vec<T> v, int64_t count) {
  if (count == lanes<T>)
    store<Vec<T>>(to, v);
  else
    storeFirst<Vec<T>>(to, v, int(count));
}

// Largest element of a row that is no NaN, or -inf. What is shifted by it is NaN where the row is,
// and so is the sum of that: nothing here needs to look for NaN.
template <class T>
T rowMaximum(const T* a, int64_t n) {
  using V = Vec<T>;
  constexpr int64_t step = lanes<T>;
  const T least = -std::numeric_limits<T>::infinity();
  const auto larger = [](auto x, auto best) { return select(x > best, x, best); };
  if (n < step) {
    T best = least;
    for (int64_t i = 0; i < n; i++) best = larger(a[i], best);
    return best;
  }
  V best[4];
  GRADLOOM_UNROLL
  for (int chain = 0; chain < 4; chain++) best[chain] = splat<V>(least);
  int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step) {
    GRADLOOM_UNROLL
    for (int chain = 0; chain < 4; chain++) {
      best[chain] = larger(load<V>(a + i + chain * step), best[chain]);
    }
  }
  for (; i + step <= n; i += step) best[0] = larger(load<V>(a + i), best[0]);
  best[1] = larger(load<V>(a + n - step), best[1]);  // looks back over elements already seen
  return largest(V(larger(larger(best[0], best[1]), larger(best[2], best[3]))));
}

// Writes exp(a - shift) to out (unless null) and returns the sum, of four chains joined in order.
template <class T>
T exponentials(T* out, const T* a, T shift, int64_t n) {
  using V = Vec<T>;
  constexpr int64_t step = lanes<T>;
  const V offset = splat<V>(shift);
  V sum[4] = {};
  int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step) {
    GRADLOOM_UNROLL
    for (int chain = 0; chain < 4; chain++) {
      const V e = exp(V(load<V>(a + i + chain * step) - offset));
      if (out) store<V>(out + i + chain * step, e);
      sum[chain] += e;
    }
  }
  for (; i + step <= n; i += step) {
    const V e = exp(V(load<V>(a + i) - offset));
    if (out) store<V>(out + i, e);
    sum[0] += e;
  }
  if (i < n) {
    const int count = int(n - i);
    const V e = exp(V(loadFirst<V>(a + i, count) - offset));
    if (out) storeFirst<V>(out + i, e, count);
    T first[lanes<T>];  // lanes beyond the row hold exp(0 - shift): leave them out
    store<V>(first, e);
    sum[1] += loadFirst<V>(first, count);
  }
  return gradloom::GRADLOOM_ISA::sum(V((sum[0] + sum[1]) + (sum[2] + sum[3])));
}

// out = a * scale + shift for one row; out may be a.
template <class T>
void affineRow(T* out, const T* a, T scale, T shift, int64_t n) {
  using V = Vec<T>;
  const V s = splat<V>(scale), t = splat<V>(shift);
  eachVector<T>(n, [&](int64_t i, int64_t count) {
    storeSome(out + i, V(loadSome(a + i, count) * s + t), count);
  });
}

// A row whose largest element is -inf or inf has no softmax: shifting by 0 lets NaN come out of it
// as it does in the js backend, where inf - inf is NaN too.
template <class T>
void softmax(T* out, const T* a, int64_t rows, int64_t columns, bool logarithm) {
  parallelFor(rows, rowsGrain(columns), [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const T* x = a + row * columns;
      T* y = out + row * columns;
      const T largest = rowMaximum(x, columns);
      if (logarithm) {
        const T sum = exponentials<T>(nullptr, x, largest, columns);
        const T shift = lane(log(splat<Vec<T>>(sum)), 0);
        // Two subtractions: x - (largest + shift) would round the small term away.
        eachVector<T>(columns, [&](int64_t i, int64_t count) {
          using V = Vec<T>;
          const V centred = loadSome(x + i, count) - splat<V>(largest);
          storeSome(y + i, V(centred - splat<V>(shift)), count);
        });
      } else {
        const T sum = exponentials(y, x, largest, columns);
        affineRow(y, y, T(1) / sum, T(0), columns);
      }
    }
  });
}

template <class T>
T dotRow(const T* a, const T* b, int64_t n) {
  using V = Vec<T>;
  V sum{};
  eachVector<T>(
      n, [&](int64_t i, int64_t count) { sum += loadSome(a + i, count) * loadSome(b + i, count); });
  return gradloom::GRADLOOM_ISA::sum(sum);
}

template <class T>
void softmaxBackward(T* out, const T* g, const T* y, int64_t rows, int64_t columns,
                     bool logarithm) {
  using V = Vec<T>;
  parallelFor(rows, rowsGrain(columns), [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const T* gs = g + row * columns;
      const T* ys = y + row * columns;
      T* result = out + row * columns;
      const T total = logarithm ? foldRun<Sum, T>(gs, columns) : dotRow(gs, ys, columns);
      const V all = splat<V>(total);
      eachVector<T>(columns, [&](int64_t i, int64_t count) {
        const V gv = loadSome(gs + i, count), yv = loadSome(ys + i, count);
        storeSome(result + i, logarithm ? V(gv - exp(yv) * all) : V(yv * (gv - all)), count);
      });
    }
  });
}

// Labels outside [0, classes) are passed over: the caller looks for them first.
template <class T>
void crossEntropy(T* loss, T* difference, const T* logits, const int32_t* labels,
                  const T* probabilities, int64_t rows, int64_t classes) {
  using V = Vec<T>;
  parallelFor(rows, rowsGrain(classes), [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const T* x = logits + row * classes;
      T* d = difference ? difference + row * classes : nullptr;
      const T largest = rowMaximum(x, classes);
      const T sum = exponentials(d, x, largest, classes);
      const T logSum = lane(log(splat<V>(sum)), 0);
      if (labels) {
        const int64_t label = labels[row];
        if (label < 0 || label >= classes) continue;
        loss[row] = logSum - (x[label] - largest);
        if (!d) continue;
        affineRow(d, d, T(1) / sum, T(0), classes);
        d[label] -= T(1);
        continue;
      }
      // -Σ target · (x - largest - logSum), and its gradient Σtarget · softmax - target.
      const T* target = probabilities + row * classes;
      const T mass = foldRun<Sum, T>(target, classes);
      V cost{};
      const V top = splat<V>(largest), normal = splat<V>(logSum), share = splat<V>(mass / sum);
      eachVector<T>(classes, [&](int64_t i, int64_t count) {
        const V p = loadSome(target + i, count);
        // A class that cannot be (logit -inf) costs nothing where its probability is 0.
        const V term = p * (loadSome(x + i, count) - top - normal);
        cost -= select(p == V{}, V{}, term);
        if (d) storeSome(d + i, V(loadSome(d + i, count) * share - p), count);
      });
      loss[row] = gradloom::GRADLOOM_ISA::sum(cost);
    }
  });
}

template <class T>
void scaleRows(T* out, const T* a, const T* scale, int64_t rows, int64_t columns, double factor) {
  parallelFor(rows, rowsGrain(columns), [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const T by = scale[row] * static_cast<T>(factor);
      affineRow(out + row * columns, a + row * columns, by, T(0), columns);
    }
  });
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
