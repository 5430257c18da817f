// Reading and adding by index, and running sums.
#include <cstring>
#include <type_traits>

#include "cpu/move.h"
#include "cpu/threads.h"

namespace gradloom {
namespace {

constexpr int64_t indexGrain = 1 << 14;

int64_t itemsPerChunk(int64_t cost) {
  return cost < indexGrain ? indexGrain / (cost + 1) + 1 : 1;
}

// Columns cut for helpers, where rows must keep their order: calls body(o, from, to) for parts of
// the inner axis.
template <class Body>
void inColumns(int64_t outer, int64_t rows, int64_t inner, const Body& body) {
  constexpr int64_t width = 256;
  const int64_t parts = (inner + width - 1) / width;
  parallelFor(outer * parts, itemsPerChunk(rows * (inner < width ? inner : width)),
              [&](int64_t from, int64_t to) {
                for (; from < to; from++) {
                  const int64_t start = from % parts * width;
                  body(from / parts, start, start + width < inner ? start + width : inner);
                }
              });
}

// Sums of integers wrap.
template <class T>
T plus(T a, T b) {
  if constexpr (std::is_same_v<T, int32_t>)
    return T(uint32_t(a) + uint32_t(b));
  else
    return T(a + b);
}

bool inside(int64_t position, int64_t n) {
  return uint64_t(position) < uint64_t(n);
}

}  // namespace

int64_t firstOutside(const int32_t* index, int64_t count, int64_t n) {
  for (int64_t i = 0; i < count; i++) {
    if (!inside(index[i], n)) return i;
  }
  return -1;
}

template <class T>
void gather(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
            int64_t inner) {
  parallelFor(outer * count, itemsPerChunk(inner), [=](int64_t from, int64_t to) {
    for (; from < to; from++) {
      const int64_t row = index[from % count];
      if (!inside(row, n)) continue;
      const T* source = a + (from / count * n + row) * inner;
      if (inner == 1)
        out[from] = *source;
      else
        std::memmove(out + from * inner, source, size_t(inner) * sizeof(T));
    }
  });
}

template <class T>
void scatterAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                int64_t inner) {
  inColumns(outer, count, inner, [=](int64_t o, int64_t from, int64_t to) {
    for (int64_t j = 0; j < count; j++) {
      const int64_t row = index[j];
      if (!inside(row, n)) continue;
      T* target = out + (o * n + row) * inner;
      const T* source = a + (o * count + j) * inner;
      for (int64_t i = from; i < to; i++) target[i] = plus(target[i], source[i]);
    }
  });
}

template <class T>
void takeAlong(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
               int64_t inner) {
  inColumns(outer, count, inner, [=](int64_t o, int64_t from, int64_t to) {
    for (int64_t j = 0; j < count; j++) {
      const int64_t at = (o * count + j) * inner;
      for (int64_t i = from; i < to; i++) {
        const int64_t row = index[at + i];
        if (inside(row, n)) out[at + i] = a[(o * n + row) * inner + i];
      }
    }
  });
}

template <class T>
void putAlongAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                 int64_t inner) {
  inColumns(outer, count, inner, [=](int64_t o, int64_t from, int64_t to) {
    for (int64_t j = 0; j < count; j++) {
      const int64_t at = (o * count + j) * inner;
      for (int64_t i = from; i < to; i++) {
        const int64_t row = index[at + i];
        if (!inside(row, n)) continue;
        T& target = out[(o * n + row) * inner + i];
        target = plus(target, a[at + i]);
      }
    }
  });
}

template <class R, class T>
void cumsum(R* out, const T* a, int64_t outer, int64_t n, int64_t inner, bool reverse) {
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, uint32_t>;  // which wraps
  inColumns(outer, n, inner, [=](int64_t o, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) {
      Sum sum = 0;
      for (int64_t j = 0; j < n; j++) {
        const int64_t at = (o * n + (reverse ? n - 1 - j : j)) * inner + i;
        sum += Sum(a[at]);
        out[at] = R(sum);
      }
    }
  });
}

#define GRADLOOM_MOVES(T)                                                                 \
  template void gather(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t); \
  template void takeAlong(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
GRADLOOM_MOVES(uint8_t)
GRADLOOM_MOVES(uint32_t)
GRADLOOM_MOVES(uint64_t)

#define GRADLOOM_ADDS(T)                                                                       \
  template void scatterAdd(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);  \
  template void putAlongAdd(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t); \
  template void cumsum(T*, const T*, int64_t, int64_t, int64_t, bool);
GRADLOOM_ADDS(float)
GRADLOOM_ADDS(double)
GRADLOOM_ADDS(int32_t)
GRADLOOM_ADDS(uint8_t)
template void cumsum(int32_t*, const uint8_t*, int64_t, int64_t, int64_t, bool);

}  // namespace gradloom
