// Choosing between arrays, converting between element types, filling, and loading rows of data.
#pragma once

#include "cpu/arithmetic.h"
#include "cpu/lanes.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

namespace detail {

constexpr int64_t convertGrain = 1 << 15;
// Elements converted at a time: loops of a length that the compiler knows, over arrays that it
// knows to be apart, become good vector code whatever the two types are.
constexpr int convertBlock = 64;

// Reads up to `convertBlock` elements; step 0 repeats one.
template <class T>
GRADLOOM_INLINE void readBlock(T* to, const T* from, int64_t step, int64_t count) {
  if (step == 0) {
    for (int j = 0; j < convertBlock; j++) to[j] = *from;
  } else if (count == convertBlock) {
    std::memcpy(to, from, convertBlock * sizeof(T));
  } else {
    std::memset(to, 0, convertBlock * sizeof(T));
    std::memcpy(to, from, size_t(count) * sizeof(T));
  }
}

template <class T>
GRADLOOM_INLINE void writeBlock(T* to, const T* from, int64_t count) {
  std::memcpy(to, from, size_t(count) * sizeof(T));
}

// Calls body(start, count) for blocks of [0, n), on all threads.
template <class Body>
void inBlocks(int64_t n, const Body& body) {
  parallelFor(n, convertGrain, [&](int64_t from, int64_t to) {
    for (; from + convertBlock <= to; from += convertBlock) body(from, int64_t{convertBlock});
    if (from < to) body(from, to - from);
  });
}

// to[j] = convert(from[j]) for a block of floating point numbers to integers: see saturate.
template <class To, class From>
GRADLOOM_INLINE void truncateBlock(To* to, const From* from) {
  using V = Vec<From>;
  using I = Vec<int32_t, lanes<From>>;
  constexpr double lowest = double(std::numeric_limits<To>::min());
  constexpr double highest = double(std::numeric_limits<To>::max());
  constexpr bool inexact = std::is_same_v<From, float> && std::is_same_v<To, int32_t>;
  constexpr double top = inexact ? 2147483520 : highest;  // the largest of From within range
  int32_t wide[convertBlock];
  for (int j = 0; j < convertBlock; j += lanes<From>) {
    const V x = load<V>(from + j);
    V inside = select(x > constant<V>(top), constant<V>(top), x);
    inside = select(inside < constant<V>(lowest), constant<V>(lowest), inside);
    inside = select(x == x, inside, V{});
    I whole = convert<int32_t>(inside);
    if constexpr (inexact) whole = select(x > constant<V>(top), splat<I>(INT32_MAX), whole);
    store<I>(wide + j, whole);
  }
  for (int j = 0; j < convertBlock; j++) to[j] = static_cast<To>(wide[j]);
}

}  // namespace detail

// To integers: towards zero, saturating, NaN gives 0. Every other conversion is C++'s own.
template <class To, class From>
GRADLOOM_INLINE To saturate(From value) {
  if constexpr (std::is_same_v<To, From> || std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else {
    constexpr To lowest = std::numeric_limits<To>::min(), highest = std::numeric_limits<To>::max();
    if constexpr (std::is_floating_point_v<From>) {
      // static_cast<From>(highest) may round up to the first value out of range: >= catches it.
      if (value >= static_cast<From>(highest)) return highest;
      if (!(value > static_cast<From>(lowest))) return value != value ? To(0) : lowest;
      return static_cast<To>(value);
    } else {
      if (std::is_unsigned_v<To> && value < From(0)) return 0;
      return int64_t{value} > int64_t{highest} ? highest : static_cast<To>(value);
    }
  }
}

// out[i] = a[i] as To.
template <class To, class From>
void cast(To* out, const From* a, int64_t n) {
  detail::inBlocks(n, [=](int64_t start, int64_t count) {
    From from[detail::convertBlock];
    To to[detail::convertBlock];
    detail::readBlock(from, a + start, 1, count);
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
      detail::truncateBlock(to, from);
    } else {
      for (int j = 0; j < detail::convertBlock; j++) to[j] = saturate<To>(from[j]);
    }
    detail::writeBlock(out + start, to, count);
  });
}

// out[i] = a[i] is not zero.
template <class From>
void castToBool(uint8_t* out, const From* a, int64_t n) {
  using V = Vec<From>;
  using M = Mask<V>;
  detail::inBlocks(n, [=](int64_t start, int64_t count) {
    From from[detail::convertBlock];
    Element<M> wide[detail::convertBlock];
    uint8_t to[detail::convertBlock];
    detail::readBlock(from, a + start, 1, count);
    for (int j = 0; j < detail::convertBlock; j += lanes<From>) {
      store<M>(wide + j, load<V>(from + j) != V{});
    }
    for (int j = 0; j < detail::convertBlock; j++) to[j] = uint8_t(wide[j] & 1);
    detail::writeBlock(out + start, to, count);
  });
}

