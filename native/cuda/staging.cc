#include "cuda/staging.h"

#include "cuda/machine.h"
#include "cuda/platform.h"

namespace gradloom::cuda {

// All or nothing; what was made before a failure stays unused.
bool Staging::open() {
  if (tried) return there;
  tried = true;
  for (Block& each : blocks) {
    void* memory = nullptr;
    cudaEvent_t event = nullptr;
    if (cudaMallocHost(&memory, blockBytes) != cudaSuccess ||
        cudaEventCreateWithFlags(&event, cudaEventDisableTiming) != cudaSuccess) {
      (void)cudaGetLastError();
      return false;
    }
    each.memory = static_cast<char*>(memory);
    each.left = event;
  }
  return there = true;
}

// Leaves the block, and waits for the next one where its copies are still queued.
void Staging::turn() {
  Block& old = blocks[now];
  machine.check(cudaEventRecord(static_cast<cudaEvent_t>(old.left),
                                static_cast<cudaStream_t>(machine.stream())),
                "marking a copy");
  old.used = true;
  now = (now + 1) % count;
  offset = 0;
  Block& next = blocks[now];
  if (!next.used) return;
  machine.check(cudaEventSynchronize(static_cast<cudaEvent_t>(next.left)), "waiting for a copy");
  machine.waited();
}

char* Staging::take(size_t bytes) {
  constexpr size_t alignment = 64;
  if (bytes > blockBytes || !open()) return nullptr;
  if (offset + bytes > blockBytes) turn();
  char* const memory = blocks[now].memory + offset;
  offset += (bytes + alignment - 1) / alignment * alignment;
  return memory;
}

}  // namespace gradloom::cuda
