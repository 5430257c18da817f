#include "cuda/uploads.h"

#include <cstring>

#include "cuda/machine.h"
#include "cuda/platform.h"

namespace gradloom::cuda {
namespace {

cudaEvent_t event(void* handle) {
  return static_cast<cudaEvent_t>(handle);
}

cudaStream_t stream(void* handle) {
  return static_cast<cudaStream_t>(handle);
}

bool makeEvent(void*& made) {
  cudaEvent_t fresh = nullptr;
  const bool done = cudaEventCreateWithFlags(&fresh, cudaEventDisableTiming) == cudaSuccess;
  made = fresh;
  return done;
}

}  // namespace

bool Uploads::make(Slot& slot) {
  void* memory = nullptr;
  if (cudaMallocHost(&memory, slotBytes) != cudaSuccess) return false;
  slot.pinned = static_cast<char*>(memory);
  if (!makeEvent(slot.arrived) || !makeEvent(slot.taken)) return false;
  slot.onDevice = machine.allocate(slotBytes);
  // Whoever had this memory before may still use it.
  return cudaEventRecord(event(slot.taken), stream(machine.stream())) == cudaSuccess;
}

// All or nothing; what was made before a failure stays unused.
bool Uploads::open() {
  if (tried) return there;
  tried = true;
  cudaStream_t made = nullptr;
  there = cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking) == cudaSuccess;
  queue = made;
  try {
    for (Slot& each : slots) there = there && make(each);
  } catch (const DeviceFailure& failure) {
    if (!failure.memory) throw;
    there = false;
  }
  if (!there) (void)cudaGetLastError();
  return there;
}

bool Uploads::send(void* to, const void* from, size_t bytes) {
  if (!open()) return false;
  Slot& slot = slots[now];
  now = (now + 1) % count;
  if (cudaEventQuery(event(slot.arrived)) == cudaErrorNotReady) {
    machine.waited();
    machine.check(cudaEventSynchronize(event(slot.arrived)), "waiting for a copy");
  }
  std::memcpy(slot.pinned, from, bytes);
  const cudaStream_t copies = stream(queue), work = stream(machine.stream());
  const auto queued = [&](cudaError_t error) { machine.check(error, "copying to the device"); };
  queued(cudaStreamWaitEvent(copies, event(slot.taken), 0));
  queued(cudaMemcpyAsync(slot.onDevice, slot.pinned, bytes, cudaMemcpyHostToDevice, copies));
  queued(cudaEventRecord(event(slot.arrived), copies));
  queued(cudaStreamWaitEvent(work, event(slot.arrived), 0));
  queued(cudaMemcpyAsync(to, slot.onDevice, bytes, cudaMemcpyDeviceToDevice, work));
  queued(cudaEventRecord(event(slot.taken), work));
  return true;
}

}  // namespace gradloom::cuda
