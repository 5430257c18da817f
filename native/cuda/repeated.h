// Work that is made again and again on the same memory, as recorded training steps are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "cuda/machine.h"
#include "kernels/philox.h"

namespace gradloom::cuda {

// The first time the work is queued as it is; the second time it is captured as a graph, which is
// what is launched from then on. Where the runtime cannot capture, the work stays as it is.
//
// What changes between runs lies at fixed places of the device's memory: where random numbers
// begin, and numbers of the host. Scratch memory of the work is its own.
class Repeated {
 public:
  explicit Repeated(Machine& owner) : machine(owner) {}
  ~Repeated();
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;

  // Numbers that may have changed at every run. Not to be called after the first.
  void expect(const double* numbers, int64_t count);
  // `work` draws random numbers as if they began at zero; they begin at `place`.
  void run(Philox place, const std::function<void()>& work);

  // For kernels, while the work runs; see Machine.
  const double* live(const double* numbers) const;
  const Philox* randomBegin() const { return static_cast<const Philox*>(memory); }

 private:
  struct Numbers {
    const double* host;
    int64_t count, offset;  // in bytes, on the device
  };

  void upload(Philox place);
  bool capture(const std::function<void()>& work);

  Machine& machine;
  std::vector<Numbers> changing;
  int64_t bytes = sizeof(Philox);
  void* memory = nullptr;
  Allocator::Reserve scratch;
  int runs = 0;
  bool capturable = true;
  void* graph = nullptr;  // ready to be launched
};

}  // namespace gradloom::cuda
