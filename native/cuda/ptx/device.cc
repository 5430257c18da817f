#include "cuda/ptx/device.h"

#include <cstdio>

namespace gradloom::ptx {

Device& Device::get() {
  static Device& one = *new Device;  // the program may use it until its end
  return one;
}

Stream* Device::stream(cudaStream_t handle) {
  if (handle == nullptr) return &everybody;
  const auto found = streams.find(reinterpret_cast<Stream*>(handle));
  return found == streams.end() ? nullptr : *found;
}

cudaStream_t Device::makeStream() {
  auto* const made = new Stream;
  streams.insert(made);
  return reinterpret_cast<cudaStream_t>(made);
}

void Device::dropStream(cudaStream_t handle) {
  Stream* const known = stream(handle);
  streams.erase(known);
  delete known;
}

cudaError_t Device::enqueue(cudaStream_t handle, Work work) {
  if (broken()) return say(state());
  Stream* const known = stream(handle);
  if (known == nullptr) return say(cudaErrorInvalidResourceHandle);
  if (known->capture != nullptr) {
    known->capture->push_back(std::move(work));
  } else {
    known->work.push_back(std::move(work));
    known->queued++;
  }
  return cudaSuccess;
}

bool Device::advance(Stream& stream) {
  if (broken() || stream.work.empty()) return false;
  const Work work = std::move(stream.work.front());
  stream.work.pop_front();
  const std::string wrong = work();
  stream.done++;
  if (!wrong.empty() && fault.empty()) {
    fault = wrong;
    std::fprintf(stderr, "PTX: %s\n", wrong.c_str());
  }
  return true;
}

cudaError_t Device::finish(cudaStream_t handle) {
  Stream* const known = stream(handle);
  if (known == nullptr) return say(cudaErrorInvalidResourceHandle);
  if (known->capture != nullptr) return say(cudaErrorStreamCaptureUnsupported);
  while (advance(*known)) {
  }
  return broken() ? say(state()) : cudaSuccess;
}

cudaError_t Device::finishAll() {
  for (Stream* const each : streams) {
    if (each->capture != nullptr) return say(cudaErrorStreamCaptureUnsupported);
  }
  while (advance(everybody)) {
  }
  for (Stream* const each : streams) {
    while (advance(*each)) {
    }
  }
  return broken() ? say(state()) : cudaSuccess;
}

cudaError_t Device::say(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return error;
}

cudaError_t Device::takeLast() {
  const cudaError_t error = broken() ? state() : last;
  last = cudaSuccess;
  return error;
}

}  // namespace gradloom::ptx
