// What the tests of cuda_faults.cc and cuda_faults_host.cc have in common.
#pragma once

#include <string>
#include <vector>

#include "cuda/machine.h"

namespace gradloom::cuda {

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

// Throws DeviceFailure unless it is right.
inline void expect(bool right, const char* what) {
  if (!right) throw DeviceFailure{false, std::string("wrong values: ") + what};
}

// Tests of what the host does: captured steps, refused labels, copies, several devices.
void testHost();

}  // namespace gradloom::cuda
