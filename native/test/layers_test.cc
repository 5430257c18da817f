// The dense layer of an instruction set, forward and backward, against plain loops in double; the
// same bits for any number of threads.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/threads.h"
#include "test/test.h"

namespace gradloom::test {

void testLayers(const Kernels& kernels);

namespace {

int numberOf(const char* name) {
  for (int i = 0; i < kernelCount; i++) {
    if (std::string(kernelInfo[i].name) == name) return i;
  }
  CHECK(false, "there is no kernel %s", name);
  return 0;
}

template <class T>
std::vector<T> values(int64_t n, uint64_t seed) {
  std::vector<T> made;
  Source source{seed};
  for (int64_t i = 0; i < n; i++) made.push_back(T(source.uniform(-1, 1)));
  return made;
}

// One layer: elu (derivative from y), silu (derivative from the value before) or none.
struct Case {
  int64_t rows, units, features;
  const char* activation;
  bool bias, pre;
};

double activated(const char* activation, double z) {
  if (std::strcmp(activation, "elu") == 0) return z > 0 ? z : std::expm1(z);
  if (std::strcmp(activation, "silu") == 0) return z / (1 + std::exp(-z));
  return z;
}

double slope(const char* activation, double z) {
  if (std::strcmp(activation, "elu") == 0) return z > 0 ? 1 : std::exp(z);
  const double s = 1 / (1 + std::exp(-z));
  if (std::strcmp(activation, "silu") == 0) return s * (1 + z * (1 - s));
  return 1;
}

template <class T>
struct Layer {
  Case c;
  std::vector<T> x, w, bias, g;
  std::vector<T> out, pre, dz, dx, dw, db;

  explicit Layer(const Case& given)
      : c(given),
        x(values<T>(c.rows * c.features, 1)),
        w(values<T>(c.features * c.units, 2)),
        bias(values<T>(c.units, 3)),
        g(values<T>(c.rows * c.units, 4)),
        out(size_t(c.rows * c.units)),
        pre(out.size()),
        dz(out.size()),
        dx(x.size()),
        dw(values<T>(c.features * c.units, 5)),
        db(values<T>(c.units, 6)) {}

  int kernel(const char* which) const {
    return c.activation[0] == 0 ? -1 : numberOf((c.activation + std::string(which)).c_str());
  }

  void forward(const RealKernels<T>& table) {
    table.dense(out.data(), c.pre ? pre.data() : nullptr, x.data(), w.data(),
                c.bias ? bias.data() : nullptr, c.rows, c.units, c.features, kernel("_y"), 1, 0);
  }
  void backward(const RealKernels<T>& table, bool accumulate, bool inPlace) {
    if (inPlace) dz = g;
    table.denseBackward(dx.data(), dw.data(), db.data(), dz.data(), inPlace ? dz.data() : g.data(),
                        x.data(), w.data(), out.data(), c.pre ? pre.data() : nullptr, c.rows,
                        c.units, c.features, kernel("_da"), 1, 0, accumulate);
  }

  // Before the activation, and its gradient, in double.
  double z(int64_t row, int64_t unit) const {
    double sum = c.bias ? double(bias[size_t(unit)]) : 0;
    for (int64_t f = 0; f < c.features; f++) {
      sum += double(x[size_t(row * c.features + f)]) * double(w[size_t(f * c.units + unit)]);
    }
    return sum;
  }
  double gradient(int64_t row, int64_t unit) const {
    return double(g[size_t(row * c.units + unit)]) * slope(c.activation, z(row, unit));
  }
};

template <class T>
class Comparison {
 public:
  void add(double found, double wanted) {
    wrong += !(std::fabs(found - wanted) <= (sizeof(T) == 4 ? 3e-5 : 1e-12) * (1 + size));
    size = std::fmax(size, std::fabs(wanted));
  }
  int64_t wrong = 0;

