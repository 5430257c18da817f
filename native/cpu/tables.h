// Names and numbers shared with TypeScript: element types, reductions, distributions, and what the
// generated table says of each kernel and update.
#pragma once

#include <cstdint>

#include "kernels/formulas.inc"

namespace gradloom {

enum class DType { float32, float64, int32, uint8 };

#define GRADLOOM_NAME(name) name,
enum class Reduction { GRADLOOM_REDUCTIONS(GRADLOOM_NAME) };
enum class Distribution { GRADLOOM_DISTRIBUTIONS(GRADLOOM_NAME) };
#undef GRADLOOM_NAME

}  // namespace gradloom
