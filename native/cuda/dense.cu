// The backward pass of dense layers: one kernel for the gradient before the activation and the
// bias's, then a product for each of the other two.
#include "cuda/activation.h"
#include "cuda/kernels.h"
#include "cuda/launch.h"

namespace gradloom::cuda {
namespace {

constexpr int columnsOfBlock = warpThreads, rowsOfBlock = blockThreads / warpThreads;

template <class T>
struct Backward {
  T* dz;  // or null where there is no activation
  const T* g;
  const T* seen;  // the input or the output of the activation, as readsInput() says
  Activation activation;
  T p, q;
};

// dz [rows, units], and the sums of its columns over chunks of rows: parts [chunks, units] or,
// where there is one chunk, `db`.
template <class T>
__global__ void __launch_bounds__(blockThreads)
    biasGradientKernel(const __grid_constant__ Backward<T> of, T* db, double* parts, int64_t rows,
                       int64_t units, int64_t chunk, bool accumulate) {
  GRADLOOM_SHARED(double, sums, blockThreads);
  const int t = threadIdx.x, y = t / columnsOfBlock;
  const int64_t c = int64_t{blockIdx.x} * columnsOfBlock + t % columnsOfBlock;
  const int64_t start = blockIdx.y * chunk, end = start + chunk < rows ? start + chunk : rows;
  double sum = 0;
  for (int64_t r = start + y; r < end && c < units; r += rowsOfBlock) {
    const int64_t at = r * units + c;
    T value = of.g[at];
    if (of.dz != nullptr) {
      value = derived(of.activation, value, of.seen[at], of.p, of.q);
      of.dz[at] = value;
    }
    sum += double(value);
  }
  sums[t] = sum;
  for (int half = rowsOfBlock / 2; half > 0; half /= 2) {
    __syncthreads();
    if (y < half) sums[t] += sums[t + half * columnsOfBlock];
  }
  if (y > 0 || c >= units) return;
  if (parts != nullptr)
    parts[blockIdx.y * units + c] = sums[t];
  else if (db != nullptr)
    db[c] = T(sums[t]) + (accumulate ? db[c] : T(0));
}

template <class T>
__global__ void joinBiasGradientKernel(T* db, const double* parts, int64_t chunks, int64_t units,
                                       bool accumulate) {
  const int64_t c = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (c >= units) return;
  double sum = 0;
  for (int64_t k = 0; k < chunks; k++) sum += parts[k * units + c];
  db[c] = T(sum) + (accumulate ? db[c] : T(0));
}

int64_t chunkOf(int64_t rows) {
  constexpr int64_t usual = 512;
  const int64_t least = ceilDiv(rows, mostBlocksAcross);
  return least > usual ? least : usual;
}

template <class T>
void biasGradient(const Backward<T>& of, T* db, int64_t rows, int64_t units, bool accumulate) {
  const int64_t chunk = chunkOf(rows), chunks = rows > 0 ? ceilDiv(rows, chunk) : 1;
  const dim3 grid(unsigned(ceilDiv(units, columnsOfBlock)), unsigned(chunks));
  const auto run = [&](double* parts) {
    launch("denseBackward bias", {rows, units}, grid, dim3(blockThreads), biasGradientKernel<T>, of,
           db, parts, rows, units, chunk, accumulate);
  };
  if (chunks == 1 || db == nullptr) return run(nullptr);
  const Scratch<double> parts(chunks * units);
  run(parts.data());
  launchOver("denseBackward bias join", units, blockThreads, joinBiasGradientKernel<T>, db,
             parts.data(), chunks, units, accumulate);
}

}  // namespace

template <class T>
void denseBackward(T* dx, T* dw, T* db, T* scratch, const T* g, const T* x, const T* w, const T* y,
                   const T* pre, int64_t rows, int64_t units, int64_t features, int derivative,
                   double p, double q, bool accumulate) {
  Activation activation = activationOf(derivative, "_da");
  const T* dz = derivative >= 0 ? scratch : g;
  if (activation == Activation::other) {
    const KernelInfo& info = kernelInfo[derivative];
    Operands<T> operands{};
    for (int k = 0; k < info.count; k++) {
      const char letter = info.operands[k];
      operands.at[k] = letter == 'g' ? g : letter == 'y' ? y : pre;
      operands.step[k] = 1;
    }
    map<T>(derivative, scratch, operands, rows * units, p, q);
    activation = Activation::none;
    g = scratch;
  }
  const bool fused = activation != Activation::none;
  if (units > 0 && (fused || db != nullptr)) {
    const T* const seen = readsInput(activation) ? pre : y;
    biasGradient<T>({fused ? scratch : nullptr, g, seen, activation, T(p), T(q)}, db, rows, units,
                    accumulate);
  }
  if (dw != nullptr) matmul(dw, x, dz, 1, features, units, rows, 0, 0, true, false, accumulate);
  if (dx != nullptr) matmul(dx, dz, w, 1, rows, features, units, 0, 0, false, true, false);
}

#define GRADLOOM_TYPE(T)                                                                        \
  template void denseBackward(T*, T*, T*, T*, const T*, const T*, const T*, const T*, const T*, \
                              int64_t, int64_t, int64_t, int, double, double, bool);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
