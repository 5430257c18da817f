// Optimizer updates: one kernel over many parameters, which finds by its block which one is its.
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/refusals.h"
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

// What one launch updates: as many as fit among the arguments of a kernel, 4 KiB on all devices. So
// a step copies no table to the device.
template <class T>
struct Parameters {
  static constexpr int most = 64;
  int count, blocks;
  Parameter<T> at[most];
};

// `live`: where on the device the hyper-parameters are, if they are not the given ones. Nothing is
// updated once an index or a label was refused.
template <class Formula, class T>
__global__ void __launch_bounds__(blockThreads)
    updateKernel(const __grid_constant__ Parameters<T> all, const __grid_constant__ Hypers<T> given,
                 const double* live, const unsigned long long* refused) {
  if (anyRefused(refused)) return;
  T hyper[mostHypers];
#pragma unroll
  for (int i = 0; i < Formula::hypers; i++) hyper[i] = live ? T(live[i]) : given.value[i];
  int low = 0, high = all.count - 1;  // the last parameter that begins at this block or before
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (all.at[middle].firstBlock <= blockIdx.x)
      low = middle;
    else
      high = middle - 1;
  }
  const Parameter<T>& own = all.at[low];
  const int64_t start = (blockIdx.x - own.firstBlock) * perBlock + threadIdx.x;
  for (int64_t i = start; i < start + perBlock && i < own.length; i += blockThreads) {
    T w = own.w[i];
    T state[mostStates];
#pragma unroll
    for (int s = 0; s < Formula::states; s++) state[s] = own.state[s][i];
    Formula::step(w, own.g[i], state, hyper);
    own.w[i] = w;
#pragma unroll
    for (int s = 0; s < Formula::states; s++) own.state[s][i] = state[s];
  }
}

template <class Formula, class T>
void updateWith(const char* name, const Parameters<T>& all, const Hypers<T>& hyper,
                const double* live) {
  static_assert(Formula::states <= mostStates && Formula::hypers <= mostHypers);
  static_assert(sizeof(all) + sizeof(hyper) + 2 * sizeof(void*) <= 4096);
  launch(name, {all.count, all.blocks}, dim3(unsigned(all.blocks)), dim3(blockThreads),
         updateKernel<Formula, T>, all, hyper, live, Machine::current().refusals);
}

}  // namespace

template <class T>
void update(int number, int64_t count, T* const* parameters, const T* const* gradients,
            T* const* states, const int64_t* lengths, const double* hyper) {
  using Update = void (*)(const char*, const Parameters<T>&, const Hypers<T>&, const double*);
#define GRADLOOM_ROW(number, name, states, hypers) updateWith<name##_update, T>,
  static constexpr Update updates[] = {GRADLOOM_UPDATES(GRADLOOM_ROW)};
#undef GRADLOOM_ROW
  const UpdateInfo& info = updateInfo[number];
  Hypers<T> hypers{};
  for (int i = 0; i < info.hypers; i++) hypers.value[i] = static_cast<T>(hyper[i]);
  Parameters<T> all{};
  const double* const live = Machine::current().live(hyper);
  const auto run = [&] {
    if (all.count > 0) updates[number](info.name, all, hypers, live);
    all.count = all.blocks = 0;
  };
  for (int64_t i = 0; i < count; i++) {
    if (lengths[i] == 0) continue;
    Parameter<T>& each = all.at[all.count++];
    each = {parameters[i], gradients[i], {}, lengths[i], all.blocks};
    for (int s = 0; s < info.states; s++) each.state[s] = states[i * info.states + s];
    all.blocks += int(ceilDiv(lengths[i], perBlock));
    if (all.count == Parameters<T>::most) run();
  }
  run();
}

#define GRADLOOM_TYPE(T)                                                                    \
  template void update(int, int64_t, T* const*, const T* const*, T* const*, const int64_t*, \
                       const double*);
GRADLOOM_TYPE(float)
GRADLOOM_TYPE(double)

}  // namespace gradloom::cuda
