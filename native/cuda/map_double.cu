// Elementwise kernels on double.
#include "cuda/elementwise.h"
#include "cuda/kernels.h"

namespace gradloom::cuda {

template void map(int, void*, const Operands<double>&, int64_t, double, double);
template void mapStrided(int, void*, const double* const*, const Walk&, double, double);

}  // namespace gradloom::cuda
