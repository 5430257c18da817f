#include "cuda/allocator.h"

namespace gradloom::cuda {
namespace {

void* taken(std::map<size_t, std::vector<void*>>& shelves, size_t size) {
  const auto shelf = shelves.find(size);
  if (shelf == shelves.end() || shelf->second.empty()) return nullptr;
  void* const memory = shelf->second.back();
  shelf->second.pop_back();
  return memory;
}

}  // namespace

// Up to 1 MiB to a multiple of 512 bytes, above to one of 2 MiB, the device's pages: nearly equal
// requests share blocks, and little is wasted.
size_t Allocator::rounded(size_t bytes) {
  constexpr size_t small = 512, large = size_t{2} << 20, limit = size_t{1} << 20;
  const size_t unit = bytes <= limit ? small : large;
  return bytes == 0 ? small : (bytes + unit - 1) / unit * unit;
}

void* Allocator::allocate(size_t bytes) {
  const size_t size = rounded(bytes);
  numbers.allocations++;
  void* memory = reserve != nullptr ? taken(reserve->shelves, size) : nullptr;
  if (memory != nullptr) return memory;  // which counts as in use all the time
  memory = taken(shelves, size);
  if (memory != nullptr) {
    numbers.cached -= size;
  } else {
    numbers.requests++;
    memory = takeWithin(size);
    if (memory == nullptr && numbers.cached > 0) {
      trim();
      memory = takeWithin(size);
    }
    if (memory == nullptr) return nullptr;
  }
  numbers.inUse += size;
  if (numbers.inUse > numbers.peak) numbers.peak = numbers.inUse;
  return memory;
}

void* Allocator::takeWithin(size_t size) {
  const size_t had = numbers.inUse + numbers.cached;
  return size > most || had > most - size ? nullptr : take(size);
}

void Allocator::free(void* memory, size_t bytes) {
  const size_t size = rounded(bytes);
  if (reserve != nullptr) {
    reserve->shelves[size].push_back(memory);
    return;
  }
  shelves[size].push_back(memory);
  numbers.inUse -= size;
  numbers.cached += size;
}

void Allocator::endReserve(Reserve& ended) {
  for (auto& [size, shelf] : ended.shelves) {
    for (void* memory : shelf) free(memory, size);
  }
  ended.shelves.clear();
}

void Allocator::trim() {
  for (auto& [size, shelf] : shelves) {
    for (void* memory : shelf) give(memory);
  }
  shelves.clear();
  numbers.cached = 0;
}

}  // namespace gradloom::cuda
