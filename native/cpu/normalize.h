// Batch normalization over the rows of [rows, channels], forward and backward.
//
// Threads share the channels, so that each sum over rows is made by one thread in one order. The
// statistics take two passes: the mean first, then the squared distances from it.
#pragma once

#include "cpu/fold.h"
#include "cpu/rows.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Vectors of channels that are worked on together: rows are far apart in memory, so every visit to
// one should take whole cache lines.
constexpr int channelVectors = 4;

// Channels of a chunk: whole groups of vectors, and enough rows of them to be worth giving away.
template <class T>
int64_t channelGrain(int64_t rows) {
  constexpr int64_t group = channelVectors * lanes<T>;
  return ((1 << 13) / (rows * group + 1) + 1) * group;
}

template <int n>
using Width = std::integral_constant<int, n>;

// Calls body(width, c, count) for channels [from, to): `width` vectors from channel c on, of the
// last of which `count` lanes are meant. Only single vectors are partial. Where channels may be
// done `again`, a last group looks back over some already done: it takes no longer than a single
// vector, which waits for one sum at a time.
template <class T, bool again = false, class Body>
GRADLOOM_INLINE void eachGroup(int64_t from, int64_t to, const Body& body) {
  constexpr int64_t group = channelVectors * lanes<T>;
  constexpr Width<lanes<T>> whole{};
  const bool lookBack = again && to - from >= group;
  for (; from + group <= to; from += group) body(Width<channelVectors>(), from, whole);
  if (from == to) return;
  if (lookBack) return body(Width<channelVectors>(), to - group, whole);
  eachVector<T>(to - from, [&](int64_t i, int64_t count) { body(Width<1>(), from + i, count); });
}

// The same for all channels, on the pool. What body writes it must not read.
template <class T, class Body>
void eachChannels(int64_t rows, int64_t channels, const Body& body) {
  parallelFor(channels, channelGrain<T>(rows),
              [&](int64_t from, int64_t to) { eachGroup<T, true>(from, to, body); });
}

// `width` vectors of sums, or of other figures of channels.
template <class T, int width>
struct Group {
  Vec<T> of[width];

  GRADLOOM_INLINE Vec<T>& operator[](int v) { return of[v]; }
  GRADLOOM_INLINE const Vec<T>& operator[](int v) const { return of[v]; }
};

template <class T, int width>
GRADLOOM_INLINE Group<T, width> loadGroup(const T* from, int64_t count) {
  Group<T, width> group;
  GRADLOOM_UNROLL
  for (int v = 0; v < width; v++) group[v] = loadSome(from + v * lanes<T>, count);
  return group;
}

template <class T, int width>
GRADLOOM_INLINE void storeGroup(T* to, const Group<T, width>& group, int64_t count) {
  GRADLOOM_UNROLL
  for (int v = 0; v < width; v++) storeSome(to + v * lanes<T>, group[v], count);
}

// The pairwise sums over the rows of what term(row, v) gives for vector v.
template <class T, int width, class Term>
GRADLOOM_INLINE Group<T, width> sumRows(int64_t rows, const Term& term) {
  Group<T, width> waiting[48];
  int depth = 0;
  int64_t row = 0;
  for (int64_t block = 0; row < rows; block++) {
    Group<T, width> sum{};
    const int64_t end = rows - row > foldBlock ? row + foldBlock : rows;
    for (; row < end; row++) {
      GRADLOOM_UNROLL
      for (int v = 0; v < width; v++) sum[v] += term(row, v);
    }
    for (int64_t pairs = block; pairs & 1; pairs >>= 1) {
      depth--;
      GRADLOOM_UNROLL
      for (int v = 0; v < width; v++) sum[v] = waiting[depth][v] + sum[v];
    }
    waiting[depth++] = sum;
  }
  Group<T, width> total{};
  while (depth > 0) {
    depth--;
    GRADLOOM_UNROLL
    for (int v = 0; v < width; v++) total[v] = waiting[depth][v] + total[v];
  }
  return total;
}

