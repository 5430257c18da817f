// The device behind the runtime functions: streams of work that is done when somebody waits, and
// the error that stays.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace gradloom::ptx {

// Returns a sentence on what went wrong, or nothing.
using Work = std::function<std::string()>;

struct Stream {
  std::deque<Work> work;
  uint64_t queued = 0, done = 0;         // pieces of work since it was made
  std::vector<Work>* capture = nullptr;  // work goes there, and is not done
};

class Device {
 public:
  static Device& get();

  // Every function of the runtime holds it.
  std::recursive_mutex turn;

  Stream* stream(cudaStream_t handle);  // null: the stream of all
  cudaStream_t makeStream();
  void dropStream(cudaStream_t handle);

  // Puts work into a stream, or into the graph that it is captured to.
  cudaError_t enqueue(cudaStream_t handle, Work work);
  // Does all work of a stream, or of all streams.
  cudaError_t finish(cudaStream_t handle);
  cudaError_t finishAll();
  // Does what stands in front; false if there is none.
  bool advance(Stream& stream);

  // Remembers an error for cudaGetLastError.
  cudaError_t say(cudaError_t error);
  cudaError_t takeLast();
  // A kernel failed: from now on everything does.
  bool broken() const { return !fault.empty(); }
  const std::string& sentence() const { return fault; }
  cudaError_t state() const { return broken() ? cudaErrorIllegalAddress : cudaSuccess; }

 private:
  std::string fault;
  cudaError_t last = cudaSuccess;
  Stream everybody;
  std::set<Stream*> streams;
};

}  // namespace gradloom::ptx
