// Elementwise kernels on integers.
#include "cuda/elementwise.h"
#include "cuda/kernels.h"

namespace gradloom::cuda {

template void map(int, void*, const Operands<int32_t>&, int64_t, double, double);
template void mapStrided(int, void*, const int32_t* const*, const Walk&, double, double);
template void map(int, void*, const Operands<uint8_t>&, int64_t, double, double);
template void mapStrided(int, void*, const uint8_t* const*, const Walk&, double, double);

}  // namespace gradloom::cuda
