// Entries of a journal: results of steps that stay on the device until many are read at once.
#pragma once

#include <cstdint>
#include <vector>

namespace gradloom::cuda {

// Bytes to be copied to an offset of the entry.
struct Source {
  const uint8_t* at;
  int64_t bytes, offset;
};

// Writes entry number `*place`, of `stride` bytes, of a journal of `entries`; beyond it nothing.
void note(uint8_t* journal, int64_t entries, int64_t stride, const double* place,
          const std::vector<Source>& sources);

}  // namespace gradloom::cuda
