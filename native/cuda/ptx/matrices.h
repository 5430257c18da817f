// wmma: products of matrices that the lanes of a warp hold together.
#pragma once

#include <string>
#include <vector>

#include "cuda/ptx/warp.h"

namespace gradloom::ptx {

// The registers of such an instruction, and what it takes them for.
struct Fragments {
  std::vector<uint32_t> d, a, b, c;  // of a load or store: d
  uint32_t stride = 0;               // a register: elements from one row, or column, to the next
  int rows = 16, columns = 16;       // of d; of a product, `inner` is a's columns
  int inner = 16;
  bool byColumns = false;  // how memory has it
  std::string type;        // of the elements of a and b, or of those in memory
};

// Rows, columns and type of an opcode, and what runs it; null for one that is not supported.
Action actionOfMatrices(const std::string& opcode, Space space, Fragments& fragments);

}  // namespace gradloom::ptx
