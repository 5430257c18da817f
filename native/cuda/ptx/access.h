// Loads, stores and atomic operations, by opcode: ld.global.v4.f32 and the like.
#pragma once

#include <string>

#include "cuda/ptx/warp.h"

namespace gradloom::ptx {

// What an opcode says of an access.
struct Access {
  enum class Kind { load, store, atomic } kind;
  Space space;
  std::string type;       // of one element in memory
  int parts;              // elements
  std::string operation;  // of an atomic: "add", "min", …
};

// False if the opcode is no access. Throws std::runtime_error for one that is not supported.
bool readAccess(const std::string& opcode, Access& access);

// What runs it. `registerBytes` is the width of the registers that hold the elements.
Action actionOf(const Access& access, int registerBytes);

}  // namespace gradloom::ptx
