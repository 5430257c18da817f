// Copies of matrix blocks in the order in which the register tiles read them.
#pragma once

#include "cpu/gemm_tile.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Elements of a cache line. Rows and panels of packed A are followed by one to spare: without it
// equal places of different ones would compete for the same set of the cache.
template <class T>
constexpr int64_t lineLength = 64 / int64_t(sizeof(T));

// Transposition goes by squares of 16-byte parts, as many below each other as a vector has parts.
template <class T>
constexpr int squaresHigh = GRADLOOM_SHUFFLES ? lanes<T> / partLanes<T> : 1;

// `count` elements, a power of two, from each of as many rows as make a vector V.
template <class V, int count>
GRADLOOM_INLINE V gatherParts(const Element<V>* from, int64_t row) {
  if constexpr (lanesOf<V> == count) {
    return load<V>(from);
  } else {
    const int64_t below = lanesOf<V> / 2 / count * row;
    return join(gatherParts<Half<V>, count>(from, row),
                gatherParts<Half<V>, count>(from + below, row));
  }
}

// to[j * toRow + i] = from[i * fromRow + j] for one column of squares.
template <class T, int squares>
GRADLOOM_INLINE void transposeSquares(T* to, int64_t toRow, const T* from, int64_t fromRow) {
  constexpr int size = partLanes<T>;
  using V = Vec<T, squares * size>;
  V row[size], next[size];
  GRADLOOM_UNROLL
  for (int i = 0; i < size; i++) {
    row[i] = gatherParts<V, size>(from + i * fromRow, size * fromRow);
  }
  // Interleaving row i with row i + size / 2, log2(size) times, moves every element to its place.
  GRADLOOM_UNROLL
  for (int span = size; span > 1; span /= 2) {
    GRADLOOM_UNROLL
    for (int i = 0; i < size / 2; i++) {
      next[2 * i] = interleave<false>(row[i], row[i + size / 2]);
      next[2 * i + 1] = interleave<true>(row[i], row[i + size / 2]);
    }
    GRADLOOM_UNROLL
    for (int i = 0; i < size; i++) row[i] = next[i];
  }
  GRADLOOM_UNROLL
  for (int i = 0; i < size; i++) store<V>(to + i * toRow, row[i]);
}

// to [columns, rows] = transpose of from [rows, columns], with given distances between rows. The
// rows go by `squares` squares at a time, then one by one; the columns by cache lines, so that no
// line is fetched twice.
template <class T, int squares = squaresHigh<T>>
void transpose(T* to, int64_t toRow, const T* from, int64_t fromRow, int64_t rows,
               int64_t columns) {
  constexpr int64_t size = partLanes<T>, high = squares * size, line = lineLength<T>;
  const int64_t whole = rows - rows % high;
  for (int64_t left = 0; left < columns; left += line) {
    const int64_t right = left + line < columns ? left + line : columns;
    for (int64_t i = 0; i < whole; i += high) {
      int64_t j = left;
      for (; j + size <= right; j += size) {
        transposeSquares<T, squares>(to + j * toRow + i, toRow, from + i * fromRow + j, fromRow);
      }
      for (; j < right; j++) {
        for (int64_t r = i; r < i + high; r++) to[j * toRow + r] = from[r * fromRow + j];
      }
    }
  }
  if constexpr (squares > 1) {
    transpose<T, 1>(to + whole, toRow, from + whole * fromRow, fromRow, rows - whole, columns);
  } else {
    for (int64_t i = whole; i < rows; i++) {
      for (int64_t j = 0; j < columns; j++) to[j * toRow + i] = from[i * fromRow + j];
    }
  }
}

// One row of a strip of B, `wanted` vectors. Of the last vector `lastLanes` lanes are the strip's;
// the others are what follows in memory, or zero where there may be nothing (`end`).
template <class T, int vectors = tileVectors>
GRADLOOM_INLINE void copyRow(T* to, const T* from, int wanted, int lastLanes, bool end) {
  if constexpr (vectors > 1) {
    if (wanted < vectors) return copyRow<T, vectors - 1>(to, from, wanted, lastLanes, end);
  }
  using V = Vec<T>;
  constexpr int64_t last = (vectors - 1) * lanes<T>;
  GRADLOOM_UNROLL
  for (int64_t v = 0; v < last; v += lanes<T>) store(to + v, load<V>(from + v));
  store(to + last, end ? loadFirst<V>(from + last, lastLanes) : load<V>(from + last));
}

