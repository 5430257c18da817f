// Random numbers and dropout of the CPU, one table per instruction set (random.cc).
#pragma once

#include <cstdint>

#include "cpu/tables.h"
#include "kernels/philox.h"

namespace gradloom {

struct RandomKernels {
  // Fills out with elements 0 … n of a stream; see random in src/backends/backend.ts. normal and
  // truncatedNormal need a floating point type, uniform one of those or int32.
  void (*random)(Distribution distribution, DType dtype, void* out, int64_t n, Philox stream,
                 double p, double q);
  // out[i] = u_i >= rate ? a * x[i] + b : c. out may be x.
  void (*dropoutFloat)(float* out, const float* x, int64_t n, Philox stream, double rate, double a,
                       double b, double c);
  void (*dropoutDouble)(double* out, const double* x, int64_t n, Philox stream, double rate,
                        double a, double b, double c);
};

}  // namespace gradloom
