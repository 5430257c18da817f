// Reductions and running sums. A block reduces a part of the rows for some columns: each thread,
// then warps by exchanges, then the block; where there are several parts, a second kernel reduces
// their results. Who adds to whom depends on the sizes alone, so that results are the same every
// time.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/scalar.h"
#include "cuda/warp.h"

namespace gradloom::cuda {
namespace {

// ---- what is reduced ---------------------------------------------------------------------------
// Each has State; `of` an element, number j of its row; `join` of two; `result`.

template <class T>
using SumState = std::conditional_t<std::is_floating_point_v<T>, double, uint32_t>;  // which wraps

template <class T>
struct Sum {
  using State = SumState<T>;
  using Result = std::conditional_t<std::is_floating_point_v<T>, T, int32_t>;
  static __device__ State empty() { return 0; }
  static __device__ State of(T x, int64_t) { return State(x); }
  static __device__ State join(State a, State b) { return a + b; }
  static __device__ Result result(State a) { return Result(a); }
};
template <class T>
struct SumSquares : Sum<T> {
  using State = SumState<T>;
  static __device__ State of(T x, int64_t) { return State(x) * State(x); }
};
template <class T>
struct SumAbs : Sum<T> {
  using State = SumState<T>;
  static __device__ State of(T x, int64_t) {
    return State(fromScalar(gradloom::cuda::abs(toScalar(x))));
  }
};
template <class T>
struct Product : Sum<T> {
  using State = SumState<T>;
  static __device__ State empty() { return 1; }
  static __device__ State of(T x, int64_t) { return State(x); }
  static __device__ State join(State a, State b) { return a * b; }
};

template <class T>
struct Any {
  using State = uint8_t;
  using Result = uint8_t;
  static __device__ State empty() { return 0; }
  static __device__ State of(T x, int64_t) { return x != T(0) ? 1 : 0; }
  static __device__ State join(State a, State b) { return a | b; }
  static __device__ Result result(State a) { return a; }
};
template <class T>
struct All : Any<T> {
  static __device__ uint8_t empty() { return 1; }
  static __device__ uint8_t join(uint8_t a, uint8_t b) { return a & b; }
};

// An element and where it stood, both of one size; -1 for none.
template <class T>
struct Placed {
  std::conditional_t<std::is_same_v<T, uint8_t>, int32_t, T> value;
  std::conditional_t<sizeof(T) == 8, int64_t, int32_t> position;
};

// The extreme: NaN before all others, the first of equals.
template <class T, bool largest>
struct ArgExtreme {
  using State = Placed<T>;
  using Result = int32_t;
  static __device__ State empty() { return {T(0), -1}; }
  static __device__ State of(T x, int64_t j) { return {x, decltype(State::position)(j)}; }
  static __device__ State join(State a, State b) {
    if (a.position < 0 || b.position < 0) return a.position < 0 ? b : a;
    const bool aNaN = a.value != a.value, bNaN = b.value != b.value;
    if (aNaN != bNaN) return aNaN ? a : b;
    if (!aNaN && a.value != b.value)
      return (largest ? a.value > b.value : a.value < b.value) ? a : b;
    return a.position < b.position ? a : b;
  }
  static __device__ Result result(State a) { return Result(a.position); }
};
template <class T, bool largest>
struct Extreme : ArgExtreme<T, largest> {
  using Result = T;
  static __device__ T result(Placed<T> a) { return T(a.value); }
};

// ---- kernels -----------------------------------------------------------------------------------

// How a block is cut: `columns` of the outputs by `rows` threads for each, 256 in all.
struct Cut {
  int columns, rows;
  int64_t chunk;  // elements of a row that one block reduces
};

// out [outer, chunks, inner], or results [outer, inner] when there is one chunk.
// Two blocks on a multiprocessor: left to itself, the compiler spills to have more.
template <class Operation, class From, class To>
__global__ void __launch_bounds__(blockThreads, 2)
    reduceKernel(To* out, const From* a, int64_t outer, int64_t n, int64_t inner, Cut cut,
                 int64_t chunks) {
  using State = typename Operation::State;
  GRADLOOM_SHARED(State, states, blockThreads);
  const int column = threadIdx.x % cut.columns, row = threadIdx.x / cut.columns;
  const int64_t output = int64_t{blockIdx.x} * cut.columns + column;
  const bool valid = output < outer * inner;
  const int64_t o = output / inner, i = output % inner;
  State state = Operation::empty();
  if (valid) {
    const int64_t start = blockIdx.y * cut.chunk;
    const int64_t end = start + cut.chunk < n ? start + cut.chunk : n;
    for (int64_t j = start + row; j < end; j += cut.rows) {
      const From x = a[(o * n + j) * inner + i];
      if constexpr (std::is_same_v<From, State>)
        state = Operation::join(state, x);
      else
        state = Operation::join(state, Operation::of(x, j));
    }
  }
  // First the rows within a warp, then those that are left: one for each warp.
  state = joinLanes(state, cut.columns, Operation::join);
  states[threadIdx.x] = state;
  const int apart = cut.columns > warpThreads ? cut.columns : warpThreads;
  for (int half = blockThreads / apart / 2; half > 0; half /= 2) {
    __syncthreads();
    if (int(threadIdx.x) < half * apart) {
      states[threadIdx.x] =
          Operation::join(states[threadIdx.x], states[threadIdx.x + half * apart]);
    }
  }
  if (!valid || row > 0) return;
  if constexpr (std::is_same_v<To, State>)
    out[(o * chunks + blockIdx.y) * inner + i] = states[threadIdx.x];
  else
    out[output] = Operation::result(states[threadIdx.x]);
}

// Wide columns are read side by side; where there are few, threads go along the row.
Cut cutOf(int64_t n, int64_t inner, int64_t perThread) {
  int rows = 1;
  const int most = inner >= warpThreads ? 8 : blockThreads;
  while (rows < most && rows * 8 < n) rows *= 2;
  return {blockThreads / rows, rows, rows * perThread};
}

// Wraps a State, so that one stage's output is told from an element of the same type.
template <class Operation>
struct Stage : Operation {
  struct State {
    typename Operation::State value;
  };
  static __device__ State empty() { return {Operation::empty()}; }
  template <class T>
  static __device__ State of(T x, int64_t j) {
    return {Operation::of(x, j)};
  }
  static __device__ State join(State a, State b) { return {Operation::join(a.value, b.value)}; }
  static __device__ typename Operation::Result result(State a) {
    return Operation::result(a.value);
  }
};

template <class Plain, class T>
void reduceWith(void* out, const T* a, int64_t outer, int64_t n, int64_t inner) {
  using Operation = Stage<Plain>;
  using State = typename Operation::State;
  using Result = typename Operation::Result;
  constexpr int64_t perThread = 64;
  const char* name = "reduce";
  Cut cut = cutOf(n, inner, perThread);
  int64_t chunks = ceilDiv(n, cut.chunk);
  if (chunks > mostBlocksAcross) {
    cut.chunk = ceilDiv(n, mostBlocksAcross);
    chunks = ceilDiv(n, cut.chunk);
  }
  const auto blocks = [&](const Cut& each) {
    return unsigned(ceilDiv(outer * inner, each.columns));
  };
  Result* const results = static_cast<Result*>(out);
  if (chunks <= 1) {
    launch(name, {outer, n, inner}, dim3(blocks(cut)), dim3(blockThreads),
           reduceKernel<Operation, T, Result>, results, a, outer, n, inner, cut, 1);
    return;
  }
  const Scratch<State> parts(outer * chunks * inner);
  launch(name, {outer, n, inner}, dim3(blocks(cut), unsigned(chunks)), dim3(blockThreads),
         reduceKernel<Operation, T, State>, parts.data(), a, outer, n, inner, cut, chunks);
  Cut last = cutOf(chunks, inner, perThread);
  last.chunk = chunks;
  launch(name, {outer, chunks, inner}, dim3(blocks(last)), dim3(blockThreads),
         reduceKernel<Operation, State, Result>, results, parts.data(), outer, chunks, inner, last,
         1);
}

// One block for each line [o, ·, i]: sums within a tile, and what came before it.
template <class R, class T>
__global__ void __launch_bounds__(blockThreads)
    cumsumKernel(R* out, const T* a, int64_t lines, int64_t n, int64_t inner, bool reverse) {
  using State = SumState<T>;
  GRADLOOM_SHARED(State, sums, blockThreads);
  const int t = threadIdx.x;
  for (int64_t line = blockIdx.x; line < lines; line += gridDim.x) {
    State before = 0;
    const int64_t first = line / inner * n * inner + line % inner;
    for (int64_t start = 0; start < n; start += blockThreads) {
      const int64_t j = start + t;
      const int64_t at = first + (reverse ? n - 1 - j : j) * inner;
      sums[t] = j < n ? State(a[at]) : State(0);
      __syncthreads();
      for (int step = 1; step < blockThreads; step *= 2) {
        const State left = t >= step ? sums[t - step] : State(0);
        __syncthreads();
        sums[t] += left;
        __syncthreads();
      }
      if (j < n) out[at] = R(before + sums[t]);
      before += sums[blockThreads - 1];
      __syncthreads();
    }
  }
}

// One thread for each line, where lines are short.
template <class R, class T>
__global__ void shortCumsumKernel(R* out, const T* a, int64_t lines, int64_t n, int64_t inner,
                                  bool reverse) {
  const int64_t line = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (line >= lines) return;
  const int64_t first = line / inner * n * inner + line % inner;
  SumState<T> sum = 0;
  for (int64_t j = 0; j < n; j++) {
    const int64_t at = first + (reverse ? n - 1 - j : j) * inner;
    sum += SumState<T>(a[at]);
    out[at] = R(sum);
  }
}

}  // namespace

template <class T>
void reduce(Reduction reduction, void* out, const T* a, int64_t outer, int64_t n, int64_t inner) {
  switch (reduction) {
    case Reduction::sum:
      return reduceWith<Sum<T>>(out, a, outer, n, inner);
    case Reduction::prod:
      return reduceWith<Product<T>>(out, a, outer, n, inner);
    case Reduction::max:
      return reduceWith<Extreme<T, true>>(out, a, outer, n, inner);
    case Reduction::min:
      return reduceWith<Extreme<T, false>>(out, a, outer, n, inner);
    case Reduction::any:
      return reduceWith<Any<T>>(out, a, outer, n, inner);
    case Reduction::all:
      return reduceWith<All<T>>(out, a, outer, n, inner);
    case Reduction::argMax:
      return reduceWith<ArgExtreme<T, true>>(out, a, outer, n, inner);
    case Reduction::argMin:
      return reduceWith<ArgExtreme<T, false>>(out, a, outer, n, inner);
    case Reduction::sumSquares:
      return reduceWith<SumSquares<T>>(out, a, outer, n, inner);
    case Reduction::sumAbs:
      return reduceWith<SumAbs<T>>(out, a, outer, n, inner);
  }
}

template <class R, class T>
void cumsum(R* out, const T* a, int64_t outer, int64_t n, int64_t inner, bool reverse) {
  constexpr int64_t shortLine = 32, mostBlocks = 1 << 16;
  const int64_t lines = outer * inner;
  if (n <= shortLine) {
    launchOver("cumsum", lines, blockThreads, shortCumsumKernel<R, T>, out, a, lines, n, inner,
               reverse);
  } else {
    const dim3 grid(unsigned(lines < mostBlocks ? lines : mostBlocks));
    launch("cumsum", {outer, n, inner}, grid, dim3(blockThreads), cumsumKernel<R, T>, out, a, lines,
           n, inner, reverse);
  }
}

#define GRADLOOM_TYPE(T)                                                       \
  template void reduce(Reduction, void*, const T*, int64_t, int64_t, int64_t); \
  template void cumsum(T*, const T*, int64_t, int64_t, int64_t, bool);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)
GRADLOOM_TYPE(int32_t)
GRADLOOM_TYPE(uint8_t)
template void cumsum(int32_t*, const uint8_t*, int64_t, int64_t, int64_t, bool);

}  // namespace gradloom::cuda
