// Vectors of the instruction set a file is compiled for: types, loads and stores, lane shuffles.
// Mathematical functions on them are in math.h.
//
// Vec<T> is a plain compiler vector type (GCC and Clang vector extensions), so + - * / & | ^ and
// the comparisons are the language's own; a comparison gives a Mask<V>, consumed by select(). For
// other compilers, and for N = 1, Vec<T> is T itself and a mask is bool: the same source serves
// both, and every template here takes either.
//
// Everything is in an anonymous namespace inside one namespace per instruction set, and nothing
// here instantiates a standard-library function: an inline function compiled for AVX-512 must
// never be the copy that the linker keeps for everybody.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#ifndef GRADLOOM_ISA
#define GRADLOOM_ISA baseline
#endif

// Bytes of one vector; 0 means no vector extensions. The tests set it to run wide code anywhere.
#ifndef GRADLOOM_VECTOR_BYTES
#if !defined(__GNUC__)
#define GRADLOOM_VECTOR_BYTES 0
#elif defined(__AVX512F__)
#define GRADLOOM_VECTOR_BYTES 64
#elif defined(__AVX__)
#define GRADLOOM_VECTOR_BYTES 32
#else
#define GRADLOOM_VECTOR_BYTES 16
#endif
#endif

#if defined(__GNUC__)
#define GRADLOOM_INLINE inline __attribute__((always_inline))
#define GRADLOOM_RESTRICT __restrict__
#else
#define GRADLOOM_INLINE __forceinline
#define GRADLOOM_RESTRICT __restrict
#endif

