// Folding many elements into one: what a reduction does with an element, and the loops that do it
// to vectors. reduce.h applies them to tensors.
//
// Sums of floating point numbers are pairwise: blocks of 16 terms a lane, then sums of two sums of
// equal size, so that the error grows with the logarithm of the number of terms.
#pragma once

#include "cpu/arithmetic.h"
#include "cpu/lanes.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// A reduction of vectors (or scalars) V has: its accumulator, and what a lane of one means as a
// result (Number, Truth); `start` of an empty one, `take` of one more element, `join` of two of any
// width (the structs after these).
struct Number {
  template <class V>
  using Accumulator = V;
  template <class E>
  static GRADLOOM_INLINE E result(E lane) {
    return lane;
  }
};

struct Truth {
  template <class V>
  using Accumulator = Mask<V>;
  template <class E>
  static GRADLOOM_INLINE bool result(E lane) {
    return lane != 0;
  }
};

struct Sum : Number {
  template <class V>
  static GRADLOOM_INLINE V start() {
    return V{};
  }
  template <class V>
  static GRADLOOM_INLINE V take(V sum, V x) {
    return sum + x;
  }
  template <class A>
  static GRADLOOM_INLINE A join(A a, A b) {
    return a + b;
  }
};

struct SumSquares : Sum {
  template <class V>
  static GRADLOOM_INLINE V take(V sum, V x) {
    return sum + x * x;
  }
};

struct SumAbs : Sum {
  template <class V>
  static GRADLOOM_INLINE V take(V sum, V x) {
    return sum + abs(x);
  }
};

struct Multiplied : Number {
  template <class V>
  static GRADLOOM_INLINE V start() {
    return constant<V>(1);
  }
  template <class V>
  static GRADLOOM_INLINE V take(V product, V x) {
    return product * x;
  }
  template <class A>
  static GRADLOOM_INLINE A join(A a, A b) {
    return a * b;
  }
};

// The extreme element; NaN beats everything and is never beaten.
template <bool largest>
struct Extreme : Number {
  template <class V>
  static GRADLOOM_INLINE V start() {
    using T = Element<V>;
    using Limits = std::numeric_limits<T>;
    if constexpr (isFloating<V>)
      return splat<V>(largest ? -Limits::infinity() : Limits::infinity());
    else
      return splat<V>(largest ? Limits::min() : Limits::max());
  }
  template <class V>
  static GRADLOOM_INLINE auto beats(V x, V best) {
    if constexpr (isFloating<V>)
      return (largest ? x > best : x < best) | (x != x);
    else
      return largest ? x > best : x < best;
  }
  template <class V>
  static GRADLOOM_INLINE V take(V best, V x) {
    return select(beats(x, best), x, best);
  }
  template <class A>
  static GRADLOOM_INLINE A join(A a, A b) {
    return take(a, b);
  }
};

struct Any : Truth {
  template <class V>
  static GRADLOOM_INLINE Mask<V> start() {
    return Mask<V>{};
  }
  template <class V>
  static GRADLOOM_INLINE Mask<V> take(Mask<V> found, V x) {
    return found | (x != V{});
  }
  template <class A>
  static GRADLOOM_INLINE A join(A a, A b) {
    return a | b;
  }
};

struct All : Truth {
  template <class V>
  static GRADLOOM_INLINE Mask<V> start() {
    return V{} == V{};
  }
  template <class V>
  static GRADLOOM_INLINE Mask<V> take(Mask<V> held, V x) {
    return held & (x != V{});
  }
  template <class A>
  static GRADLOOM_INLINE A join(A a, A b) {
    return a & b;
  }
};

// V from memory of another element type.
template <class V, class From>
GRADLOOM_INLINE V loadAs(const From* from) {
  return convert<Element<V>>(load<Vec<From, lanesOf<V>>>(from));
}

constexpr int64_t foldBlock = 16;

// Takes `rows` rows, foldBlock of them if `whole`, into the accumulators of `width` vectors.
template <class Op, class V, bool whole, int width, class From>
GRADLOOM_INLINE void foldBlockRows(typename Op::template Accumulator<V> (&sum)[width],
                                   const From* a, int64_t rows, int64_t stride) {
  GRADLOOM_UNROLL
  for (int w = 0; w < width; w++) sum[w] = Op::template start<V>();
  const int64_t count = whole ? foldBlock : rows;
  for (int64_t row = 0; row < count; row++) {
    GRADLOOM_UNROLL
    for (int w = 0; w < width; w++) sum[w] = Op::take(sum[w], loadAs<V>(a + w * lanesOf<V>));
    a += stride;
  }
}

// out[w] = the fold of a[row * stride + w * lanes …] over all rows, for `width` vectors side by
// side.
template <class Op, class V, int width, class From>
GRADLOOM_INLINE void foldRows(typename Op::template Accumulator<V>* out, const From* a,
                              int64_t rows, int64_t stride) {
  using A = typename Op::template Accumulator<V>;
  A waiting[48][width];  // folds of 1, 2, 4, … blocks that wait for one of equal size
  int depth = 0;
  int64_t row = 0;
  for (int64_t block = 0; row < rows; block++, row += foldBlock) {
    A sum[width];
    if (rows - row >= foldBlock) {
      foldBlockRows<Op, V, true>(sum, a + row * stride, foldBlock, stride);
    } else {
      foldBlockRows<Op, V, false>(sum, a + row * stride, rows - row, stride);
    }
    for (int64_t pairs = block; pairs & 1; pairs >>= 1) {
      depth--;
      GRADLOOM_UNROLL
      for (int w = 0; w < width; w++) sum[w] = Op::join(waiting[depth][w], sum[w]);
    }
    GRADLOOM_UNROLL
    for (int w = 0; w < width; w++) waiting[depth][w] = sum[w];
    depth++;
  }
  for (int w = 0; w < width; w++) {
    A total = depth > 0 ? waiting[depth - 1][w] : Op::template start<V>();
    for (int d = depth - 2; d >= 0; d--) total = Op::join(waiting[d][w], total);
    out[w] = total;
  }
}

// The fold of n elements side by side, in lanes of T.
template <class Op, class T, class From>
GRADLOOM_INLINE auto foldRun(const From* a, int64_t n) {
  using V = Vec<T>;
  using A = typename Op::template Accumulator<V>;
  constexpr int width = 4;
  constexpr int64_t step = width * lanesOf<V>;
  typename Op::template Accumulator<T> tail;
  const int64_t vectors = n / lanesOf<V>, whole = vectors / width;
  const int64_t done = vectors * lanesOf<V>;
  foldRows<Op, T, 1>(&tail, a + done, n - done, 1);
  if (vectors == 0) return tail;
  A sums[width], rest;
  foldRows<Op, V, width>(sums, a, whole, step);
  foldRows<Op, V, 1>(&rest, a + whole * step, vectors - whole * width, lanesOf<V>);
  const A all = Op::join(Op::join(Op::join(sums[0], sums[1]), Op::join(sums[2], sums[3])), rest);
  const auto lanesJoined = fold(all, [](auto x, auto y) { return decltype(x)(Op::join(x, y)); });
  return Op::join(static_cast<decltype(tail)>(lanesJoined), tail);
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
