// Elementwise kernels and conversions of an instruction set: every length around the vector's,
// operands of all shapes, memory allocated to the byte so that sanitizers see what goes beyond.
#include "cpu/kernels.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cpu/scratch.h"
#include "test/test.h"

namespace gradloom::test {

void testKernels(const Kernels& kernels);

namespace {

// Exactly n elements.
template <class T>
struct Exact {
  std::unique_ptr<T[]> data;
  int64_t n;
  explicit Exact(int64_t count) : data(new T[size_t(count)]()), n(count) {}
  T* get() { return data.get(); }
  T& operator[](int64_t i) { return data[size_t(i)]; }
};

int numberOf(const char* name) {
  for (int i = 0; i < kernelCount; i++) {
    if (std::string(kernelInfo[i].name) == name) return i;
  }
  CHECK(false, "there is no kernel %s", name);
  return 0;
}

template <class T>
Exact<T> values(int64_t n, uint64_t seed) {
  Exact<T> made(n);
  Source source{seed};
  for (int64_t i = 0; i < n; i++) made[i] = T(source.uniform(1, 100));
  return made;
}

// a + b for all mixtures of arrays and single values, also into an operand.
template <class T>
void flat(const TypeKernels<T>& table) {
  const int add = numberOf("add_y");
  for (int64_t n = 0; n < 140; n++) {
    for (int mixture = 0; mixture < 4; mixture++) {
      Exact<T> a = values<T>(mixture & 1 ? 1 : n, 1), b = values<T>(mixture & 2 ? 1 : n, 2);
      Exact<T> out(n);
      const Operands<T> x = {{a.get(), b.get(), nullptr, nullptr},
                             {mixture & 1 ? 0 : 1, mixture & 2 ? 0 : 1, 0, 0}};
      table.map(add, out.get(), x, n, 0, 0);
      int64_t wrong = 0;
      for (int64_t i = 0; i < n; i++) {
        wrong += out[i] != T(a[mixture & 1 ? 0 : i] + b[mixture & 2 ? 0 : i]);
      }
      CHECK(wrong == 0, "add of %lld elements, mixture %d", (long long)n, mixture);
      if (mixture & 1) continue;
      table.map(add, a.get(), x, n, 0, 0);
      for (int64_t i = 0; i < n; i++) wrong += a[i] != out[i];
      CHECK(wrong == 0, "add of %lld elements in place, mixture %d", (long long)n, mixture);
    }
  }
}

// A result that is streamed, where the caches are small enough for a test; also to an address at
// which it cannot be.
void streamed(const TypeKernels<float>& table) {
  const int64_t n = caches().l3 / int64_t(sizeof(float)) / 2 + 5;
  if (!worthStreaming(n * int64_t(sizeof(float))) || n > (1 << 25)) {
    return note("streaming results NOT TESTED: third-level caches of %lld bytes",
                (long long)caches().l3);
  }
  std::vector<float> a(size_t(n) + 1), out(size_t(n) + 1);
  for (size_t i = 0; i < a.size(); i++) a[i] = float(i % 1021);
  for (const size_t start : {0, 1}) {
    const Operands<float> x = {{a.data(), a.data() + 1, nullptr, nullptr}, {1, 0, 0, 0}};
    table.map(numberOf("add_y"), out.data() + start, x, n, 0, 0);
    int64_t wrong = 0;
    for (size_t i = 0; i < size_t(n); i++) wrong += out[start + i] != a[i] + 1;
    CHECK(wrong == 0, "streamed sum of %lld elements", (long long)n);
  }
}

template <class T>
void compared(const TypeKernels<T>& table) {
  const int less = numberOf("less_y");
  for (const int64_t n : {0, 1, 7, 63, 64, 65, 1000}) {
    Exact<T> a = values<T>(n, 3), b = values<T>(n, 4);
    Exact<uint8_t> out(n);
    table.map(less, out.get(), {{a.get(), b.get(), nullptr, nullptr}, {1, 1, 0, 0}}, n, 0, 0);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) wrong += out[i] != (a[i] < b[i] ? 1 : 0);
    CHECK(wrong == 0, "less of %lld elements", (long long)n);
  }
}

// a - b through walks: short and long rows, repeats, transposes, large enough to be cut.
template <class T>
void strided(const TypeKernels<T>& table) {
  const int sub = numberOf("sub_y");
  const int64_t shapes[][3] = {{1, 1, 1}, {3, 4, 5},    {2, 3, 70},   {5, 1, 200}, {70, 3, 2},
                               {0, 4, 5}, {40, 50, 60}, {1, 3, 1500}, {300, 2, 1}, {33, 65, 129}};
  for (const auto& shape : shapes) {
    const int64_t n0 = shape[0], n1 = shape[1], n2 = shape[2];
    const int64_t total = n0 * n1 * n2;
    const int64_t strides[][3] = {{n1 * n2, n2, 1}, {0, n2, 1},       {n2, 0, 1},
                                  {0, 0, 1},        {0, 1, 0},        {1, 0, 0},
                                  {0, 0, 0},        {1, n0, n0 * n1}, {n1, 1, n0 * n1}};
    Exact<T> a = values<T>(total > 0 ? total : 1, 5), b = values<T>(total > 0 ? total : 1, 6);
    for (const auto& first : strides) {
      for (const auto& second : strides) {
        const Walk walk = {
            {n0, n1, n2},
            {{first[0], first[1], first[2]}, {second[0], second[1], second[2]}, {}, {}}};
        Exact<T> out(total);
        const T* const at[maxOperands] = {a.get(), b.get(), nullptr, nullptr};
        table.mapStrided(sub, out.get(), at, walk, 0, 0);
        int64_t wrong = 0, i = 0;
        for (int64_t i0 = 0; i0 < n0; i0++) {
          for (int64_t i1 = 0; i1 < n1; i1++) {
            for (int64_t i2 = 0; i2 < n2; i2++, i++) {
              const T left = a[i0 * first[0] + i1 * first[1] + i2 * first[2]];
              const T right = b[i0 * second[0] + i1 * second[1] + i2 * second[2]];
              wrong += out[i] != T(left - right);
            }
          }
        }
        CHECK(wrong == 0, "%lld of %lld x %lld x %lld elements", (long long)wrong, (long long)n0,
              (long long)n1, (long long)n2);
      }
    }
  }
}

// Towards zero, saturating, NaN to 0.
template <class To, class From>
To converted(From value) {
  if constexpr (std::is_floating_point_v<To>) return To(value);
  const double number = double(value);
  if (std::isnan(number)) return 0;
  constexpr double low = double(std::numeric_limits<To>::min());
  constexpr double high = double(std::numeric_limits<To>::max());
  return number <= low    ? std::numeric_limits<To>::min()
         : number >= high ? std::numeric_limits<To>::max()
                          : To(number);
}

template <class To, class From>
void castOne(const TypeKernels<From>& table, DType to, const std::vector<double>& numbers) {
  const int64_t n = int64_t(numbers.size());
  Exact<From> a(n);
  for (int64_t i = 0; i < n; i++) {
    a[i] = std::is_floating_point_v<From> ? From(numbers[size_t(i)])
                                          : converted<From>(numbers[size_t(i)]);
  }
  Exact<To> out(n);
  table.cast(to, out.get(), a.get(), n);
  Exact<uint8_t> truth(n);
  table.castToBool(truth.get(), a.get(), n);
  for (int64_t i = 0; i < n; i++) {
    const bool bothNaN = out[i] != out[i] && a[i] != a[i];
    CHECK(bothNaN || out[i] == (converted<To, From>(a[i])), "cast of %.17g to type %d gives %.17g",
          double(a[i]), int(to), double(out[i]));
    CHECK(truth[i] == (a[i] != 0 ? 1 : 0), "%.17g as bool", double(a[i]));
  }
}

template <class From>
void casts(const TypeKernels<From>& table) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> numbers = {
      0,           -0.0,          0.5,        -0.5,     0.99,      -0.99, 1,          -1,
      254.9,       255,           256,        1e10,     -1e10,     nan,   2147483647, 2147483648,
      -2147483648, -2147483649.0, 2147483520, infinity, -infinity, 1e300, 1e-300,     16777217};
  Source source{8};
  while (numbers.size() < 203) numbers.push_back(source.uniform(-300, 300));
  castOne<float>(table, DType::float32, numbers);
  castOne<double>(table, DType::float64, numbers);
  castOne<int32_t>(table, DType::int32, numbers);
  castOne<uint8_t>(table, DType::uint8, numbers);
}

