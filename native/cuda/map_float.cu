// Elementwise kernels on float.
#include "cuda/elementwise.h"
#include "cuda/kernels.h"

namespace gradloom::cuda {

template void map(int, void*, const Operands<float>&, int64_t, double, double);
template void mapStrided(int, void*, const float* const*, const Walk&, double, double);

}  // namespace gradloom::cuda
