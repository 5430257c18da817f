// Repeated work over CUDA's graphs.
#include "cuda/repeated.h"

#include <cstring>

#include "cuda/platform.h"

namespace gradloom::cuda {
namespace {

cudaStream_t streamOf(const Machine& machine) {
  return static_cast<cudaStream_t>(machine.stream());
}

// Errors of a capture are no errors of the program: it goes on without.
bool succeeds(cudaError_t error) {
  if (error == cudaSuccess) return true;
  (void)cudaGetLastError();
  return false;
}

}  // namespace

Repeated::~Repeated() {
  const Turn turn(machine);
  try {
    machine.synchronize();
  } catch (const DeviceFailure&) {
    // Whoever looks next at the device is told.
  }
  if (graph != nullptr) (void)cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
  machine.endReserve(scratch);
  if (memory != nullptr) machine.free(memory, size_t(bytes));
}

void Repeated::expect(const double* numbers, int64_t count) {
  if (live(numbers) != nullptr) return;
  changing.push_back({numbers, count, bytes});
  bytes += count * int64_t{sizeof(double)};
}

const double* Repeated::live(const double* numbers) const {
  for (const Numbers& each : changing) {
    if (each.host != numbers) continue;
    return reinterpret_cast<const double*>(static_cast<const char*>(memory) + each.offset);
  }
  return nullptr;
}

void Repeated::upload(Philox place) {
  if (memory == nullptr) memory = machine.allocate(size_t(bytes));
  std::vector<char> values(static_cast<size_t>(bytes));
  std::memcpy(values.data(), &place, sizeof(place));
  for (const Numbers& each : changing) {
    std::memcpy(values.data() + each.offset, each.host, size_t(each.count) * sizeof(double));
  }
  machine.write(memory, values.data(), values.size());
}

void Repeated::run(Philox place, const std::function<void()>& work) {
  upload(place);
  const Machine::Repeating now(machine, *this, scratch);
  if (graph == nullptr && capturable && runs > 0) capturable = capture(work);
  if (graph == nullptr) {
    work();
  } else {
    machine.check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), streamOf(machine)),
                  "launching a captured step");
    machine.graphLaunched();
  }
  runs++;
}

bool Repeated::capture(const std::function<void()>& work) {
  const cudaStream_t stream = streamOf(machine);
  if (!succeeds(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal))) return false;
  const Machine::Uncounted uncounted(machine);
  bool whole = true;
  try {
    work();
  } catch (const DeviceFailure&) {
    whole = false;  // the work, queued as it is, will say
  }
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t ready = nullptr;
  whole = succeeds(cudaStreamEndCapture(stream, &captured)) && whole;
  whole = whole && succeeds(cudaGraphInstantiate(&ready, captured, 0));
  if (captured != nullptr) (void)cudaGraphDestroy(captured);
  graph = ready;
  return whole;
}

}  // namespace gradloom::cuda
