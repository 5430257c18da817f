// The pool of threads that kernels share, and the one way to use it: parallelFor.
//
// A loop is cut into chunks of `grain` items, and only count and grain decide where: results never
// depend on how many threads there are. Every thread takes neighbouring chunks of its own first, in
// every loop the same ones, then what others have not begun; the calling thread takes part and
// never waits for a helper that has not come, so a loop is done in time even where other processes
// hold the cores. Helpers spin for a moment after a loop, then park.
//
// Any number of threads may call at once (Node has one environment per worker thread): one of them
// gets the helpers, the others run their loops alone. So does a loop inside a loop.
#pragma once

#include <cstdint>

namespace gradloom {

// Threads that loops use, the calling one included. At first availableCores().
int threadCount();

// 1 to maxThreads; other values are brought into that range.
void setThreadCount(int count);
constexpr int maxThreads = 256;

// CPUs this process may use: affinity mask and cgroup quota, at least 1.
int availableCores();

// Ends the helpers; they are started again when needed. No loop may be running. The addon calls it
// when the last environment closes, after which its code may be unloaded.
void stopThreads();

using LoopBody = void (*)(const void* context, int64_t from, int64_t to);
void runLoop(int64_t count, int64_t grain, LoopBody body, const void* context);

namespace {  // per-ISA code instantiates this: see simd.h

// Calls body(from, to) for chunks of `grain` items (the last may be shorter) until [0, count) is
// covered, and returns when all are done. body must not throw.
template <class Body>
inline void parallelFor(int64_t count, int64_t grain, const Body& body) {
  if (count <= grain) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  runLoop(
      count, grain,
      [](const void* context, int64_t from, int64_t to) {
        (*static_cast<const Body*>(context))(from, to);
      },
      &body);
}

}  // namespace
}  // namespace gradloom
