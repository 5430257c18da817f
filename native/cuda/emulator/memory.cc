#include "cuda/emulator/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <new>

namespace gradloom::emulator {
namespace {

constexpr size_t guardBytes = 256;
constexpr size_t alignment = 256;       // what cudaMalloc promises
constexpr unsigned char poison = 0xff;  // NaN in floating point, -1 in integers

enum State : uint8_t { closed, freed, undefined, written };

// Who wrote and who read four bytes last, packed: see pack().
struct Trace {
  uint64_t write, read;
};

void* reserve(size_t bytes) {
  void* range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc();
  return range;
}

constexpr size_t beginningOf(int device) {
  return sharedBytes + size_t(device) * deviceBytes;
}

// The device of memory that is not shared.
int deviceAt(size_t offset) {
  return int((offset - sharedBytes) / deviceBytes);
}

struct Region {
  std::map<size_t, size_t> vacant;  // offset, bytes
  size_t inUse = 0;
};

}  // namespace

char* const arenaBase = static_cast<char*>(reserve(arenaBytes));

namespace {

uint8_t* const states = static_cast<uint8_t*>(reserve(arenaBytes));
Trace* const traces = static_cast<Trace*>(reserve(arenaBytes / 4 * sizeof(Trace)));

struct Arena {
  std::map<size_t, size_t> allocated;  // offset, bytes
  Region regions[deviceCount];

  Arena() {
    for (int d = 0; d < deviceCount; d++) regions[d].vacant = {{beginningOf(d), deviceBytes}};
  }
};

Arena& arena() {
  static Arena instance;
  return instance;
}

size_t offsetOf(const void* memory) {
  return size_t(static_cast<const char*>(memory) - arenaBase);
}

// Launch 20 bits, block 18, phase 12, thread 10, which bytes of the four 4. Zero is nobody, since
// launches are counted from 1. A granule remembers only its last reader and its last writer: a race
// may go unnoticed, but none is reported that is not there.
constexpr int bytesBits = 4, threadBits = 10, phaseBits = 12, blockBits = 18, launchBits = 20;
constexpr int phaseAt = bytesBits + threadBits, blockAt = phaseAt + phaseBits,
              launchAt = blockAt + blockBits;
static_assert(launchAt + launchBits == 64);
constexpr uint64_t bits(int count) {
  return (uint64_t{1} << count) - 1;
}

// Of no bytes yet.
uint64_t pack(const Accessor& by) {
  return (by.launch & bits(launchBits)) << launchAt | (by.block & bits(blockBits)) << blockAt |
         (by.phase & bits(phaseBits)) << phaseAt | uint64_t{by.thread} << bytesBits;
}

// Whether nothing orders an earlier access and this one.
bool races(uint64_t then, uint64_t now, bool inShared) {
  const uint64_t differs = then ^ now;
  if (differs >> launchAt != 0 || (then & now & bits(bytesBits)) == 0) return false;
  if ((differs >> blockAt & bits(blockBits)) != 0) return !inShared;
  return (differs >> phaseAt & bits(phaseBits)) == 0 &&
         (differs >> bytesBits & bits(threadBits)) != 0;
}

// Atomic accesses of one granule in a row, which order each other: kept beside the traces, since
// they are few.
std::map<size_t, uint32_t>& atomicLaunches() {
  static std::map<size_t, uint32_t> launches;
  return launches;
}

const char* trace(size_t granule, uint64_t now, bool write, bool atomic, bool inShared) {
  Trace& last = traces[granule];
  if (atomic) {
    uint32_t& of = atomicLaunches()[granule];
    const uint32_t launch = now >> launchAt;
    const bool joins = of == launch;
    of = launch;
    if (!joins && (races(last.write, now, inShared) || races(last.read, now, inShared))) {
      return "race: an atomic operation and a plain access of another thread";
    }
    last.write = now;
    return nullptr;
  }
  if (races(last.write, now, inShared)) {
    return write ? "race: two threads write, and no barrier is between them"
                 : "race: a thread reads what another writes, and no barrier is between them";
  }
  if (write && races(last.read, now, inShared)) {
    return "race: a thread writes what another reads, and no barrier is between them";
  }
  if (write)
    last.write = now;
  else
    last.read = now;
  return nullptr;
}

// What nearly every access finds. Of 1, 2, 4, 8 or 16 bytes.
bool allWritten(size_t offset, size_t size) {
  constexpr uint64_t eight = 0x0101010101010101 * written;
  uint64_t word;
  std::memcpy(&word, states + offset, 8);
  if (size < 8) return (word ^ eight) << (64 - 8 * size) == 0;
  if (word != eight || size == 8) return word == eight;
  std::memcpy(&word, states + offset + 8, 8);
  return word == eight;
}

void setStates(size_t offset, size_t bytes, State state) {
  std::memset(states + offset, state, bytes);
}

}  // namespace

const char* checkAccess(uintptr_t address, size_t size, bool write, bool atomic,
                        const Accessor& by) {
  const size_t offset = address - reinterpret_cast<uintptr_t>(arenaBase);
  if (offset >= arenaBytes) return nullptr;  // a local variable, an argument, a constant
  if ((address & (size - 1)) != 0) return "misaligned access";
  const bool inShared = offset < sharedBytes;
  if (!inShared && deviceAt(offset) != by.device) {
    return "wrong device: a kernel touches memory of another one";
  }
  bool undefinedRead = false;
  for (size_t i = allWritten(offset, size) ? size : 0; i < size; i++) {
    const uint8_t state = states[offset + i];
    if (state == freed) return "use after free: memory that was given back";
    if (state == closed) {
      if (inShared)
        return write ? "out of bounds: a write past a shared array"
                     : "out of bounds: a read past a shared array";
      return write ? "out of bounds: a write outside every array"
                   : "out of bounds: a read outside every array";
    }
    if (state == undefined && (!write || atomic)) undefinedRead = true;
  }
  if (undefinedRead && !inShared) return "uninitialised read of device memory";
  if (write && !allWritten(offset, size)) setStates(offset, size, written);
  const uint64_t accessor = pack(by);
  for (size_t at = offset; at < offset + size;) {
    const size_t next = (at / 4 + 1) * 4, end = next < offset + size ? next : offset + size;
    const uint64_t bytes = bits(int(end - at)) << (at % 4);
    const char* wrong = trace(at / 4, accessor | bytes, write, atomic, inShared);
    if (wrong != nullptr) return wrong;
    at = end;
  }
  return undefinedRead ? undefinedShared : nullptr;
}

// ---- memory of the device ----------------------------------------------------------------------

size_t bytesOfDevice() {
  const char* given = std::getenv("GRADLOOM_EMULATED_MEMORY");
  const size_t bytes = given != nullptr ? std::strtoull(given, nullptr, 10) : capacity;
  return bytes < capacity ? bytes : capacity;
}

void* allocate(int device, size_t bytes) {
  Arena& all = arena();
  Region& region = all.regions[device];
  const size_t whole = (bytes + alignment - 1) / alignment * alignment;
  const size_t most = bytesOfDevice();
  if (bytes > most || region.inUse + whole > most) return nullptr;
  const size_t needed = whole + 2 * guardBytes;
  for (auto range = region.vacant.begin(); range != region.vacant.end(); ++range) {
    const auto [start, size] = *range;
    if (size < needed) continue;
    region.vacant.erase(range);
    if (size > needed) region.vacant[start + needed] = size - needed;
    const size_t offset = start + guardBytes;
    all.allocated[offset] = whole;
    region.inUse += whole;
    setExtent(arenaBase + offset, whole, bytes);
    return arenaBase + offset;
  }
  return nullptr;
}

bool release(void* memory) {
  Arena& all = arena();
  const auto found = all.allocated.find(offsetOf(memory));
  if (found == all.allocated.end()) return false;
  const size_t bytes = found->second;
  setStates(found->first, bytes, freed);
  size_t start = found->first - guardBytes, size = bytes + 2 * guardBytes;
  Region& region = all.regions[deviceAt(start)];
  region.inUse -= bytes;
  all.allocated.erase(found);
  auto after = region.vacant.lower_bound(start);
  if (after != region.vacant.end() && after->first == start + size) {
    size += after->second;
    after = region.vacant.erase(after);
  }
  if (after != region.vacant.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == start) {
      start = before->first, size += before->second;
      region.vacant.erase(before);
    }
  }
  region.vacant[start] = size;
  return true;
}

