// Reductions of the middle axis of a tensor [outer, n, inner] to [outer, inner].
#pragma once

#include "cpu/fold.h"
#include "cpu/scratch.h"
#include "cpu/tables.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

namespace detail {

constexpr int64_t reduceGrain = 1 << 15;  // elements read by a chunk
constexpr int reduceWidth = 4;            // vectors of columns taken at a time

// Vectors of columns at most beside each other: stretches of memory long enough to be fetched
// ahead.
template <class T>
constexpr int stripeWidth = 2048 / (lanes<T> * int(sizeof(T)));

// Items of `cost` elements each that make a chunk.
inline int64_t itemsPerChunk(int64_t cost) {
  return cost < reduceGrain ? reduceGrain / (cost < 1 ? 1 : cost) : 1;
}

// out[i] = the result in lane i, for the lanes from `first` on.
template <class Op, class R, class A>
GRADLOOM_INLINE void storeResults(R* out, A results, int first) {
  for (int i = first; i < lanesOf<A>; i++) out[i] = static_cast<R>(Op::result(lane(results, i)));
}

// Columns [from, to) of one matrix a [n, inner]. `Columns` has run<V, width>(out, column), which
// does width vectors of columns from there on, and `last` lanes of them only when that is not 0.
template <class V, class Columns>
GRADLOOM_INLINE void overColumns(int64_t from, int64_t to, int64_t inner, const Columns& columns) {
  constexpr int64_t step = lanesOf<V>;
  for (; from + reduceWidth * step <= to; from += reduceWidth * step) {
    columns.template run<V, reduceWidth>(from, 0);
  }
  for (; from + step <= to; from += step) columns.template run<V, 1>(from, 0);
  if (from == to) return;
  if (inner >= step && to >= step) {
    columns.template run<V, 1>(to - step, int(to - from));  // looks back over columns already done
  } else {
    for (; from < to; from++) columns.template run<Element<V>, 1>(from, 0);
  }
}

template <class Op, class R, class From>
struct FoldColumns {
  R* out;
  const From* a;
  int64_t n, inner;

