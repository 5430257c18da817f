// The register tile of matrix products: a few rows times a few vectors of C, kept in registers
// while the shared dimension k runs. Every element of C is one chain of multiply-adds in the order
// of k, whatever the tile's shape, so results do not depend on how work is cut up.
#pragma once

#include "cpu/lanes.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// The largest tile, rows by vectors, that the registers hold beside a row of B and a value of A.
#if GRADLOOM_VECTOR_BYTES == 64
constexpr int tileRows = 8, tileVectors = 3;  // AVX-512: 32 registers
#elif GRADLOOM_VECTOR_BYTES == 32
constexpr int tileRows = 4, tileVectors = 3;  // AVX2: 16 registers
#elif defined(__aarch64__)
constexpr int tileRows = 6, tileVectors = 4;  // NEON: 32 registers
#else
constexpr int tileRows = 6, tileVectors = 2;  // SSE2: 16 registers, one of them for the product
#endif

// A column of tiles: rows of A times a strip of B, k deep, into C. Row i, step p of A is at
// a + i * aNext + p * aStep for the first row of a tile and aRow further for each row below; step p
// of the strip at b + p * bStep, and when `tail` is given one more step at tail; row i of C at
// c + i * cRow. C becomes sums + add, whose row i is at add + i * addRow (add may be null, or C
// itself). Of the last vector of a row only `lastLanes` lanes exist in C and add; in the strip all
// can be read, and mean nothing beyond.
template <class T>
struct Strip {
  int64_t k;
  const T* a;
  int64_t aRow, aStep, aNext;
  const T* b;
  int64_t bStep;
  const T* tail;
  T* c;
  int64_t cRow;
  const T* add;
  int64_t addRow;
  int lastLanes;
  // What will be needed next and is fetched into the second-level cache meanwhile: a line every
  // fourth step, by tile number t from ahead + t % 4 * aheadNext + t / 4 * aheadTurn on, aheadStep
  // apart. Any address will do.
  const T* ahead;
  int64_t aheadStep, aheadNext, aheadTurn;
};

// sums + add to one row of C.
template <class T, int vectors>
GRADLOOM_INLINE void finishRow(T* c, const T* add, const Vec<T>* sum, int lastLanes) {
  using V = Vec<T>;
  GRADLOOM_UNROLL
  for (int v = 0; v + 1 < vectors; v++) {
    const int64_t at = v * lanes<T>;
    store<V>(c + at, add ? sum[v] + load<V>(add + at) : sum[v]);
  }
  constexpr int64_t at = (vectors - 1) * lanes<T>;
  const V last = sum[vectors - 1];
  storeFirst<V>(c + at, add ? last + loadFirst<V>(add + at, lastLanes) : last, lastLanes);
}

// Keeps the compiler from seeing through a pointer or an integer. Unrolled, the loop below would
// otherwise be given a register or a stack slot for every address in it, instead of a base and a
// few strides.
template <class T>
GRADLOOM_INLINE void hide([[maybe_unused]] T& value) {
#if defined(__GNUC__)
  asm("" : "+r"(value));
#endif
}

// With AVX2 the largest tile takes all registers, and compilers then read B again for every row,
// and compute addresses in every step, rather than keep them: a twentieth of the speed, and a third
// where another program runs on the core's other thread. So these are told what to keep.
#if GRADLOOM_VECTOR_BYTES == 32 && defined(__FMA__) && defined(__GNUC__)
#define GRADLOOM_TIGHT_TILES 1
#else
#define GRADLOOM_TIGHT_TILES 0
#endif

// sum += left * right, all three in registers.
template <class V>
GRADLOOM_INLINE void multiplyAdd(V& sum, V left, V right) {
#if GRADLOOM_TIGHT_TILES
  // Volatile: to stay in this order, which needs the fewest registers.
  if constexpr (sizeof(Element<V>) == 4)
    asm volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(left), "x"(right));
  else
    asm volatile("vfmadd231pd %2, %1, %0" : "+x"(sum) : "x"(left), "x"(right));