template <class T>
void selects(const SizeKernels<T>& table) {
  for (const int64_t n : {0, 1, 63, 64, 65, 500}) {
    for (int mixture = 0; mixture < 8; mixture++) {
      const int64_t steps[3] = {mixture & 1 ? 0 : 1, mixture & 2 ? 0 : 1, mixture & 4 ? 0 : 1};
      Exact<uint8_t> condition = values<uint8_t>(steps[0] ? n : 1, 9);
      Exact<T> a = values<T>(steps[1] ? n : 1, 10), b = values<T>(steps[2] ? n : 1, 11), out(n);
      for (int64_t i = 0; i < condition.n; i++) condition[i] = condition[i] > 50 ? condition[i] : 0;
      table.select(out.get(), condition.get(), steps[0], a.get(), steps[1], b.get(), steps[2], n);
      int64_t wrong = 0;
      for (int64_t i = 0; i < n; i++) {
        wrong += out[i] != (condition[i * steps[0]] ? a[i * steps[1]] : b[i * steps[2]]);
      }
      CHECK(wrong == 0, "select of %lld elements, mixture %d", (long long)n, mixture);
    }
  }
}

template <class T>
void ofType(const TypeKernels<T>& table) {
  flat(table);
  compared(table);
  strided(table);
  casts(table);
  Exact<T> filled(77);
  table.fill(filled.get(), 3, 77);
  for (int64_t i = 0; i < 77; i++) CHECK(filled[i] == T(3), "fill");
}

}  // namespace

void testKernels(const Kernels& kernels) {
  group("elementwise kernels");
  ofType(kernels.float32);
  ofType(kernels.float64);
  ofType(kernels.int32);
  ofType(kernels.uint8);
  streamed(kernels.float32);
  selects(kernels.size1);
  selects(kernels.size4);
  selects(kernels.size8);
}

}  // namespace gradloom::test
