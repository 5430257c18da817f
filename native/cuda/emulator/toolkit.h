// The part of the CUDA runtime that machines (machine.cc and its like) use, on the CPU. What is
// queued waits until something synchronises with it, as it may on a real device.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cuda/emulator/grid.h"
#include "cuda/emulator/queue.h"

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidDevice = 101,
  cudaErrorNotReady = 600,
  cudaErrorLaunchFailure = 719,
  cudaErrorNotSupported = 801,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901
};
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice
};
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
enum { cudaStreamNonBlocking = 1, cudaEventDefault = 0, cudaEventDisableTiming = 2 };
using cudaStream_t = gradloom::emulator::Stream*;
using cudaEvent_t = gradloom::emulator::Event*;
using cudaGraph_t = gradloom::emulator::Graph*;
using cudaGraphExec_t = gradloom::emulator::Graph*;
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor, multiProcessorCount;
};

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** memory, size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemGetInfo(size_t* vacant, size_t* total);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventQuery(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph);
// Of any kernel: for which virtual architecture its code was made, as 10 times its number.
struct cudaFuncAttributes {
  int ptxVersion;
};
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel);
cudaError_t cudaGetLastError();
// After a fault: what it was, where, in which kernel.
const char* cudaGetErrorString(cudaError_t error);

namespace gradloom::emulator {

// Queues a kernel.
cudaError_t enqueue(const std::string& name, Dim3 grid, Dim3 block, std::function<void()> kernel,
                    void* stream);

// Queues a call of a library, which is no kernel of ours: memory it reads and writes, and what it
// returns, 0 if nothing is wrong.
struct Range {
  const void* at;
  size_t bytes;
};
cudaError_t enqueueLibrary(const std::string& name, const std::vector<Range>& reads, Range writes,
                           std::function<int()> call, void* stream);

// In the order of the stream: only the first `used` bytes of an allocation of `bytes` are
// somebody's from then on, and undefined.
void enqueueExtent(void* memory, size_t bytes, size_t used, void* stream);

// ---- for the functions above ------------------------------------------------------------------

extern int currentDevice;
// Whether the runtime is to be one that cannot do something.
bool lacks(const char* what);
// Whether work may go there, which is a fault otherwise. Null is the stream that a program has from
// the start.
bool isRightStream(cudaStream_t stream, const std::string& what);
// The fault that a waiting call reports, if there was one.
cudaError_t reported();

// ---- for the machine --------------------------------------------------------------------------

// A call of the host's ends: no copy into its memory may still be queued. Empty, or what is wrong.
std::string endOfCall();
// Code of the host touched memory of the device.
void reportHostAccess();

}  // namespace gradloom::emulator
