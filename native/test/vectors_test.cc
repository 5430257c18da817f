// The vector types themselves: loads, tails, masks, folds, conversions. Compiled once per
// instruction set; no templates of the standard library (see simd.h).
#include "cpu/arithmetic.h"
#include "test/test.h"

namespace gradloom::GRADLOOM_ISA {

void testVectors();

namespace {

template <class T>
void tails() {
  using V = Vec<T>;
  constexpr int n = lanes<T>;
  for (int count = 0; count <= n; count++) {
    // Exactly `count` elements of heap: the address sanitizer sees any access beyond.
    T* in = new T[size_t(count)];
    T* out = new T[size_t(count)];
    for (int i = 0; i < count; i++) in[i] = T(i + 1);
    const V v = loadPartial<V>(in, count, T(9));
    for (int i = 0; i < n; i++) CHECK(lane(v, i) == (i < count ? T(i + 1) : T(9)), "lane %d", i);
    storePartial<V>(out, V(v + v), count);
    for (int i = 0; i < count; i++) CHECK(out[i] == T(2 * (i + 1)), "element %d", i);
    delete[] in;
    delete[] out;
  }
}

template <class T>
void folds() {
  using V = Vec<T>;
  constexpr int n = lanes<T>;
  T values[n + 1];
  for (int i = 0; i <= n; i++) values[i] = T((i * 7) % 13 + 1);
  const V v = load<V>(values + 1);  // not aligned
  T total = 0, most = values[1], least = values[1];
  for (int i = 1; i <= n; i++) {
    total = T(total + values[i]);
    most = values[i] > most ? values[i] : most;
    least = values[i] < least ? values[i] : least;
  }
  CHECK(sum(v) == total, "sum");
  CHECK(largest(v) == most, "largest");
  CHECK(smallest(v) == least, "smallest");
  const auto isMost = v == splat<V>(most);
  CHECK(any(isMost) && (n == 1 || !all(isMost) || most == least), "any and all");
  CHECK(all(v >= splat<V>(least)) && !any(v > splat<V>(most)), "all and any");
  const V chosen = select(v > splat<V>(T(5)), v, splat<V>(T(5)));
  const auto bytes = toBool(v > splat<V>(T(5)));
  for (int i = 0; i < n; i++) {
    const T x = values[i + 1];
    CHECK(lane(chosen, i) == (x > T(5) ? x : T(5)), "select lane %d", i);
    CHECK(lane(bytes, i) == (x > T(5) ? 1 : 0), "mask lane %d", i);
    CHECK(lane(iota<V>(), i) == T(i), "iota lane %d", i);
    CHECK(lane(convert<double>(v), i) == double(x), "double lane %d", i);
    CHECK(lane(convert<int32_t>(v), i) == int32_t(x), "int32 lane %d", i);
  }
}

template <class T>
void all() {
  tails<T>();
  folds<T>();
}

}  // namespace

void testVectors() {
  test::group("vectors");
  all<float>();
  all<double>();
  all<int32_t>();
  all<uint8_t>();
  const Vec<float> zeros = splat<Vec<float>>(-0.f);
  CHECK(std::signbit(lane(zeros, 0)), "splat keeps the sign of zero");
  CHECK(lane(copySign(splat<Vec<float>>(3), zeros), 0) == -3, "copySign");
}

}  // namespace gradloom::GRADLOOM_ISA
