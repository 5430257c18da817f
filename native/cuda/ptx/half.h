// Numbers of 16 bits, and of 19, as bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace gradloom::ptx {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float ofBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float fromHalf(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                     : exponent == 0 ? std::ldexp(float(fraction), -24)
                                     : std::ldexp(float(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

// To nearest, ties to even.
inline uint16_t toHalf(float value) {
  const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const float size = std::fabs(value);
  if (std::isnan(value)) return 0x7fff;
  if (size == 0) return uint16_t(sign);
  if (size >= 65520) return uint16_t(sign | 0x7c00);
  int exponent = 0;
  std::frexp(size, &exponent);         // size < 2^exponent
  if (exponent < -13) exponent = -13;  // subnormal
  const auto units = uint32_t(std::nearbyint(std::ldexp(size, 11 - exponent)));  // at most 2048
  // Past the last fraction comes the next exponent: the bits are one sequence.
  return uint16_t(sign | (units + (uint32_t(exponent + 13) << 10)));
}

inline float fromBfloat(uint16_t bits) {
  return ofBits(uint32_t(bits) << 16);
}
inline uint16_t toBfloat(float value) {  // to nearest, ties to even
  const uint32_t bits = bitsOf(value);
  if (std::isnan(value)) return 0x7fff;
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// TF32 keeps ten bits of the fraction; ties go away from zero.
inline uint32_t toTf32(float value) {
  const uint32_t bits = bitsOf(value);
  if (std::isnan(value) || std::isinf(value)) return bits;
  return (bits + 0x1000) & ~uint32_t{0x1fff};
}

}  // namespace gradloom::ptx