#else
  sum += left * right;
#endif
}

// `count` steps of k, added to the sums; a and b move on. Row i of A is at a + offset[i].
template <class T, int count, int rows, int vectors>
GRADLOOM_INLINE void addSteps(Vec<T> (&sum)[rows][vectors], const Strip<T>& s,
                              const int64_t (&offset)[rows], const T*& a, const T*& b) {
  using V = Vec<T>;
  GRADLOOM_UNROLL
  for (int step = 0; step < count; step++) {
    V right[vectors];
    GRADLOOM_UNROLL
    for (int v = 0; v < vectors; v++) right[v] = load<V>(b + v * lanes<T>);
    GRADLOOM_UNROLL
    for (int i = 0; i < rows; i++) {
      const V left = splat<V>(a[offset[i]]);
      GRADLOOM_UNROLL
      for (int v = 0; v < vectors; v++) multiplyAdd(sum[i][v], left, right[v]);
    }
    a += s.aStep;
    b += s.bStep;
    hide(a);
    hide(b);
  }
}

// Tiles of rows × vectors, one below the other, for rows [from, to) of C.
template <class T, int rows, int vectors>
void tiles(const Strip<T>& strip, int64_t from, int64_t to) {
  constexpr int unrolled = 4;
  const Strip<T> s = strip;
  int64_t offset[rows];
  GRADLOOM_UNROLL
  for (int i = 0; i < rows; i++) {
    offset[i] = i * s.aRow;
    if constexpr (GRADLOOM_TIGHT_TILES) hide(offset[i]);
  }
  for (int64_t top = from; top < to; top += rows) {
    Vec<T> sum[rows][vectors] = {};
    T* c = s.c + top * s.cRow;
    GRADLOOM_UNROLL
    for (int i = 0; i < rows; i++) {
      prefetch(c + i * s.cRow);
      prefetch(c + i * s.cRow + vectors * lanes<T> - 1);
    }
    const T* a = s.a + top * s.aNext;
    const T* b = s.b;
    const int64_t number = top / tileRows;
    const T* ahead = s.ahead + number % 4 * s.aheadNext + number / 4 * s.aheadTurn;
    int64_t left = s.k;
    for (; left >= unrolled; left -= unrolled) {
      prefetchFar(ahead);
      ahead += s.aheadStep;
      addSteps<T, unrolled>(sum, s, offset, a, b);
    }
    for (; left > 0; left--) addSteps<T, 1>(sum, s, offset, a, b);
    if (s.tail) addSteps<T, 1>(sum, s, offset, a, b = s.tail);
    GRADLOOM_UNROLL
    for (int i = 0; i < rows; i++) {
      const T* add = s.add ? s.add + (top + i) * s.addRow : nullptr;
      finishRow<T, vectors>(c + i * s.cRow, add, sum[i], s.lastLanes);
    }
  }
}

template <class T>
using TileLoop = void (*)(const Strip<T>&, int64_t from, int64_t to);

// The loop for a tile of given size, 1 … tileRows by 1 … tileVectors.
template <class T, int rows = tileRows, int vectors = tileVectors>
GRADLOOM_INLINE TileLoop<T> tileLoop(int wantedRows, int wantedVectors) {
  if constexpr (vectors > 1) {
    if (wantedVectors < vectors) return tileLoop<T, rows, vectors - 1>(wantedRows, wantedVectors);
  }
  if constexpr (rows > 1) {
    if (wantedRows < rows) return tileLoop<T, rows - 1, vectors>(wantedRows, wantedVectors);
  }
  return tiles<T, rows, vectors>;
}

// The whole strip, `rows` high and `vectors` wide: tiles of full height, then one of the rest.
template <class T>
void runStrip(const Strip<T>& s, int64_t rows, int vectors) {
  const int64_t whole = rows - rows % tileRows;
  if (whole > 0) tileLoop<T>(tileRows, vectors)(s, 0, whole);
  if (whole < rows) tileLoop<T>(int(rows - whole), vectors)(s, whole, rows);
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
