// Copies of matrix blocks in the order in which the register tiles read them.
#pragma once

#include "cpu/gemm_tile.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

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
  constexpr int64_t size = partLanes<T>, high = squares * size, line = 64 / int(sizeof(T));
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

// A strip of B, `depth` rows of `wanted` vectors, from rows `row` elements apart. Of the last
// vector `lastLanes` lanes are the strip's; the others are what follows in memory, or zero.
template <class T, int vectors = tileVectors>
void copyStrip(T* to, const T* from, int64_t row, int64_t depth, int wanted, int lastLanes) {
  if constexpr (vectors > 1) {
    if (wanted < vectors) {
      return copyStrip<T, vectors - 1>(to, from, row, depth, wanted, lastLanes);
    }
  }
  using V = Vec<T>;
  constexpr int64_t last = (vectors - 1) * lanes<T>;
  const int64_t inside = depth - (lanes<T> - lastLanes + row - 1) / row;  // rows with room behind
  for (int64_t p = 0; p < depth; p++, from += row, to += vectors * lanes<T>) {
    GRADLOOM_UNROLL
    for (int64_t v = 0; v < last; v += lanes<T>) store(to + v, load<V>(from + v));
    store(to + last, p < inside ? load<V>(from + last) : loadFirst<V>(from + last, lastLanes));
  }
}

// The same from B stored [n, k]; the lanes that are not the strip's are zero.
template <class T>
void transposeStrip(T* to, const T* from, int64_t row, int64_t depth, int vectors, int lastLanes) {
  const int64_t padded = vectors * lanes<T>, width = padded - lanes<T> + lastLanes;
  if (width < padded) {
    for (int64_t p = 1; p <= depth; p++) store(to + p * padded - lanes<T>, Vec<T>{});
  }
  transpose(to, padded, from, row, width, depth);
}

// Rows of A stored [k, m] as panels [depth, tileRows], one below the other; the last may have fewer
// rows that mean something.
template <class T>
void packPanels(T* to, const T* from, int64_t row, int64_t depth, int64_t rows) {
  for (int64_t top = 0; top < rows; top += tileRows) {
    const T* source = from + top;
    const int64_t height = rows - top < tileRows ? rows - top : tileRows;
    for (int64_t p = 0; p < depth; p++, source += row, to += tileRows) {
      if (height == tileRows) {
        std::memcpy(to, source, sizeof(T) * tileRows);
      } else {
        for (int64_t i = 0; i < height; i++) to[i] = source[i];
      }
    }
  }
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
