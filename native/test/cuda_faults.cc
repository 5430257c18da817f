// Runs kernels of every kind on the emulated device, at sizes that leave parts of blocks unused.
// Exit status 1, and what the device says, at the first fault. scripts/cuda-mutants.ts plants
// faults into the kernels and expects each to be found here by its name.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "cuda/kernels.h"
#include "cuda/precision.h"
#include "kernels/normal.h"
#include "kernels/philox.h"
#include "test/cuda_faults.h"

namespace gradloom::cuda {
namespace {

void matrices() {
  constexpr int64_t m = 70, n = 65, k = 33;
  const Values<float> a(m * k), b(k * n), out(m * n), bias(n);
  matmul(out.data(), a.data(), b.data(), 1, m, n, k, 0, 0, false, false, false);
  dense(out.data(), static_cast<float*>(nullptr), a.data(), b.data(), bias.data(), m, n, k, -1, 0,
        0);
  out.read();
}

// Ones, so that sums are counts; sizes that leave tails, cut sums and read packs.
void products() {
  for (const int64_t k : {20, 1030}) {
    constexpr int64_t m = 36, n = 37;
    const Values<float> a(m * k), b(k * n), out(m * n);
    fill<float>(a.data(), 1, m * k);
    fill<float>(b.data(), 1, k * n);
    matmul(out.data(), a.data(), b.data(), 1, m, n, k, 0, 0, false, false, false);
    for (const float each : out.read()) expect(each == float(k), "matmul");
    const Values<float> dx(m * k), dw(k * n), db(n), scratch(m * n), pre(m * n);
    denseBackward(dx.data(), dw.data(), db.data(), scratch.data(), out.data(), a.data(), b.data(),
                  out.data(), pre.data(), m, n, k, -1, 0, 0, false);
    expect(db.read()[n - 1] == float(m * k), "bias gradient");
    expect(dw.read()[k * n - 1] == float(m * k), "matmul");
  }
}

// Quarters, which no precision rounds, and sums of which float32 has exactly.
void expectProduct(int64_t batch, int64_t m, int64_t n, int64_t k, const char* what) {
  const Values<float> a(batch * m * k), b(batch * k * n), out(batch * m * n);
  matmul(out.data(), a.data(), b.data(), batch, m, n, k, m * k, k * n, false, false, false);
  const std::vector<float> left = a.read(), right = b.read(), found = out.read();
  for (int64_t at = 0; at < batch * m * n; at++) {
    const int64_t matrix = at / n / m, row = at / n, column = at % n;
    float sum = 0;
    for (int64_t p = 0; p < k; p++) {
      sum += left[size_t(row * k + p)] * right[size_t((matrix * k + p) * n + column)];
    }
    expect(found[size_t(at)] == sum, what);
  }
}

// One element, a cut sum, factors kept in 16 bits, large tiles; in every precision.
void tensorCores() {
  for (int precision = 1; precision < precisionCount; precision++) {
    allowPrecision(Precision(precision));
    expectProduct(1, 1, 1, 1, "tensor cores");
    expectProduct(2, 70, 33, 40, "tensor cores");
    expectProduct(1, 20, 21, 700, "tensor cores");
    expectProduct(2, 201, 203, 9, "tensor cores");
    expectProduct(64, 5, 129, 3, "tensor cores");
  }
  allowPrecision(Precision::float32);
}

void smallProducts() {
  expectProduct(40, 3, 5, 7, "small product");
  expectProduct(1, 100, 1, 90, "small product");
}

void constants() {
  const int64_t n = 23;
  const Values<float> a(n), out(n);
  int gelu = 0;
  while (std::strcmp(kernelInfo[gelu].name, "geluTanh_y") != 0) gelu++;
  map<float>(gelu, out.data(), {{a.data()}, {1}}, n, 0, 0);
  const std::vector<float> x = a.read(), y = out.read();
  for (size_t i = 0; i < size_t(n); i++) {
    const double inner = std::sqrt(2 / M_PI) * (x[i] + 0.044715 * std::pow(double(x[i]), 3));
    expect(std::abs(y[i] - 0.5 * x[i] * (1 + std::tanh(inner))) < 1e-5, "geluTanh");
  }
}

// The bits that the processor's own code gives.
void randomNumbers() {
  constexpr int64_t n = 1000;
  constexpr Philox stream = {1, 2, 3};
  const Values<double> uniform(n), normal(n);
  random(Distribution::uniform, DType::float64, uniform.data(), n, stream, 0, 1);
  random(Distribution::normal, DType::float64, normal.data(), n, stream, 0, 1);
  const std::vector<double> u = uniform.read(), z = normal.read();
  for (size_t i = 0; i < size_t(n); i++) {
    uint32_t words[4];
    philoxBlock(words, stream, i / 4);
    const double word = double(words[i % 4]);
    expect(u[i] == word * 0x1p-32, "uniform");
    expect(z[i] == normalQuantile((word + 0.5) * 0x1p-32 - 0.5), "normal");
  }
}

void elementwise() {
  int add = 0;
  while (std::strcmp(kernelInfo[add].name, "add_y") != 0) add++;
  const Values<float> a(23), b(23), out(23);
  for (const int64_t to : {0, 1}) {
    for (const int64_t from : {0, 1}) {
      map<float>(add, out.data() + to, {{a.data(), b.data() + from}, {1, 1}}, 22, 0, 0);
      const std::vector<float> sums = out.read();
      for (int64_t i = 0; i < 22; i++) {
        expect(sums[size_t(to + i)] == float(2 * i + from + 2) / 4, "add");
      }
    }
  }
}

void reductions() {
  constexpr int64_t n = 700;
  const Values<float> ones(n), result(1);
  const Values<uint8_t> truth(1);
  fill<float>(ones.data(), 1, n);
  reduce<float>(Reduction::prod, result.data(), ones.data(), 1, n, 1);
  expect(result.read()[0] == 1, "prod");
  reduce<float>(Reduction::sum, result.data(), ones.data(), 1, n, 1);
  expect(result.read()[0] == float(n), "sum");
  const Values<float> table(100 * 3), sums(3);
  reduce<float>(Reduction::sum, sums.data(), table.data(), 1, 100, 3);
  const std::vector<float> values = table.read(), totals = sums.read();
  for (size_t column = 0; column < 3; column++) {
    float sum = 0;
    for (size_t row = 0; row < 100; row++) sum += values[row * 3 + column];
    expect(totals[column] == sum, "sum");
  }
  reduce<float>(Reduction::all, truth.data(), ones.data(), 1, n, 1);
  expect(truth.read()[0] == 1, "all");
}

void movement() {
  const Values<uint32_t> a(50 * 70), out(50 * 70);
  copy(out.data(), static_cast<const uint32_t*>(a.data()), {2, {50, 70}, {70, 1}, {1, 50}});
  const Values<int32_t> index(100);  // 0 to 9
  firstOutside(index.data(), 100, 10);
  firstOutside(index.data(), 100, 5);
  const Values<float> rows(10 * 3), added(100 * 3);
  scatterAdd(rows.data(), added.data(), index.data(), 1, 10, 100, 3);
  rows.read();
  out.read();
}

void rowKernels() {
  const Values<float> a(3 * 1500), out(3 * 1500);
  softmax(out.data(), a.data(), 30, 150, false);
  softmax(out.data(), a.data(), 3, 1500, true);
  out.read();
  const Values<float> mean(15), inverse(15), variance(15);
  batchNorm(out.data(), mean.data(), inverse.data(), variance.data(), a.data(),
            static_cast<float*>(nullptr), static_cast<float*>(nullptr), 300, 15, 0.1);
  out.read();
}

void sorting() {
  const Values<float> a(2 * 1100), values(2 * 1100);
  const Values<int32_t> index(2 * 1100);
  sort(values.data(), index.data(), a.data(), 2, 1100, 1100, false);
  index.read();
}

void training() {
  const Values<double> w(2000), g(2000);
  const Scratch<double> zeros(5);
  Machine::current().fillZero(zeros.data(), 5 * sizeof(double));
  double* const parameters[] = {w.data()};
  const double* const gradients[] = {g.data()};
  const int64_t lengths[] = {2000};
  const double hyper[] = {1, 1e9, 0, 0.5};
  update<double>(0, 1, parameters, gradients, nullptr, lengths, hyper);
  w.read();
}

}  // namespace
}  // namespace gradloom::cuda

int main() {
  using namespace gradloom::cuda;  // NOLINT(google-build-using-namespace): a program of one file
  try {
    for (void (*test)() : {matrices, products, tensorCores, smallProducts, elementwise, constants,
                           randomNumbers, reductions, movement, rowKernels, sorting, training}) {
      Turn turn(Machine::at(0));
      test();
      turn.finish();
    }
    testHost();
  } catch (const DeviceFailure& failure) {
    std::printf("%s\n", failure.message.c_str());
    return 1;
  }
  std::printf("no fault\n");
  return 0;
}
