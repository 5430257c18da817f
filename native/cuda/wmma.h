// Tensor cores and 16-bit numbers: the toolkit's or the emulated. Apart from platform.h, since few
// kernels need them and they take long to compile.
#pragma once

#include "cuda/platform.h"

#if defined(GRADLOOM_CUDA_EMULATED)

#include "cuda/emulator/wmma.h"

#else

#include <mma.h>

#endif

// Whether this compilation is for devices that have TF32 and BF16: those of compute capability 8.0.
// For older ones, kernels that need them are compiled without a body and never launched.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define GRADLOOM_HAS_TF32 0
#else
#define GRADLOOM_HAS_TF32 1
#endif
