// Optimizer updates: one kernel over all parameters, which finds by its block which one is its.
#include <vector>

#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/scalar.h"

namespace gradloom::cuda {
namespace {

constexpr int mostStates = 3, mostHypers = 9;
constexpr int perBlock = 4 * blockThreads;

template <class T>
struct Parameter {
  T* w;
  const T* g;
  T* state[mostStates];
  int64_t length;
  int64_t firstBlock;  // of those that work on it
};

template <class T>
struct Hypers {
  T value[mostHypers];
};

template <class Formula, class T>
__global__ void __launch_bounds__(blockThreads)
    updateKernel(const Parameter<T>* all, int64_t count, const __grid_constant__ Hypers<T> hyper) {
  int64_t low = 0, high = count - 1;  // the last parameter that begins at this block or before
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (all[middle].firstBlock <= blockIdx.x)
      low = middle;
    else
      high = middle - 1;
  }
  const Parameter<T>& own = all[low];
  const int64_t start = (blockIdx.x - own.firstBlock) * perBlock + threadIdx.x;
  for (int64_t i = start; i < start + perBlock && i < own.length; i += blockThreads) {
    T w = own.w[i];
    T state[mostStates];
#pragma unroll
    for (int s = 0; s < Formula::states; s++) state[s] = own.state[s][i];
    Formula::step(w, own.g[i], state, hyper.value);
    own.w[i] = w;
#pragma unroll
    for (int s = 0; s < Formula::states; s++) own.state[s][i] = state[s];
  }
}

template <class Formula, class T>
void updateWith(const char* name, const Parameter<T>* all, int64_t count, int64_t blocks,
                const Hypers<T>& hyper) {
  static_assert(Formula::states <= mostStates && Formula::hypers <= mostHypers);
  launch(name, {count, blocks}, dim3(unsigned(blocks)), dim3(blockThreads),
         updateKernel<Formula, T>, all, count, hyper);
}

}  // namespace

template <class T>
void update(int number, int64_t count, T* const* parameters, const T* const* gradients,
            T* const* states, const int64_t* lengths, const double* hyper) {
  const UpdateInfo& info = updateInfo[number];
  std::vector<Parameter<T>> all;
  int64_t blocks = 0;
  for (int64_t i = 0; i < count; i++) {
    if (lengths[i] == 0) continue;
    Parameter<T> each{parameters[i], gradients[i], {}, lengths[i], blocks};
    for (int s = 0; s < info.states; s++) each.state[s] = states[i * info.states + s];
    all.push_back(each);
    blocks += ceilDiv(lengths[i], perBlock);
  }
  if (all.empty()) return;
  Hypers<T> hypers{};
  for (int i = 0; i < info.hypers; i++) hypers.value[i] = static_cast<T>(hyper[i]);
  const Scratch<Parameter<T>> table(int64_t(all.size()));
  Machine::current().write(table.data(), all.data(), all.size() * sizeof(Parameter<T>));
  using Update = void (*)(const char*, const Parameter<T>*, int64_t, int64_t, const Hypers<T>&);
#define GRADLOOM_ROW(number, name, states, hypers) updateWith<name##_update, T>,
  static constexpr Update updates[] = {GRADLOOM_UPDATES(GRADLOOM_ROW)};
#undef GRADLOOM_ROW
  updates[number](info.name, table.data(), int64_t(all.size()), blocks, hypers);
}

#define GRADLOOM_TYPE(T)                                                                    \
  template void update(int, int64_t, T* const*, const T* const*, T* const*, const int64_t*, \
                       const double*);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