 private:
  double size = 1;
};

template <class T>
void forward(const RealKernels<T>& table, const Case& c) {
  Layer<T> layer(c);
  layer.forward(table);
  Comparison<T> out, pre;
  for (int64_t row = 0; row < c.rows; row++) {
    for (int64_t unit = 0; unit < c.units; unit++) {
      const size_t at = size_t(row * c.units + unit);
      const double z = layer.z(row, unit);
      out.add(layer.out[at], activated(c.activation, z));
      if (c.pre) pre.add(layer.pre[at], z);
    }
  }
  CHECK(out.wrong + pre.wrong == 0, "%lld x %lld x %lld %s bias %d", (long long)c.rows,
        (long long)c.units, (long long)c.features, c.activation, c.bias);
}

template <class T>
void backward(const RealKernels<T>& table, const Case& c, bool accumulate, bool inPlace) {
  Layer<T> layer(c);
  layer.forward(table);
  const std::vector<T> dw = layer.dw, db = layer.db;
  layer.backward(table, accumulate, inPlace);
  std::vector<double> dz;
  for (int64_t row = 0; row < c.rows; row++) {
    for (int64_t unit = 0; unit < c.units; unit++) dz.push_back(layer.gradient(row, unit));
  }
  Comparison<T> gradients;
  for (int64_t unit = 0; unit < c.units; unit++) {
    double sum = accumulate ? double(db[size_t(unit)]) : 0;
    for (int64_t row = 0; row < c.rows; row++) sum += dz[size_t(row * c.units + unit)];
    gradients.add(layer.db[size_t(unit)], sum);
  }
  for (int64_t f = 0; f < c.features; f++) {
    for (int64_t unit = 0; unit < c.units; unit++) {
      double sum = accumulate ? double(dw[size_t(f * c.units + unit)]) : 0;
      for (int64_t row = 0; row < c.rows; row++) {
        sum += double(layer.x[size_t(row * c.features + f)]) * dz[size_t(row * c.units + unit)];
      }
      gradients.add(layer.dw[size_t(f * c.units + unit)], sum);
    }
    for (int64_t row = 0; row < c.rows; row++) {
      double sum = 0;
      for (int64_t unit = 0; unit < c.units; unit++) {
        sum += double(layer.w[size_t(f * c.units + unit)]) * dz[size_t(row * c.units + unit)];
      }
      gradients.add(layer.dx[size_t(row * c.features + f)], sum);
    }
  }
  CHECK(gradients.wrong == 0, "%lld of %lld x %lld x %lld %s accumulate %d in place %d",
        (long long)gradients.wrong, (long long)c.rows, (long long)c.units, (long long)c.features,
        c.activation, accumulate, inPlace);
}

// Only some of the gradients are wanted, and nothing else is written.
template <class T>
void parts(const RealKernels<T>& table) {
  const Case c = {17, 13, 11, "elu", true, false};
  Layer<T> whole(c);
  whole.forward(table);
  whole.backward(table, false, false);
  for (int bits = 0; bits < 8; bits++) {
    Layer<T> layer(c);
    layer.forward(table);
    table.denseBackward(bits & 1 ? layer.dx.data() : nullptr, bits & 2 ? layer.dw.data() : nullptr,
                        bits & 4 ? layer.db.data() : nullptr, layer.dz.data(), layer.g.data(),
                        layer.x.data(), layer.w.data(), layer.out.data(), nullptr, c.rows, c.units,
                        c.features, numberOf("elu_da"), 1, 0, false);
    const Layer<T> untouched(c);
    const bool right = layer.dx == (bits & 1 ? whole.dx : untouched.dx) &&
                       layer.dw == (bits & 2 ? whole.dw : untouched.dw) &&
                       layer.db == (bits & 4 ? whole.db : untouched.db);
    CHECK(right, "gradients %d", bits);
  }
}

template <class T>
void threadsAgree(const RealKernels<T>& table) {
  const int before = threadCount();
  const Case cases[] = {{32, 100, 100, "elu", true, false},
                        {32, 100, 1000, "elu", true, true},
                        {32, 10, 100, "", true, false},
                        {200, 300, 64, "silu", true, true}};
  for (const Case& c : cases) {
    Layer<T> first(c);
    setThreadCount(1);
    first.forward(table);
    first.backward(table, true, false);
    for (const int threads : {2, 3, 8}) {
      Layer<T> layer(c);
      setThreadCount(threads);
      layer.forward(table);
      layer.backward(table, true, false);
      CHECK(layer.out == first.out && layer.pre == first.pre && layer.dx == first.dx &&
                layer.dw == first.dw && layer.db == first.db,
            "%lld x %lld x %lld with %d threads", (long long)c.rows, (long long)c.units,
            (long long)c.features, threads);
    }
  }
  setThreadCount(before);
}

template <class T>
void all(const RealKernels<T>& table) {
  const Case cases[] = {{32, 100, 100, "elu", true, false}, {32, 10, 100, "", true, false},
                        {1, 100, 30, "silu", true, true},   {7, 1, 5, "elu", true, false},
                        {1, 1, 1, "", false, false},        {300, 33, 17, "silu", false, true},
                        {33, 70, 520, "elu", true, true},   {5, 600, 3, "", true, true},
                        {3, 4, 0, "elu", true, false}};
  for (const Case& c : cases) {
    forward(table, c);
    for (int bits = 0; bits < 4; bits++) backward(table, c, (bits & 1) != 0, (bits & 2) != 0);
  }
  parts(table);
  threadsAgree(table);
}

}  // namespace

void testLayers(const Kernels& kernels) {
  group("dense, float32");
  all(kernels.real32);
  group("dense, float64");
  all(kernels.real64);
}

}  // namespace gradloom::test
