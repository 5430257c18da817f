// Launching kernels: the one way to, with errors that name the kernel and its sizes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <tuple>
#include <utility>

#include "cuda/machine.h"
#include "cuda/platform.h"

namespace gradloom::cuda {

constexpr int blockThreads = 256;
constexpr int warpThreads = 32;

constexpr int64_t ceilDiv(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Most blocks along y and z.
constexpr int64_t mostBlocksAcross = 65535;

#if defined(GRADLOOM_CUDA_EMULATED)

template <class... P, class... A>
void launch(const char* name, std::initializer_list<int64_t> sizes, dim3 grid, dim3 block,
            void (*kernel)(P...), A&&... arguments) {
  std::tuple<std::decay_t<P>...> values(static_cast<P>(arguments)...);
  const Label label(name, sizes);
  Machine& machine = Machine::current();
  machine.check(emulator::enqueue(
                    label.text(), grid, block,
                    [=] {
                      auto own = values;  // each thread has its own arguments
                      std::apply(kernel, own);
                    },
                    machine.stream()),
                label.text().c_str());
  machine.launched(label);
}

#else

template <class... P, class... A>
void launch(const char* name, std::initializer_list<int64_t> sizes, dim3 grid, dim3 block,
            void (*kernel)(P...), A&&... arguments) {
  std::tuple<std::decay_t<P>...> values(static_cast<P>(arguments)...);
  Machine& machine = Machine::current();
  const cudaError_t error = std::apply(
      [&](auto&... each) {
        void* pointers[] = {const_cast<void*>(static_cast<const void*>(&each))...};
        return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers, 0,
                                static_cast<cudaStream_t>(machine.stream()));
      },
      values);
  machine.launched({name, sizes});
  machine.check(error, "launching");
}

#endif

// One block per part of `per` elements; `blockThreads` threads each.
template <class... P, class... A>
void launchOver(const char* name, int64_t n, int64_t per, void (*kernel)(P...), A&&... arguments) {
  if (n == 0) return;
  const dim3 grid(static_cast<unsigned>(ceilDiv(n, per)));
  launch(name, {n}, grid, dim3(blockThreads), kernel, std::forward<A>(arguments)...);
}

}  // namespace gradloom::cuda