  template <class V, int width>
  GRADLOOM_INLINE void run(int64_t column, int last) const {
    typename Op::template Accumulator<V> sums[width];
    foldRows<Op, V, width>(sums, a + column, n, inner);
    const int first = last > 0 ? lanesOf<V> - last : 0;
    for (int w = 0; w < width; w++) {
      storeResults<Op>(out + column + w * lanesOf<V>, sums[w], first);
    }
  }
};

// Folds `vectors` vectors of columns of a [n, stride] by blocks of rows, so that memory is read in
// the order it lies in; each column by the steps of foldRows, to the same bits.
template <class Op, class T, class R, class From>
void foldStripe(R* out, const From* a, int64_t n, int64_t stride, int vectors) {
  using V = Vec<T>;
  using A = typename Op::template Accumulator<V>;
  A waiting[32][stripeWidth<T>];  // as in foldRows; no memory holds 2^36 rows of a stripe
  int depth = 0;
  int64_t row = 0;
  for (int64_t block = 0; row < n; block++, row += foldBlock) {
    const From* rows = a + row * stride;
    const int64_t count = n - row < foldBlock ? n - row : foldBlock;
    int joins = 0;
    while (block >> joins & 1) joins++;
    const auto fold = [&](auto widthOf, int at) {
      constexpr int width = decltype(widthOf)::value;
      A sum[width];
      if (count == foldBlock)
        foldBlockRows<Op, V, true>(sum, rows + at * lanes<T>, foldBlock, stride);
      else
        foldBlockRows<Op, V, false>(sum, rows + at * lanes<T>, count, stride);
      for (int j = 1; j <= joins; j++) {
        GRADLOOM_UNROLL
        for (int w = 0; w < width; w++) sum[w] = Op::join(waiting[depth - j][at + w], sum[w]);
      }
      GRADLOOM_UNROLL
      for (int w = 0; w < width; w++) waiting[depth - joins][at + w] = sum[w];
    };
    int at = 0;
    for (; at + reduceWidth <= vectors; at += reduceWidth) {
      fold(std::integral_constant<int, reduceWidth>(), at);
    }
    for (; at < vectors; at++) fold(std::integral_constant<int, 1>(), at);
    depth += 1 - joins;
  }
  for (int w = 0; w < vectors; w++) {
    A total = waiting[depth - 1][w];
    for (int d = depth - 2; d >= 0; d--) total = Op::join(waiting[d][w], total);
    storeResults<Op>(out + w * lanes<T>, total, 0);
  }
}

// Where columns are cut for helpers: a group each, of whole reduceWidth vectors. Each column is
// reduced by itself, so that results do not depend on it.
template <class T, class Body>
void inColumnGroups(int64_t outer, int64_t n, int64_t inner, const Body& body) {
  constexpr int64_t least = reduceWidth * lanes<T>, most = stripeWidth<T> * lanes<T>;
  const int64_t share = (inner / threadCount() + least - 1) / least * least;
  const int64_t group = share < least ? least : share > most ? most : share;
  const int64_t groups = (inner + group - 1) / group;
  parallelFor(outer * groups, itemsPerChunk(n * group), [&](int64_t from, int64_t to) {
    for (; from < to; from++) {
      const int64_t column = from % groups * group;
      body(from / groups, column, column + group < inner ? column + group : inner);
    }
  });
}

// The whole reduction in one pass. T: the type whose lanes do the work.
template <class Op, class T, class R, class From>
void reduceOnce(R* out, const From* a, int64_t outer, int64_t n, int64_t inner) {
  if (inner == 1) {
    parallelFor(outer, itemsPerChunk(n), [=](int64_t from, int64_t to) {
      for (; from < to; from++) out[from] = static_cast<R>(foldRun<Op, T>(a + from * n, n));
    });
    return;
  }
  inColumnGroups<T>(outer, n, inner, [=](int64_t o, int64_t from, int64_t to) {
    const FoldColumns<Op, R, From> columns{out + o * inner, a + o * n * inner, n, inner};
    const int vectors = int((to - from) / lanes<T>);
    if (n > 0 && vectors > reduceWidth) {
      foldStripe<Op, T>(columns.out + from, columns.a + from, n, inner, vectors);
      from += vectors * lanes<T>;
    }
    overColumns<Vec<T>>(from, to, inner, columns);
  });
}

// The parts a long reduction with few results is cut into, so that helpers have something to do; a
// matter of sizes only, as results must not depend on the number of threads.
inline int64_t partsOf(int64_t outer, int64_t n, int64_t inner) {
  if (outer * inner >= 64 || n * inner < 4 * reduceGrain) return 1;
  const int64_t parts = n * inner / reduceGrain;
  return parts < 32 ? parts : 32;
}

// Op over all, Joining (which folds results of Op) over the results of the parts.
template <class Op, class Joining, class T, class R, class From>
void reduceInParts(R* out, const From* a, int64_t outer, int64_t n, int64_t inner) {
  const int64_t parts = partsOf(outer, n, inner);
  R* partial = parts > 1 ? static_cast<R*>(scratch(outer * parts * inner * sizeof(R))) : nullptr;
  if (partial == nullptr) return reduceOnce<Op, T>(out, a, outer, n, inner);
  const int64_t length = (n + parts - 1) / parts;
  parallelFor(outer * parts, 1, [=](int64_t from, int64_t to) {
    for (; from < to; from++) {
      const int64_t o = from / parts, start = from % parts * length;
      const int64_t rows = start >= n ? 0 : n - start < length ? n - start : length;
      reduceOnce<Op, T>(partial + from * inner, a + (o * n + start) * inner, 1, rows, inner);
    }
  });
  reduceOnce<Joining, R>(out, partial, outer, parts, inner);
}

// Positions of the extremes of the columns.
template <bool largest, class From>
struct ExtremeColumns {
  int32_t* out;
  const From* a;
  int64_t n, inner;

