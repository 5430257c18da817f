// The emulated device's memory and what is known of every byte of it: whether it is anybody's,
// whether it was ever written, and which thread of a kernel touched it last.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradloom::emulator {

// What a thread of a kernel is to others: two accesses are ordered when they are one thread's, or
// one block's on either side of a barrier.
struct Accessor {
  uint32_t launch, block, thread;
  uint32_t phase;  // barriers passed
  int device;
};

// A read of shared memory before anybody has written it. Whether a barrier is missing shows only
// later, when somebody writes: the block goes on until its next barrier.
constexpr const char* undefinedShared = "uninitialised read of shared memory";

// What is wrong with an access; null when nothing is.
const char* checkAccess(uintptr_t address, size_t size, bool write, bool atomic,
                        const Accessor& by);

constexpr int deviceCount = 2;
constexpr size_t capacity = size_t{4} << 30;  // most that a device has

// One range of addresses holds all: shared memory first, then one device's after the other.
constexpr size_t sharedBytes = 1 << 20;
constexpr size_t deviceBytes = 2 * capacity;  // twice, for guards and fragments
constexpr size_t arenaBytes = sharedBytes + deviceCount * deviceBytes;
extern char* const arenaBase;

// Whether an address is the device's. Asked at every access, most of which are not.
inline bool isDeviceMemory(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(arenaBase) < arenaBytes;
}

// ---- memory of the device ----------------------------------------------------------------------

size_t bytesOfDevice();

// Null when the device has not enough. Contents are undefined; guard zones lie on both sides.
void* allocate(int device, size_t bytes);
// False when it is not the beginning of an allocation.
bool release(void* memory);
size_t bytesInUse(int device);

// Only the first `used` bytes of an allocation of `bytes` are somebody's from now on, and
// undefined.
void setExtent(const void* memory, size_t bytes, size_t used);
// Whether all of a range is somebody's; null, or what is wrong.
const char* checkRange(const void* memory, size_t bytes);
void markWritten(const void* memory, size_t bytes);
// Whether all of a range was written; null, or what is wrong.
const char* checkWritten(const void* memory, size_t bytes);

// ---- shared memory of a block ------------------------------------------------------------------

constexpr size_t sharedCapacity = 48 << 10;

// A block begins: nothing is declared yet.
void beginSharedMemory();
// The array declared at a place of the source, the same for all threads of the block; null when
// they exceed what a block may have.
void* sharedMemory(const void* place, size_t bytes);

}  // namespace gradloom::emulator
