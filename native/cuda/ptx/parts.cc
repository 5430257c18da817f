// mov between a wide register and the narrow ones that are its parts. at[0] is the wide one.
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

template <class T>
void pack(Warp& warp, const Instruction& i) {
  char* const whole = warp.at<char>(i.at[0]);
  const size_t bytes = sizeof(T) * i.parts;
  for (int part = 0; part < i.parts; part++) {
    const T* const from = warp.at<T>(i.vector[part]);
    eachLane(warp, [=](int lane) {
      std::memcpy(whole + bytes * size_t(lane) + sizeof(T) * size_t(part), from + lane, sizeof(T));
    });
  }
}
template <class T>
void unpack(Warp& warp, const Instruction& i) {
  const char* const whole = warp.at<char>(i.at[0]);
  const size_t bytes = sizeof(T) * i.parts;
  for (int part = 0; part < i.parts; part++) {
    T* const to = warp.at<T>(i.vector[part]);
    eachLane(warp, [=](int lane) {
      std::memcpy(to + lane, whole + bytes * size_t(lane) + sizeof(T) * size_t(part), sizeof(T));
    });
  }
}

}  // namespace

Action packAction(uint32_t bytes) {
  return bytes == 4 ? pack<uint32_t> : bytes == 2 ? pack<uint16_t> : nullptr;
}
Action unpackAction(uint32_t bytes) {
  return bytes == 4 ? unpack<uint32_t> : bytes == 2 ? unpack<uint16_t> : nullptr;
}

}  // namespace gradloom::ptx
