// Matrix products: C [m, n] = A [m, k] · B [k, n], blocked for the caches.
//
// The work of one thread is a rectangle of C. It walks k in depth blocks, which follow from k
// alone, so that a result has the same bits however C was divided. Within one, columns and rows of
// C are taken in blocks such that either B's part or A's part stays in the second-level cache while
// the other streams past; what lies badly for the register tiles is packed first.
#pragma once

#include "cpu/gemm_pack.h"
#include "cpu/scratch.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Depth of a block: with it the widest strip of B fills three quarters of a usual first-level
// cache.
template <class T>
constexpr int64_t depthLimit = 1024 / int64_t(sizeof(T));
// Columns of B packed at a time where A stays in cache: 2 MiB, a part of a usual third level.
constexpr int64_t widthLimit = (2 << 20) / 1024;
// Rows of A that stream past together where B stays in cache; a multiple of tileRows.
constexpr int64_t bandLimit = int64_t{tileRows} * 16;
// Packing would cost more than it saves: for a matrix of at most so many bytes, and for B with rows
// of at most so many bytes against at most so many rows of A, if a strip can stay in cache.
constexpr int64_t bytesForDirect = 16 << 10, rowBytesForDirectB = 1024, rowsForDirectB = 64;
// Strips of B packed together.
constexpr int64_t stripGroup = 8;

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

