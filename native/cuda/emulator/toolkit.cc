#include "cuda/emulator/toolkit.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "cuda/emulator/memory.h"

// What the emulated devices are like, for tests:
//   GRADLOOM_EMULATED_MEMORY  bytes of each device; by default, and at most, `capacity`
//   GRADLOOM_EMULATED_LACKS   what a runtime may not be able to do: any of graphs, pinned, events
namespace gradloom::emulator {

int currentDevice = 0;

namespace {

std::string lastFault;
std::map<const char*, size_t> pinned;  // memory of the host by where it begins

bool isPinned(const void* memory) {
  const char* const at = static_cast<const char*>(memory);
  auto range = pinned.upper_bound(at);
  if (range == pinned.begin()) return false;
  --range;
  return size_t(at - range->first) < range->second;
}

std::string asText(const char* wrong) {
  return wrong == nullptr ? "" : wrong;
}

}  // namespace

bool lacks(const char* what) {
  const char* all = std::getenv("GRADLOOM_EMULATED_LACKS");
  return all != nullptr && std::strstr(all, what) != nullptr;
}

bool isRightStream(cudaStream_t stream, const std::string& what) {
  if (stream != nullptr && stream->device == currentDevice) return true;
  if (stream == nullptr) {
    if (!spoils("work on the default stream")) {
      setFault(what + ": wrong stream: nothing orders the default one with the work on others");
    }
  } else {
    setFault(what + ": wrong device: the stream is another's than the current one");
  }
  return false;
}

cudaError_t reported() {
  if (!isFaulty()) return cudaSuccess;
  lastFault = takeFault();
  return cudaErrorLaunchFailure;
}

cudaError_t enqueue(const std::string& name, Dim3 grid, Dim3 block, std::function<void()> kernel,
                    void* queue) {
  const auto stream = static_cast<cudaStream_t>(queue);
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  const bool fits = threads > 0 && threads <= mostThreads && threads % warpSize == 0 &&
                    block.z <= 64 && grid.x > 0 && grid.x <= 0x7fffffffu && grid.y > 0 &&
                    grid.y <= 65535 && grid.z > 0 && grid.z <= 65535;
  if (!fits) return cudaErrorInvalidConfiguration;
  if (!isRightStream(stream, name)) return cudaSuccess;
  const int device = stream->device;
  add(*stream, {name,
                [=, run = std::move(kernel)] { return runGrid(device, grid, block, run); },
                false,
                {}});
  return cudaSuccess;
}

cudaError_t enqueueLibrary(const std::string& name, const std::vector<Range>& reads, Range writes,
                           std::function<int()> call, void* queue) {
  const auto stream = static_cast<cudaStream_t>(queue);
  if (!isRightStream(stream, name)) return cudaSuccess;
  const auto run = [=, call = std::move(call)] {
    const char* wrong = checkRange(writes.at, writes.bytes);
    for (const Range& each : reads) {
      if (wrong == nullptr) wrong = checkWritten(each.at, each.bytes);
    }
    if (wrong != nullptr) return asText(wrong);
    const int status = call();
    if (status != 0) return "returned status " + std::to_string(status);
    markWritten(writes.at, writes.bytes);
    return std::string();
  };
  add(*stream, {name, run, false, {}});
  return cudaSuccess;
}

void enqueueExtent(void* memory, size_t bytes, size_t used, void* stream) {
  const auto change = [=] {
    setExtent(memory, bytes, used);
    return std::string();
  };
  add(*static_cast<cudaStream_t>(stream), {"extent", change, false, {}});
}

std::string endOfCall() {
  if (capturing() != nullptr) return "capture violation: a stream is still captured";
  return copiesToHost() ? "missing synchronisation: a copy to the host is still queued at the end "
                          "of the call"
                        : "";
}

void reportHostAccess() {
  setFault("host access: code of the host touches memory of the device");
}

}  // namespace gradloom::emulator

using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace): this is the device

// ---- devices -----------------------------------------------------------------------------------

