// Names and numbers shared with TypeScript: element types, reductions, distributions, and what the
// generated table says of each elementwise kernel and optimizer update.
#pragma once

#include <cstdint>
#include <iterator>

#include "kernels/formulas.inc"

namespace gradloom {

enum class DType { float32, float64, int32, uint8 };

#define GRADLOOM_NAME(name) name,
enum class Reduction { GRADLOOM_REDUCTIONS(GRADLOOM_NAME) };
enum class Distribution { GRADLOOM_DISTRIBUTIONS(GRADLOOM_NAME) };
#undef GRADLOOM_NAME

#define GRADLOOM_NAME(name) #name,
constexpr const char* reductionNames[] = {GRADLOOM_REDUCTIONS(GRADLOOM_NAME)};
constexpr const char* distributionNames[] = {GRADLOOM_DISTRIBUTIONS(GRADLOOM_NAME)};
#undef GRADLOOM_NAME

// What an elementwise kernel takes: floating point only, any number, or any type giving uint8.
enum class Kind { real, number, compare };

struct KernelInfo {
  const char* name;  // elu_y: a row's value; elu_da: a derivative
  Kind kind;
  const char* operands;  // letters in the order they are passed
  int count;             // of operands
};
#define GRADLOOM_INFO(number, name, kind, letters) \
  {#name, Kind::kind, letters, int(sizeof(letters)) - 1},
constexpr KernelInfo kernelInfo[] = {GRADLOOM_KERNELS(GRADLOOM_INFO)};
#undef GRADLOOM_INFO

struct UpdateInfo {
  const char* name;
  int states, hypers;
};
#define GRADLOOM_INFO(number, name, states, hypers) {#name, states, hypers},
constexpr UpdateInfo updateInfo[] = {GRADLOOM_UPDATES(GRADLOOM_INFO)};
#undef GRADLOOM_INFO

constexpr int reductionCount = int(std::size(reductionNames));
constexpr int distributionCount = int(std::size(distributionNames));
constexpr int kernelCount = int(std::size(kernelInfo));
constexpr int updateCount = int(std::size(updateInfo));

}  // namespace gradloom
