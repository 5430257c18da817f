// What kernels compiled with -fsanitize=thread call around every access to memory. The compiler
// puts the calls there; the sanitizer's own library is not linked: these functions take its place,
// and ask the emulated device what it knows of the address.
#include <cstddef>

#include "cuda/emulator/grid.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/toolkit.h"

namespace {

using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace)

bool isOfDevice(const void* address) {
  return isDeviceMemory(reinterpret_cast<uintptr_t>(address));
}

void checkDevice(const void* address, size_t size, bool write) {
  if (inKernel()) {
    access(address, size, write);
  } else {
    reportHostAccess();
  }
}

inline void check(const void* address, size_t size, bool write) {
  if (isOfDevice(address)) checkDevice(address, size, write);
}

void checkBytes(const void* address, size_t size, bool write) {
  if (!isOfDevice(address)) return;  // no range of the host's reaches into the device's
  for (size_t i = 0; i < size; i++) checkDevice(static_cast<const char*>(address) + i, 1, write);
}

}  // namespace

#define GRADLOOM_ACCESS(size)                                   \
  extern "C" void __tsan_read##size(void* address) {            \
    check(address, size, false);                                \
  }                                                             \
  extern "C" void __tsan_write##size(void* address) {           \
    check(address, size, true);                                 \
  }                                                             \
  extern "C" void __tsan_unaligned_read##size(void* address) {  \
    check(address, size, false);                                \
  }                                                             \
  extern "C" void __tsan_unaligned_write##size(void* address) { \
    check(address, size, true);                                 \
  }

GRADLOOM_ACCESS(1)
GRADLOOM_ACCESS(2)
GRADLOOM_ACCESS(4)
GRADLOOM_ACCESS(8)
GRADLOOM_ACCESS(16)

extern "C" {
void __tsan_read_range(void* address, size_t size) {
  checkBytes(address, size, false);
}
void __tsan_write_range(void* address, size_t size) {
  checkBytes(address, size, true);
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
// Guards of local variables that are made once.
char __tsan_atomic8_load(const volatile char* address, int) {
  return __atomic_load_n(address, __ATOMIC_ACQUIRE);
}
}