// Elements of a packed strip of B, `width` of them a row, and a row to spare: see lineLength.
constexpr int64_t stripSize(int64_t depth, int64_t width) {
  return (depth + 1) * width;
}

// Strips of B beside each other, `depth` rows of `width` elements, from rows `row` elements apart.
// Strip i is vectors[i] vectors wide; each is contiguous, stripSize from the next. Whole rows are
// read at a time: they may lie in different pages.
template <class T>
void copyStrips(T* to, const T* from, int64_t row, int64_t depth, int64_t width,
                const int* vectors) {
  const int64_t beyond = lanes<T> - 1 - (width - 1) % lanes<T>;  // lanes not in B
  const int64_t inside = depth - (beyond + row - 1) / row;       // rows with room behind
  for (int64_t p = 0; p < depth; p++, from += row) {
    T* target = to;
    int64_t left = 0;
    for (int i = 0; left < width; i++) {
      const int64_t padded = vectors[i] * lanes<T>;
      const int64_t last = width - left < padded ? lanes<T> - beyond : lanes<T>;
      prefetch(from + left + 2 * row);
      copyRow(target + p * padded, from + left, vectors[i], int(last), p >= inside);
      left += padded;
      target += stripSize(depth, padded);
    }
  }
}

// One strip of B stored [n, k], `width` of them; the lanes that are not the strip's are zero.
template <class T>
void transposeStrip(T* to, const T* from, int64_t row, int64_t depth, int64_t width, int vectors) {
  const int64_t padded = vectors * lanes<T>;
  if (width < padded) {
    for (int64_t p = 1; p <= depth; p++) store(to + p * padded - lanes<T>, Vec<T>{});
  }
  transpose(to, padded, from, row, width, depth);
}

// Rows of A stored [m, k] into rows of depth + lineLength.
template <class T>
void copyRows(T* to, const T* from, int64_t row, int64_t depth, int64_t rows) {
  using V = Vec<T>;
  const int64_t whole = depth - depth % lanes<T>;
  for (int64_t i = 0; i < rows; i++, from += row, to += depth + lineLength<T>) {
    for (int64_t p = 0; p < whole; p += lanes<T>) {
      prefetch(from + row + p);
      store(to + p, load<V>(from + p));
    }
    for (int64_t p = whole; p < depth; p++) to[p] = from[p];
  }
}

// Panels [depth, tileRows] of A stored [k, m], `count` of them beside each other.
template <class T, int count>
GRADLOOM_INLINE void packBeside(T* to, int64_t panel, const T* from, int64_t row, int64_t depth) {
  for (int64_t p = 0; p < depth; p++, from += row, to += tileRows) {
    prefetch(from + lineLength<T>);
    GRADLOOM_UNROLL
    for (int i = 0; i < count; i++) {
      std::memcpy(to + i * panel, from + i * tileRows, sizeof(T) * tileRows);
    }
  }
}

// Rows of A stored [k, m] into panels [depth, tileRows], each followed by a line to spare; the last
// may have fewer rows that mean something. As many panels at a time as a cache line has rows for.
template <class T>
void packPanels(T* to, const T* from, int64_t row, int64_t depth, int64_t rows) {
  constexpr int64_t fitting = lineLength<T> / tileRows;
  constexpr int beside = fitting > 1 ? int(fitting) : 1;
  constexpr int64_t rowsBeside = int64_t{tileRows} * beside;
  const int64_t panel = tileRows * (depth + lineLength<T>), whole = rows - rows % tileRows;
  int64_t i = 0;
  for (; i + rowsBeside <= whole; i += rowsBeside, to += beside * panel) {
    packBeside<T, beside>(to, panel, from + i, row, depth);
  }
  for (; i < whole; i += tileRows, to += panel) packBeside<T, 1>(to, panel, from + i, row, depth);
  for (int64_t p = 0; i < rows && p < depth; p++) {
    for (int64_t r = i; r < rows; r++) to[p * tileRows + r - i] = from[p * row + r];
  }
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
