#include "cuda/timers.h"

#include <cmath>

#include "cuda/machine.h"
#include "cuda/platform.h"

namespace gradloom::cuda {

void* Timers::mark() {
  cudaEvent_t event = nullptr;
  machine.check(cudaEventCreateWithFlags(&event, cudaEventDefault), "making an event");
  machine.check(cudaEventRecord(event, static_cast<cudaStream_t>(machine.stream())),
                "marking a time");
  return event;
}

int64_t Timers::start() {
  void* const begin = mark();
  running[++last] = {begin, nullptr};
  return last;
}

bool Timers::stop(int64_t number) {
  const auto found = running.find(number);
  if (found == running.end()) return false;
  if (found->second.end == nullptr) found->second.end = mark();
  return true;
}

int64_t Timers::take(int64_t number) {
  const auto found = running.find(number);
  if (found == running.end() || found->second.end == nullptr) return -1;
  const auto begin = static_cast<cudaEvent_t>(found->second.begin);
  const auto end = static_cast<cudaEvent_t>(found->second.end);
  running.erase(found);
  float milliseconds = 0;
  machine.check(cudaEventSynchronize(end), "computing");
  machine.check(cudaEventElapsedTime(&milliseconds, begin, end), "reading a time");
  machine.check(cudaEventDestroy(begin), "ending an event");
  machine.check(cudaEventDestroy(end), "ending an event");
  return std::llround(double(milliseconds) * 1e6);
}

}  // namespace gradloom::cuda
