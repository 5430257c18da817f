// CUDA's runtime for programs: devices, errors, streams, events and graphs.
#include <chrono>
#include <cstring>
#include <memory>

#include "cuda/ptx/device.h"
#include "cuda/ptx/fatbinary.h"
#include "cuda/ptx/memory.h"

using gradloom::ptx::Device;
using gradloom::ptx::Memory;
using gradloom::ptx::Stream;
using gradloom::ptx::Work;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

// A place in a stream's work.
struct Place {
  Stream* on = nullptr;  // null: never recorded, which counts as done
  uint64_t position = 0;

  bool pending() const { return on != nullptr && on->done < position; }
  // Has the stream work as far as here.
  void reach() const {
    while (pending() && Device::get().advance(*on)) {
    }
  }
};

struct Event {
  Place place;  // where it was recorded last
  double seconds = 0;
};

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

Event* eventOf(cudaEvent_t handle) {
  return reinterpret_cast<Event*>(handle);
}

// Time passes when somebody looks: what was queued is done then.
cudaError_t query(Device& device, Stream& stream) {
  if (device.broken()) return device.say(device.state());
  if (stream.capture != nullptr) return device.say(cudaErrorStreamCaptureUnsupported);
  if (stream.work.empty()) return cudaSuccess;
  while (device.advance(stream)) {
  }
  return cudaErrorNotReady;
}

using Nodes = std::vector<Work>;

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : Device::get().say(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return Device::get().say(cudaErrorInvalidDevice);
  *properties = cudaDeviceProp{};
  std::strcpy(properties->name, "PTX interpreted on the processor (no GPU)");
  properties->major = gradloom::ptx::architecture() / 10;
  properties->minor = gradloom::ptx::architecture() % 10;
  properties->totalGlobalMem = Memory::total;
  properties->multiProcessorCount = 1;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->sharedMemPerBlock = 48 << 10;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const Lock lock(Device::get().turn);
  return Device::get().takeLast();
}

const char* cudaGetErrorString(cudaError_t error) {
  const Lock lock(Device::get().turn);
  if (Device::get().broken() && error == Device::get().state()) {
    return Device::get().sentence().c_str();
  }
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDeviceFunction:
      return "invalid device function";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    default:
      return "another error of CUDA";
  }
}

// ---- streams -----------------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock lock(Device::get().turn);
  *stream = Device::get().makeStream();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(Device::get().turn);
  const cudaError_t error = Device::get().finish(stream);
  Device::get().dropStream(stream);
  return error;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(Device::get().turn);
  return Device::get().finish(stream);
}
cudaError_t cudaDeviceSynchronize() {
  const Lock lock(Device::get().turn);
  return Device::get().finishAll();
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  Stream* const known = device.stream(stream);
  return known == nullptr ? device.say(cudaErrorInvalidResourceHandle) : query(device, *known);
}

// ---- events ------------------------------------------------------------------------------------

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, 0);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Lock lock(Device::get().turn);
  eventOf(event)->place.reach();
  delete eventOf(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  Event* const known = eventOf(event);
  Stream* const on = device.stream(stream);
  if (on == nullptr) return device.say(cudaErrorInvalidResourceHandle);
  const cudaError_t error = device.enqueue(stream, [known] {
    known->seconds = now();
    return std::string();
  });
  known->place = on->capture == nullptr ? Place{on, on->queued} : Place{};
  return error;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  eventOf(event)->place.reach();
  return device.say(device.state());
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  const Place place = eventOf(event)->place;
  return place.pending() ? query(device, *place.on) : device.say(device.state());
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const Lock lock(Device::get().turn);
  if (eventOf(begin)->place.pending() || eventOf(end)->place.pending()) return cudaErrorNotReady;
  *milliseconds = float(1e3 * (eventOf(end)->seconds - eventOf(begin)->seconds));
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  const Stream* const waiting = device.stream(stream);
  // What is captured can only wait for what is captured with it, and nothing here is.
  if (waiting != nullptr && waiting->capture != nullptr) {
    return device.say(cudaErrorStreamCaptureIsolation);
  }
  // For what was recorded until now; the event may be recorded again meanwhile.
  return device.enqueue(stream, [place = eventOf(event)->place] {
    place.reach();
    return std::string();
  });
}

// ---- graphs: a list of work, done again --------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  Stream* const known = device.stream(stream);
  if (known == nullptr || stream == nullptr || known->capture != nullptr) {
    return device.say(cudaErrorStreamCaptureUnsupported);
  }
  known->capture = new Nodes;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  Stream* const known = device.stream(stream);
  if (known == nullptr || known->capture == nullptr) return device.say(cudaErrorIllegalState);
  *graph = reinterpret_cast<cudaGraph_t>(known->capture);
  known->capture = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const Lock lock(Device::get().turn);
  const Stream* const known = Device::get().stream(stream);
  const bool captures = known != nullptr && known->capture != nullptr;
  *status = captures ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t graph, unsigned long long) {
  *ready = reinterpret_cast<cudaGraphExec_t>(new Nodes(*reinterpret_cast<Nodes*>(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  const Lock lock(Device::get().turn);
  for (const Work& each : *reinterpret_cast<Nodes*>(graph)) {
    const cudaError_t error = Device::get().enqueue(stream, each);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, size_t* count) {
  *count = reinterpret_cast<Nodes*>(graph)->size();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Nodes*>(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete reinterpret_cast<Nodes*>(graph);
  return cudaSuccess;
}

}  // extern "C"
