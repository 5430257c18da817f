#include "cuda/ptx/places.h"

#include <algorithm>
#include <cstring>

namespace gradloom::ptx {
namespace {

struct Addresses {
  uint64_t at[lanes];
};

Addresses addressesOf(Warp& warp, const Instruction& i) {
  Addresses addresses;
  if (i.wideAddress) {
    const uint64_t* const base = warp.at<uint64_t>(i.at[1]);
    for (int lane = 0; lane < lanes; lane++) addresses.at[lane] = base[lane] + uint64_t(i.offset);
  } else {
    const uint32_t* const base = warp.at<uint32_t>(i.at[1]);
    for (int lane = 0; lane < lanes; lane++) {
      addresses.at[lane] = base[lane] + uint32_t(i.offset);
    }
  }
  return addresses;
}

const char* verbOf(Use use) {
  return use == Use::read ? "reads" : use == Use::write ? "writes" : "updates";
}

[[noreturn]] void fail(int lane, Use use, const char* space, uint32_t bytes,
                       const std::string& why) {
  throw Fault(lane, std::string(verbOf(use)) + " " + std::to_string(bytes) + " bytes of " + space +
                        " memory, " + why);
}

void checkAlignment(int lane, uint64_t address, uint32_t bytes, Use use, const char* space) {
  if (address % bytes == 0) return;
  fail(lane, use, space, bytes,
       "misaligned: the address ends " + std::to_string(address % bytes) + " behind a bound");
}

// ---- races -------------------------------------------------------------------------------------

[[noreturn]] void race(int lane, Use use, const char* space, uint32_t bytes, const char* other,
                       const Touch& touch, bool sameBlock) {
  const uint16_t thread = std::strcmp(other, "read") == 0 ? touch.reader : touch.writer;
  std::string who = thread == manyReaders ? "several threads" : "thread " + std::to_string(thread);
  who += sameBlock ? "" : " of another block";
  fail(lane, use, space, bytes,
       "a race: " + who + " " + other + " them, and no barrier is between");
}

// What another thread did since the last barrier, or another block since the launch, is in no order
// with what this one does.
void order(const Block& block, Touch& touch, int lane, int thread, Use use, const char* space,
           uint32_t bytes) {
  const auto conflicts = [&](uint32_t phase, uint16_t by) {
    if (phase < block.launchPhase) return false;
    return phase < block.firstPhase || (phase == block.phase && by != thread);
  };
  if (conflicts(touch.writePhase, touch.writer)) {
    race(lane, use, space, bytes, "wrote", touch, touch.writePhase >= block.firstPhase);
  }
  if (use == Use::read) {
    const bool another = touch.readPhase == block.phase && touch.reader != thread;
    touch.reader = another ? manyReaders : uint16_t(thread);
    touch.readPhase = block.phase;
    return;
  }
  if (conflicts(touch.readPhase, touch.reader)) {
    race(lane, use, space, bytes, "read", touch, touch.readPhase >= block.firstPhase);
  }
  touch.writer = uint16_t(thread);
  touch.writePhase = block.phase;
}

// ---- global ------------------------------------------------------------------------------------

void checkWritten(int lane, uint64_t address, uint32_t bytes) {
  const uint8_t* const marks = Memory::device().written(address);
  if (std::count(marks, marks + bytes, uint8_t{1}) == int64_t(bytes)) return;
  fail(lane, Use::read, "global", bytes, "of which some were never written");
}

// Looks an allocation up unless it is the one that the instruction met last.
Allocation& allocationOf(Warp& warp, const Instruction& i, int lane, uint64_t address,
                         uint32_t bytes, Use use) {
  if (i.last != nullptr && i.lastEpoch == warp.block->memoryEpoch) {
    const uint64_t offset = address - i.last->begin;
    if (offset < i.last->bytes && bytes <= i.last->bytes - offset) return *i.last;
  }
  Allocation* const found = Memory::device().find(address, bytes);
  if (found == nullptr) {
    fail(lane, use, "global", bytes, Memory::device().describe(address));
  }
  i.last = found;
  i.lastEpoch = warp.block->memoryEpoch;
  return *found;
}

char* globalPlace(Warp& warp, const Instruction& i, int lane, uint64_t address, uint32_t bytes,
                  Use use) {
  Memory& memory = Memory::device();
  checkAlignment(lane, address, bytes, use, "global");
  Allocation& allocation = allocationOf(warp, i, lane, address, bytes, use);
  if (allocation.unwritten > 0) {
    if (use != Use::write) checkWritten(lane, address, bytes);
    if (use != Use::read) memory.markWritten(allocation, address, bytes);
  }
  if (use != Use::atomic) {  // less than four bytes have no touch of their own
    for (uint32_t each = 0; each + bytesOfTouch <= bytes; each += bytesOfTouch) {
      order(*warp.block, memory.touch(address + each), lane, warp.number * lanes + lane, use,
            "global", bytes);
    }
  }
  return memory.data(address);
}

// ---- shared ------------------------------------------------------------------------------------

void touchShared(Block& block, int lane, int thread, uint64_t address, uint32_t bytes, Use use) {
  const uint64_t first = address >> block.touchShift;
  const uint64_t end = (address + bytes - 1) >> block.touchShift;
  for (uint64_t each = first; each <= end; each++) {
    Touch& touch = block.touches[each];
    if (touch.writePhase < block.firstPhase) {  // of another block, whose memory it was
      if (use == Use::read) fail(lane, use, "shared", bytes, "of which some were never written");
      touch = Touch{};
    }
    order(block, touch, lane, thread, use, "shared", bytes);
  }
}

char* sharedPlace(Warp& warp, int lane, uint64_t address, uint32_t bytes, Use use) {
  Block& block = *warp.block;
  checkAlignment(lane, address, bytes, use, "shared");
  if (address >= block.shared.size() || bytes > block.shared.size() - address) {
    fail(lane, use, "shared", bytes,
         "out of bounds: byte " + std::to_string(address) + " of " +
             std::to_string(block.shared.size()));
  }
  if (use != Use::atomic) {
    touchShared(block, lane, warp.number * lanes + lane, address, bytes, use);
  }
  return block.shared.data() + address;
}

// ---- local and parameters ----------------------------------------------------------------------

char* localPlace(Warp& warp, int lane, uint64_t address, uint32_t bytes, Use use) {
  Block& block = *warp.block;
  checkAlignment(lane, address, bytes, use, "local");
  if (address >= block.localBytes || bytes > block.localBytes - address) {
    fail(lane, use, "local", bytes,
         "out of bounds: byte " + std::to_string(address) + " of " +
             std::to_string(block.localBytes));
  }
  return block.local.data() + uint64_t(warp.number * lanes + lane) * block.localBytes + address;
}

char* parameterPlace(Warp& warp, int lane, uint64_t address, uint32_t bytes, Use use) {
  const Block& block = *warp.block;
  checkAlignment(lane, address, bytes, use, "parameter");
  if (use != Use::read || address >= block.parameterBytes ||
      bytes > block.parameterBytes - address) {
    fail(lane, use, "parameter", bytes,
         "out of bounds: byte " + std::to_string(address) + " of " +
             std::to_string(block.parameterBytes));
  }
  return const_cast<char*>(block.parameters) + address;
}

char* genericPlace(Warp& warp, const Instruction& i, int lane, uint64_t address, uint32_t bytes,
                   Use use) {
  if (address >> 48 == sharedWindow >> 48) {
    return sharedPlace(warp, lane, address - sharedWindow, bytes, use);
  }
  if (address >> 48 == localWindow >> 48) {
    return localPlace(warp, lane, address - localWindow, bytes, use);
  }
  return globalPlace(warp, i, lane, address, bytes, use);
}

}  // namespace

template <Space space>
void locate(Warp& warp, const Instruction& i, uint32_t bytes, Use use, Places& places,
            const uint64_t* offsets) {
  const Addresses addresses = addressesOf(warp, i);
  for (uint32_t rest = warp.mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t address = addresses.at[lane] + (offsets != nullptr ? offsets[lane] : 0);
    char*& place = places.at[lane];
    if constexpr (space == Space::global) place = globalPlace(warp, i, lane, address, bytes, use);
    if constexpr (space == Space::shared) place = sharedPlace(warp, lane, address, bytes, use);
    if constexpr (space == Space::local) place = localPlace(warp, lane, address, bytes, use);
    if constexpr (space == Space::parameter) {
      place = parameterPlace(warp, lane, address, bytes, use);
    }
    if constexpr (space == Space::generic) {
      place = genericPlace(warp, i, lane, address, bytes, use);
    }
  }
}

template void locate<Space::generic>(Warp&, const Instruction&, uint32_t, Use, Places&,
                                     const uint64_t*);
template void locate<Space::global>(Warp&, const Instruction&, uint32_t, Use, Places&,
                                    const uint64_t*);
template void locate<Space::shared>(Warp&, const Instruction&, uint32_t, Use, Places&,
                                    const uint64_t*);
template void locate<Space::local>(Warp&, const Instruction&, uint32_t, Use, Places&,
                                   const uint64_t*);
template void locate<Space::parameter>(Warp&, const Instruction&, uint32_t, Use, Places&,
                                       const uint64_t*);

}  // namespace gradloom::ptx
