#include "cpu/scratch.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "cpu/threads.h"

#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <sys/mman.h>
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

#if defined(__linux__)
// Cores of one cache name the same cores as sharing it.
int64_t thirdLevels() {
  std::set<std::string> seen;
  int64_t total = 0;
  for (int core = 0; core < availableCores(); core++) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cache/index3/";
    std::ifstream size(folder + "size"), sharing(folder + "shared_cpu_list");
    int64_t kilobytes = 0;
    std::string cores;
    if (size >> kilobytes && sharing >> cores && seen.insert(cores).second) {
      total += kilobytes << 10;
    }
  }
  return total;
}
#endif

int64_t within(int64_t size, int64_t least, int64_t most) {
  return size < least ? least : size > most ? most : size;
}

Caches measure() {
  Caches found;
#if defined(__APPLE__)
  found.l1 = cacheSize("hw.l1dcachesize", found.l1);
  found.l2 = cacheSize("hw.l2cachesize", found.l2);
#elif defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  found.l1 = cacheSize(_SC_LEVEL1_DCACHE_SIZE, found.l1);
  found.l2 = cacheSize(_SC_LEVEL2_CACHE_SIZE, found.l2);
#endif
#if defined(__linux__)
  found.l3 = thirdLevels();
#endif
  // What a hypervisor says may be nonsense, and a level shared by cores is not ours alone.
  found.l1 = within(found.l1, 16 << 10, 128 << 10);
  found.l2 = within(found.l2, 256 << 10, 2 << 20);
  return found;
}

[[noreturn]] void outOfMemory(size_t bytes) {
  std::fprintf(stderr, "gradloom: no memory for %zu bytes of working space\n", bytes);
  std::abort();
}

}  // namespace

void* scratch(size_t bytes) {
  if (bytes <= block.size) return block.aligned;
  const size_t size = bytes + bytes / 2;  // room to grow, so that growing is rare
  void* raw = std::malloc(size + alignment);
  if (raw == nullptr) outOfMemory(bytes);
  std::free(block.raw);
  block.raw = raw;
  const size_t past = reinterpret_cast<uintptr_t>(raw) % alignment;
  block.aligned = static_cast<char*>(raw) + (alignment - past) % alignment;
  block.size = size;
  return block.aligned;
}

void useLargePages([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr uintptr_t page = 2 << 20;
  const uintptr_t at = reinterpret_cast<uintptr_t>(data);
  const uintptr_t from = (at + page - 1) / page * page, to = (at + bytes) / page * page;
  if (from < to) madvise(static_cast<char*>(data) + (from - at), to - from, MADV_HUGEPAGE);
#endif
}

const Caches& caches() {
  static const Caches found = measure();
  return found;
}

bool worthStreaming(int64_t bytes) {
  return caches().l3 > 0 && 2 * bytes > caches().l3 / 4 * 3;
}

}  // namespace gradloom
