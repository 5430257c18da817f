// Philox against the published known answers, the quantile against tables, and every instruction
// set's streams against the scalar definition, bit for bit.
#include <cmath>
#include <cstring>
#include <vector>

#include "cpu/kernels.h"
#include "kernels/normal.h"
#include "test/test.h"

namespace gradloom::test {

void testRandom();

namespace {

// From the tests of Random123, by the authors of Philox: counter, key, words.
constexpr uint32_t knownAnswers[][10] = {
    {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
    {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
     0xa20bc7c6, 0x6d5451fd},
    {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
     0x5001e420, 0x24126ea1},
};

void blocks() {
  for (const auto& row : knownAnswers) {
    uint32_t words[4];
    philox(words, row[0], row[1], row[2], row[3], row[4], row[5]);
    for (int k = 0; k < 4; k++) CHECK(words[k] == row[6 + k], "word %d is %08x", k, words[k]);
  }
}

void quantiles() {
  // Probability less 1/2, quantile to more digits than a double has (mpmath).
  constexpr double table[][2] = {{0, 0},
                                 {0.25, 0.67448975019608174},
                                 {-0.4, -1.2815515655446004},
                                 {0.475, 1.9599639845400543},
                                 {0.4999999, 5.1993375821928165}};
  for (const auto& row : table) {
    const double got = normalQuantile(row[0]);
    CHECK(std::abs(got - row[1]) <= 1e-9 * std::abs(row[1]), "quantile of %g is %.17g", row[0],
          got);
  }
}

uint32_t wordOf(Philox stream, int64_t i) {
  uint32_t words[4];
  philoxBlock(words, stream, uint64_t(i / 4));
  return words[i % 4];
}

// The same bits.
template <class T>
bool same(T a, T b) {
  uint64_t bitsA = 0, bitsB = 0;
  std::memcpy(&bitsA, &a, sizeof(T));
  std::memcpy(&bitsB, &b, sizeof(T));
  return bitsA == bitsB;
}

// random.cc is compiled without fused multiply-adds; so is this file, the core's flags see to it.
template <class T>
T expected(Distribution distribution, uint32_t word, double p, double q) {
  const double u = (word >> 8) * 0x1p-24;
  const double v = std::is_same_v<T, float> ? u : word * 0x1p-32;
  const double t = (word + 0.5) * 0x1p-32 - 0.5;
  switch (distribution) {
    case Distribution::uniform:
      if (std::is_integral_v<T>) return T(p + std::floor(word * 0x1p-32 * (q - p)));
      return T(p + v * (q - p));
    case Distribution::normal:
      return T(p + q * normalQuantile(t));
    case Distribution::truncatedNormal:
      return T(p + q * normalQuantile(t * 0.9544997361036416));
    case Distribution::bernoulli:
      return u < p ? T(1) : T(0);
  }
  return T(0);
}

template <class T>
void streams(const RandomKernels& table, DType dtype, Distribution distribution, double p,
             double q) {
  const Philox stream{0x12345678, 0x9abcdef0, 0xfffffffffffffff0u};  // the counter wraps
  for (const int64_t n : {0, 1, 3, 5, 700, 40001}) {
    std::vector<T> out(static_cast<size_t>(n));
    table.random(distribution, dtype, out.data(), n, stream, p, q);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) {
      wrong += !same(out[size_t(i)], expected<T>(distribution, wordOf(stream, i), p, q));
    }
    CHECK(wrong == 0, "distribution %d, %lld of %lld elements differ", int(distribution),
          (long long)wrong, (long long)n);
  }
}

template <class T, class F>
void dropouts(F kernel) {
  const Philox stream{7, 8, 9};
  const int64_t n = 20003;
  std::vector<T> x(n), out(n);
  for (int64_t i = 0; i < n; i++) x[size_t(i)] = T(i % 17) - T(8.3);
  for (const double rate : {0.0, 0.3, 1.0}) {
    kernel(out.data(), x.data(), n, stream, rate, 1.7, 0.1, -0.3);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) {
      const double u = (wordOf(stream, i) >> 8) * 0x1p-24;
      const double kept = 1.7 * double(x[size_t(i)]) + 0.1;
      wrong += !same(out[size_t(i)], T(u >= rate ? kept : -0.3));
    }
    CHECK(wrong == 0, "dropout %g: %lld elements differ", rate, (long long)wrong);
  }
}

}  // namespace

void testRandom() {
  group("random");
  blocks();
  quantiles();
  for (const char* name : {"baseline", "avx2", "avx512"}) {
    const Kernels* kernels = kernelsNamed(name);
    if (kernels == nullptr) continue;
    const RandomKernels& table = kernels->random();
    for (const auto each :
         {Distribution::uniform, Distribution::normal, Distribution::truncatedNormal}) {
      streams<float>(table, DType::float32, each, 0.1, 1.3);
      streams<double>(table, DType::float64, each, 0.1, 1.3);
    }
    streams<float>(table, DType::float32, Distribution::bernoulli, 0.3, 0);
    streams<uint8_t>(table, DType::uint8, Distribution::bernoulli, 0.3, 0);
    streams<int32_t>(table, DType::int32, Distribution::uniform, -0x1p31, 0x1p31);
    dropouts<float>(table.dropoutFloat);
    dropouts<double>(table.dropoutDouble);
  }
}

}  // namespace gradloom::test
