// What the host does, on the emulated device: see cuda_faults.cc.
#include <cmath>
#include <cstring>

#include "cuda/journal.h"
#include "cuda/kernels.h"
#include "cuda/refusals.h"
#include "cuda/repeated.h"
#include "test/cuda_faults.h"

namespace gradloom::cuda {
namespace {

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

// Work on the second device within a call on the first, which goes on then. Long sums take scratch
// memory.
void sumOfOnes() {
  constexpr int64_t n = 20'000;
  const Values<float> ones(n), sum(1);
  fill<float>(ones.data(), 1, n);
  reduce<float>(Reduction::sum, sum.data(), ones.data(), 1, n, 1);
  expect(sum.read()[0] == float(n), "sum on a device");
}

// Twice, since opening a device chooses it.
void devices() {
  for (int round = 0; round < 2; round++) {
    {
      const Turn turn(Machine::at(1));
      sumOfOnes();
    }
    sumOfOnes();
  }
}

}  // namespace

void testHost() {
  for (void (*test)() : {repetition, refusing, staging, uploads, uploads, devices}) {
    Turn turn(Machine::at(0));
    test();
    turn.finish();
  }
}

}  // namespace gradloom::cuda