template <class T>
void fill(T* out, double value, int64_t n) {
  const T filling = saturate<T>(value);
  parallelFor(n, detail::convertGrain, [=](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) out[i] = filling;
  });
}

// out[i] = condition[i] ? a[i] : b[i], where a step of 0 repeats one element. Only bits move, so T
// is the unsigned type of the elements' size.
template <class T>
void select(T* out, const uint8_t* condition, int64_t conditionStep, const T* a, int64_t aStep,
            const T* b, int64_t bStep, int64_t n) {
  detail::inBlocks(n, [=](int64_t start, int64_t count) {
    uint8_t chosen[detail::convertBlock];
    T yes[detail::convertBlock], no[detail::convertBlock], to[detail::convertBlock];
    detail::readBlock(chosen, condition + start * conditionStep, conditionStep, count);
    detail::readBlock(yes, a + start * aStep, aStep, count);
    detail::readBlock(no, b + start * bStep, bStep, count);
    for (int j = 0; j < detail::convertBlock; j++) {
      const T mask = chosen[j] != 0 ? T(~T(0)) : T(0);
      to[j] = T((yes[j] & mask) | (no[j] & ~mask));
    }
    detail::writeBlock(out + start, to, count);
  });
}

namespace detail {

// Elements that a thread loads at a time: few rows, so that threads end together.
constexpr int64_t loadGrain = 1 << 14;

// Rows loaded beside each other: what is subtracted and multiplied by is read once for all of them,
// and memory fetches several rows at a time. More of them, a multiple of 4 KiB apart as rows of
// images are, would compete for the same lines of the first cache.
constexpr int64_t rowsBeside = 4;

// to = (from - center) * scale for `convertBlock` elements, converted first; converted alone, where
// there is no center. `step` 0 repeats one center and scale. The length is known to the compiler,
// which makes vectors of it.
template <class T, class From>
void loadBlock(T* GRADLOOM_RESTRICT to, const From* GRADLOOM_RESTRICT from,
               const T* GRADLOOM_RESTRICT center, const T* GRADLOOM_RESTRICT scale, int64_t step) {
  if (center == nullptr) {
    for (int j = 0; j < convertBlock; j++) to[j] = static_cast<T>(from[j]);
  } else if (step == 0) {
    const T c = *center, s = *scale;
    for (int j = 0; j < convertBlock; j++) to[j] = (static_cast<T>(from[j]) - c) * s;
  } else {
    for (int j = 0; j < convertBlock; j++) {
      to[j] = (static_cast<T>(from[j]) - center[j]) * scale[j];
    }
  }
}

// The same for the elements from `at` on, fewer than a block.
template <class T, class From>
void loadRest(T* to, const From* from, const T* center, const T* scale, int64_t step, int64_t at,
              int64_t width) {
  for (; at < width; at++) {
    const T value = static_cast<T>(from[at]);
    to[at] = center == nullptr ? value : (value - center[at * step]) * scale[at * step];
  }
}

}  // namespace detail

// out [count, width] = (data [n, width] at index [count], converted, - center) * scale. Without an
// index rows are taken in order. Rows outside [0, n) are left alone.
template <class T, class From>
void loadRows(T* out, const From* data, const int32_t* index, const T* center, const T* scale,
              int64_t step, int64_t n, int64_t count, int64_t width) {
  using detail::rowsBeside, detail::convertBlock;
  const auto rowAt = [=](int64_t r) {
    const int64_t row = index == nullptr ? r : index[r];
    return row < 0 || row >= n ? nullptr : data + row * width;
  };
  const int64_t grain = (detail::loadGrain / (width + 1) / rowsBeside + 1) * rowsBeside;
  parallelFor(count, grain, [=](int64_t from, int64_t to) {
    for (int64_t top = from; top < to; top += rowsBeside) {
      const int64_t rows = to - top < rowsBeside ? to - top : rowsBeside;
      const From *here[rowsBeside] = {}, *next[rowsBeside] = {};
      for (int64_t i = 0; i < rows; i++) {
        here[i] = rowAt(top + i);
        // Rows by index lie anywhere in a data set larger than any cache.
        if (index && top + rowsBeside + i < to) next[i] = rowAt(top + rowsBeside + i);
      }
      int64_t at = 0;
      for (; at + convertBlock <= width; at += convertBlock) {
        for (int64_t i = 0; i < rows; i++) {
          for (int64_t j = 0; next[i] && j < convertBlock; j += 64 / int64_t{sizeof(From)}) {
            prefetch(next[i] + at + j);
          }
          if (here[i] == nullptr) continue;
          const int64_t c = at * step;
          detail::loadBlock(out + (top + i) * width + at, here[i] + at,
                            center ? center + c : nullptr, scale ? scale + c : nullptr, step);
        }
      }
      for (int64_t i = 0; i < rows; i++) {
        if (here[i] == nullptr) continue;
        detail::loadRest(out + (top + i) * width, here[i], center, scale, step, at, width);
      }
    }
  });
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
