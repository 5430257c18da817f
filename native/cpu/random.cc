// Random numbers and dropout, compiled once per instruction set. The bits are those of
// src/backends/random.ts: arithmetic in double, every operation rounded once, so the compiler must
// not fuse a product with a sum here, as it may in other kernels. (Clang listens to the pragma only
// when -ffp-contract=fast is not given.)
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "cpu/random.h"

#include "cpu/arithmetic.h"
#include "cpu/threads.h"
#include "kernels/normal.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace gradloom::GRADLOOM_ISA {
namespace {

// Philox in 64-bit lanes, a block in each: only the lower half of a lane counts, and the
// instructions that multiply lower halves to whole lanes don't mind what is in the upper ones.
using Lanes = Vec<uint64_t>;

GRADLOOM_INLINE Lanes multiplyLow(Lanes a, uint32_t b) {
  const Lanes factor = splat<Lanes>(b);
#if defined(__AVX512F__) && GRADLOOM_VECTOR_BYTES == 64
  return bitCast<Lanes>(_mm512_mul_epu32(bitCast<__m512i>(a), bitCast<__m512i>(factor)));
#elif defined(__AVX2__) && GRADLOOM_VECTOR_BYTES == 32
  return bitCast<Lanes>(_mm256_mul_epu32(bitCast<__m256i>(a), bitCast<__m256i>(factor)));
#elif defined(__SSE2__) && GRADLOOM_VECTOR_BYTES == 16
  return bitCast<Lanes>(_mm_mul_epu32(bitCast<__m128i>(a), bitCast<__m128i>(factor)));
#else
  return (a & splat<Lanes>(0xffffffffu)) * factor;
#endif
}

// Blocks made at a time, and their words: all fits in the first-level cache.
constexpr int64_t blocksAtOnce = 128;
constexpr int64_t wordsAtOnce = 4 * blocksAtOnce;
constexpr int64_t randomGrain = 1 << 14;

// words[4 * i + k] = word k of block first + i, for blocksAtOnce blocks.
void philoxWords(uint32_t* words, Philox stream, uint64_t first) {
  constexpr int n = lanes<uint64_t>;
  uint64_t pairs[2][n];
  for (int64_t i = 0; i < blocksAtOnce; i += n) {
    const Lanes counter = splat<Lanes>(stream.counter + first + uint64_t(i)) + iota<Lanes>();
    Lanes c0 = counter, c1 = counter >> 32, c2{}, c3{};
    uint32_t key0 = stream.key0, key1 = stream.key1;
    for (int round = 0; round < philoxRounds; round++) {
      const Lanes product0 = multiplyLow(c0, philoxMultiplier0);
      const Lanes product1 = multiplyLow(c2, philoxMultiplier1);
      c0 = (product1 >> 32) ^ c1 ^ splat<Lanes>(key0);
      c1 = product1;
      c2 = (product0 >> 32) ^ c3 ^ splat<Lanes>(key1);
      c3 = product0;
      key0 += philoxWeyl0;
      key1 += philoxWeyl1;
    }
    const Lanes low = splat<Lanes>(0xffffffffu);
    store<Lanes>(pairs[0], (c0 & low) | (c1 << 32));
    store<Lanes>(pairs[1], (c2 & low) | (c3 << 32));
    for (int j = 0; j < n; j++) {
      for (int half = 0; half < 2; half++) {
        uint32_t* to = words + 4 * (i + j) + int64_t{2} * half;
        to[0] = uint32_t(pairs[half][j]), to[1] = uint32_t(pairs[half][j] >> 32);
      }
    }
  }
}

// Calls body(words, start, count) for all elements, count at most wordsAtOnce; words has that many.
template <class Body>
void overWords(int64_t n, Philox stream, const Body& body) {
  parallelFor(n, randomGrain, [&](int64_t from, int64_t to) {
    uint32_t words[wordsAtOnce];
    for (; from < to; from += wordsAtOnce) {
      philoxWords(words, stream, uint64_t(from / 4));
      body(words, from, to - from < wordsAtOnce ? to - from : wordsAtOnce);
    }
  });
}

// u of a word: 24 bits, which float32 holds exactly.
GRADLOOM_INLINE double coarse(uint32_t word) {
  return double(int32_t(word >> 8)) * 0x1p-24;
}
// v of a word: all 32 bits.
GRADLOOM_INLINE double fine(uint32_t word) {
  return double(word) * 0x1p-32;
}
GRADLOOM_INLINE double centered(uint32_t word) {
  return (double(word) + 0.5) * 0x1p-32 - 0.5;
}

template <class T>
void uniform(T* out, int64_t n, Philox stream, double p, double q) {
  overWords(n, stream, [=](const uint32_t* words, int64_t start, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
      if constexpr (std::is_same_v<T, float>) {
        out[start + i] = T(p + coarse(words[i]) * (q - p));
      } else if constexpr (std::is_same_v<T, double>) {
        out[start + i] = p + fine(words[i]) * (q - p);
      } else {  // below q <= 2^31, and not below p
        out[start + i] = T(int64_t(p + ::floor(fine(words[i]) * (q - p))));
      }
    }
  });
}