template <class T>
void batchNorm(T* out, T* mean, T* inverse, T* variance, const T* x, const T* gamma, const T* beta,
               int64_t rows, int64_t channels, double epsilon) {
  using V = Vec<T>;
  const V share = splat<V>(static_cast<T>(1.0 / double(rows)));
  eachChannels<T>(rows, channels, [&](auto widthOf, int64_t c, auto count) {
    constexpr int width = decltype(widthOf)::value;
    const auto at = [&](int64_t row, int v) {
      return loadSome(x + row * channels + c + v * lanes<T>, count);
    };
    Group<T, width> m = sumRows<T, width>(rows, at);
    GRADLOOM_UNROLL
    for (int v = 0; v < width; v++) m[v] *= share;
    Group<T, width> spread = sumRows<T, width>(rows, [&](int64_t row, int v) {
      const V d = at(row, v) - m[v];
      return V(d * d);
    });
    Group<T, width> scale, factor, shift{};
    GRADLOOM_UNROLL
    for (int v = 0; v < width; v++) {
      spread[v] *= share;
      scale[v] = splat<V>(T(1)) / sqrt(V(spread[v] + splat<V>(static_cast<T>(epsilon))));
      factor[v] = scale[v];
    }
    storeGroup(mean + c, m, count);
    storeGroup(variance + c, spread, count);
    storeGroup(inverse + c, scale, count);
    if (gamma) {
      const Group<T, width> by = loadGroup<T, width>(gamma + c, count);
      GRADLOOM_UNROLL
      for (int v = 0; v < width; v++) factor[v] *= by[v];
    }
    if (beta) shift = loadGroup<T, width>(beta + c, count);
    for (int64_t row = 0; row < rows; row++) {
      T* to = out + row * channels + c;
      GRADLOOM_UNROLL
      for (int v = 0; v < width; v++) {
        storeSome(to + v * lanes<T>, V((at(row, v) - m[v]) * factor[v] + shift[v]), count);
      }
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
  eachChannels<T>(rows, channels, [&](auto widthOf, int64_t c, auto count) {
    constexpr int width = decltype(widthOf)::value;
    const Group<T, width> m = loadGroup<T, width>(mean + c, count);
    Group<T, width> scale = loadGroup<T, width>(inverse + c, count);
    const auto slope = [&](int64_t row, int v) {
      return loadSome(g + row * channels + c + v * lanes<T>, count);
    };
    const auto normal = [&](int64_t row, int v) {
      return V((loadSome(x + row * channels + c + v * lanes<T>, count) - m[v]) * scale[v]);
    };
    // Both sums in one pass.
    const Group<T, 2 * width> sums = sumRows<T, 2 * width>(rows, [&](int64_t row, int v) {
      return v < width ? slope(row, v) : V(slope(row, v - width) * normal(row, v - width));
    });
    Group<T, width> sum, product;
    GRADLOOM_UNROLL
    for (int v = 0; v < width; v++) sum[v] = sums[v], product[v] = sums[width + v];
    if (dbeta) storeGroup(dbeta + c, sum, count);
    if (dgamma) storeGroup(dgamma + c, product, count);
    if (!dx) return;
    Group<T, width> factor = scale;
    if (gamma) {
      const Group<T, width> by = loadGroup<T, width>(gamma + c, count);
      GRADLOOM_UNROLL
      for (int v = 0; v < width; v++) factor[v] *= by[v];
    }
    GRADLOOM_UNROLL
    for (int v = 0; v < width; v++) sum[v] *= share, product[v] *= share;
    for (int64_t row = 0; row < rows; row++) {
      T* to = dx + row * channels + c;
      GRADLOOM_UNROLL
      for (int v = 0; v < width; v++) {
        const V d = (slope(row, v) - sum[v] - normal(row, v) * product[v]) * factor[v];
        storeSome(to + v * lanes<T>, d, count);
      }
    }
  });
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
