#include "cuda/ptx/fatbinary.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace gradloom::ptx {
namespace {

struct Wrapper {
  uint32_t magic, version;
  const char* data;
  const void* unused;
};
struct Header {
  uint32_t magic;
  uint16_t version, headerBytes;
  uint64_t bytes;  // behind the header
};
struct Entry {
  uint16_t kind, attributes;
  uint32_t headerBytes;
  uint64_t bytes;  // behind the header
  uint32_t compressedBytes, optionsOffset;
  uint16_t minor, major;
  uint32_t architecture;  // 75
  uint32_t nameOffset, nameBytes;
  uint64_t flags;
};
constexpr uint32_t wrapperMagic = 0x466243b1, headerMagic = 0xba55ed50;
constexpr uint16_t kindPtx = 1;
constexpr uint64_t compressed = 0x2000 | 0x8000 | 0x10000;

template <class T>
T readAt(const char* place) {
  T value;
  std::memcpy(&value, place, sizeof value);
  return value;
}

}  // namespace

int architecture() {
  static const int chosen = [] {
    const char* const text = std::getenv("GRADLOOM_PTX_ARCHITECTURE");
    return text == nullptr ? 75 : std::atoi(text);
  }();
  return chosen;
}

std::string_view textIn(const void* wrapper) {
  const auto outer = readAt<Wrapper>(static_cast<const char*>(wrapper));
  const auto header = readAt<Header>(outer.data);
  if (outer.magic != wrapperMagic || header.magic != headerMagic) {
    throw std::runtime_error("this is no code for a GPU as nvcc writes it");
  }
  const char* place = outer.data + header.headerBytes;
  const char* const end = place + header.bytes;
  while (place < end) {
    const auto entry = readAt<Entry>(place);
    if (entry.kind == kindPtx && entry.architecture == uint32_t(architecture())) {
      if ((entry.flags & compressed) != 0) {
        throw std::runtime_error(
            "the PTX is compressed: build with nvcc's --no-compress, as cuda.cmake does");
      }
      const std::string_view text(place + entry.headerBytes, entry.bytes);
      return text.substr(0, text.find('\0'));
    }
    place += entry.headerBytes + entry.bytes;
  }
  throw std::runtime_error("there is no PTX for compute_" + std::to_string(architecture()) +
                           ": build with it in -DGRADLOOM_CUDA_ARCHITECTURES");
}

}  // namespace gradloom::ptx
