// Runs a grid of blocks.
#pragma once

#include <string>
#include <vector>

#include "cuda/ptx/program.h"

namespace gradloom::ptx {

struct Extent {
  uint32_t x, y, z;
};

struct Launch {
  const Program* program;
  Extent grid;
  Extent block;
  uint64_t dynamicShared;
  std::vector<char> parameters;
};

// The first fault as a sentence that names kernel, line, block and thread; empty: none.
std::string run(const Launch& launch);

}  // namespace gradloom::ptx