constexpr int64_t ceilDivide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
constexpr int64_t atMost(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// A range cut into pieces, as even as can be in units of `unit` elements; none is empty.
struct Cut {
  Range whole;
  int64_t unit, units, pieces;

  static Cut into(int64_t wanted, Range whole, int64_t unit) {
    const int64_t units = ceilDivide(whole.size(), unit);
    return {whole, unit, units, atMost(units, wanted)};
  }
  // The fewest pieces of at most `limit` units.
  static Cut byLimit(int64_t limit, Range whole, int64_t unit) {
    return into(ceilDivide(whole.size(), unit * limit), whole, unit);
  }
  Range operator[](int64_t i) const {
    const int64_t from = whole.from + units * i / pieces * unit;
    return {from, atMost(whole.from + units * (i + 1) / pieces * unit, whole.to)};
  }
  int64_t longest() const { return pieces == 0 ? 0 : ceilDivide(units, pieces) * unit; }
};

// Whether `depth` rows of a strip find room in the first-level cache where they lie, in rows of B.
// Rows a multiple of a high power of two apart compete for few sets of it.
template <class T>
bool staysInCache(const Product<T>& p, int64_t depth) {
  const int64_t rowBytes = p.n * int64_t(sizeof(T));
  return depth * (rowBytes & -rowBytes) <= caches().l1;
}

// Whether B is read where it is, for `rows` rows of C.
template <class T>
bool readsDirectB(const Product<T>& p, int64_t rows) {
  const int64_t rowBytes = p.n * int64_t(sizeof(T));
  if (p.transB || p.n < lanes<T>) return false;
  if (p.k * rowBytes <= bytesForDirect) return true;
  return rowBytes <= rowBytesForDirectB && rows <= rowsForDirectB &&
         staysInCache(p, atMost(p.k, depthLimit<T>));
}

// How a rectangle rows × columns of a product is blocked.
template <class T>
struct Plan {
  Cut depths;
  int64_t depth, height, width;
  bool directA, directB;

  Plan(const Product<T>& p, int64_t rows, int64_t columns)
      : depths(Cut::byLimit(depthLimit<T>, {0, p.k}, 1)), depth(depths.longest()) {
    constexpr int64_t size = sizeof(T);
    const int64_t resident = caches().l2 / (depthLimit<T> * size);  // rows or columns to fill L2
    directA = !p.transA || p.m * p.k * size <= bytesForDirect;
    directB = readsDirectB(p, rows);
    if (columns <= resident / 2 || rows <= bandLimit) {
      height = bandLimit, width = resident / 2 / lanes<T> * lanes<T>;
    } else {  // beyond a quarter, pages of A would begin to expel each other
      directA = false;
      height = resident / 4 / tileRows * tileRows, width = widthLimit;
    }
    height = atMost(height, ceilDivide(rows, tileRows) * tileRows);
    width = atMost(width, columns);
  }

  int64_t sizeA() const { return directA ? 0 : height * (depth + lineLength<T>); }
  int64_t sizeB() const { return stripSize(depth, ceilDivide(width, lanes<T>) * lanes<T>); }
};

// The product's rectangle rows × columns, on this thread. finish(rows, columns) is called for each
// part of it once its values are final and still in cache.
template <class T, class Finish>
class Block {
 public:
  Block(const Product<T>& product, Range ofRows, Range ofColumns, Finish whenFinal)
      : p(product),
        rows(ofRows),
        columns(ofColumns),
        finish(whenFinal),
        plan(product, ofRows.size(), ofColumns.size()) {
    packedA = static_cast<T*>(scratch(size_t(plan.sizeA() + plan.sizeB()) * sizeof(T)));
    packedB = packedA + plan.sizeA();
  }

  void run() {
    for (int64_t left = columns.from; left < columns.to; left += plan.width) {
      part = {left, atMost(left + plan.width, columns.to)};
      const int64_t last = plan.depths.pieces - 1;
      if (last < 0) runDepth({0, 0}, true);
      for (int64_t i = 0; i <= last; i++) runDepth(plan.depths[i], i == last);
    }
  }

 private:
  void runDepth(Range range, bool last) {
    depth = range;
    const Cut strips = Cut::byLimit(tileVectors, part, lanes<T>);
    for (int64_t top = rows.from; top < rows.to; top += plan.height) {
      band = {top, atMost(top + plan.height, rows.to)};
      Strip<T> s;
      placeA(s);
      for (int64_t i = 0; i < strips.pieces; i++) {
        if (top == rows.from) packB(strips, i);
        placeB(s, strips[i]);
        placeC(s, strips[i]);
        aim(s, strips, i);
        runStrip(s, band.size(), vectorsOf(strips[i]));
      }
      if (last) finish(band, part);
    }
  }

  const T* storedA(int64_t row, int64_t step) const {
    return p.a + (p.transA ? step * p.m + row : row * p.k + step);
  }
  const T* storedB(int64_t step, int64_t column) const {
    return p.b + (p.transB ? column * p.k + step : step * p.n + column);
  }
  static int vectorsOf(Range strip) { return int(ceilDivide(strip.size(), lanes<T>)); }
  T* placeOf(Range strip) { return packedB + stripSize(depth.size(), strip.from - part.from); }

  void placeA(Strip<T>& s) {
    const T* from = storedA(band.from, depth.from);
    const int64_t row = p.transA ? p.m : p.k;
    s.a = plan.directA ? from : packedA;
    s.aRow = p.transA ? 1 : plan.directA ? row : depth.size() + lineLength<T>;
    s.aStep = !p.transA ? 1 : plan.directA ? row : tileRows;
    s.aNext = plan.directA ? s.aRow : depth.size() + lineLength<T>;
    if (plan.directA) return;
    if (p.transA)
      packPanels(packedA, from, row, depth.size(), band.size());
    else
      copyRows(packedA, from, row, depth.size(), band.size());
  }

  // Packs strip i of B, or a group of strips from there on.
  void packB(const Cut& strips, int64_t i) {
    if (plan.directB || (!p.transB && i % stripGroup != 0)) return;
    const int64_t end = atMost(p.transB ? i + 1 : i + stripGroup, strips.pieces);
    int vectors[stripGroup];
    for (int64_t j = i; j < end; j++) vectors[j - i] = vectorsOf(strips[j]);
    const T* from = storedB(depth.from, strips[i].from);
    const int64_t width = strips[end - 1].to - strips[i].from;
    if (p.transB) {
      transposeStrip(placeOf(strips[i]), from, p.k, depth.size(), width, vectors[0]);
    } else {
      copyStrips(placeOf(strips[i]), from, p.n, depth.size(), width, vectors);
    }
  }

  // Loads of a strip that ends within a vector run into the next row of B; where there may be none,
  // in the last row, a copy is read.
  void placeB(Strip<T>& s, Range strip) {
    const int vectors = vectorsOf(strip);
    s.k = depth.size();
    s.b = placeOf(strip), s.bStep = vectors * lanes<T>;
    s.tail = nullptr;
    s.lastLanes = int(strip.size() - (vectors - 1) * lanes<T>);
    if (!plan.directB) return;
    s.b = storedB(depth.from, strip.from), s.bStep = p.n;
    if (s.lastLanes == lanes<T> || s.k == 0) return;
    s.k -= 1;
    s.tail = packedB;
    copyRow<T>(packedB, s.b + s.k * p.n, vectors, s.lastLanes, true);
  }

  void placeC(Strip<T>& s, Range strip) {
    s.c = p.c + band.from * p.n + strip.from;
    s.cRow = p.n;
    s.add = s.c, s.addRow = p.n;
    if (depth.from > 0) return;
    s.add = p.add ? p.add + band.from * p.addRow + strip.from : nullptr;
    s.addRow = p.addRow;
  }

  // Chooses what the tiles of strip i fetch ahead: in the first band a strip of B to be packed;
  // then the next packed one, or where B stays in cache a share of what the next band needs of A.
  void aim(Strip<T>& s, const Cut& strips, int64_t i) {
    s.ahead = s.b, s.aheadStep = s.aheadNext = s.aheadTurn = 0;
    if (band.from == rows.from && !plan.directB) {
      const int64_t next = i + (p.transB ? 1 : stripGroup);
      if (next >= strips.pieces) return;
      const T* from = storedB(depth.from, strips[next].from);
      return p.transB ? aimAlong(s, from, p.k) : aimAcross(s, from, p.n);
    }
    if (plan.height > bandLimit) {
      if (i + 1 < strips.pieces) aimStraight(s, placeOf(strips[i + 1]));
      return;
    }
    const bool below = band.to < rows.to;
    const int64_t row = below ? band.to : rows.from, step = below ? depth.from : depth.to;
    if (!p.transA && i < tileRows) aimAlong(s, storedA(row + i, step), tileRows * p.k);
    if (!plan.directA && i == 0) aimAcross(s, storedA(row, step), p.m);
  }

  // Tile t fetches the row at from + t * row.
  static void aimAlong(Strip<T>& s, const T* from, int64_t row) {
    s.ahead = from, s.aheadStep = 4, s.aheadNext = row, s.aheadTurn = 4 * row;
  }

  // Four tiles together fetch a line of each row, the next four the lines beside them.
  static void aimAcross(Strip<T>& s, const T* from, int64_t row) {
    s.ahead = from, s.aheadStep = 4 * row, s.aheadNext = row, s.aheadTurn = lineLength<T>;
  }

  // The tiles fetch line after line.
  static void aimStraight(Strip<T>& s, const T* from) {
    s.ahead = from, s.aheadStep = lineLength<T>;
    s.aheadNext = ceilDivide(s.k, 4) * lineLength<T>, s.aheadTurn = 4 * s.aheadNext;
  }

  const Product<T>& p;
  const Range rows, columns;
  Finish finish;
  const Plan<T> plan;
  T* packedA;
  T* packedB;
  Range part{}, depth{}, band{};  // where the run is: columns, steps of k, rows
};

template <class T, class Finish>
void multiply(const Product<T>& product, Range rows, Range columns, Finish finish) {
  Block<T, Finish>(product, rows, columns, finish).run();
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
