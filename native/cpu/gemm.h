// Matrix products: C [m, n] = A [m, k] · B [k, n], blocked for the caches.
//
// The work of one thread is a rectangle of C. It walks C in column blocks and k in depth blocks
// such that a block of B stays in the second-level cache, and streams the rows of A past it. What
// lies badly for the register tiles is packed first, strip by strip. Depth blocks follow from k
// alone, so a result has the same bits however C was divided.
#pragma once

#include "cpu/gemm_pack.h"
#include "cpu/scratch.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Depth of a block: with it the widest strip of B fills three quarters of a usual first-level cache.
template <class T>
constexpr int64_t depthLimit = 1024 / int64_t(sizeof(T));
// Rows of A between two strips of B, a multiple of tileRows.
constexpr int64_t bandLimit = tileRows * 16;
// Up to so many rows of C, B is read where it is: packing would cost more than it saves.
constexpr int64_t rowsForDirectB = 64;
// Up to so many bytes, A stored [k, m] is read where it is.
constexpr int64_t bytesForDirectA = 16 << 10;
constexpr int64_t lineBytes = 64;

// One product. A is stored [m, k], or [k, m] with transA; B [k, n], or [n, k] with transB. Row i of
// C becomes product + row i of `add`, which is at add + i * addRow; null stands for zeros.
template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;
  const T* b;
  T* c;
  const T* add;
  int64_t addRow;
  bool transA, transB;
};

struct Range {
  int64_t from, to;
  int64_t size() const { return to - from; }
};

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t atMost(int64_t a, int64_t b) { return a < b ? a : b; }

// A range cut into the fewest pieces of at most `limit` units, as even as can be.
class Cut {
 public:
  Cut(Range range, int64_t unit, int64_t limit)
      : range(range), unit(unit), units(ceilDivide(range.size(), unit)) {
    pieces = ceilDivide(units, limit);
  }
  Range operator[](int64_t i) const {
    const int64_t from = range.from + units * i / pieces * unit;
    return {from, atMost(range.from + units * (i + 1) / pieces * unit, range.to)};
  }
  int64_t longest() const { return pieces == 0 ? 0 : ceilDivide(units, pieces) * unit; }

  int64_t pieces;

 private:
  Range range;
  int64_t unit, units;
};

// The product's rectangle rows × columns, on this thread. finish(rows, columns) is called for each
// part of it once its values are final and still in cache.
template <class T, class Finish>
class Block {
 public:
  Block(const Product<T>& product, Range rows, Range columns, Finish finish)
      : p(product), rows(rows), columns(columns), finish(finish), depths({0, p.k}, 1, depthLimit<T>) {
    depthSize = depths.longest();
    const int64_t fitting = caches().l2 / 2 / int64_t(sizeof(T)) / (depthSize > 0 ? depthSize : 1);
    width = ceilDivide(fitting, lanes<T>) * lanes<T>;
    directA = !p.transA || p.m * p.k * int64_t(sizeof(T)) <= bytesForDirectA;
    directB = !p.transB && rows.size() <= rowsForDirectB && p.n >= lanes<T>;
    const int64_t padded = ceilDivide(atMost(width, columns.size()), lanes<T>) * lanes<T>;
    packedA = static_cast<T*>(scratch(depthSize * (bandLimit + padded) * sizeof(T)));
    packedB = packedA + depthSize * bandLimit;
  }

  void run() {
    for (int64_t left = columns.from; left < columns.to; left += width) {
      const Range part{left, atMost(left + width, columns.to)};
      runDepth({0, depths.pieces == 0 ? 0 : depths[0].to}, part, depths.pieces <= 1);
      for (int64_t i = 1; i < depths.pieces; i++) runDepth(depths[i], part, i + 1 == depths.pieces);
    }
  }

