// The WMMA interface (nvcuda::wmma) for kernels that an ordinary compiler compiles. Fragments are
// opaque: which lane has which element is nobody's to know, and here it is not what it is on any
// hardware.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/emulator/half.h"

namespace gradloom::emulator {

enum class Kind : uint8_t { half, brain, tf32, single };

struct FragmentShape {
  int rows, columns;
  Kind kind;
};

// What one lane has of a fragment.
struct FragmentPart {
  float value[8];
  bool filled = false;
};

// All lanes of a warp together, or a fault. `corner` is the first element in memory, rows or
// columns of which are `stride` elements apart.
void loadFragment(FragmentPart& part, FragmentShape shape, const void* corner, unsigned stride,
                  bool columnMajor, int line);
void storeFragment(const FragmentPart& part, FragmentShape shape, float* corner, unsigned stride,
                   bool columnMajor, int line);
// d [16, 16] = a [16, k] · b [k, 16] + c: exact products, added in float32 in the order of k. What
// order and rounding the hardware adds with is not specified.
void multiplyFragments(FragmentPart& d, const FragmentPart& a, const FragmentPart& b,
                       const FragmentPart& c, int k, Kind kind, int line);

}  // namespace gradloom::emulator

namespace nvcuda::wmma {

struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
namespace precision {
struct tf32;
}
enum layout_t { mem_row_major, mem_col_major };

// Rounded to the nearest, of two to the one further from zero.
inline float __float_to_tf32(float x) {
  using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace)
  const uint32_t bits = bitsOf(x);
  if ((bits & magnitude) > infinityBits) return floatOf(0x7fffe000u);
  return floatOf((bits + 0x1000u) & ~0x1fffu);
}

template <class T>
constexpr gradloom::emulator::Kind kindOf() {
  using gradloom::emulator::Kind;
  if constexpr (std::is_same_v<T, __half>)
    return Kind::half;
  else if constexpr (std::is_same_v<T, __nv_bfloat16>)
    return Kind::brain;
  else if constexpr (std::is_same_v<T, precision::tf32>)
    return Kind::tf32;
  else
    return Kind::single;
}
// The type in memory.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, precision::tf32>, float, T>;

template <class Use, int m, int n, int k, class T, class Layout = void>
class fragment {
 public:
  static_assert(m == 16 && n == 16 && (k == 16 || k == 8), "a shape that no tensor core has");
  static constexpr gradloom::emulator::FragmentShape shape = {
      std::is_same_v<Use, matrix_b> ? k : m, std::is_same_v<Use, matrix_a> ? k : n, kindOf<T>()};
  static_assert(std::is_same_v<Use, accumulator> ||
                    (k == 8) == (shape.kind == gradloom::emulator::Kind::tf32),
                "a shape that no tensor core has for these elements");
  gradloom::emulator::FragmentPart part;
};

template <int m, int n, int k>
void fill_fragment(fragment<accumulator, m, n, k, float>& f, float value) {
  for (float& each : f.part.value) each = value;
  f.part.filled = true;
}

template <class Use, int m, int n, int k, class T, class Layout>
void load_matrix_sync(fragment<Use, m, n, k, T, Layout>& f, const Stored<T>* corner,
                      unsigned stride, int line = __builtin_LINE()) {
  gradloom::emulator::loadFragment(f.part, f.shape, corner, stride,
                                   std::is_same_v<Layout, col_major>, line);
}

template <int m, int n, int k>
void store_matrix_sync(float* corner, const fragment<accumulator, m, n, k, float>& f,
                       unsigned stride, layout_t layout, int line = __builtin_LINE()) {
  gradloom::emulator::storeFragment(f.part, f.shape, corner, stride, layout == mem_col_major, line);
}

template <int m, int n, int k, class T, class LayoutA, class LayoutB>
void mma_sync(fragment<accumulator, m, n, k, float>& d,
              const fragment<matrix_a, m, n, k, T, LayoutA>& a,
              const fragment<matrix_b, m, n, k, T, LayoutB>& b,
              const fragment<accumulator, m, n, k, float>& c, int line = __builtin_LINE()) {
  gradloom::emulator::multiplyFragments(d.part, a.part, b.part, c.part, k, kindOf<T>(), line);
}

}  // namespace nvcuda::wmma
