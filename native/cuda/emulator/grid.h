// Running kernels: blocks one after another, the threads of a block as fibers, in an order that
// differs by block and that kernels must not depend on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace gradloom::emulator {

struct Dim3 {
  unsigned x, y, z;
  constexpr Dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

// Position of the running thread, as kernels ask for it.
struct Position {
  Dim3 thread, block, blockSize, gridSize;
};
extern Position position;

constexpr unsigned warpSize = 32;
constexpr unsigned mostThreads = 1024;

// Runs `kernel` once per thread. Empty, or what was wrong: a fault stops the grid where it happens.
std::string runGrid(int device, Dim3 grid, Dim3 block, const std::function<void()>& kernel);

// Whether a thread of a kernel is running.
bool inKernel();

// ---- for the running thread --------------------------------------------------------------------

// Ends the grid with a fault; does not return.
[[noreturn]] void fault(const std::string& what);
// __syncthreads at a line of the source.
void barrier(int line);
// All threads of a warp give a value; returns those of all, which stay until the next but one
// exchange. Every lane must take part.
const uint64_t* exchange(uint64_t value, int line);
// Checks an access of `size` bytes and remembers it.
void access(const void* address, size_t size, bool write, bool atomic = false);
unsigned long long atomicMinimum(unsigned long long* address, unsigned long long value);

}  // namespace gradloom::emulator
