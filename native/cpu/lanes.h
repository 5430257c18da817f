// Parts of vectors: halves, the first few lanes of memory without a call, lanes interleaved.
#pragma once

#include "cpu/simd.h"

#if defined(__clang__)
#define GRADLOOM_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define GRADLOOM_UNROLL _Pragma("GCC unroll 16")
#else
#define GRADLOOM_UNROLL
#endif

// The processor has streaming (non-temporal) stores, which go past its caches.
#if defined(__GNUC__) && defined(__SSE2__) && GRADLOOM_VECTOR_BYTES >= 16
#include <emmintrin.h>
#define GRADLOOM_STREAMS 1
#else
#define GRADLOOM_STREAMS 0
#endif

// GCC before version 12 builds vectors from parts only through memory.
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define GRADLOOM_SHUFFLES 1
#else
#define GRADLOOM_SHUFFLES 0
#endif

namespace gradloom::GRADLOOM_ISA {
namespace {

// Asks for a cache line: at once, or into the second level for later. Any address will do.
GRADLOOM_INLINE void prefetch([[maybe_unused]] const void* at) {
#if defined(__GNUC__)
  __builtin_prefetch(at);
#endif
}
GRADLOOM_INLINE void prefetchFar([[maybe_unused]] const void* at) {
#if defined(__GNUC__)
  __builtin_prefetch(at, 0, 2);
#endif
}

// Streaming stores: to what addresses, of a vector, and the end of a row of them, before which no
// other thread may read it.
GRADLOOM_INLINE bool canStream([[maybe_unused]] const void* to) {
  return GRADLOOM_STREAMS && reinterpret_cast<uintptr_t>(to) % 16 == 0;
}
template <class V>
GRADLOOM_INLINE void streamStore(Element<V>* to, V v) {
#if GRADLOOM_STREAMS
  __m128i part[sizeof(V) / 16];
  std::memcpy(part, &v, sizeof(V));
  GRADLOOM_UNROLL
  for (size_t i = 0; i < sizeof(V) / 16; i++) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to) + i, part[i]);
  }
#else
  store<V>(to, v);
#endif
}
GRADLOOM_INLINE void endStream() {
#if GRADLOOM_STREAMS
  _mm_sfence();
#endif
}

template <class V>
using Half = Vec<Element<V>, lanesOf<V> / 2>;

namespace detail {

template <class H, size_t... i>
GRADLOOM_INLINE Vec<Element<H>, 2 * lanesOf<H>> join(H low, H high, std::index_sequence<i...>) {
#if GRADLOOM_SHUFFLES
  if constexpr (lanesOf < H >> 1) return __builtin_shufflevector(low, high, int(i)...);
#endif
  Vec<Element<H>, 2 * lanesOf<H>> v;
  std::memcpy(&v, &low, sizeof(H));
  std::memcpy(reinterpret_cast<char*>(&v) + sizeof(H), &high, sizeof(H));
  return v;
}

}  // namespace detail

// The vector of two halves.
template <class H>
GRADLOOM_INLINE Vec<Element<H>, 2 * lanesOf<H>> join(H low, H high) {
  return detail::join(low, high, std::make_index_sequence<2 * lanesOf<H>>());
}

// The first `count` lanes, 0 <= count <= lanes; the others are zero. Reads nothing beyond.
template <class V>
GRADLOOM_INLINE V loadFirst(const Element<V>* from, int count) {
  constexpr int half = lanesOf<V> / 2;
  if constexpr (half == 0) {
    return count > 0 ? *from : V{};
  } else {
    if (count == lanesOf<V>) return load<V>(from);
    if (count <= half) return join(loadFirst<Half<V>>(from, count), Half<V>{});
    return join(load<Half<V>>(from), loadFirst<Half<V>>(from + half, count - half));
  }
}

// Stores the first `count` lanes and nothing beyond.
template <class V>
GRADLOOM_INLINE void storeFirst(Element<V>* to, V v, int count) {
  constexpr int half = lanesOf<V> / 2;
  if constexpr (half == 0) {
    if (count > 0) *to = v;
  } else {
    if (count == lanesOf<V>) return store(to, v);
    Half<V> low, high;
    std::memcpy(&low, &v, sizeof(low));
    std::memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof(low), sizeof(high));
    if (count < half) return storeFirst(to, low, count);
    store(to, low);
    storeFirst(to + half, high, count - half);
  }
}

// Lanes that a shuffle can exchange cheaply: those of each 16-byte part of a vector.
template <class T>
constexpr int partLanes = GRADLOOM_VECTOR_BYTES == 0 ? 1 : 16 / int(sizeof(T));

namespace detail {

template <class V>
constexpr int interleaved(int i, bool second) {
  constexpr int part = partLanes<Element<V>>;
  return i / part * part + (second ? part / 2 : 0) + i % part / 2 + i % 2 * lanesOf<V>;
}

template <bool second, class V, size_t... i>
GRADLOOM_INLINE V interleave(V a, V b, std::index_sequence<i...>) {
  if constexpr (lanesOf<V> == 1) {
    return second ? b : a;
  } else {
#if GRADLOOM_SHUFFLES
    return __builtin_shufflevector(a, b, interleaved<V>(int(i), second)...);
#elif defined(__GNUC__)
    return __builtin_shuffle(a, b, Bits<V>{interleaved<V>(int(i), second)...});
#endif
  }
}

}  // namespace detail

// In every 16-byte part: lanes of a and b in turn, from their first halves or their second halves.
template <bool second, class V>
GRADLOOM_INLINE V interleave(V a, V b) {
  return detail::interleave<second>(a, b, std::make_index_sequence<lanesOf<V>>());
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
