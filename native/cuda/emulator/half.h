// 16-bit and TF32 numbers with the rounding of the hardware: cvt.rn.f16, cvt.rn.bf16 and
// cvt.rna.tf32. Kernels convert, store and load them, and compute with none.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

struct __half {
  uint16_t bits;
};
struct __nv_bfloat16 {
  uint16_t bits;
};

namespace gradloom::emulator {

constexpr uint32_t infinityBits = 0x7f800000u, magnitude = 0x7fffffffu;

inline uint32_t bitsOf(float x) {
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof(x));
  return bits;
}
inline float floatOf(uint32_t bits) {
  float x = 0;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

}  // namespace gradloom::emulator

// To the nearest, of two to the even one; NaN is the hardware's only NaN.
inline __half __float2half_rn(float x) {
  using namespace gradloom::emulator;      // NOLINT(google-build-using-namespace)
  constexpr uint32_t least = 0x38800000u;  // of normal numbers: 2^-14
  const uint32_t size = bitsOf(x) & magnitude, sign = (bitsOf(x) & ~magnitude) >> 16;
  uint32_t half = 0;
  if (size > infinityBits) return {0x7fff};
  if (size < least)
    half = uint32_t(std::nearbyint(std::fabs(x) * 0x1p24f));
  else if (size < 0x47800000u)
    half = (size - 0x38000000u + 0xfffu + (size >> 13 & 1)) >> 13;
  else
    half = 0x7c00u;
  return {uint16_t(sign | half)};
}
inline float __half2float(__half x) {
  const int exponent = x.bits >> 10 & 31, fraction = x.bits & 1023;
  const float size = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(float(fraction), -24)
                                     : std::ldexp(float(1024 + fraction), exponent - 25);
  return (x.bits & 0x8000) != 0 ? -size : size;
}

inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace)
  const uint32_t bits = bitsOf(x);
  if ((bits & magnitude) > infinityBits) return {0x7fff};
  return {uint16_t((bits + 0x7fffu + (bits >> 16 & 1)) >> 16)};
}
inline float __bfloat162float(__nv_bfloat16 x) {
  return gradloom::emulator::floatOf(uint32_t{x.bits} << 16);
}
