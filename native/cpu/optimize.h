// Optimizer updates: one pass over all parameters, every element read and written once.
#pragma once

#include "cpu/elementwise.h"
#include "cpu/lanes.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Arrays of one parameter, from one of its elements on.
template <class T, int states>
struct Updated {
  T* w;
  const T* g;
  T* state[states + 1];  // one more, so that no array is empty
};

template <class Formula, class T>
void updateRow(const Updated<T, Formula::states>& at, int64_t n, const T* hyperValues) {
  using V = Vec<T>;
  V hyper[Formula::hypers];
  for (int i = 0; i < Formula::hypers; i++) hyper[i] = splat<V>(hyperValues[i]);
  V state[Formula::states + 1];
  int64_t i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    V w = load<V>(at.w + i);
    for (int s = 0; s < Formula::states; s++) state[s] = load<V>(at.state[s] + i);
    Formula::step(w, load<V>(at.g + i), state, hyper);
    store<V>(at.w + i, w);
    for (int s = 0; s < Formula::states; s++) store<V>(at.state[s] + i, state[s]);
  }
  if (i == n) return;
  const int rest = static_cast<int>(n - i);
  V w = loadFirst<V>(at.w + i, rest);
  for (int s = 0; s < Formula::states; s++) state[s] = loadFirst<V>(at.state[s] + i, rest);
  Formula::step(w, loadFirst<V>(at.g + i, rest), state, hyper);
  storeFirst<V>(at.w + i, w, rest);
  for (int s = 0; s < Formula::states; s++) storeFirst<V>(at.state[s] + i, state[s], rest);
}

// Elements of a chunk. An update is a few times the work of a plain map.
constexpr int64_t updateGrain = 1 << 13;

// All parameters end to end are one loop for the pool; a chunk may span several of them.
template <class Formula, class T>
void updateAll(int64_t count, T* const* parameters, const T* const* gradients, T* const* states,
               const int64_t* lengths, const double* hyper) {
  T values[Formula::hypers];
  for (int i = 0; i < Formula::hypers; i++) values[i] = static_cast<T>(hyper[i]);
  int64_t total = 0;
  for (int64_t i = 0; i < count; i++) total += lengths[i];
  parallelFor(total, updateGrain, [&](int64_t from, int64_t to) {
    int64_t start = 0;  // of parameter i in the loop
    for (int64_t i = 0; i < count && start < to; start += lengths[i++]) {
      if (start + lengths[i] <= from) continue;
      const int64_t first = from > start ? from - start : 0;
      const int64_t last = to - start < lengths[i] ? to - start : lengths[i];
      Updated<T, Formula::states> at;
      at.w = parameters[i] + first;
      at.g = gradients[i] + first;
      for (int s = 0; s < Formula::states; s++)
        at.state[s] = states[i * Formula::states + s] + first;
      updateRow<Formula, T>(at, last - first, values);
    }
  });
}

template <class T>
void update(int number, int64_t count, T* const* parameters, const T* const* gradients,
            T* const* states, const int64_t* lengths, const double* hyper) {
  using Update =
      void (*)(int64_t, T* const*, const T* const*, T* const*, const int64_t*, const double*);
#define GRADLOOM_ROW(number, name, states, hypers) updateAll<name##_update, T>,
  static constexpr Update all[] = {GRADLOOM_UPDATES(GRADLOOM_ROW)};
#undef GRADLOOM_ROW
  all[number](count, parameters, gradients, states, lengths, hyper);
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