// t = centered · scale. Most elements are in the quantile's inner region: it is computed for all,
// in vectors, and then put right where it doesn't hold.
template <class T>
void normal(T* out, int64_t n, Philox stream, double scale, double p, double q) {
  overWords(n, stream, [=](const uint32_t* words, int64_t start, int64_t count) {
    double t[wordsAtOnce], quantile[wordsAtOnce];
    for (int64_t i = 0; i < wordsAtOnce; i++) {
      t[i] = centered(words[i]) * scale;
      quantile[i] = normalQuantileNear(t[i]);
    }
    for (int64_t i = 0; i < count; i++) {
      if (t[i] > 0.425 || t[i] < -0.425) quantile[i] = normalQuantileFar(t[i]);
    }
    for (int64_t i = 0; i < count; i++) out[start + i] = T(p + q * quantile[i]);
  });
}

template <class T>
void bernoulli(T* out, int64_t n, Philox stream, double p) {
  overWords(n, stream, [=](const uint32_t* words, int64_t start, int64_t count) {
    for (int64_t i = 0; i < count; i++) out[start + i] = coarse(words[i]) < p ? T(1) : T(0);
  });
}

template <class T>
void randomOf(Distribution distribution, T* out, int64_t n, Philox stream, double p, double q) {
  if (distribution == Distribution::bernoulli) return bernoulli(out, n, stream, p);
  if constexpr (!std::is_same_v<T, uint8_t>) {
    if (distribution == Distribution::uniform) return uniform(out, n, stream, p, q);
  }
  if constexpr (std::is_floating_point_v<T>) {
    constexpr double withinTwo = 0.9544997361036416;  // probability of |normal| < 2
    const double scale = distribution == Distribution::truncatedNormal ? withinTwo : 1;
    normal(out, n, stream, scale, p, q);
  }
}

void random(Distribution distribution, DType dtype, void* out, int64_t n, Philox stream, double p,
            double q) {
  switch (dtype) {
    case DType::float32:
      return randomOf(distribution, static_cast<float*>(out), n, stream, p, q);
    case DType::float64:
      return randomOf(distribution, static_cast<double*>(out), n, stream, p, q);
    case DType::int32:
      return randomOf(distribution, static_cast<int32_t*>(out), n, stream, p, q);
    case DType::uint8:
      return randomOf(distribution, static_cast<uint8_t*>(out), n, stream, p, q);
  }
}

template <class T>
void dropout(T* out, const T* x, int64_t n, Philox stream, double rate, double a, double b,
             double c) {
  using V = Vec<T>;
  using D = Vec<double, lanes<T>>;
  using W = Vec<int32_t, lanes<T>>;
  // u >= rate in integers: u is a multiple of 2^-24, and multiplying by a power of two is exact.
  // Nothing reaches a rate above 1, nor NaN.
  const double bound = ::ceil(rate * 0x1p24);
  const W least = splat<W>(bound <= 0x1p24 ? (bound > 0 ? int32_t(bound) : 0) : INT32_MAX);
  const D times = splat<D>(a), plus = splat<D>(b);
  const V dropped = splat<V>(T(c));
  overWords(n, stream, [=](const uint32_t* words, int64_t start, int64_t count) {
    for (int64_t i = 0; i < count; i += lanes<T>) {
      const int64_t left = count - i < lanes<T> ? count - i : lanes<T>;
      int32_t coarseWords[lanes<T>];
      for (int j = 0; j < lanes<T>; j++) coarseWords[j] = int32_t(words[i + j] >> 8);
      const auto kept = load<W>(coarseWords) >= least;
      const bool whole = left == lanes<T>;
      const V in = whole ? load<V>(x + start + i) : loadPartial<V>(x + start + i, left);
      const D product = convert<double>(in) * times;
      const V value = convert<T>(product + plus);
      const V result = select(convert<Element<Mask<V>>>(kept), value, dropped);
      if (whole)
        store<V>(out + start + i, result);
      else
        storePartial<V>(out + start + i, result, left);
    }
  });
}

constexpr RandomKernels table = {random, dropout<float>, dropout<double>};

}  // namespace

const RandomKernels& randomKernels() {
  return table;
}

}  // namespace gradloom::GRADLOOM_ISA
