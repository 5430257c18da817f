// Memory of the device: its addresses mean nothing to the host, every byte of it knows whether it
// was written, and none is given out twice, so that whatever touches it wrongly is found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace gradloom::ptx {

struct Allocation {
  uint64_t begin;
  uint64_t bytes;
  uint64_t unwritten;  // bytes that nobody wrote yet
};

// Who touched some bytes last, and when: see Block.
struct Touch {
  uint32_t writePhase;
  uint32_t readPhase;
  uint16_t writer;  // thread of its block
  uint16_t reader;  // thread, or manyReaders
};
constexpr uint16_t manyReaders = 0xffff;
constexpr uint32_t bytesOfTouch = 4;

class Memory {
 public:
  static Memory& device();

  // 0 when there is no more.
  uint64_t allocate(uint64_t bytes);
  bool free(uint64_t address);
  // What covers all of these bytes; null if nothing does.
  Allocation* find(uint64_t address, uint64_t bytes);
  // A sentence on an address that is in no allocation.
  std::string describe(uint64_t address) const;

  // Where bytes of an allocation are in the memory of this process.
  char* data(uint64_t address) const { return contents + (address - first); }
  // One byte for each: 1 when it was written.
  uint8_t* written(uint64_t address) const { return marks + (address - first); }
  // Of the four bytes around it.
  Touch& touch(uint64_t address) const { return touches[(address - first) / bytesOfTouch]; }
  void markWritten(Allocation& allocation, uint64_t address, uint64_t bytes);

  static constexpr uint64_t total = uint64_t{8} << 30;  // as if the device had so much
  uint64_t inUse() const { return used; }

  // Addresses that no processor takes, so that a host that follows one crashes.
  static constexpr uint64_t first = uint64_t{0xd0} << 48;
  static constexpr uint64_t reserved = uint64_t{1} << 38;

 private:
  Memory();
  char* contents;
  uint8_t* marks;
  Touch* touches;
  uint64_t next = 0;
  uint64_t used = 0;
  std::map<uint64_t, Allocation> live;  // by address
  std::map<uint64_t, uint64_t> former;  // address and bytes of what was given back
};

}  // namespace gradloom::ptx