cudaError_t cudaGetDeviceCount(int* count) {
  *count = deviceCount;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= deviceCount) return cudaErrorInvalidDevice;
  *properties = {"emulated on the CPU", bytesOfDevice(), 0, 0, 1};
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= deviceCount) return cudaErrorInvalidDevice;
  currentDevice = device;
  return cudaSuccess;
}

// ---- memory ------------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (spoils("cudaMalloc")) return cudaErrorStreamCaptureUnsupported;
  *memory = allocate(currentDevice, bytes);
  return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (spoils("cudaFree")) return cudaErrorStreamCaptureUnsupported;
  drainDevice(currentDevice);
  return release(memory) ? reported() : cudaErrorInvalidValue;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  if (lacks("pinned")) return cudaErrorNotSupported;
  if (spoils("cudaMallocHost")) return cudaErrorStreamCaptureUnsupported;
  char* const made = static_cast<char*>(std::malloc(bytes));
  if (made == nullptr) return cudaErrorMemoryAllocation;
  pinned[made] = bytes;
  *memory = made;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  if (pinned.erase(static_cast<char*>(memory)) == 0) return cudaErrorInvalidValue;
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* vacant, size_t* total) {
  *vacant = bytesOfDevice() - bytesInUse(currentDevice);
  *total = bytesOfDevice();
  return cudaSuccess;
}

namespace {

std::string copyToDevice(void* to, const void* from, size_t bytes) {
  const char* wrong = checkRange(to, bytes);
  if (wrong != nullptr) return asText(wrong);
  std::memcpy(to, from, bytes);
  markWritten(to, bytes);
  return {};
}

}  // namespace

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (!isRightStream(stream, "copy")) return cudaSuccess;
  const void* const ofHost = kind == cudaMemcpyHostToDevice ? from : to;
  if (kind != cudaMemcpyDeviceToDevice && isDeviceMemory(reinterpret_cast<uintptr_t>(ofHost))) {
    setFault("copy: wrong direction: memory of the device is given as the host's");
    return cudaSuccess;
  }
  if (kind != cudaMemcpyDeviceToDevice && !isPinned(ofHost) && stream->capturing != nullptr &&
      spoils("a copy of pageable memory")) {
    return cudaErrorStreamCaptureUnsupported;
  }
  if (kind == cudaMemcpyHostToDevice && isPinned(from)) {
    add(*stream, {"copy to the device", [=] { return copyToDevice(to, from, bytes); }, false, {}});
  } else if (kind == cudaMemcpyHostToDevice) {
    // Pageable memory is taken before the call returns.
    const std::string taken(static_cast<const char*>(from), bytes);
    add(*stream,
        {"copy to the device", [=] { return copyToDevice(to, taken.data(), bytes); }, false, {}});
  } else if (kind == cudaMemcpyDeviceToHost) {
    const auto run = [=] {
      const char* wrong = checkWritten(from, bytes);
      if (wrong == nullptr) std::memcpy(to, from, bytes);
      return asText(wrong);
    };
    add(*stream, {"copy to the host", run, true, {}});
  } else {
    const auto run = [=] {
      const char* wrong = checkWritten(from, bytes);
      return wrong != nullptr ? asText(wrong) : copyToDevice(to, from, bytes);
    };
    add(*stream, {"copy on the device", run, false, {}});
  }
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  if (!isRightStream(stream, "fill")) return cudaSuccess;
  const auto run = [=] {
    const char* wrong = checkRange(memory, bytes);
    if (wrong != nullptr) return asText(wrong);
    std::memset(memory, value, bytes);
    markWritten(memory, bytes);
    return std::string();
  };
  add(*stream, {"fill", run, false, {}});
  return cudaSuccess;
}

// ---- errors ------------------------------------------------------------------------------------

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  // Tests ask for code of older devices.
  const char* const version = std::getenv("GRADLOOM_EMULATED_PTX");
  attributes->ptxVersion = version == nullptr ? 120 : std::atoi(version);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorLaunchFailure:
      return lastFault.c_str();
    case cudaErrorNotSupported:
      return "operation not supported";
    case cudaErrorStreamCaptureUnsupported:
      return "capture violation: operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    default:
      return "invalid argument";
  }
}
