#include "cuda/emulator/toolkit.h"

#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "cuda/emulator/memory.h"

namespace gradloom::emulator {
namespace {

struct Operation {
  std::string name;
  std::function<std::string()> run;  // gives what was wrong
  bool toHost;
};

struct Queue {
  std::vector<Operation> waiting;
  std::string wrong;  // the fault that the next synchronising call reports
  std::string text;   // of the fault reported last

  // Does all that was queued, up to the first fault.
  cudaError_t drain() {
    std::vector<Operation> now = std::exchange(waiting, {});
    for (Operation& each : now) {
      if (!wrong.empty()) break;
      const std::string what = each.run();
      if (!what.empty()) wrong = each.name + ": " + what;
    }
    if (wrong.empty()) return cudaSuccess;
    text = std::exchange(wrong, {});
    return cudaErrorLaunchFailure;
  }
};

Queue& queue() {
  static Queue instance;
  return instance;
}

std::string asText(const char* wrong) {
  return wrong == nullptr ? "" : wrong;
}

void add(const char* name, bool toHost, std::function<std::string()> run) {
  queue().waiting.push_back({name, std::move(run), toHost});
}

// Our machine has one stream. Work on another is ordered by nothing with what it works on.
cudaStream_t ours = nullptr;

void expectOurs(cudaStream_t stream, const char* what) {
  if (stream == ours || !queue().wrong.empty()) return;
  queue().wrong =
      std::string(what) + ": wrong stream: nothing orders it with the work on the other";
}

}  // namespace

cudaError_t enqueue(const std::string& name, Dim3 grid, Dim3 block, std::function<void()> kernel,
                    void* stream) {
  expectOurs(stream, name.c_str());
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  const bool fits = threads > 0 && threads <= mostThreads && threads % warpSize == 0 &&
                    block.z <= 64 && grid.x > 0 && grid.x <= 0x7fffffffu && grid.y > 0 &&
                    grid.y <= 65535 && grid.z > 0 && grid.z <= 65535;
  if (!fits) return cudaErrorInvalidConfiguration;
  queue().waiting.push_back(
      {name, [=, kernel = std::move(kernel)] { return runGrid(grid, block, kernel); }, false});
  return cudaSuccess;
}

cudaError_t enqueueLibrary(const std::string& name, const std::vector<Range>& reads, Range writes,
                           std::function<int()> call, void* stream) {
  expectOurs(stream, name.c_str());
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
  queue().waiting.push_back({name, run, false});
  return cudaSuccess;
}

void enqueueExtent(void* memory, size_t bytes, size_t used) {
  add("extent", false, [=] {
    setExtent(memory, bytes, used);
    return std::string();
  });
}

std::string endOfCall() {
  for (const Operation& each : queue().waiting) {
    if (each.toHost) {
      return "missing synchronisation: a copy to the host is still queued at the end of the call";
    }
  }
  return {};
}

void reportHostAccess() {
  if (queue().wrong.empty()) {
    queue().wrong = "host: out of bounds: code of the host touches memory of the device";
  }
}

}  // namespace gradloom::emulator

using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace): this is the device

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  *properties = {"emulated on the CPU", capacity, 0, 0, 1};
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  *memory = allocate(bytes);
  return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  const cudaError_t before = queue().drain();
  return release(memory) ? before : cudaErrorInvalidValue;
}

cudaError_t cudaMemGetInfo(size_t* vacant, size_t* total) {
  *vacant = capacity - bytesInUse();
  *total = capacity;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  expectOurs(stream, "copy");
  if (kind == cudaMemcpyHostToDevice) {
    // Pageable memory is taken before the call returns.
    std::string taken(static_cast<const char*>(from), bytes);
    add("copy to the device", false, [to, bytes, taken = std::move(taken)] {
      const char* wrong = checkRange(to, bytes);
      if (wrong != nullptr) return asText(wrong);
      std::memcpy(to, taken.data(), bytes);
      markWritten(to, bytes);
      return std::string();
    });
  } else if (kind == cudaMemcpyDeviceToHost) {
    add("copy to the host", true, [=] {
      const char* wrong = checkWritten(from, bytes);
      if (wrong == nullptr) std::memcpy(to, from, bytes);
      return asText(wrong);
    });
  } else {
    add("copy on the device", false, [=] {
      const char* wrong = checkWritten(from, bytes);
      if (wrong == nullptr) wrong = checkRange(to, bytes);
      if (wrong != nullptr) return asText(wrong);
      std::memcpy(to, from, bytes);
      markWritten(to, bytes);
      return std::string();
    });
  }
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  expectOurs(stream, "fill");
  add("fill", false, [=] {
    const char* wrong = checkRange(memory, bytes);
    if (wrong != nullptr) return asText(wrong);
    std::memset(memory, value, bytes);
    markWritten(memory, bytes);
    return std::string();
  });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  static char place;
  *stream = ours = &place;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return queue().drain();
}

cudaError_t cudaStreamQuery(cudaStream_t) {
  return queue().drain();
}

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
      return queue().text.c_str();
    default:
      return "invalid argument";
  }
}