 private:
  void runDepth(Range depth, Range part, bool last) {
    const Cut strips(part, lanes<T>, tileVectors);
    for (int64_t top = rows.from; top < rows.to; top += bandLimit) {
      const Range band{top, atMost(top + bandLimit, rows.to)};
      Strip<T> s;
      placeA(s, band, depth);
      for (int64_t i = 0; i < strips.pieces; i++) {
        const Range strip = strips[i];
        const int vectors = int(ceilDivide(strip.size(), lanes<T>));
        s.lastLanes = int(strip.size()) - (vectors - 1) * lanes<T>;
        placeB(s, depth, strip, packedB + depth.size() * (strip.from - part.from), vectors,
               top == rows.from);
        placeC(s, band, strip, depth.from == 0);
        aim(s, band, depth, i);
        runStrip(s, band.size(), vectors);
      }
      if (last) finish(band, part);
    }
  }

  void placeA(Strip<T>& s, Range band, Range depth) {
    if (!p.transA) {
      s.a = p.a + band.from * p.k + depth.from;
      s.aRow = s.aNext = p.k, s.aStep = 1;
    } else if (directA) {
      s.a = p.a + depth.from * p.m + band.from;
      s.aRow = s.aNext = 1, s.aStep = p.m;
    } else {
      packPanels(packedA, p.a + depth.from * p.m + band.from, p.m, depth.size(), band.size());
      s.a = packedA;
      s.aRow = 1, s.aStep = tileRows, s.aNext = depth.size();
    }
  }

  // Loads of a strip that ends within a vector run into the next row of B; where there may be none,
  // in the last row, a copy is read.
  void placeB(Strip<T>& s, Range depth, Range strip, T* packed, int vectors, bool first) {
    const T* from = p.b + (p.transB ? strip.from * p.k + depth.from : depth.from * p.n + strip.from);
    s.k = depth.size();
    s.tail = nullptr;
    if (directB) {
      s.b = from, s.bStep = p.n;
      if (s.lastLanes == lanes<T> || s.k == 0) return;
      s.k -= 1;
      s.tail = packed;
      copyStrip<T>(packed, from + s.k * p.n, p.n, 1, vectors, s.lastLanes);
      return;
    }
    s.b = packed, s.bStep = vectors * lanes<T>;
    if (!first) return;
    if (p.transB) {
      transposeStrip(packed, from, p.k, s.k, vectors, s.lastLanes);
    } else {
      copyStrip<T>(packed, from, p.n, s.k, vectors, s.lastLanes);
    }
  }

  void placeC(Strip<T>& s, Range band, Range strip, bool first) {
    s.c = p.c + band.from * p.n + strip.from;
    s.cRow = p.n;
    s.add = s.c, s.addRow = p.n;
    if (first) s.add = p.add ? p.add + band.from * p.addRow + strip.from : nullptr;
    if (first) s.addRow = p.addRow;
  }

  // Chooses what the tiles of strip i fetch ahead: the next band's part of A.
  void aim(Strip<T>& s, Range band, Range depth, int64_t i) {
    s.ahead = s.b, s.aheadStep = s.aheadNext = 0;
    const bool below = band.to < rows.to;
    const int64_t row = below ? band.to : rows.from, step = below ? depth.from : depth.to;
    if (!p.transA && i < tileRows) {
      s.ahead = p.a + (row + i) * p.k + step;
      s.aheadStep = 1, s.aheadNext = tileRows * p.k;
    } else if (!directA && i == 0) {
      s.ahead = p.a + step * p.m + row;
      s.aheadStep = p.m, s.aheadNext = lineBytes / int64_t(sizeof(T));
    }
  }

  const Product<T>& p;
  const Range rows, columns;
  Finish finish;
  const Cut depths;
  int64_t depthSize, width;
  bool directA, directB;
  T* packedA;
  T* packedB;
};

template <class T, class Finish>
void multiply(const Product<T>& product, Range rows, Range columns, Finish finish) {
  Block<T, Finish>(product, rows, columns, finish).run();
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
