// A cache of device memory: asking the device takes long and waits for all its work.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

namespace gradloom::cuda {

struct Statistics {
  size_t inUse = 0;        // bytes handed out
  size_t cached = 0;       // bytes kept to be handed out again
  size_t peak = 0;         // most bytes ever handed out at once
  size_t requests = 0;     // times the device was asked for memory
  size_t allocations = 0;  // times the cache was
};

class Allocator {
 public:
  // Functions of the device: null when it has no more, and giving back.
  using Take = void* (*)(size_t bytes);
  using Give = void (*)(void* memory);

  // Blocks that some work has for itself: it takes from here first, and gives back to here.
  struct Reserve {
    std::map<size_t, std::vector<void*>> shelves;
  };

  Allocator(Take taking, Give giving) : take(taking), give(giving) {}

  // Null when the device has no more even after the cache was given back.
  void* allocate(size_t bytes);
  void free(void* memory, size_t bytes);
  void trim();
  // Most bytes to have of the device, cached ones included.
  static constexpr size_t noLimit = size_t{1} << 53;  // and above
  void setLimit(size_t bytes) { most = bytes; }
  size_t limit() const { return most; }
  // Whose blocks are taken and given back from now on; null: everybody's.
  void use(Reserve* own) { reserve = own; }
  // Gives a reserve's blocks back to everybody.
  void endReserve(Reserve& ended);
  const Statistics& statistics() const { return numbers; }

  // Bytes that a request occupies.
  static size_t rounded(size_t bytes);

 private:
  void* takeWithin(size_t size);

  Take take;
  Give give;
  std::map<size_t, std::vector<void*>> shelves;  // by rounded size
  Reserve* reserve = nullptr;
  size_t most = noLimit;
  Statistics numbers;
};

}  // namespace gradloom::cuda
