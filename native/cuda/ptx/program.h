// A kernel ready to run: its instructions with functions in the place of their calls, registers and
// constants with their places, and what a block needs.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "cuda/ptx/matrices.h"
#include "cuda/ptx/syntax.h"
#include "cuda/ptx/warp.h"

namespace gradloom::ptx {

// Registers of every program that hold what a thread is: %tid.x and so on.
enum Special {
  tidX,
  tidY,
  tidZ,
  ntidX,
  ntidY,
  ntidZ,
  ctaidX,
  ctaidY,
  ctaidZ,
  nctaidX,
  nctaidY,
  nctaidZ,
  laneId,
  warpId,
  specials
};
constexpr uint32_t specialBytes = lanes * 4;  // of one

struct Constant {
  uint32_t reg;
  uint32_t bytes;  // of a lane
  uint64_t bits;
};

struct Parameter {
  uint64_t offset;
  uint64_t bytes;
};

struct Program {
  std::string name;
  std::vector<Instruction> code;
  std::deque<Fragments> fragments;  // instructions point at them
  std::vector<Constant> constants;
  std::vector<Parameter> parameters;
  uint64_t parameterBytes = 0;
  uint32_t registerBytes = specials * specialBytes;
  uint64_t sharedBytes = 0;
  uint64_t localBytes = 0;
  uint64_t mostThreads = 1024;
  bool narrowShared = false;  // has accesses of less than four bytes
};

struct Symbol {
  Space space;
  uint64_t address;
};
using Symbols = std::map<std::string, Symbol>;

// Throws std::runtime_error, which names the line, for what is not supported.
Program decode(Module& module, const std::string& kernel, const Symbols& variables);

}  // namespace gradloom::ptx
