// Runs kernels of every kind on the emulated device, at sizes that leave parts of blocks unused.
// Exit status 1, and what the device says, at the first fault. scripts/cuda-mutants.ts plants
// faults into the kernels and expects each to be found here by its name.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "cuda/journal.h"
#include "cuda/kernels.h"
#include "cuda/machine.h"
#include "cuda/precision.h"
#include "cuda/refusals.h"
#include "cuda/repeated.h"

namespace gradloom::cuda {
namespace {

// Values on the device, rising from 0.25 by quarters, wrapped so that they stay small.
template <class T>
class Values {
 public:
  explicit Values(int64_t size) : memory(size), count(size) {
    std::vector<T> values;
    for (int64_t i = 0; i < size; i++) values.push_back(T(double(i % 37 + 1) / 4));
    Machine::current().write(memory.data(), values.data(), values.size() * sizeof(T));
  }
  T* data() const { return memory.data(); }
  std::vector<T> read() const {
    std::vector<T> values(static_cast<size_t>(count));
    Machine::current().read(values.data(), memory.data(), values.size() * sizeof(T));
    return values;
  }

 private:
  Scratch<T> memory;
  int64_t count;
};

void matrices() {
  constexpr int64_t m = 70, n = 65, k = 33;
  const Values<float> a(m * k), b(k * n), out(m * n), bias(n);
  matmul(out.data(), a.data(), b.data(), 1, m, n, k, 0, 0, false, false, false);
  dense(out.data(), static_cast<float*>(nullptr), a.data(), b.data(), bias.data(), m, n, k, -1, 0,
        0);
  out.read();
}

void expect(bool right, const char* what) {
  if (!right) throw DeviceFailure{false, std::string("wrong values: ") + what};
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

// What the dropout of repetition() gives at a place of the stream.
std::vector<float> dropoutAt(Philox place, const float* x, int64_t n) {
  const Values<float> out(n);
  dropout<float>(out.data(), x, n, place, 0.5, 2, 0, 0);
  return out.read();
}

// A step that draws random numbers and uses a number of the host's, made five times: as it is,
// captured, and as a graph. Notes each of them.
void repetition() {
  constexpr int64_t n = 300, entries = 5;
  Machine& machine = Machine::current();
  const Values<float> x(n), w(n);
  const Scratch<float> dropped(n);
  const Values<uint8_t> journal(entries * n * 4);
  double hyper[] = {1, 1e9, 0, -0.5}, entry = 0;
  float* const parameters[] = {w.data()};
  const float* const gradients[] = {dropped.data()};
  const int64_t lengths[] = {n};
  const auto step = [&] {
    dropout<float>(dropped.data(), x.data(), n, {0, 0, 3}, 0.5, 2, 0, 0);
    update<float>(0, 1, parameters, gradients, nullptr, lengths, hyper);
    const Scratch<float> copied(n);
    machine.copy(copied.data(), w.data(), n * sizeof(float));
    note(journal.data(), entries, n * 4, &entry,
         {{reinterpret_cast<const uint8_t*>(copied.data()), n * 4, 0}});
  };
  Repeated repeated(machine);
  repeated.expect(hyper, 4);
  repeated.expect(&entry, 1);
  std::vector<float> expected = w.read();
  const std::vector<float> inputs = x.read();
  for (; entry < double(entries); entry++) {
    hyper[3] = 0.25 * (entry + 1);
    repeated.run({1, 2, uint64_t(1000 * entry)}, step);
  }
  const std::vector<uint8_t> bytes = journal.read();
  for (int e = 0; e < entries; e++) {
    const std::vector<float> drawn = dropoutAt({1, 2, uint64_t(1000 * e + 3)}, x.data(), n);
    for (int64_t i = 0; i < n; i++) {
      float noted = 0;
      std::memcpy(&noted, bytes.data() + (e * n + i) * 4, 4);
      expected[size_t(i)] -= 0.25f * float(e + 1) * drawn[size_t(i)];
      expect(std::abs(noted - expected[size_t(i)]) < 1e-3f * (1 + std::abs(noted)),
             "repeated step");
    }
  }
  expect(machine.counters().graphLaunches == entries - 1, "launches of graphs");
}

// Labels out of range are noted, and stop updates.
void refusing() {
  Machine& machine = Machine::current();
  const Values<double> w(40), g(40);
  const Values<float> logits(8 * 5), loss(8);
  const Values<int32_t> labels(8);  // 0 and above
  const Scratch<unsigned long long> word(1);
  const std::vector<double> before = w.read();
  unsigned long long found = nowhere;
  machine.write(word.data(), &found, sizeof(found));
  machine.refusals = word.data();
  crossEntropy<float>(loss.data(), nullptr, logits.data(), labels.data(), nullptr, 8, 2);
  double* const parameters[] = {w.data()};
  const double* const gradients[] = {g.data()};
  const int64_t lengths[] = {40};
  const double hyper[] = {1, 1e9, 0, 0.5};
  update<double>(0, 1, parameters, gradients, nullptr, lengths, hyper);
  machine.refusals = nullptr;
  machine.read(&found, word.data(), sizeof(found));
  expect(found == 7, "refused label");  // the first 2, see Values
  expect(w.read() == before, "update after a refused label");
}

// More small copies than the ring of pinned memory holds, before any of them was made.
void staging() {
  constexpr int64_t count = 10'000, copies = 120;
  std::vector<float> values(size_t{count});
  const Scratch<float> memory(count * copies);
  for (int64_t copy = 0; copy < copies; copy++) {
    for (float& value : values) value = float(copy);
    Machine::current().write(memory.data() + copy * count, values.data(), count * sizeof(float));
  }
  std::vector<float> found(size_t(count * copies));
  Machine::current().read(found.data(), memory.data(), found.size() * sizeof(float));
  for (int64_t i = 0; i < count * copies; i++) {
    expect(found[size_t(i)] == float(i / count), "copies through pinned memory");
  }
}

// Batches that are copied beside the work, more than there are slots, each read from one place by
// a step that is captured.
void uploads() {
  constexpr int64_t count = 20'000, batches = 11;
  Machine& machine = Machine::current();
  const Scratch<float> batch(count);
  const Values<uint8_t> journal(batches * count * 4);
  double entry = 0;
  const auto step = [&] {
    note(journal.data(), batches, count * 4, &entry,
         {{reinterpret_cast<const uint8_t*>(batch.data()), count * 4, 0}});
  };
  const uint64_t before = machine.counters().besideWork.count;
  Repeated repeated(machine);
  repeated.expect(&entry, 1);
  std::vector<float> values(size_t{count});
  for (; entry < double(batches); entry++) {
    for (float& value : values) value = float(entry);
    machine.write(batch.data(), values.data(), count * sizeof(float));
    repeated.run({0, 0, 0}, step);
  }
  const std::vector<uint8_t> bytes = journal.read();
  for (int64_t i = 0; i < batches * count; i++) {
    float noted = 0;
    std::memcpy(&noted, bytes.data() + i * 4, 4);
    expect(noted == float(i / count), "batches copied beside the work");
  }
  expect(machine.counters().besideWork.count - before == batches, "copies beside the work");
}

}  // namespace
}  // namespace gradloom::cuda

int main() {
  using namespace gradloom::cuda;  // NOLINT(google-build-using-namespace): a program of one file
  try {
    for (void (*test)() :
         {matrices, products, tensorCores, smallProducts, elementwise, reductions, movement,
          rowKernels, sorting, training, repetition, refusing, staging, uploads, uploads}) {
      Turn turn(Machine::at(0));
      test();
      turn.finish();
    }
  } catch (const DeviceFailure& failure) {
    std::printf("%s\n", failure.message.c_str());
    return 1;
  }
  std::printf("no fault\n");
  return 0;
}
