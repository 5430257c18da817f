#include "cuda/ptx/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <stdexcept>

namespace gradloom::ptx {
namespace {

constexpr uint64_t alignment = 4096;  // whole pages, to give them back
constexpr uint64_t guard = 4096;      // between allocations

void* reserve(uint64_t bytes) {
  void* place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) throw std::runtime_error("no address space for a device's memory");
  return place;
}

}  // namespace

Memory& Memory::device() {
  static Memory& one = *new Memory;  // kernels may run until the process ends
  return one;
}

Memory::Memory()
    : contents(static_cast<char*>(reserve(reserved))),
      marks(static_cast<uint8_t*>(reserve(reserved))),
      touches(static_cast<Touch*>(reserve(reserved / bytesOfTouch * sizeof(Touch)))) {}

uint64_t Memory::allocate(uint64_t bytes) {
  const uint64_t whole = (bytes + alignment - 1) / alignment * alignment;
  if (whole < bytes || used + bytes > total || next + whole + guard > reserved) return 0;
  const uint64_t address = first + next;
  next += whole + guard;
  used += bytes;
  live[address] = {address, bytes, bytes};
  return address;
}

bool Memory::free(uint64_t address) {
  const auto found = live.find(address);
  if (found == live.end()) return false;
  const uint64_t bytes = found->second.bytes;
  used -= bytes;
  former[address] = bytes;
  live.erase(found);
  const uint64_t whole = (bytes + alignment - 1) / alignment * alignment;
  madvise(data(address), whole, MADV_DONTNEED);
  madvise(written(address), whole, MADV_DONTNEED);
  madvise(&touch(address), whole / bytesOfTouch * sizeof(Touch), MADV_DONTNEED);
  return true;
}

Allocation* Memory::find(uint64_t address, uint64_t bytes) {
  auto found = live.upper_bound(address);
  if (found == live.begin()) return nullptr;
  Allocation& allocation = (--found)->second;
  const uint64_t offset = address - allocation.begin;
  const bool inside = offset <= allocation.bytes && bytes <= allocation.bytes - offset;
  return inside ? &allocation : nullptr;
}

std::string Memory::describe(uint64_t address) const {
  char text[120];
  const auto past = former.upper_bound(address);
  if (past != former.begin() && address - std::prev(past)->first < std::prev(past)->second) {
    std::snprintf(text, sizeof text, "use after free: byte %llu of %llu that were given back",
                  static_cast<unsigned long long>(address - std::prev(past)->first),
                  static_cast<unsigned long long>(std::prev(past)->second));
    return text;
  }
  auto found = live.upper_bound(address);
  if (found == live.begin()) {
    std::snprintf(text, sizeof text, "out of bounds: %#llx is no memory of the device",
                  static_cast<unsigned long long>(address));
    return text;
  }
  const Allocation& allocation = (--found)->second;
  std::snprintf(text, sizeof text, "out of bounds: byte %llu of an allocation of %llu",
                static_cast<unsigned long long>(address - allocation.begin),
                static_cast<unsigned long long>(allocation.bytes));
  return text;
}

void Memory::markWritten(Allocation& allocation, uint64_t address, uint64_t bytes) {
  if (allocation.unwritten == 0) return;
  uint8_t* const mark = written(address);
  allocation.unwritten -= bytes - uint64_t(std::count(mark, mark + bytes, uint8_t{1}));
  std::memset(mark, 1, bytes);
}

}  // namespace gradloom::ptx
