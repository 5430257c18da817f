// Streams, events and graphs of the emulated runtime.
#include <chrono>
#include <map>
#include <utility>

#include "cuda/emulator/toolkit.h"

using namespace gradloom::emulator;  // NOLINT(google-build-using-namespace): this is the device

// ---- streams and events ------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = makeStream(currentDevice);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (spoils("cudaStreamSynchronize")) return cudaErrorStreamCaptureUnsupported;
  drain(*stream);
  return reported();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return cudaStreamSynchronize(stream);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  // What is captured can only wait for what is captured with it, and nothing here is.
  if (stream->capturing != nullptr && spoils("waiting for another stream")) {
    return cudaErrorStreamCaptureUnsupported;
  }
  add(*stream, {"wait", nullptr, false, *event});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (lacks("events")) return cudaErrorNotSupported;
  *event = new Event;
  return cudaSuccess;
}

namespace {

// When the device came to an event that was recorded for its time.
std::map<const Event*, double>& times() {
  static std::map<const Event*, double> all;
  return all;
}

}  // namespace

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const auto look = [event] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    times()[event] = std::chrono::duration<double, std::milli>(now).count();
    return std::string();
  };
  add(*stream, {"event", look, false, {}});
  *event = {stream, stream->queued};
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (spoils("cudaEventSynchronize")) return cudaErrorStreamCaptureUnsupported;
  reach(*event);
  return reported();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return isDone(*event) ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  reach(*event);  // what is queued knows of it
  times().erase(event);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  if (!isDone(*from) || !isDone(*to)) return cudaErrorNotReady;
  *milliseconds = float(times()[to] - times()[from]);
  return cudaSuccess;
}

// ---- graphs ------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (lacks("graphs")) return cudaErrorNotSupported;
  if (stream == nullptr || capturing() != nullptr) return cudaErrorStreamCaptureUnsupported;
  stream->capturing = new Graph{stream->device, {}};
  stream->spoiled = false;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  Graph* const made = std::exchange(stream->capturing, nullptr);
  if (made == nullptr) return cudaErrorInvalidValue;
  if (stream->spoiled) {
    delete made;
    return cudaErrorStreamCaptureInvalidated;
  }
  *graph = made;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  *made = new Graph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (!isRightStream(stream, "graph")) return cudaSuccess;
  for (const Operation& each : graph->operations) add(*stream, each);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  return cudaGraphDestroy(graph);
}
