// Moving elements: strided copies, reading and adding by index. Additions are done in the order of
// the index, so that results are the same every time.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/refusals.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {
namespace {

__device__ inline int64_t threadNumber() {
  return int64_t{blockIdx.x} * blockThreads + threadIdx.x;
}

template <class T>
__device__ inline T plus(T a, T b) {
  return T(fromScalar(toScalar(a) + toScalar(b)));
}

// ---- copy --------------------------------------------------------------------------------------

template <class T>
__global__ void copyKernel(T* out, const T* a, const __grid_constant__ CopyLoops loops, int64_t n) {
  int64_t rest = threadNumber();
  if (rest >= n) return;
  int64_t to = 0, from = 0;
  for (int d = loops.rank - 1; d >= 0; d--) {
    const int64_t i = rest % loops.size[d];
    rest /= loops.size[d];
    to += i * loops.outStride[d];
    from += i * loops.stride[d];
  }
  out[to] = a[from];
}

constexpr int tileSize = 32, tileRows = 8;  // 8 rows of 32 threads move a tile of 32 x 32

// out [n, m] = the transpose of a [m, n], for each of the matrices along z.
template <class T>
__global__ void transposeKernel(T* out, const T* a, int64_t m, int64_t n, int64_t outMatrix,
                                int64_t matrix) {
  using Row = T[tileSize + 1];  // one more, so that columns lie in different banks
  GRADLOOM_SHARED(Row, tile, tileSize);
  const int x = threadIdx.x % tileSize, y = threadIdx.x / tileSize;
  const int64_t row = int64_t{blockIdx.y} * tileSize, column = int64_t{blockIdx.x} * tileSize;
  a += blockIdx.z * matrix, out += blockIdx.z * outMatrix;
  for (int r = y; r < tileSize; r += tileRows) {
    if (row + r < m && column + x < n) tile[r][x] = a[(row + r) * n + column + x];
  }
  __syncthreads();
  for (int r = y; r < tileSize; r += tileRows) {
    if (column + r < n && row + x < m) out[(column + r) * m + row + x] = tile[x][r];
  }
}

// Leaves out loops of one step, and joins those that one loop can do.
CopyLoops folded(const CopyLoops& loops) {
  CopyLoops all{};
  for (int d = 0; d < loops.rank; d++) {
    if (loops.size[d] == 1) continue;
    const int last = all.rank - 1;
    const bool joins = last >= 0 && all.stride[last] == loops.stride[d] * loops.size[d] &&
                       all.outStride[last] == loops.outStride[d] * loops.size[d];
    const int at = joins ? last : all.rank++;
    all.size[at] = joins ? all.size[at] * loops.size[d] : loops.size[d];
    all.stride[at] = loops.stride[d];
    all.outStride[at] = loops.outStride[d];
  }
  return all;
}

// Whether the two innermost loops are a plain transpose, and at most one loop is around them.
bool isTranspose(const CopyLoops& loops) {
  const int i = loops.rank - 2, j = loops.rank - 1;
  if (loops.rank < 2 || loops.rank > 3) return false;
  const bool writesRows = loops.outStride[j] == 1 && loops.outStride[i] == loops.size[j];
  const bool readsColumns = loops.stride[i] == 1 && loops.stride[j] == loops.size[i];
  return writesRows && readsColumns && ceilDiv(loops.size[j], tileSize) <= mostBlocksAcross &&
         (loops.rank == 2 || loops.size[0] <= mostBlocksAcross);
}

}  // namespace

template <class T>
void copy(T* out, const T* a, CopyLoops given) {
  const CopyLoops loops = folded(given);
  int64_t n = 1;
  for (int d = 0; d < loops.rank; d++) n *= loops.size[d];
  const int last = loops.rank - 1;
  if (loops.rank == 0 || (loops.rank == 1 && loops.stride[0] == 1 && loops.outStride[0] == 1)) {
    Machine::current().copy(out, a, size_t(n) * sizeof(T));
  } else if (isTranspose(loops)) {
    const int64_t columns = loops.size[last - 1], rows = loops.size[last];  // of what is read
    const int64_t matrices = loops.rank == 3 ? loops.size[0] : 1;
    const dim3 grid(unsigned(ceilDiv(columns, tileSize)), unsigned(ceilDiv(rows, tileSize)),
                    unsigned(matrices));
    launch("transpose", {matrices, rows, columns}, grid, dim3(tileSize * tileRows),
           transposeKernel<T>, out, a, rows, columns, loops.outStride[0], loops.stride[0]);
  } else {
    launchOver("copy", n, blockThreads, copyKernel<T>, out, a, loops, n);
  }
}

// ---- indices -----------------------------------------------------------------------------------

