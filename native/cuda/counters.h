// What a machine was asked to do, counted since the process began.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>

#include "cuda/allocator.h"

namespace gradloom::cuda {

// A kernel's name, which stays, and the sizes it works on: kept for messages and counts.
struct Label {
  static constexpr int most = 4;
  const char* name = nullptr;
  std::array<int64_t, most> sizes{};
  int count = 0;

  Label() = default;
  Label(const char* kernel, std::initializer_list<int64_t> given);
  // "matmul [1, 32, 100, 3072]"
  std::string text() const;
  bool operator<(const Label& other) const;
};

struct Copies {
  uint64_t count = 0, bytes = 0;

  void add(size_t size) {
    count++;
    bytes += size;
  }
};

struct Counters {
  uint64_t launches = 0;       // of kernels, one by one
  uint64_t graphLaunches = 0;  // of captured steps
  uint64_t captures = 0;
  uint64_t fills = 0;
  uint64_t waits = 0;  // of the host for the device
  Copies toDevice, fromDevice, onDevice;
  Copies besideWork;                  // parts of those to the device that overlap with its work
  std::map<Label, uint64_t> kernels;  // launches by kernel

  void launched(const Label& kernel) {
    launches++;
    kernels[kernel]++;
  }
};

// Both as JSON: DeviceStatistics of src/backends/backend.ts.
std::string asJson(const Counters& counters, const Statistics& memory);

}  // namespace gradloom::cuda