size_t bytesInUse(int device) {
  return arena().regions[device].inUse;
}

void setExtent(const void* memory, size_t bytes, size_t used) {
  const size_t offset = offsetOf(memory);
  std::memset(arenaBase + offset, poison, bytes);
  setStates(offset, used, undefined);
  setStates(offset + used, bytes - used, used == 0 ? freed : closed);
}

const char* checkRange(const void* memory, size_t bytes) {
  if (bytes == 0) return nullptr;
  if (!isDeviceMemory(reinterpret_cast<uintptr_t>(memory))) return "not memory of the device";
  const size_t offset = offsetOf(memory);
  if (offset + bytes > arenaBytes) return "out of bounds: beyond the device's memory";
  if (std::memchr(states + offset, freed, bytes) != nullptr) {
    return "use after free: a copy or fill of memory that was given back";
  }
  return std::memchr(states + offset, closed, bytes) == nullptr
             ? nullptr
             : "out of bounds: a copy or fill outside its array";
}

void markWritten(const void* memory, size_t bytes) {
  setStates(offsetOf(memory), bytes, written);
}

const char* checkWritten(const void* memory, size_t bytes) {
  const char* wrong = checkRange(memory, bytes);
  if (wrong != nullptr || bytes == 0) return wrong;
  return std::memchr(states + offsetOf(memory), undefined, bytes) == nullptr
             ? nullptr
             : "uninitialised read: a copy of memory never written";
}

// ---- shared memory of a block ------------------------------------------------------------------

namespace {

struct SharedArrays {
  struct Entry {
    const void* place;
    size_t offset;
  };
  static constexpr int most = 16;
  Entry entries[most];
  int count = 0;
  size_t end = 0, bytes = 0;
};
SharedArrays shared;

}  // namespace

void beginSharedMemory() {
  if (shared.end > 0) setStates(0, shared.end, closed);
  shared.count = 0;
  shared.end = shared.bytes = 0;
}

void* sharedMemory(const void* place, size_t bytes) {
  for (int i = 0; i < shared.count; i++) {
    if (shared.entries[i].place == place) return arenaBase + shared.entries[i].offset;
  }
  shared.bytes += bytes;
  if (shared.bytes > sharedCapacity || shared.count == SharedArrays::most) return nullptr;
  const size_t offset = (shared.end + guardBytes + alignment - 1) / alignment * alignment;
  shared.entries[shared.count++] = {place, offset};
  shared.end = offset + bytes;
  setExtent(arenaBase + offset, bytes, bytes);
  return arenaBase + offset;
}

}  // namespace gradloom::emulator
