// Batch normalization. Sums over the rows are taken in double, in parts whose order is fixed.
#include "cuda/kernels.h"
#include "cuda/launch.h"

namespace gradloom::cuda {
namespace {

constexpr int columnsOfBlock = warpThreads, rowsOfBlock = blockThreads / warpThreads;

struct Pair {
  double first, second;
};

// What is summed for an element of row r and channel c; each has `of` giving one or two numbers.
template <class T>
struct Values {
  const T* x;
  __device__ Pair of(int64_t at, int64_t) const { return {double(x[at]), 0}; }
};
template <class T>
struct Deviations {
  const T* x;
  const double* mean;
  __device__ Pair of(int64_t at, int64_t c) const {
    const double deviation = double(x[at]) - mean[c];
    return {deviation * deviation, 0};
  }
};
// Gradients, and gradients times the normalized x.
template <class T>
struct Gradients {
  const T *g, *x, *mean, *inverse;
  __device__ Pair of(int64_t at, int64_t c) const {
    const double grad = double(g[at]);
    return {grad, grad * (double(x[at]) - double(mean[c])) * double(inverse[c])};
  }
};

// parts [chunks, channels] of the sums over rows.
template <class Summed>
__global__ void __launch_bounds__(blockThreads)
    columnSumsKernel(Pair* parts, const __grid_constant__ Summed summed, int64_t rows,
                     int64_t channels, int64_t chunk) {
  GRADLOOM_SHARED(Pair, sums, blockThreads);
  const int t = threadIdx.x, y = t / columnsOfBlock;
  const int64_t c = int64_t{blockIdx.x} * columnsOfBlock + t % columnsOfBlock;
  const int64_t start = blockIdx.y * chunk, end = start + chunk < rows ? start + chunk : rows;
  Pair sum = {0, 0};
  for (int64_t r = start + y; r < end && c < channels; r += rowsOfBlock) {
    const Pair value = summed.of(r * channels + c, c);
    sum.first += value.first, sum.second += value.second;
  }
  sums[t] = sum;
  for (int half = rowsOfBlock / 2; half > 0; half /= 2) {
    __syncthreads();
    if (y < half) {
      const Pair other = sums[t + half * columnsOfBlock];
      sums[t].first += other.first, sums[t].second += other.second;
    }
  }
  if (y == 0 && c < channels) parts[blockIdx.y * channels + c] = sums[t];
}

__device__ inline Pair total(const Pair* parts, int64_t chunks, int64_t channels, int64_t c) {
  Pair sum = {0, 0};
  for (int64_t k = 0; k < chunks; k++) {
    sum.first += parts[k * channels + c].first;
    sum.second += parts[k * channels + c].second;
  }
  return sum;
}

__device__ inline int64_t threadNumber() {
  return int64_t{blockIdx.x} * blockThreads + threadIdx.x;
}

template <class T>
__global__ void meanKernel(double* means, T* mean, const Pair* parts, int64_t chunks, int64_t rows,
                           int64_t channels) {
  const int64_t c = threadNumber();
  if (c >= channels) return;
  means[c] = total(parts, chunks, channels, c).first / double(rows);
  mean[c] = T(means[c]);
}

template <class T>
__global__ void varianceKernel(T* inverse, T* variance, double* scales, const Pair* parts,
                               int64_t chunks, const T* gamma, int64_t rows, int64_t channels,
                               double epsilon) {
  const int64_t c = threadNumber();
  if (c >= channels) return;
  const double value = total(parts, chunks, channels, c).first / double(rows);
  const double reciprocal = 1 / ::sqrt(value + epsilon);
  variance[c] = T(value);
  inverse[c] = T(reciprocal);
  scales[c] = gamma != nullptr ? reciprocal * double(gamma[c]) : reciprocal;
}

template <class T>
__global__ void normalizeKernel(T* out, const T* x, const double* means, const double* scales,
                                const T* beta, int64_t n, int64_t channels) {
  const int64_t i = threadNumber();
  if (i >= n) return;
  const int64_t c = i % channels;
  const T centered = T(double(x[i]) - means[c]);
  out[i] = centered * T(scales[c]) + (beta != nullptr ? beta[c] : T(0));
}

// Writes what was asked for of the sums, and the sums themselves over the rows.
template <class T>
__global__ void gradientSumsKernel(Pair* averages, T* dgamma, T* dbeta, const Pair* parts,
                                   int64_t chunks, int64_t rows, int64_t channels) {
  const int64_t c = threadNumber();
  if (c >= channels) return;
  const Pair sum = total(parts, chunks, channels, c);
  if (dgamma != nullptr) dgamma[c] = T(sum.second);
  if (dbeta != nullptr) dbeta[c] = T(sum.first);
  averages[c] = {sum.first / double(rows), sum.second / double(rows)};
}

template <class T>
__global__ void normalizeBackwardKernel(T* dx, const T* g, const T* x, const T* mean,
                                        const T* inverse, const T* gamma, const Pair* averages,
                                        int64_t n, int64_t channels) {
  const int64_t i = threadNumber();
  if (i >= n) return;
  const int64_t c = i % channels;
  const T scale = gamma != nullptr ? gamma[c] * inverse[c] : inverse[c];
  const T normalized = (x[i] - mean[c]) * inverse[c];
  dx[i] = scale * (g[i] - T(averages[c].first) - normalized * T(averages[c].second));
}

int64_t chunkOf(int64_t rows) {
  constexpr int64_t usual = 256;
  const int64_t least = ceilDiv(rows, mostBlocksAcross);
  return least > usual ? least : usual;
}

template <class Summed>
void columnSums(Pair* parts, const Summed& summed, int64_t rows, int64_t channels) {
  const int64_t chunk = chunkOf(rows);
  const dim3 grid(unsigned(ceilDiv(channels, columnsOfBlock)), unsigned(ceilDiv(rows, chunk)));
  launch("batchNorm sums", {rows, channels}, grid, dim3(blockThreads), columnSumsKernel<Summed>,
         parts, summed, rows, channels, chunk);
}

}  // namespace

template <class T>
void batchNorm(T* out, T* mean, T* inverse, T* variance, const T* x, const T* gamma, const T* beta,
               int64_t rows, int64_t channels, double epsilon) {
  const int64_t chunks = ceilDiv(rows, chunkOf(rows));
  const Scratch<Pair> parts(chunks * channels);
  const Scratch<double> means(channels), scales(channels);
  if (rows > 0) columnSums(parts.data(), Values<T>{x}, rows, channels);
  launchOver("batchNorm mean", channels, blockThreads, meanKernel<T>, means.data(), mean,
             parts.data(), chunks, rows, channels);
  if (rows > 0) columnSums(parts.data(), Deviations<T>{x, means.data()}, rows, channels);
  launchOver("batchNorm variance", channels, blockThreads, varianceKernel<T>, inverse, variance,
             scales.data(), parts.data(), chunks, gamma, rows, channels, epsilon);
  launchOver("batchNorm", rows * channels, blockThreads, normalizeKernel<T>, out, x, means.data(),
             scales.data(), beta, rows * channels, channels);
}

template <class T>
void batchNormBackward(T* dx, T* dgamma, T* dbeta, const T* g, const T* x, const T* mean,
                       const T* inverse, const T* gamma, int64_t rows, int64_t channels) {
  const int64_t chunks = ceilDiv(rows, chunkOf(rows));
  const Scratch<Pair> parts(chunks * channels), averages(channels);
  if (rows > 0) columnSums(parts.data(), Gradients<T>{g, x, mean, inverse}, rows, channels);
  launchOver("batchNormBackward sums", channels, blockThreads, gradientSumsKernel<T>,
             averages.data(), dgamma, dbeta, parts.data(), chunks, rows, channels);
  if (dx == nullptr) return;
  launchOver("batchNormBackward", rows * channels, blockThreads, normalizeBackwardKernel<T>, dx, g,
             x, mean, inverse, gamma, averages.data(), rows * channels, channels);
}

#define GRADLOOM_TYPE(T)                                                                           \
  template void batchNorm(T*, T*, T*, T*, const T*, const T*, const T*, int64_t, int64_t, double); \
  template void batchNormBackward(T*, T*, T*, const T*, const T*, const T*, const T*, const T*,    \
                                  int64_t, int64_t);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
