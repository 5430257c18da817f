// Batch normalization over the rows of [rows, channels], forward and backward.
//
// Threads share the channels, so that each sum over rows is made by one thread in one order. The
// statistics take two passes: the mean first, then the squared distances from it.
#pragma once

#include "cpu/fold.h"
#include "cpu/rows.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Channels of a chunk: whole vectors, and enough rows of them to be worth giving away.
template <class T>
int64_t channelGrain(int64_t rows) {
  const int64_t vectors = (1 << 13) / (rows * lanes<T> + 1) + 1;
  return vectors * lanes<T>;
}

// Calls body(c, count) for the vectors of channels, on the pool.
template <class T, class Body>
void eachChannels(int64_t rows, int64_t channels, const Body& body) {
  parallelFor(channels, channelGrain<T>(rows), [&](int64_t from, int64_t to) {
    eachVector<T>(to - from, [&](int64_t i, int64_t count) { body(from + i, count); });
  });
}

// The pairwise sum over rows of what `term(row)` gives for one vector of channels.
template <class T, class Term>
GRADLOOM_INLINE Vec<T> sumRows(int64_t rows, const Term& term) {
  using V = Vec<T>;
  V waiting[48];
  int depth = 0;
  int64_t row = 0;
  for (int64_t block = 0; row < rows; block++) {
    V sum{};
    const int64_t end = rows - row > foldBlock ? row + foldBlock : rows;
    for (; row < end; row++) sum += term(row);
    for (int64_t pairs = block; pairs & 1; pairs >>= 1) sum = waiting[--depth] + sum;
    waiting[depth++] = sum;
  }
  V total{};
  while (depth > 0) total = waiting[--depth] + total;
  return total;
}

template <class T>
void batchNorm(T* out, T* mean, T* inverse, T* variance, const T* x, const T* gamma, const T* beta,
               int64_t rows, int64_t channels, double epsilon) {
  using V = Vec<T>;
  const V share = splat<V>(static_cast<T>(1.0 / double(rows)));
  eachChannels<T>(rows, channels, [&](int64_t c, int64_t count) {
    const auto at = [&](int64_t row) { return loadSome(x + row * channels + c, count); };
    const V m = sumRows<T>(rows, at) * share;
    const V v = sumRows<T>(rows,
                           [&](int64_t row) {
                             const V d = at(row) - m;
                             return V(d * d);
                           }) *
                share;
    const V scale = splat<V>(T(1)) / sqrt(V(v + splat<V>(static_cast<T>(epsilon))));
    storeSome(mean + c, m, count);
    storeSome(variance + c, v, count);
    storeSome(inverse + c, scale, count);
    const V factor = gamma ? V(scale * loadSome(gamma + c, count)) : scale;
    const V shift = beta ? loadSome(beta + c, count) : V{};
    for (int64_t row = 0; row < rows; row++) {
      storeSome(out + row * channels + c, V((at(row) - m) * factor + shift), count);
    }
  });
}

// With x^ = (x - mean) * inverse: dbeta = Σg, dgamma = Σg·x^, and
// dx = gamma * inverse * (g - dbeta / rows - x^ * dgamma / rows).
template <class T>
void batchNormBackward(T* dx, T* dgamma, T* dbeta, const T* g, const T* x, const T* mean,
                       const T* inverse, const T* gamma, int64_t rows, int64_t channels) {
  using V = Vec<T>;
  const V share = splat<V>(static_cast<T>(1.0 / double(rows)));
  eachChannels<T>(rows, channels, [&](int64_t c, int64_t count) {
    const V m = loadSome(mean + c, count), scale = loadSome(inverse + c, count);
    const auto slope = [&](int64_t row) { return loadSome(g + row * channels + c, count); };
    const auto normal = [&](int64_t row) {
      return V((loadSome(x + row * channels + c, count) - m) * scale);
    };
    const V sum = sumRows<T>(rows, slope);
    const V product = sumRows<T>(rows, [&](int64_t row) { return V(slope(row) * normal(row)); });
    if (dbeta) storeSome(dbeta + c, sum, count);
    if (dgamma) storeSome(dgamma + c, product, count);
    if (!dx) return;
    const V factor = gamma ? V(scale * loadSome(gamma + c, count)) : scale;
    const V offset = sum * share, tilt = product * share;
    for (int64_t row = 0; row < rows; row++) {
      const V d = (slope(row) - offset - normal(row) * tilt) * factor;
      storeSome(dx + row * channels + c, d, count);
    }
  });
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