namespace gradloom::GRADLOOM_ISA {
namespace {

// Lanes of the natural vector of T.
template <class T>
constexpr int lanes = GRADLOOM_VECTOR_BYTES == 0 ? 1 : GRADLOOM_VECTOR_BYTES / int(sizeof(T));

namespace detail {

template <class T, int N>
struct VecOf {
#if defined(__GNUC__)
  typedef T type __attribute__((vector_size(N * sizeof(T))));
#endif
};
template <class T>
struct VecOf<T, 1> {
  using type = T;
};

template <class V, bool scalar = std::is_arithmetic_v<V>>
struct Traits {
  using Element = V;
  static constexpr int lanes = 1;
};
template <class V>
struct Traits<V, false> {
  using Element = std::remove_cv_t<std::remove_reference_t<decltype(std::declval<V&>()[0])>>;
  static constexpr int lanes = int(sizeof(V) / sizeof(Element));
};

template <int bytes>
struct IntegerOf;
template <>
struct IntegerOf<1> {
  using type = int8_t;
};
template <>
struct IntegerOf<2> {
  using type = int16_t;
};
template <>
struct IntegerOf<4> {
  using type = int32_t;
};
template <>
struct IntegerOf<8> {
  using type = int64_t;
};

}  // namespace detail

template <class T, int N = lanes<T>>
using Vec = typename detail::VecOf<T, N>::type;

// Element type and lane count of a vector type (a scalar is one lane of itself).
template <class V>
using Element = typename detail::Traits<V>::Element;
template <class V>
constexpr int lanesOf = detail::Traits<V>::lanes;

// What comparing two V gives: per lane all ones or zero (bool for scalars).
template <class V>
using Mask = decltype(std::declval<V>() < std::declval<V>());

// Signed integers of the same lanes and width; what bits() gives.
template <class V>
using Bits = Vec<typename detail::IntegerOf<sizeof(Element<V>)>::type, lanesOf<V>>;

template <class V>
constexpr bool isFloating = std::is_floating_point_v<Element<V>>;

// ---- making vectors -------------------------------------------------------------------------

template <class V>
GRADLOOM_INLINE V splat(Element<V> value) {
  if constexpr (lanesOf<V> == 1) {
    return value;
  } else {
    return value - V{};  // x - 0 is x for every x, minus zero and NaN included
  }
}

// A literal of a formula as V, rounded once, at compile time.
template <class V>
GRADLOOM_INLINE V constant(double value) {
  return splat<V>(static_cast<Element<V>>(value));
}

// V at any address: no alignment is asked for.
template <class V>
GRADLOOM_INLINE V load(const Element<V>* from) {
  V v;
  std::memcpy(&v, from, sizeof(V));
  return v;
}

template <class V>
GRADLOOM_INLINE void store(Element<V>* to, V v) {
  std::memcpy(to, &v, sizeof(V));
}

// Tails: the first `count` lanes (0 <= count <= lanes), the others `pad`. Neither side touches
// memory past count, so a loop is: whole vectors, then one partial vector through the same code.
template <class V>
GRADLOOM_INLINE V loadPartial(const Element<V>* from, int64_t count, Element<V> pad = 0) {
  V v = splat<V>(pad);
  if constexpr (lanesOf<V> == 1) {
    if (count > 0) v = *from;
  } else {
    std::memcpy(&v, from, size_t(count) * sizeof(Element<V>));
  }
  return v;
}

template <class V>
GRADLOOM_INLINE void storePartial(Element<V>* to, V v, int64_t count) {
  if constexpr (lanesOf<V> == 1) {
    if (count > 0) *to = v;
  } else {
    std::memcpy(to, &v, size_t(count) * sizeof(Element<V>));
  }
}

// 0, 1, 2, … in the lanes.
template <class V>
GRADLOOM_INLINE V iota() {
  V v{};
  if constexpr (lanesOf<V> != 1) {
    for (int i = 0; i < lanesOf<V>; i++) v[i] = static_cast<Element<V>>(i);
  }
  return v;
}

// ---- lanes ----------------------------------------------------------------------------------

template <class V>
GRADLOOM_INLINE Element<V> lane(V v, int i) {
  if constexpr (lanesOf<V> == 1) {
    (void)i;
    return v;
  } else {
    return v[i];
  }
}

// Applies a scalar function to every lane: for what has no vector form.
template <class V, class F>
GRADLOOM_INLINE V eachLane(V a, F f) {
  if constexpr (lanesOf<V> == 1) {
    return f(a);
  } else {
    for (int i = 0; i < lanesOf<V>; i++) a[i] = f(a[i]);
    return a;
  }
}

template <class V, class F>
GRADLOOM_INLINE V eachLane(V a, V b, F f) {
  if constexpr (lanesOf<V> == 1) {
    return f(a, b);
  } else {
    for (int i = 0; i < lanesOf<V>; i++) a[i] = f(a[i], b[i]);
    return a;
  }
}

// mask ? a : b in every lane. Both are evaluated.
template <class M, class V>
GRADLOOM_INLINE V select(M mask, V a, V b) {
  return mask ? a : b;
}

// Folds all lanes into one by halves: op must take vectors of any width and scalars.
template <class V, class Op>
GRADLOOM_INLINE Element<V> fold(V v, Op op) {
  if constexpr (lanesOf<V> == 1) {
    return v;
  } else {
    using Half = Vec<Element<V>, lanesOf<V> / 2>;
    Half low, high;
    std::memcpy(&low, &v, sizeof(Half));
    std::memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof(Half), sizeof(Half));
    return fold(op(low, high), op);
  }
}

template <class V>
GRADLOOM_INLINE Element<V> sum(V v) {
  return fold(v, [](auto a, auto b) { return static_cast<decltype(a)>(a + b); });
}

// Largest and smallest lane. Not NaN-aware: a lane that is NaN may or may not win.
template <class V>
GRADLOOM_INLINE Element<V> largest(V v) {
  return fold(v, [](auto a, auto b) { return select(a > b, a, b); });
}

template <class V>
GRADLOOM_INLINE Element<V> smallest(V v) {
  return fold(v, [](auto a, auto b) { return select(a < b, a, b); });
}

// Whether any, or every, lane of a mask is set.
template <class M>
GRADLOOM_INLINE bool any(M mask) {
  return fold(mask, [](auto a, auto b) { return static_cast<decltype(a)>(a | b); }) != 0;
}

template <class M>
GRADLOOM_INLINE bool all(M mask) {
  return fold(mask, [](auto a, auto b) { return static_cast<decltype(a)>(a & b); }) != 0;
}

// ---- conversions ----------------------------------------------------------------------------

// Lane by lane to another element type, as static_cast does (the caller keeps values in range).
template <class To, class V>
GRADLOOM_INLINE Vec<To, lanesOf<V>> convert(V v) {
  if constexpr (std::is_same_v<To, Element<V>>) {
    return v;
  } else if constexpr (lanesOf<V> == 1) {
    return static_cast<To>(v);
  } else {
#if defined(__GNUC__)
    return __builtin_convertvector(v, Vec<To, lanesOf<V>>);
#endif
  }
}

// The same bits as another type of the same size.
template <class To, class From>
GRADLOOM_INLINE To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

// Bits of a vector as signed integers.
template <class V>
GRADLOOM_INLINE Bits<V> bits(V v) {
  return bitCast<Bits<V>>(v);
}

// A mask as bytes 0 and 1, one per lane: what a bool tensor holds.
template <class M>
GRADLOOM_INLINE Vec<uint8_t, lanesOf<M>> toBool(M mask) {
  if constexpr (lanesOf<M> == 1) {
    return mask ? 1 : 0;
  } else {
    return convert<uint8_t>(mask) & uint8_t(1);
  }
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
