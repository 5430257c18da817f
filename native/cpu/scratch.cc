#include "cpu/scratch.h"

#include <cstdlib>
#include <new>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <unistd.h>
#endif

namespace gradloom {
namespace {

constexpr size_t alignment = 64;

struct Block {
  void* raw = nullptr;
  void* aligned = nullptr;
  size_t size = 0;
  ~Block() { std::free(raw); }
};
thread_local Block block;

#if defined(__APPLE__)
int64_t cacheSize(const char* name, int64_t usual) {
  int64_t size = 0;
  size_t length = sizeof(size);
  return sysctlbyname(name, &size, &length, nullptr, 0) == 0 && size > 0 ? size : usual;
}
#elif defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
int64_t cacheSize(int name, int64_t usual) {
  const long size = sysconf(name);
  return size > 0 ? size : usual;
}
#endif

Caches measure() {
  Caches found;
#if defined(__APPLE__)
  found.l1 = cacheSize("hw.l1dcachesize", found.l1);
  found.l2 = cacheSize("hw.l2cachesize", found.l2);
#elif defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  found.l1 = cacheSize(_SC_LEVEL1_DCACHE_SIZE, found.l1);
  found.l2 = cacheSize(_SC_LEVEL2_CACHE_SIZE, found.l2);
#endif
  return found;
}

}  // namespace

void* scratch(size_t bytes) {
  if (bytes <= block.size) return block.aligned;
  const size_t size = bytes + bytes / 2;  // room to grow, so that growing is rare
  void* raw = std::malloc(size + alignment);
  if (raw == nullptr) throw std::bad_alloc();
  std::free(block.raw);
  block.raw = raw;
  const size_t past = reinterpret_cast<uintptr_t>(raw) % alignment;
  block.aligned = static_cast<char*>(raw) + (alignment - past) % alignment;
  block.size = size;
  return block.aligned;
}

const Caches& caches() {
  static const Caches found = measure();
  return found;
}

}  // namespace gradloom
