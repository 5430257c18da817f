// What CUDA is: the toolkit's or the one emulated on the CPU. The only header of ours that includes
// CUDA's. Every .cu file compiles with either.
#pragma once

#if defined(GRADLOOM_CUDA_EMULATED)

#include "cuda/emulator/device.h"

#else

#include <cuda_runtime.h>

// An array of the block's, of Type and a constant length.
#define GRADLOOM_SHARED(Type, name, length) __shared__ Type name[length]

// The hardware checks it.
#define GRADLOOM_EXPECT_ALIGNED(address, bytes) static_cast<void>(0)

#endif
