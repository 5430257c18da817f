// One row of an elementwise kernel: the loop over contiguous or constant operands that all
// elementwise work comes down to, for every kernel of formulas.inc and every element type.
#pragma once

#include "cpu/kernels.h"
#include "cpu/lanes.h"
#include "cpu/scratch.h"
#include "cpu/trigonometry.h"

#define GRADLOOM_FORMULA GRADLOOM_INLINE

namespace gradloom::GRADLOOM_ISA {
namespace {

#include "kernels/formulas.inc"

template <class T>
GRADLOOM_INLINE Operands<T> advanced(Operands<T> x, int64_t elements) {
  for (int k = 0; k < maxOperands; k++) x.at[k] += elements * x.step[k];
  return x;
}

// Where a row's results go, and whether by streaming stores: see worthStreaming.
struct Target {
  void* at;
  bool streams = false;
};

// out[i] = kernel(operands[i], p, q) for n elements. out is T, or uint8 for comparisons; it may be
// one of the operands.
template <class T>
using MapRow = void (*)(Target out, const Operands<T>& x, int64_t n, T p, T q);

namespace detail {

// A vector full of each operand that is one value throughout.
template <class T, int operands>
using Constants = T[operands][lanes<T>];

// Where the next vectors of operands are read from: their own memory, or a vector full of the
// constant. Both are read alike, so that one loop serves all mixtures. It stays in registers, as
// nothing points into it.
template <class T, int operands>
struct Sources {
  using V = Vec<T>;
  const T* at[operands];
  int64_t step[operands];  // of a vector; 0 for a constant

  Sources(const Operands<T>& x, Constants<T, operands>& constants) {
    GRADLOOM_UNROLL
    for (int k = 0; k < operands; k++) {
      at[k] = x.at[k], step[k] = x.step[k] * lanes<T>;
      if (step[k] != 0) continue;
      store<V>(constants[k], splat<V>(*x.at[k]));
      at[k] = constants[k];
    }
  }
  V whole(int k) const { return load<V>(at[k]); }
  V partial(int k, int64_t count) const {
    return step[k] ? loadPartial<V>(at[k], count) : load<V>(at[k]);
  }
  // Asks for what will be read streamAhead bytes later.
  void fetch() const {
    GRADLOOM_UNROLL
    for (int k = 0; k < operands; k++) prefetch(at[k] + streamAhead / int64_t{sizeof(T)});
  }
  void advance() {
    GRADLOOM_UNROLL
    for (int k = 0; k < operands; k++) at[k] += step[k];
  }
};

template <class Formula, int operands, class V, class T>
GRADLOOM_INLINE auto apply(const V* v, T p, T q) {
  const V P = splat<V>(p), Q = splat<V>(q);
  if constexpr (operands == 1)
    return Formula::value(v[0], V{}, V{}, V{}, P, Q);
  else if constexpr (operands == 2)
    return Formula::value(v[0], v[1], V{}, V{}, P, Q);
  else if constexpr (operands == 3)
    return Formula::value(v[0], v[1], v[2], V{}, P, Q);
  else
    return Formula::value(v[0], v[1], v[2], v[3], P, Q);
}

template <class Formula, int operands, class T>
void mapRow(Target out, const Operands<T>& x, int64_t n, T p, T q) {
  using V = Vec<T>;
  T* to = static_cast<T*>(out.at);
  const bool streams = out.streams && canStream(to);
  Constants<T, operands> constants;
  Sources<T, operands> from(x, constants);
  V v[operands];  // in registers where the loop is unrolled
  for (; n >= lanes<T>; n -= lanes<T>, to += lanes<T>) {
    GRADLOOM_UNROLL
    for (int k = 0; k < operands; k++) v[k] = from.whole(k);
    const V y = apply<Formula, operands>(v, p, q);
    if (streams) {
      from.fetch();
      streamStore<V>(to, y);
    } else {
      store<V>(to, y);
    }
    from.advance();
  }
  if (streams) endStream();
  if (n == 0) return;
  GRADLOOM_UNROLL
  for (int k = 0; k < operands; k++) v[k] = from.partial(k, n);
  storePartial<V>(to, apply<Formula, operands>(v, p, q), n);
}

// Masks are narrowed to bytes a block at a time by a plain loop, for which compilers find better
// instructions than for a conversion of one vector.
template <class Formula, int operands, class T>
void compareRow(Target out, const Operands<T>& x, int64_t n, T p, T q) {
  using V = Vec<T>;
  using M = Mask<V>;
  constexpr int block = 64;
  uint8_t* to = static_cast<uint8_t*>(out.at);
  Constants<T, operands> constants;
  Sources<T, operands> from(x, constants);
  for (int64_t start = 0; start < n; start += block) {
    const int64_t left = n - start < block ? n - start : block;
    Element<M> wide[block] = {};
    V v[operands];
    for (int64_t j = 0; j < left; j += lanes<T>) {
      const bool whole = j + lanes<T> <= left;
      GRADLOOM_UNROLL
      for (int k = 0; k < operands; k++) {
        v[k] = whole ? from.whole(k) : from.partial(k, left - j);
      }
      store<M>(wide + j, apply<Formula, operands>(v, p, q));
      from.advance();
    }
    uint8_t narrow[block];
    for (int j = 0; j < block; j++) narrow[j] = uint8_t(wide[j] & 1);
    std::memcpy(to + start, narrow, size_t(left));
  }
}

template <class Formula, Kind kind, int operands, class T>
constexpr MapRow<T> rowOf() {
  if constexpr (kind == Kind::compare)
    return compareRow<Formula, operands, T>;
  else if constexpr (kind == Kind::number || isFloating<T>)
    return mapRow<Formula, operands, T>;
  else
    return nullptr;
}

}  // namespace detail

// The row of each kernel by its number; null where it is not defined for T.
#define GRADLOOM_ROW(number, name, kind, letters) \
  detail::rowOf<name, Kind::kind, int(sizeof(letters)) - 1, T>(),
template <class T>
constexpr MapRow<T> mapRows[] = {GRADLOOM_KERNELS(GRADLOOM_ROW)};
#undef GRADLOOM_ROW

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
