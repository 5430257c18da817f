#include "cuda/emulator/wmma.h"

#include <string>

#include "cuda/emulator/grid.h"

namespace gradloom::emulator {
namespace {

constexpr int side = 16;
constexpr int lanes = int(warpSize);

// Element `e` of a fragment, counted by rows, is number e / 32 of a lane that no kernel can guess.
int laneOf(int e) {
  return (e + e / lanes * 5) % lanes;
}

int ownLane() {
  const Position& at = position;
  const unsigned row = at.thread.y + at.thread.z * at.blockSize.y;
  return int((at.thread.x + row * at.blockSize.x) % warpSize);
}

// Element that is number `slot` of a lane.
int elementOf(int slot, int lane) {
  return slot * lanes + (lane + lanes * 5 - slot * 5 % lanes) % lanes;
}

size_t bytesOf(Kind kind) {
  return kind == Kind::half || kind == Kind::brain ? 2 : 4;
}

// All lanes must name one matrix, which begins and goes on on the bounds that tensor cores need.
void checkMatrix(const void* corner, unsigned stride, size_t bytes, unsigned least, int line) {
  const uint64_t address = reinterpret_cast<uintptr_t>(corner);
  const uint64_t* all = exchange(address, line);
  for (int i = 0; i < lanes; i++) {
    if (all[i] != address) fault("fragment: the lanes of a warp name different matrices");
  }
  if (address % 32 != 0)
    fault("misaligned address: a fragment that begins on no bound of 32 bytes");
  if (stride * bytes % 16 != 0) fault("fragment: rows that are no multiple of 16 bytes apart");
  if (stride < least) fault("fragment: rows that are closer than they are long");
}

size_t placeOf(int e, FragmentShape shape, unsigned stride, bool columnMajor) {
  const int row = e / shape.columns, column = e % shape.columns;
  return columnMajor ? size_t(column) * stride + size_t(row)
                     : size_t(row) * stride + size_t(column);
}

float valueAt(const char* at, Kind kind) {
  access(at, bytesOf(kind), false);
  uint16_t bits = 0;
  float value = 0;
  if (bytesOf(kind) == 4)
    std::memcpy(&value, at, sizeof(value));
  else
    std::memcpy(&bits, at, sizeof(bits));
  switch (kind) {
    case Kind::half:
      return __half2float({bits});
    case Kind::brain:
      return __bfloat162float({bits});
    default:
      return value;
  }
}

struct Factors {
  const FragmentPart *a, *b;
};

float elementIn(const uint64_t* all, bool ofA, int e) {
  const Factors& given = *reinterpret_cast<const Factors*>(all[laneOf(e)]);
  return (ofA ? given.a : given.b)->value[e / lanes];
}

// Tensor cores pass over the last 13 bits, so that what was not rounded is cut off. NaN stays NaN.
void checkRounded(const FragmentPart& part, int count) {
  for (int i = 0; i < count; i++) {
    const uint32_t bits = bitsOf(part.value[i]);
    if ((bits & 0x1fff) != 0 && !std::isnan(part.value[i]))
      fault("fragment: a TF32 factor that was not converted");
  }
}

}  // namespace

void loadFragment(FragmentPart& part, FragmentShape shape, const void* corner, unsigned stride,
                  bool columnMajor, int line) {
  const size_t bytes = bytesOf(shape.kind);
  checkMatrix(corner, stride, bytes, unsigned(columnMajor ? shape.rows : shape.columns), line);
  const int lane = ownLane();
  for (int slot = 0; slot < shape.rows * shape.columns / lanes; slot++) {
    const size_t place = placeOf(elementOf(slot, lane), shape, stride, columnMajor);
    part.value[slot] = valueAt(static_cast<const char*>(corner) + place * bytes, shape.kind);
  }
  part.filled = true;
}

void storeFragment(const FragmentPart& part, FragmentShape shape, float* corner, unsigned stride,
                   bool columnMajor, int line) {
  checkMatrix(corner, stride, sizeof(float), unsigned(columnMajor ? shape.rows : shape.columns),
              line);
  if (!part.filled) fault("fragment: sums that were never set");
  const int lane = ownLane();
  for (int slot = 0; slot < shape.rows * shape.columns / lanes; slot++) {
    float* to = corner + placeOf(elementOf(slot, lane), shape, stride, columnMajor);
    access(to, sizeof(float), true);
    *to = part.value[slot];
  }
}

void multiplyFragments(FragmentPart& d, const FragmentPart& a, const FragmentPart& b,
                       const FragmentPart& c, int k, Kind kind, int line) {
  if (!a.filled || !b.filled) fault("fragment: a factor that was never loaded");
  if (!c.filled) fault("fragment: sums that were never set");
  if (kind == Kind::tf32) {
    checkRounded(a, side * k / lanes);
    checkRounded(b, side * k / lanes);
  }
  const Factors own = {&a, &b};
  const uint64_t* all = exchange(reinterpret_cast<uintptr_t>(&own), line);
  FragmentPart sums = c;
  const int lane = ownLane();
  for (int slot = 0; slot < side * side / lanes; slot++) {
    const int e = elementOf(slot, lane), row = e / side, column = e % side;
    for (int p = 0; p < k; p++) {
      sums.value[slot] +=
          elementIn(all, true, row * k + p) * elementIn(all, false, p * side + column);
    }
  }
  exchange(0, line);  // others read what this lane has until here
  d = sums;
}

}  // namespace gradloom::emulator
