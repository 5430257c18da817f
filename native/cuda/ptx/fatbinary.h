// Finds the PTX in what nvcc puts into a program for the GPU.
#pragma once

#include <string_view>

namespace gradloom::ptx {

// The compute capability that is interpreted: 75, or what GRADLOOM_PTX_ARCHITECTURE says.
int architecture();

// The text for that architecture. `wrapper` is what __cudaRegisterFatBinary is given. Throws
// std::runtime_error if there is none, or if it is compressed.
std::string_view textIn(const void* wrapper);

}  // namespace gradloom::ptx
