// The part of the CUDA runtime that the machine (machine.cu) uses, on the CPU. What is queued on
// the stream waits until something synchronises with it, as it may on a real device.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cuda/emulator/grid.h"

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidDevice = 101,
  cudaErrorNotReady = 600,
  cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice
};
enum { cudaStreamNonBlocking = 1 };
using cudaStream_t = void*;
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
cudaError_t cudaMemGetInfo(size_t* vacant, size_t* total);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
// Of any kernel: for which virtual architecture its code was made, as 10 times its number.
struct cudaFuncAttributes {
  int ptxVersion;
};
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel);
cudaError_t cudaGetLastError();
// After a fault: what it was, where, in which kernel.
const char* cudaGetErrorString(cudaError_t error);

namespace gradloom::emulator {

// Queues a kernel. `name` must stay.
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

// In the order of the queue: only the first `used` bytes of an allocation of `bytes` are somebody's
// from then on, and undefined.
void enqueueExtent(void* memory, size_t bytes, size_t used);

// A call of the host's ends: no copy into its memory may still be queued. Empty, or what is wrong.
std::string endOfCall();
// Code of the host touched memory of the device.
void reportHostAccess();

}  // namespace gradloom::emulator
