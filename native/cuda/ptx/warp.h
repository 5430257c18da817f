// What runs: decoded instructions, the 32 lanes of a warp that take them together, and the block
// that the warp belongs to.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/ptx/memory.h"

namespace gradloom::ptx {

constexpr int lanes = 32;
constexpr uint32_t everyLane = ~uint32_t{0};

struct Warp;
struct Instruction;
struct Fragments;
using Action = void (*)(Warp&, const Instruction&);

// Whose memory an address is in. Generic addresses name any.
enum class Space : uint8_t { generic, global, shared, local, parameter };

constexpr uint64_t sharedWindow = uint64_t{0xe0} << 48;  // generic addresses of shared memory
constexpr uint64_t localWindow = uint64_t{0xf0} << 48;   // and of local memory

// How the place in the program goes on behind an instruction.
enum class Flow : uint8_t { next, branch, barrier, exchange, exit };

// Registers are given by the byte at which their 32 lanes begin; a predicate is 32 bits.
struct Instruction {
  Action run = nullptr;
  Flow flow = Flow::next;
  bool guarded = false;
  bool negated = false;  // the guard
  bool wideAddress = true;
  uint8_t parts = 1;  // elements of a vector
  uint32_t guard = 0;
  uint32_t at[5] = {};      // the result and the operands
  uint32_t vector[4] = {};  // registers of the elements
  int64_t offset = 0;       // of an address; of a branch, the instruction that it goes to
  int line = 0;
  const Fragments* fragments = nullptr;  // of an instruction on matrices
  mutable Allocation* last = nullptr;    // where it found its memory before
  mutable uint64_t lastEpoch = 0;        // and when that was looked up
};

// What is wrong with a kernel, found in a lane (-1: in none in particular).
struct Fault : std::runtime_error {
  Fault(int where, const std::string& text) : std::runtime_error(text), lane(where) {}
  int lane;
};

// Lanes at one place in the program.
struct Group {
  uint32_t mask;
  uint32_t place;
  bool waits;  // at a barrier, or for lanes that an exchange names
};

struct Block;

struct Warp {
  char* registers = nullptr;
  uint32_t mask = 0;   // lanes that take the current instruction
  uint32_t carry = 0;  // of each lane
  Block* block = nullptr;
  int number = 0;
  std::vector<Group> groups;

  template <class T>
  T* at(uint32_t reg) {
    return reinterpret_cast<T*>(registers + reg);
  }
  uint32_t& predicate(uint32_t reg) { return *reinterpret_cast<uint32_t*>(registers + reg); }
  bool has(int lane) const { return (mask >> lane & 1) != 0; }
};

struct Block {
  std::vector<char> shared;
  std::vector<Touch> touches;
  uint32_t touchShift = 2;  // bytes of a touch, as a power of two
  // Phases count barriers, blocks and launches: what was touched before the first of this block was
  // by another, and before the first of this launch is past.
  uint32_t phase = 0;
  uint32_t firstPhase = 0;
  uint32_t launchPhase = 0;
  std::vector<char> local;  // of all threads
  uint64_t localBytes = 0;  // of one
  const char* parameters = nullptr;
  uint64_t parameterBytes = 0;
  uint64_t memoryEpoch = 0;  // a number for every launch
  std::vector<Warp> warps;
};

}  // namespace gradloom::ptx
