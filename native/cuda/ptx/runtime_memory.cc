// CUDA's runtime for programs: memory of the device, pinned memory of the host, and copies.
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "cuda/ptx/device.h"
#include "cuda/ptx/memory.h"

using gradloom::ptx::Device;
using gradloom::ptx::Memory;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

std::map<const char*, size_t>& pinned() {
  static auto& all = *new std::map<const char*, size_t>;
  return all;
}

bool isPinned(const void* memory) {
  const char* const place = static_cast<const char*>(memory);
  const auto found = pinned().upper_bound(place);
  if (found == pinned().begin()) return false;
  const auto& [begin, bytes] = *std::prev(found);
  return place < begin + bytes;
}

uint64_t addressOf(const void* memory) {
  return reinterpret_cast<uint64_t>(memory);
}

// A sentence on what is wrong with a range of the device's memory, or nothing.
std::string check(const char* what, uint64_t address, size_t bytes, bool isRead) {
  Memory& memory = Memory::device();
  const auto* const allocation = memory.find(address, bytes);
  if (allocation == nullptr) {
    return std::string(what) + " of " + std::to_string(bytes) + " bytes, " +
           memory.describe(address);
  }
  if (isRead && allocation->unwritten > 0 &&
      std::memchr(memory.written(address), 0, bytes) != nullptr) {
    return std::string(what) + " of " + std::to_string(bytes) +
           " bytes, of which some were never written";
  }
  return "";
}

std::string toDevice(uint64_t to, const char* from, size_t bytes) {
  const std::string wrong = check("copy to the device", to, bytes, false);
  if (!wrong.empty()) return wrong;
  std::memcpy(Memory::device().data(to), from, bytes);
  Memory::device().markWritten(*Memory::device().find(to, bytes), to, bytes);
  return "";
}
std::string fromDevice(char* to, uint64_t from, size_t bytes) {
  std::string wrong = check("copy from the device", from, bytes, true);
  if (wrong.empty()) std::memcpy(to, Memory::device().data(from), bytes);
  return wrong;
}
// What was never written stays so.
std::string onDevice(uint64_t to, uint64_t from, size_t bytes) {
  Memory& memory = Memory::device();
  std::string wrong = check("copy on the device, reading", from, bytes, true);
  if (wrong.empty()) wrong = check("copy on the device, writing", to, bytes, false);
  if (!wrong.empty()) return wrong;
  std::memcpy(memory.data(to), memory.data(from), bytes);
  memory.markWritten(*memory.find(to, bytes), to, bytes);
  return "";
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const Lock lock(Device::get().turn);
  if (Device::get().broken()) return Device::get().say(Device::get().state());
  const uint64_t address = bytes == 0 ? 0 : Memory::device().allocate(bytes);
  *memory = reinterpret_cast<void*>(address);
  return address == 0 && bytes > 0 ? Device::get().say(cudaErrorMemoryAllocation) : cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  const Lock lock(Device::get().turn);
  if (memory == nullptr) return cudaSuccess;
  const cudaError_t error = Device::get().finishAll();  // as the real one waits
  if (error != cudaSuccess) return error;
  const bool known = Memory::device().free(addressOf(memory));
  return known ? cudaSuccess : Device::get().say(cudaErrorInvalidValue);
}
cudaError_t cudaMemGetInfo(size_t* vacant, size_t* total) {
  const Lock lock(Device::get().turn);
  *total = Memory::total;
  *vacant = Memory::total - Memory::device().inUse();
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  const Lock lock(Device::get().turn);
  *memory = std::malloc(bytes);
  if (*memory == nullptr) return Device::get().say(cudaErrorMemoryAllocation);
  pinned()[static_cast<char*>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  return cudaMallocHost(memory, bytes);
}
cudaError_t cudaFreeHost(void* memory) {
  const Lock lock(Device::get().turn);
  const cudaError_t error = Device::get().finishAll();
  pinned().erase(static_cast<char*>(memory));
  std::free(memory);
  return error;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  if (kind == cudaMemcpyDeviceToHost) {
    return device.enqueue(
        stream, [=] { return fromDevice(static_cast<char*>(to), addressOf(from), bytes); });
  }
  if (kind == cudaMemcpyDeviceToDevice) {
    return device.enqueue(stream, [=] { return onDevice(addressOf(to), addressOf(from), bytes); });
  }
  if (kind != cudaMemcpyHostToDevice) return device.say(cudaErrorInvalidValue);
  const char* const source = static_cast<const char*>(from);
  const auto* const target = device.stream(stream);
  // Of memory that is not pinned the runtime takes a copy before it returns; a graph reads later.
  if (isPinned(from) || (target != nullptr && target->capture != nullptr)) {
    return device.enqueue(stream, [=] { return toDevice(addressOf(to), source, bytes); });
  }
  const auto taken = std::make_shared<std::string>(source, bytes);
  return device.enqueue(stream, [=] { return toDevice(addressOf(to), taken->data(), bytes); });
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const Lock lock(Device::get().turn);
  const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return error == cudaSuccess ? Device::get().finishAll() : error;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  const Lock lock(Device::get().turn);
  const uint64_t to = addressOf(memory);
  return Device::get().enqueue(stream, [=] {
    std::string wrong = check("filling", to, bytes, false);
    if (!wrong.empty()) return wrong;
    std::memset(Memory::device().data(to), value, bytes);
    Memory::device().markWritten(*Memory::device().find(to, bytes), to, bytes);
    return wrong;
  });
}

}  // extern "C"