namespace {

__global__ void firstOutsideKernel(Refusals first, const int32_t* index, int64_t count, int64_t n) {
  const int64_t i = threadNumber();
  if (i < count && !inside(index[i], n)) refuse(first, i);
}

template <class T>
__global__ void gatherKernel(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n,
                             int64_t count, int64_t inner, Refusals refused) {
  const int64_t at = threadNumber();
  if (at >= outer * count * inner) return;
  const int64_t i = at % inner, j = at / inner % count, o = at / inner / count;
  const int64_t row = index[j];
  const bool found = inside(row, n);
  out[at] = found ? a[(o * n + row) * inner + i] : T(0);
  if (!found) refuse(refused, j);
}

template <class T>
__global__ void takeAlongKernel(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n,
                                int64_t count, int64_t inner, Refusals refused) {
  const int64_t at = threadNumber();
  if (at >= outer * count * inner) return;
  const int64_t i = at % inner, o = at / inner / count;
  const int64_t row = index[at];
  const bool found = inside(row, n);
  out[at] = found ? a[(o * n + row) * inner + i] : T(0);
  if (!found) refuse(refused, at);
}

// One thread for each column [o, ·, i]: it alone adds there. `along`: there is an index for each
// element and not for each row.
template <class T, bool along>
__global__ void addKernel(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n,
                          int64_t count, int64_t inner, Refusals refused) {
  const int64_t column = threadNumber();
  if (column >= outer * inner) return;
  const int64_t i = column % inner, o = column / inner;
  for (int64_t j = 0; j < count; j++) {
    const int64_t at = (o * count + j) * inner + i;
    const int64_t row = index[along ? at : j];
    if (!inside(row, n)) {
      refuse(refused, along ? at : j);
      continue;
    }
    T* target = out + (o * n + row) * inner + i;
    *target = plus(*target, a[at]);
  }
}

// The same where columns are few and rows many: positions sorted by their row, one thread for each
// element of the first of equal ones.
template <class T>
__global__ void addSortedKernel(T* out, const T* a, const int32_t* rows, const int32_t* positions,
                                int64_t outer, int64_t n, int64_t count, int64_t inner,
                                Refusals refused) {
  const int64_t at = threadNumber();
  if (at >= outer * count * inner) return;
  const int64_t i = at % inner, first = at / inner % count, o = at / inner / count;
  const int32_t row = rows[first];
  if (!inside(row, n)) return refuse(refused, positions[first]);
  if (first > 0 && rows[first - 1] == row) return;
  T sum = out[(o * n + row) * inner + i];
  for (int64_t j = first; j < count && rows[j] == row; j++) {
    sum = plus(sum, a[(o * count + positions[j]) * inner + i]);
  }
  out[(o * n + row) * inner + i] = sum;
}

}  // namespace

int64_t firstOutside(const int32_t* index, int64_t count, int64_t n) {
  Machine& machine = Machine::current();
  if (count == 0 || machine.refusals != nullptr) return -1;  // the kernel itself will note it
  const Scratch<unsigned long long> first(1);
  unsigned long long found = nowhere;
  machine.write(first.data(), &found, sizeof(found));
  launchOver("firstOutside", count, blockThreads, firstOutsideKernel, first.data(), index, count,
             n);
  machine.read(&found, first.data(), sizeof(found));
  return found == nowhere ? -1 : int64_t(found);
}

template <class T>
void gather(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
            int64_t inner) {
  launchOver("gather", outer * count * inner, blockThreads, gatherKernel<T>, out, a, index, outer,
             n, count, inner, Machine::current().refusals);
}

template <class T>
void takeAlong(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
               int64_t inner) {
  launchOver("takeAlong", outer * count * inner, blockThreads, takeAlongKernel<T>, out, a, index,
             outer, n, count, inner, Machine::current().refusals);
}

template <class T>
void scatterAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                int64_t inner) {
  constexpr int64_t manyColumns = 1 << 14, fewRows = 32;
  const Refusals refused = Machine::current().refusals;
  if (outer * inner >= manyColumns || count <= fewRows) {
    launchOver("scatterAdd", outer * inner, blockThreads, addKernel<T, false>, out, a, index, outer,
               n, count, inner, refused);
    return;
  }
  const Scratch<int32_t> rows(count), positions(count);
  sort(rows.data(), positions.data(), index, 1, count, count, false);
  launchOver("scatterAdd sorted", outer * count * inner, blockThreads, addSortedKernel<T>, out, a,
             rows.data(), positions.data(), outer, n, count, inner, refused);
}

template <class T>
void putAlongAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                 int64_t inner) {
  launchOver("putAlongAdd", outer * inner, blockThreads, addKernel<T, true>, out, a, index, outer,
             n, count, inner, Machine::current().refusals);
}

#define GRADLOOM_SIZE(T)                                                                  \
  template void copy(T*, const T*, CopyLoops);                                            \
  template void gather(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t); \
  template void takeAlong(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
GRADLOOM_SIZE(uint8_t)
GRADLOOM_SIZE(uint32_t)
GRADLOOM_SIZE(uint64_t)

#define GRADLOOM_TYPE(T)                                                                      \
  template void scatterAdd(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t); \
  template void putAlongAdd(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)
GRADLOOM_TYPE(int32_t)
GRADLOOM_TYPE(uint8_t)

}  // namespace gradloom::cuda
