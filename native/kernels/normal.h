// The normal distribution's quantile from + - * / and sqrt alone, which every machine rounds alike:
// the same bits as src/backends/random.ts, which says what the constants are. Must be compiled
// without contraction to fused multiply-adds.
#pragma once

#include <cmath>

#ifndef GRADLOOM_PORTABLE
#define GRADLOOM_PORTABLE inline
#endif

namespace gradloom {
namespace {

constexpr double ln2 = 0.6931471805599453;
constexpr double sqrtHalf = 0.7071067811865476;

// Natural logarithm for 2^-34 <= x < 1.
GRADLOOM_PORTABLE double exactLog(double x) {
  double m = x;
  double exponent = 0;
  if (m < 0x1p-16) {
    m *= 0x1p16;
    exponent -= 16;
  }
  if (m < 0x1p-8) {
    m *= 0x1p8;
    exponent -= 8;
  }
  if (m < 0x1p-4) {
    m *= 0x1p4;
    exponent -= 4;
  }
  if (m < 0x1p-2) {
    m *= 0x1p2;
    exponent -= 2;
  }
  if (m < 0.5) {
    m *= 2;
    exponent -= 1;
  }
  if (m < 0.5) {
    m *= 2;
    exponent -= 1;
  }
  if (m < sqrtHalf) {
    m *= 2;
    exponent -= 1;
  }
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double sum = 2.0 / 23;
  sum = sum * z + 2.0 / 21;
  sum = sum * z + 2.0 / 19;
  sum = sum * z + 2.0 / 17;
  sum = sum * z + 2.0 / 15;
  sum = sum * z + 2.0 / 13;
  sum = sum * z + 2.0 / 11;
  sum = sum * z + 2.0 / 9;
  sum = sum * z + 2.0 / 7;
  sum = sum * z + 2.0 / 5;
  sum = sum * z + 2.0 / 3;
  sum = sum * z + 2;
  return exponent * ln2 + s * sum;
}

// |t| <= 0.425: the quantile at probability 1/2 + t.
GRADLOOM_PORTABLE double normalQuantileNear(double t) {
  const double r = 0.180625 - t * t;  // 0.425² − t²
  double above = 2.509080928730122673e3;
  above = above * r + 3.343057558358812811e4;
  above = above * r + 6.726577092700870085e4;
  above = above * r + 4.592195393154987146e4;
  above = above * r + 1.373169376550946113e4;
  above = above * r + 1.971590950306551443e3;
  above = above * r + 1.331416678917843775e2;
  above = above * r + 3.387132872796366608;
  double below = 5.226495278852854561e3;
  below = below * r + 2.872908573572194267e4;
  below = below * r + 3.930789580009271061e4;
  below = below * r + 2.121379430158659587e4;
  below = below * r + 5.394196021424751108e3;
  below = below * r + 6.871870074920579083e2;
  below = below * r + 4.231333070160091125e1;
  below = below * r + 1;
  return (t * above) / below;
}

// 0.425 < |t| <= 1/2 - 2^-34.
GRADLOOM_PORTABLE double normalQuantileFar(double t) {
  const double distance = t < 0 ? -t : t;
  const double r = sqrt(-exactLog(0.5 - distance)) - 1.6;
  double above = 7.7454501427834140764e-4;
  above = above * r + 2.27238449892691845833e-2;
  above = above * r + 2.4178072517745061177e-1;
  above = above * r + 1.27045825245236838258;
  above = above * r + 3.64784832476320460504;
  above = above * r + 5.7694972214606914055;
  above = above * r + 4.6303378461565452959;
  above = above * r + 1.42343711074968357734;
  double below = 1.05075007164441684324e-9;
  below = below * r + 5.475938084995344946e-4;
  below = below * r + 1.51986665636164571966e-2;
  below = below * r + 1.4810397642748007459e-1;
  below = below * r + 6.8976733498510000455e-1;
  below = below * r + 1.6763848301838038494;
  below = below * r + 2.05319162663775882187;
  below = below * r + 1;
  const double value = above / below;
  return t < 0 ? -value : value;
}

GRADLOOM_PORTABLE double normalQuantile(double t) {
  return (t < 0 ? -t : t) <= 0.425 ? normalQuantileNear(t) : normalQuantileFar(t);
}

}  // namespace
}  // namespace gradloom
