// What products of float32 matrices are computed in: src/backends/precision.ts.
#pragma once

namespace gradloom::cuda {

// What factors are rounded to. Sums are of float32 whatever it is. In the order of `precisions` in
// src/backends/precision.ts.
enum class Precision { float32, tf32, float16, bfloat16 };
constexpr int precisionCount = 4;

// Allows a precision to the products of this thread.
void allowPrecision(Precision allowed);

// What this thread's products are computed in: what is allowed, where the code loaded for the
// current machine has it (tensor_cores.cu), and float32 elsewhere.
Precision precision();

}  // namespace gradloom::cuda
