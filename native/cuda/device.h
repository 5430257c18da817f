// CUDA devices as the native surface sees them.
#pragma once

#include "cpu/kernels.h"

namespace gradloom::cuda {

// The kernels on the current machine.
const Kernels& kernels();

}  // namespace gradloom::cuda