  template <class V, int width>
  GRADLOOM_INLINE void run(int64_t column, int last) const {
    using I = Bits<V>;
    V best[width];
    I index[width];
    GRADLOOM_UNROLL
    for (int w = 0; w < width; w++) {
      best[w] = loadAs<V>(a + column + w * lanesOf<V>);
      index[w] = I{};
    }
    for (int64_t row = 1; row < n; row++) {
      GRADLOOM_UNROLL
      for (int w = 0; w < width; w++) {
        const V x = loadAs<V>(a + row * inner + column + w * lanesOf<V>);
        auto better = Extreme<largest>::beats(x, best[w]);
        if constexpr (isFloating<V>) better = better & (best[w] == best[w]);
        best[w] = select(better, x, best[w]);
        index[w] = select(better, splat<I>(static_cast<Element<I>>(row)), index[w]);
      }
    }
    const int first = last > 0 ? lanesOf<V> - last : 0;
    GRADLOOM_UNROLL
    for (int w = 0; w < width; w++) {
      storeResults<Number>(out + column + w * lanesOf<V>, index[w], first);
    }
  }
};

// Position of the first extreme element of a run: of a short one by looking at each, of a long one
// by finding the value first.
template <bool largest, class T>
int32_t extremePosition(const T* a, int64_t n) {
  using V = Vec<T>;
  int64_t best = 0;
  if (n <= 4 * lanes<T>) {
    T value = a[0];
    for (int64_t i = 1; i < n; i++) {
      const bool better = Extreme<largest>::beats(a[i], value) & (value == value);
      best = better ? i : best;  // no branches: nobody could predict them
      value = better ? a[i] : value;
    }
    return int32_t(best);
  }
  const T value = foldRun<Extreme<largest>, T>(a, n);
  for (; best + lanes<T> <= n; best += lanes<T>) {
    const V x = load<V>(a + best);
    if (any((x == splat<V>(value)) | (x != x))) break;
  }
  while (best < n - 1 && a[best] == a[best] && a[best] != value) best++;
  return int32_t(best);
}

template <bool largest, class T>
void argExtreme(int32_t* out, const T* a, int64_t outer, int64_t n, int64_t inner) {
  if (inner == 1) {
    parallelFor(outer, itemsPerChunk(n), [=](int64_t from, int64_t to) {
      for (; from < to; from++) out[from] = extremePosition<largest>(a + from * n, n);
    });
    return;
  }
  using Wide = std::conditional_t<std::is_same_v<T, uint8_t>, int32_t, T>;
  inColumnGroups<Wide>(outer, n, inner, [=](int64_t o, int64_t from, int64_t to) {
    const ExtremeColumns<largest, T> columns{out + o * inner, a + o * n * inner, n, inner};
    overColumns<Vec<Wide>>(from, to, inner, columns);
  });
}

}  // namespace detail

// out is T for max and min, uint8 for any and all, int32 for argMax and argMin; for sums and
// products T, or int32 where T is uint8. argMax and argMin need 0 < n < 2^31, max and min 0 < n.
template <class T>
void reduce(Reduction reduction, void* out, const T* a, int64_t outer, int64_t n, int64_t inner) {
  using Total = std::conditional_t<std::is_same_v<T, uint8_t>, int32_t, T>;
  Total* total = static_cast<Total*>(out);
  T* same = static_cast<T*>(out);
  uint8_t* truth = static_cast<uint8_t*>(out);
  int32_t* position = static_cast<int32_t*>(out);
  switch (reduction) {
    case Reduction::sum:
      return detail::reduceInParts<Sum, Sum, Total>(total, a, outer, n, inner);
    case Reduction::prod:
      return detail::reduceInParts<Multiplied, Multiplied, Total>(total, a, outer, n, inner);
    case Reduction::sumSquares:
      return detail::reduceInParts<SumSquares, Sum, Total>(total, a, outer, n, inner);
    case Reduction::sumAbs:
      return detail::reduceInParts<SumAbs, Sum, Total>(total, a, outer, n, inner);
    case Reduction::max:
      return detail::reduceInParts<Extreme<true>, Extreme<true>, T>(same, a, outer, n, inner);
    case Reduction::min:
      return detail::reduceInParts<Extreme<false>, Extreme<false>, T>(same, a, outer, n, inner);
    case Reduction::any:
      return detail::reduceInParts<Any, Any, T>(truth, a, outer, n, inner);
    case Reduction::all:
      return detail::reduceInParts<All, All, T>(truth, a, outer, n, inner);
    case Reduction::argMax:
      return detail::argExtreme<true>(position, a, outer, n, inner);
    case Reduction::argMin:
      return detail::argExtreme<false>(position, a, outer, n, inner);
  }
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
