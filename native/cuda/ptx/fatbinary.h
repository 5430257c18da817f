// Finds the PTX in what nvcc puts into a program for the GPU.
#pragma once

#include <string_view>

namespace gradloom::ptx {

// `wrapper` is what __cudaRegisterFatBinary is given. The text of the lowest architecture; empty
// where there is none. Throws std::runtime_error if it is compressed.
std::string_view textIn(const void* wrapper);

}  // namespace gradloom::ptx
